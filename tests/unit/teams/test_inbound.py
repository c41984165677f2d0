"""From Activities, as Teams posts them, to messages."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.teams.inbound import Profile, to_message
from triage.model import Account, ChannelKind, Ignored, Kind, Message, Platform

CHANNEL = "19:help@thread.tacv2"


def activity(**changes: Any) -> dict[str, Any]:
    """A post of Kim's at the top of a channel, as captured from Teams."""
    return {
        "type": "message",
        "id": "1700000000001",
        "timestamp": "2026-11-03T09:00:00.123Z",
        "channelId": "msteams",
        "serviceUrl": "https://smba.example/emea/",
        "from": {"id": "29:kim", "name": "Kim Lee", "aadObjectId": "aad-kim"},
        "recipient": {"id": "28:bot", "name": "Deskbell"},
        "conversation": {"id": f"{CHANNEL};messageid=1700000000001", "conversationType": "channel", "isGroup": True},
        "channelData": {"tenant": {"id": "contoso"}, "channel": {"id": CHANNEL}, "team": {"id": "19:team"}},
        "text": "my laptop is broken",
        "textFormat": "plain",
        "locale": "ko-KR",
        "localTimezone": "Asia/Seoul",
        **changes,
    }


def mention(id: str, name: str, **more: str) -> dict[str, Any]:
    return {"type": "mention", "text": f"<at>{name}</at>", "mentioned": {"id": id, "name": name, **more}}


def message(known: dict[str, Profile] | None = None, /, **changes: Any) -> Message:
    made = to_message(activity(**changes), known)
    assert isinstance(made, Message), made
    return made


def account(user: str) -> Account:
    return Account(platform=Platform.TEAMS, place="contoso", user=user)


def test_a_post_is_keyed_by_conversation_and_activity() -> None:
    """The thread's mark is no part of the key, so a repeat has the same one however it comes."""
    assert message().key == f"teams:{CHANNEL}:1700000000001"


def test_a_channel_is_named_without_its_thread() -> None:
    """Place, id and kind of the channel come from tenant, conversation and type."""
    channel = message().channel
    assert (channel.place, channel.id, channel.kind) == ("contoso", CHANNEL, ChannelKind.CHANNEL)


def test_a_root_post_is_in_no_thread() -> None:
    """A post that begins a thread is answered in the thread it begins."""
    made = message()
    assert (made.thread, made.here.root) == (None, "1700000000001")


def test_a_reply_is_in_its_thread() -> None:
    """A reply carries the root's id in the conversation's."""
    assert message(id="1700000000099").thread == "1700000000001"


@pytest.mark.parametrize(
    ("conversation", "kind"),
    [
        ({"id": "a:1", "conversationType": "personal"}, ChannelKind.DM),
        ({"id": "19:g@thread.v2", "conversationType": "groupChat"}, ChannelKind.GROUP),
        ({"id": "19:c@thread.tacv2;messageid=1", "isGroup": True}, ChannelKind.CHANNEL),
        ({"id": "19:g@thread.v2", "isGroup": True}, ChannelKind.GROUP),
        ({"id": "a:1"}, ChannelKind.DM),
    ],
)
def test_the_kind_of_a_conversation(conversation: dict[str, Any], kind: ChannelKind) -> None:
    """The type says what it is; without one, the shape does."""
    tenant = {"tenant": {"id": "contoso"}}
    assert message(conversation=conversation, channelData=tenant).channel.kind is kind


def test_the_tenant_may_stand_with_the_conversation() -> None:
    """Some activities have no channel data."""
    conversation = {"id": "a:1", "conversationType": "personal", "tenantId": "contoso"}
    assert message(conversation=conversation, channelData=None).channel.place == "contoso"


def test_a_person_is_known_by_their_entra_object_id() -> None:
    """desk.yaml lists people by that id, and Teams sends it along."""
    assert message().sender.account == account("aad-kim")


def test_without_the_object_id_the_roster_says_who_it_is() -> None:
    """The `29:` id alone is looked up in what the roster said."""
    made = message({"29:kim": Profile(user="aad-kim")}, **{"from": {"id": "29:kim"}})
    assert made.sender.account == account("aad-kim")


def test_an_unknown_person_keeps_their_teams_id() -> None:
    """Without any better word the account is the `29:` id."""
    assert message(**{"from": {"id": "29:kim"}}).sender.account == account("29:kim")


def test_language_and_time_zone_of_the_sender() -> None:
    """Teams names both, either beside the text or as client information."""
    info = [{"type": "clientInfo", "locale": "ko-KR", "timezone": "Asia/Seoul"}]
    senders = [message().sender, message(locale=None, localTimezone=None, entities=info).sender]
    assert [(s.locale, s.timezone) for s in senders] == [("ko-KR", "Asia/Seoul")] * 2


@pytest.mark.parametrize(
    ("sender", "guest"),
    [
        ({"id": "29:kim"}, False),
        ({"id": "29:kim", "tenantId": "contoso"}, False),
        ({"id": "29:kim", "tenantId": "fabrikam"}, True),
        ({"id": "29:kim", "userRole": "guest"}, True),
    ],
)
def test_a_guest(sender: dict[str, str], guest: bool) -> None:
    """Somebody of another tenant, or called a guest, is one."""
    assert message(**{"from": sender}).sender.guest is guest


def test_a_guest_by_the_roster() -> None:
    """The roster's word makes a guest of someone who is silent about it."""
    assert message({"29:kim": Profile(user="aad-kim", guest=True)}).sender.guest


# --- text ----------------------------------------------------------------------------------------
def test_the_mention_of_the_bot_is_taken_out() -> None:
    """What remains is what was said to the bot."""
    made = message(text="<at>Deskbell</at> claim 42", entities=[mention("28:bot", "Deskbell")])
    assert (made.text, made.mentions_bot) == ("claim 42", True)


def test_a_mention_in_the_middle_leaves_one_space() -> None:
    """Words around the mention stay apart and no further."""
    made = message(text="please <at>Deskbell</at>&nbsp;help", entities=[mention("28:bot", "Deskbell")])
    assert made.text == "please help"


def test_other_mentions_stay_as_words() -> None:
    """Others stay in the text as `@Name`, and are listed by account."""
    made = message(
        {"29:lee": Profile(user="aad-lee")},
        text="<at>Deskbell</at> transfer 42 to <at>Lee</at> and <at>Ann</at>",
        entities=[
            mention("28:bot", "Deskbell"),
            mention("29:lee", "Lee"),
            mention("29:ann", "Ann", aadObjectId="aad-ann"),
        ],
    )
    assert (made.text, made.mentions) == ("transfer 42 to @Lee and @Ann", (account("aad-lee"), account("aad-ann")))


def test_a_text_with_the_bots_name_is_no_mention() -> None:
    """Only the entity counts, not what somebody typed."""
    assert not message(text="<at>Deskbell</at> claim 42").mentions_bot


def test_plain_text_keeps_its_angle_brackets() -> None:
    """Plain text is not parsed as HTML, but its entities are resolved."""
    assert message(text="run a <b> && c &lt;d&gt;").text == "run a <b> && c <d>"


def test_html_becomes_lines() -> None:
    """Of rich text what a reader sees remains, a line for each block."""
    html = "<p>first &amp; <b>second</b></p><ul><li>one</li><li>two</li></ul>third<br>fourth"
    assert message(text=html, textFormat="xhtml").text == "first & second\none\ntwothird\nfourth"


def test_rich_content_without_text_is_read() -> None:
    """A post whose words are only in its HTML attachment is not empty."""
    html = [{"contentType": "text/html", "content": "<div>help</div>"}]
    assert message(text="", attachments=html).text == "help"


def test_what_no_database_takes_is_replaced() -> None:
    """Half a character and NUL do not get further than the door."""
    made = message(text=json.loads('"a\\ud800b\\u0000c"'))
    assert made.text == "a?bc"


# --- edits, deletions, buttons -------------------------------------------------------------------
def test_an_edit_has_its_time_stamp_in_the_key() -> None:
    """Each edit of a post is something new, each repeat of an edit is not."""
    made = message(type="messageUpdate", channelData={"tenant": {"id": "contoso"}, "eventType": "editMessage"})
    assert (made.kind, made.key) == (Kind.EDIT, f"teams:{CHANNEL}:1700000000001:edit:2026-11-03T09:00:00.123Z")


def test_a_deletion_has_no_text() -> None:
    """A deleted post is named, and says nothing any more."""
    made = message(type="messageDelete")
    assert (made.kind, made.key, made.text) == (Kind.DELETE, f"teams:{CHANNEL}:1700000000001:delete", "")


@pytest.mark.parametrize("text", [f"&#{'9' * 5_000};", " " * 90_000, "<a " * 30_000, "<at>Bot</at>" * 8_000])
@pytest.mark.parametrize("format", ["plain", "xhtml"])
def test_no_words_stop_the_desk(text: str, format: str) -> None:
    """Whatever is written is a message, and read in a moment."""
    began = time.perf_counter()
    mentions = [{"type": "mention", "text": tag, "mentioned": {"id": tag}} for tag in map(str, range(3_000))]
    bot = {"type": "mention", "text": "<at>Bot</at>", "mentioned": {"id": "28:bot"}}
    message(text=text, textFormat=format, entities=[bot, *mentions])
    assert time.perf_counter() - began < 5


def press(**changes: Any) -> Message:
    data = {"command": "claim 42", "nonce": "n1"}
    value = {"action": {"type": "Action.Execute", "verb": "deskbell", "data": data}}
    defaults = {"type": "invoke", "name": "adaptiveCard/action", "id": "f:1", "replyToId": "1700000000050"}
    return message(**{**defaults, "value": value, **changes})


def test_a_press_names_the_post_with_the_button() -> None:
    """The command stands in the button's data, the post is the one replied to."""
    made = press()
    assert (made.kind, made.text, made.id, made.thread) == (
        Kind.BUTTON,
        "claim 42",
        "1700000000050",
        "1700000000001",
    )


def test_a_press_on_a_root_post_is_in_no_thread() -> None:
    """A card at the top of a channel is its own thread's root."""
    assert press(replyToId="1700000000001").thread is None


def test_a_press_sent_again_under_a_new_id_is_a_repeat() -> None:
    """Teams repeats a slow submit as a new activity; the card's nonce tells."""
    assert press(id="f:1").key == press(id="f:2", timestamp="2026-11-03T09:00:15Z").key


def test_the_same_press_of_another_person_is_their_own() -> None:
    """Two people claiming at once are two claims."""
    theirs = press(**{"from": {"id": "29:lee"}}).key
    assert press().key != theirs
    assert "29:" not in theirs


def test_the_same_press_a_minute_later_is_meant() -> None:
    """Nobody's button goes dead for having been pressed once."""
    assert press().key != press(timestamp="2026-11-03T09:01:30Z").key


def test_a_press_without_nonce_is_keyed_by_its_activity() -> None:
    """Older cards carry none."""
    assert press(value={"action": {"type": "Action.Execute", "data": {"command": "help"}}}).key == (
        f"teams:{CHANNEL}:f:1"
    )


def test_a_message_with_a_value_of_someone_elses_is_a_post() -> None:
    """A value without command text is no button of ours."""
    assert message(value={"other": 1}).kind is Kind.POST


# --- ignored -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "changes",
    [
        {"type": "installationUpdate"},
        {"type": "conversationUpdate"},
        {"type": "messageReaction", "reactionsAdded": [{"type": "like"}]},
        {"type": "typing"},
        {"type": "invoke", "name": "task/fetch"},
        {"type": "message", "from": {"id": "28:bot"}},
        {"type": "message", "from": {"id": "28:other", "role": "bot"}},
        {"type": "message", "from": None},
        {"type": "message", "id": None},
        {"type": "message", "conversation": None},
        {"type": "message", "channelData": None},
    ],
)
def test_what_the_desk_has_nothing_to_do_with(changes: dict[str, Any]) -> None:
    """Notices, reactions, the bot's own posts and fragments are ignored, with a reason."""
    made = to_message(activity(**changes))
    assert isinstance(made, Ignored)
    assert made.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(field=st.sampled_from(sorted([*activity(), "entities", "attachments", "value", "replyToId"])), value=JSON)
def test_no_shape_of_an_activity_breaks_the_reading(field: str, value: Any) -> None:
    """Whatever stands in a field, there is a message or a reason."""
    assert isinstance(to_message(activity(**{field: value})), Message | Ignored)
