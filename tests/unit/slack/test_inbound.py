"""Slack payloads become messages, or are ignored for a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.identity import Bot
from adapters.slack.inbound import Known, from_action, from_command, from_event
from triage.model import Account, ChannelKind, Ignored, Kind, Message, Platform

BOT = Bot(team="T1", user="UBOT", id="BBOT", app="A1")


def event(**fields: Any) -> dict[str, Any]:
    post = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "text": "hi", "ts": "10.1"}
    return {"type": "event_callback", "team_id": "T1", "event": {**post, **fields}}


def changed(message: dict[str, Any], before: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    post = {"user": "U1", "ts": "10.1", "text": "old"}
    now = {**post, **message}
    previous = {} if before is None else {"previous_message": {**post, **before}}
    return event(subtype="message_changed", message=now, event_ts="20.0", **previous, **fields)


def command(**fields: Any) -> dict[str, Any]:
    body = {"command": "/desk", "text": "claim 42", "channel_id": "C1", "channel_name": "it", "user_id": "U1"}
    return {**body, "user_name": "ann", "trigger_id": "1.2.abc", "response_url": "https://hooks/1", **fields}


def action(container: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": "U1", "name": "ann", "team_id": "T1"},
        "team": {"id": "T1"},
        "channel": {"id": "C1", "name": "it"},
        "container": {"type": "message", "message_ts": "30.1", "channel_id": "C1", **(container or {})},
        "actions": [{"action_id": "desk:1", "value": "claim 42"}],
        "trigger_id": "1.2.abc",
        "response_url": "https://hooks/1",
        **fields,
    }


def message(read: Message | Ignored) -> Message:
    assert isinstance(read, Message)
    return read


def reason(read: Message | Ignored) -> str:
    assert isinstance(read, Ignored)
    return read.reason


def test_a_post_is_keyed_by_workspace_channel_and_time_stamp() -> None:
    """The inbox key of a post is what Slack guarantees to be unique for it."""
    assert message(from_event(event(), BOT)).key == "slack:T1:C1:10.1"


def test_a_post_says_who_where_and_what() -> None:
    """The fields of a post arrive."""
    read = message(from_event(event(text="vpn is down"), BOT))
    assert (read.kind, read.sender.account.user, read.channel.id, read.id, read.text) == (
        Kind.POST,
        "U1",
        "C1",
        "10.1",
        "vpn is down",
    )


def test_message_and_app_mention_of_one_post_are_the_same_message() -> None:
    """Slack sends both; the desk sees one."""
    text = "<@UBOT> ask <@U2> about <#C2|vpn>"
    as_message, as_mention = event(text=text), event(text=text, type="app_mention")
    del as_mention["event"]["channel_type"]
    assert from_event(as_message, BOT) == from_event(as_mention, BOT)


def test_message_and_app_mention_agree_in_a_group_message() -> None:
    """An app_mention does not say what kind of channel it is in; the look-up does."""
    text = "<@UBOT> hello"
    as_message, as_mention = event(text=text, channel_type="mpim"), event(text=text, type="app_mention")
    del as_mention["event"]["channel_type"]
    assert from_event(as_message, BOT) == from_event(as_mention, BOT, Known(kind=ChannelKind.GROUP))


def test_a_mention_of_the_bot_is_noticed_and_taken_out_of_the_text() -> None:
    """The text is what was said, not whom it was said to."""
    read = message(from_event(event(text="<@UBOT>, vpn is down"), BOT))
    assert (read.mentions_bot, read.text) == (True, "vpn is down")


def test_a_post_without_the_bots_mention_does_not_mention_it() -> None:
    """Other people's mentions are not the bot's."""
    assert not message(from_event(event(text="<@U2> vpn is down"), BOT)).mentions_bot


def test_mentions_of_others_stay_in_the_text_by_name_and_are_listed() -> None:
    """`assign 42 @Kim` keeps its argument."""
    read = message(from_event(event(text="assign 42 <@U2>"), BOT, Known(names={"U2": "Kim"})))
    assert (read.text, read.mentions) == (
        "assign 42 @Kim",
        (Account(platform=Platform.SLACK, place="T1", user="U2"),),
    )


def test_a_reply_belongs_to_its_thread() -> None:
    """The root of the thread is kept."""
    assert message(from_event(event(thread_ts="9.1"), BOT)).thread == "9.1"


@pytest.mark.parametrize(
    ("root", "after"), [("1700000000.1", "slack:T1:C1:1700000000.1"), ("1699999900.1", None), ("1700000030.1", None)]
)
def test_a_quick_reply_says_what_it_follows(root: str, after: str | None) -> None:
    """Slack may bring it before the post that it answers: within a minute of it."""
    assert message(from_event(event(ts="1700000030.1", thread_ts=root), BOT)).after == after


def test_the_first_post_of_a_thread_is_in_no_thread() -> None:
    """Slack repeats a root's own time stamp as its thread."""
    assert message(from_event(event(thread_ts="10.1"), BOT)).thread is None


@pytest.mark.parametrize(
    ("channel", "channel_type", "kind"),
    [
        ("D1", "im", ChannelKind.DM),
        ("G1", "mpim", ChannelKind.GROUP),
        ("C1", "channel", ChannelKind.CHANNEL),
        ("G1", "group", ChannelKind.CHANNEL),
    ],
)
def test_the_kind_of_channel_is_read(channel: str, channel_type: str, kind: ChannelKind) -> None:
    """Direct, group and channel are told apart."""
    assert message(from_event(event(channel=channel, channel_type=channel_type), BOT)).channel.kind is kind


@pytest.mark.parametrize("field", ["user_team", "source_team"])
def test_people_of_another_workspace_are_guests_at_home_there(field: str) -> None:
    """A Slack Connect user's account belongs to their own workspace."""
    sender = message(from_event(event(**{field: "T2"}), BOT)).sender
    assert (sender.account.place, sender.guest) == ("T2", True)


ELSEWHERE = [
    from_event({**event(), "team_id": "T2"}, BOT),
    from_event({**event(), "authorizations": [{"team_id": "T2", "is_enterprise_install": False}]}, BOT),
    from_event({**event(type="app_mention"), "team_id": "T2"}, BOT),
    from_event({**changed({"text": "new"}, {}), "team_id": "T2"}, BOT),
    from_command({**command(), "team_id": "T2", "is_enterprise_install": "false"}, BOT),
    from_action({**action(), "user": {"id": "U1"}, "team": {"id": "T2"}}, BOT),
]


@pytest.mark.parametrize("read", ELSEWHERE, ids=lambda read: str(read.kind))
def test_people_of_another_installation_are_guests_at_home_there(read: Message | Ignored) -> None:
    """Whoever installs a distributed app in a workspace of theirs is not a colleague for it."""
    sender = message(read).sender
    assert (sender.account.place, sender.guest) == ("T2", True)


OURS = [
    from_event({**event(), "team_id": "T2", "authorizations": [{"team_id": "T1"}]}, BOT),
    from_event({**event(), "authorizations": [{"team_id": None, "is_enterprise_install": True}], "team_id": "T2"}, BOT),
    from_command({**command(), "team_id": "T1", "is_enterprise_install": "false"}, BOT),
    from_command({**command(), "team_id": "T2", "is_enterprise_install": "true"}, BOT),
    from_command(command(), BOT),
    from_action(action(), BOT),
]


@pytest.mark.parametrize("read", OURS, ids=lambda read: str(read.kind))
def test_people_of_our_installation_are_no_guests(read: Message | Ignored) -> None:
    """Also in a channel that another workspace shares, and of an organisation that installed it as a whole."""
    sender = message(read).sender
    assert (sender.account.place, sender.guest) == ("T1", False)


def test_a_guests_post_is_still_in_our_channel() -> None:
    """The channel's place is where the app is installed, whoever writes."""
    assert message(from_event(event(user_team="T2"), BOT)).channel.place == "T1"


def test_people_of_our_workspace_are_no_guests() -> None:
    """Slack names the team of our own people too, in shared channels."""
    assert not message(from_event(event(user_team="T1", source_team="T1"), BOT)).sender.guest


def test_files_without_words_are_named() -> None:
    """A screenshot alone is not an empty message."""
    files = [{"title": "Screenshot"}, {"name": "log.txt"}]
    assert message(from_event(event(subtype="file_share", text="", files=files), BOT)).text == "Screenshot, log.txt"


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_posts_with_a_subtype_are_posts(subtype: str) -> None:
    """What people say in other ways is said all the same."""
    assert message(from_event(event(subtype=subtype), BOT)).kind is Kind.POST


@pytest.mark.parametrize("subtype", ["channel_join", "channel_topic", "message_replied", "huddle_thread"])
def test_notices_are_ignored_by_name(subtype: str) -> None:
    """Join notices and the like are nobody's words."""
    assert subtype in reason(from_event(event(subtype=subtype), BOT))


@pytest.mark.parametrize(
    "fields",
    [
        {"user": "UBOT"},
        {"bot_id": "BBOT"},
        {"bot_id": "BOTHER", "user": "U9"},
        {"subtype": "bot_message", "bot_id": "BOTHER"},
        {"user": "USLACKBOT"},
        {"user": None},
    ],
)
def test_bots_are_ignored(fields: dict[str, Any]) -> None:
    """The bot answers neither itself nor other bots."""
    assert isinstance(from_event(event(**fields), BOT), Ignored)


def test_events_of_other_types_are_ignored() -> None:
    """Subscribed but unused events come to nothing."""
    assert "reaction_added" in reason(from_event(event(type="reaction_added"), BOT))


def test_an_edit_is_keyed_by_the_time_of_the_edit() -> None:
    """Two edits of one post are two things."""
    read = message(from_event(changed({"text": "new", "edited": {"ts": "20.0"}}, {}), BOT))
    assert (read.key, read.kind, read.text, read.id) == ("slack:T1:C1:10.1:edit:20.0", Kind.EDIT, "new", "10.1")


def test_an_edit_and_its_app_mention_are_the_same_message() -> None:
    """Adding the bot's mention by an edit arrives twice as well."""
    text, edited = "<@UBOT> help", {"ts": "20.0"}
    as_mention = event(type="app_mention", text=text, edited=edited)
    assert from_event(changed({"text": text, "edited": edited}, {}), BOT) == from_event(as_mention, BOT)


def test_a_link_preview_is_no_edit() -> None:
    """Slack changes a message to add a preview; the text stays."""
    read = from_event(changed({"attachments": [{"title": "x"}]}, {}), BOT)
    assert "text as it was" in reason(read)


def test_a_change_that_nobody_made_is_no_edit() -> None:
    """Without the previous message, `edited` tells an edit from a preview."""
    assert "nobody" in reason(from_event(changed({"attachments": [{}]}), BOT))


def test_an_edit_of_the_bots_own_message_is_ignored() -> None:
    """The bot's updates of its cards come back as events."""
    assert "own" in reason(from_event(changed({"user": "UBOT", "text": "new"}, {}), BOT))


def test_a_deletion_is_keyed_by_the_post() -> None:
    """A post is deleted once."""
    body = event(
        subtype="message_deleted", deleted_ts="10.1", previous_message={"user": "U1", "ts": "10.1", "text": "x"}
    )
    read = message(from_event(body, BOT))
    assert (read.key, read.kind, read.text) == ("slack:T1:C1:10.1:delete", Kind.DELETE, "")


def test_a_deleted_root_that_leaves_replies_is_a_deletion() -> None:
    """Slack puts a tombstone in its place and calls that a change."""
    body = changed(
        {"subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted."}, {"thread_ts": "10.1"}
    )
    read = message(from_event(body, BOT))
    assert (read.key, read.kind, read.thread) == ("slack:T1:C1:10.1:delete", Kind.DELETE, None)


@pytest.mark.parametrize(("retry", "last"), [(0, False), (2, False), (3, True)])
def test_the_third_retry_of_an_event_is_the_last(retry: int, last: bool) -> None:
    """Slack tries an event once and three times more."""
    read = message(from_event(event(), BOT, retry=retry))
    assert (read.last_try, read.tries, read.last_chance) == (last, retry + 1, last)


def test_a_command_carries_its_text_and_way_back() -> None:
    """`/desk claim 42` is the command text after the command's name."""
    read = message(from_command(command(), BOT))
    assert (read.kind, read.text, read.key, read.reply_url, read.last_try) == (
        Kind.COMMAND,
        "claim 42",
        "slack:T1:trigger:1.2.abc",
        "https://hooks/1",
        True,
    )


def test_mentions_in_a_command_are_listed() -> None:
    """Commands escape people as `<@U2|kim>`."""
    read = message(from_command(command(text="assign 42 <@U2|kim>"), BOT))
    assert (read.text, [account.user for account in read.mentions]) == ("assign 42 @kim", ["U2"])


@pytest.mark.parametrize(
    ("channel", "name", "kind"),
    [
        ("D1", "directmessage", ChannelKind.DM),
        ("C1", "mpdm-ann--kim-1", ChannelKind.GROUP),
        ("C1", "privategroup", ChannelKind.CHANNEL),
        ("C1", "it", ChannelKind.CHANNEL),
    ],
)
def test_the_kind_of_channel_of_a_command_is_read_off_its_name(channel: str, name: str, kind: ChannelKind) -> None:
    """Slack gives commands a name where events have a type."""
    assert message(from_command(command(channel_id=channel, channel_name=name), BOT)).channel.kind is kind


def test_two_commands_in_one_channel_are_two_conversations() -> None:
    """A command has no post to hang on, so its id is the trigger's."""
    first = message(from_command(command(trigger_id="1"), BOT))
    assert first.here != replace(message(from_command(command(trigger_id="2"), BOT)), key=first.key).here


def test_a_command_without_a_trigger_is_ignored() -> None:
    """What cannot be recognised again is not taken."""
    assert "trigger_id" in reason(from_command(command(trigger_id=""), BOT))


def test_a_press_is_the_buttons_command_on_its_message() -> None:
    """The value is the command text, the container says which message."""
    read = message(from_action(action({"thread_ts": "29.1"}), BOT))
    assert (read.kind, read.text, read.id, read.thread, read.key, read.last_try) == (
        Kind.BUTTON,
        "claim 42",
        "30.1",
        "29.1",
        "slack:T1:trigger:1.2.abc",
        True,
    )


def test_a_press_on_a_threads_root_is_in_no_thread() -> None:
    """A card with replies names itself as its thread."""
    assert message(from_action(action(message={"ts": "30.1", "thread_ts": "30.1"}), BOT)).thread is None


def test_a_press_on_an_ephemeral_message_names_no_post() -> None:
    """Nothing can be posted in the thread of a message only one person sees."""
    assert message(from_action(action({"is_ephemeral": True}), BOT)).id == "ephemeral:30.1"


def test_a_press_by_somebody_of_another_workspace_is_a_guests() -> None:
    """Shared channels show our buttons to others."""
    sender = message(from_action(action(user={"id": "U7", "team_id": "T2"}), BOT)).sender
    assert (sender.account.place, sender.guest) == ("T2", True)


@pytest.mark.parametrize(
    "fields",
    [{"actions": [{"action_id": "x"}]}, {"actions": []}, {"container": {"type": "view"}}, {"trigger_id": ""}],
)
def test_other_actions_are_ignored(fields: dict[str, Any]) -> None:
    """Links that look like buttons, and buttons outside messages, carry no command."""
    body = action() | fields
    assert isinstance(from_action(body, BOT), Ignored)
