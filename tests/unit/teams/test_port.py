"""Writing to Teams: where each message goes, and what each refusal means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.teams.connector import Connector, refusal
from adapters.teams.port import TeamsPort
from adapters.teams.reference import Reference
from tests.fakes.teams_connector import APP_ID, BOT, CHANNEL, GROUP, TENANT, FakeTeams
from tests.unit.teams.conftest import Desk
from triage.document import Button, Buttons, Document, Paragraph, Plain
from triage.errors import CannotWhisper, GiveUp, TryLater
from triage.model import Account, Channel, ChannelKind, Platform, Thread
from triage.ports import Address


def document(text: str) -> Document:
    return Document(blocks=(Paragraph((Plain(text),)),), summary=text)


def card(text: str) -> Document:
    return Document(blocks=(Paragraph((Plain(text),)), Buttons((Button("Claim", "claim 42"),))), summary=text)


def address(teams: FakeTeams, conversation: str = CHANNEL, root: str | None = None) -> Address:
    kinds = {CHANNEL: ChannelKind.CHANNEL, GROUP: ChannelKind.GROUP}
    kind = kinds.get(conversation, ChannelKind.DM)
    channel = Channel(platform=Platform.TEAMS, place=TENANT, id=conversation, kind=kind)
    known = Reference(
        service_url=teams.service_url, place=TENANT, conversation=conversation, bot=BOT, bot_name="Deskbell"
    )
    return Address(thread=Thread(channel=channel, root=root), reference=known.dumps())


def kim(user: str = "object-kim") -> Account:
    return Account(platform=Platform.TEAMS, place=TENANT, user=user)


async def test_a_post_at_the_top_of_a_channel_begins_a_thread(desk: Desk) -> None:
    """The returned id is the root of the new thread, in which one can then post."""
    ref = await desk.adapter.port.post(address(desk.teams), document("card"), key="k1")
    await desk.adapter.port.post(address(desk.teams, root=ref.id), document("reply"), key="k2")
    assert [post.text for post in desk.teams.messages(CHANNEL, ref.id)] == ["card", "reply"]


async def test_a_group_chat_has_no_threads(desk: Desk) -> None:
    """There a post goes to the conversation itself."""
    await desk.adapter.port.post(address(desk.teams, GROUP), document("hello"), key="k")
    assert [post.conversation for post in desk.teams.posts] == [GROUP]


async def test_the_root_of_a_thread_is_updated_in_place(desk: Desk) -> None:
    """A ticket card is posted at the top and changed where it stands."""
    ref = await desk.adapter.port.post(address(desk.teams), card("new"), key="k")
    await desk.adapter.port.update(ref, card("claimed"), reference=address(desk.teams).reference)
    assert [(post.text, post.edits) for post in desk.teams.posts] == [("claimed", 1)]


async def test_a_reply_is_updated_in_place(desk: Desk) -> None:
    """A post inside a thread keeps its place there."""
    root = await desk.adapter.port.post(address(desk.teams), document("root"), key="k1")
    ref = await desk.adapter.port.post(address(desk.teams, root=root.id), document("reply"), key="k2")
    await desk.adapter.port.update(ref, document("better"), reference=address(desk.teams).reference)
    assert [post.text for post in desk.teams.messages(CHANNEL, root.id)] == ["root", "better"]


async def test_a_card_gives_way_to_words(desk: Desk) -> None:
    """An update without buttons takes the card away."""
    ref = await desk.adapter.port.post(address(desk.teams, GROUP), card("pick one"), key="k")
    await desk.adapter.port.update(ref, document("picked"), reference=address(desk.teams, GROUP).reference)
    assert (desk.teams.posts[0].text, desk.teams.posts[0].card) == ("picked", None)


async def test_a_retried_post_carries_the_same_nonce_an_update_a_new_one(desk: Desk) -> None:
    """So a press on either copy of a doubled card counts once, and one on the updated card counts again."""
    port = desk.adapter.port
    first, _ = [await port.post(address(desk.teams, GROUP), card("c"), key="k") for _ in range(2)]
    nonces = [nonce_of(post.card) for post in desk.teams.posts]
    await port.update(first, card("d"), reference=address(desk.teams, GROUP).reference)
    assert (nonces[0] == nonces[1], nonces[0] == nonce_of(desk.teams.posts[0].card)) == (True, False)


def nonce_of(content: dict[str, Any] | None) -> str:
    assert content is not None
    return str(content["body"][-1]["actions"][0]["data"]["nonce"])


# --- privately -----------------------------------------------------------------------------------
async def test_a_direct_chat_is_opened_and_reached(desk: Desk) -> None:
    """Someone known by object id only is written to, by the reference of the place."""
    chat = await desk.adapter.port.direct(kim(), reference=address(desk.teams).reference)
    await desk.adapter.port.post(chat, document("psst"), key="k")
    assert (chat.thread.channel.kind, [p.text for p in desk.teams.messages("a:kim")]) == (ChannelKind.DM, ["psst"])


async def test_a_direct_chat_prefers_the_teams_id(desk: Desk) -> None:
    """When the reference is the person's own, their `29:` id is used."""
    known = Reference.loads(address(desk.teams).reference or "")
    own = replace(known, user="29:kim", user_object="object-kim").dumps()
    await desk.adapter.port.direct(kim(), reference=own)
    assert desk.teams.calls[-1].body["members"] == [{"id": "29:kim"}]


async def test_a_person_of_another_tenant_cannot_be_reached(desk: Desk) -> None:
    """A reference opens chats in its own tenant only."""
    stranger = replace(kim(), place="fabrikam")
    with pytest.raises(GiveUp):
        await desk.adapter.port.direct(stranger, reference=address(desk.teams).reference)


@pytest.mark.parametrize("conversation", [CHANNEL, GROUP])
async def test_nothing_is_whispered_among_others(desk: Desk, conversation: str) -> None:
    """In a channel or a group everyone would see it, so it is not said."""
    with pytest.raises(CannotWhisper):
        await desk.adapter.port.whisper(address(desk.teams, conversation), kim(), document("x"), reply_url=None)


async def test_in_a_direct_chat_a_whisper_is_a_post(desk: Desk) -> None:
    """There is nobody else to hear it."""
    chat = await desk.adapter.port.direct(kim(), reference=address(desk.teams).reference)
    await desk.adapter.port.whisper(chat, kim(), document("psst"), reply_url=None)
    assert [post.text for post in desk.teams.posts] == ["psst"]


async def test_the_invitation_opens_a_chat_with_the_bot(desk: Desk) -> None:
    """A deep link with the bot's id."""
    assert desk.adapter.port.invitation(TENANT) == f"https://teams.microsoft.com/l/chat/0/0?users=28:{APP_ID}"


# --- refusals ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "BadSyntax", GiveUp),
        (401, "Unauthorized", TryLater),
        (403, "BotNotInConversationRoster", GiveUp),
        (404, "ConversationNotFound", GiveUp),
        (408, "", TryLater),
        (412, "PreconditionFailed", TryLater),
        (413, "MessageSizeTooBig", GiveUp),
        (429, "TooManyRequests", TryLater),
        (500, "ServiceError", TryLater),
        (502, "", TryLater),
        (504, "", TryLater),
    ],
)
def test_what_a_refusal_means(status: int, code: str, error: type[Exception]) -> None:
    """Passing trouble is tried again, the rest given up."""
    assert type(refusal(status, code, "", None)) is error


async def test_too_many_requests_slow_the_whole_channel(desk: Desk) -> None:
    """A 429 says how long, and that its neighbours should wait too."""
    desk.teams.refuse_next(429, "TooManyRequests", retry_after=7)
    with pytest.raises(TryLater) as caught:
        await desk.adapter.port.post(address(desk.teams, GROUP), document("x"), key="k")
    assert (caught.value.delay, caught.value.bucket_wide) == (timedelta(seconds=7), True)


@pytest.mark.parametrize("value", ["soon", "-3", "nan", "inf", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_an_odd_retry_after_is_survived(value: str) -> None:
    """The wait is some bounded time, whatever the header says."""
    error = refusal(429, "", "", value)
    assert isinstance(error, TryLater)
    assert timedelta(0) <= error.delay <= timedelta(minutes=10)


async def test_a_card_that_teams_wrongly_denies_is_updated(teams: FakeTeams) -> None:
    """Teams denies one card in a thousand that it has; a second look finds it."""
    connector = Connector(teams.bot_token)
    port = TeamsPort(connector, app_id=APP_ID, second_look=timedelta(0))
    ref = await port.post(address(teams, GROUP), card("new"), key="k")
    teams.refuse_next(404, "ActivityNotFoundInConversation")
    await port.update(ref, card("claimed"), reference=address(teams, GROUP).reference)
    await connector.close()
    assert [post.text for post in teams.posts] == ["claimed"]


async def test_a_network_failure_is_tried_again(teams: FakeTeams) -> None:
    """Nobody there is no reason to give up."""
    desk, to = Desk(teams), address(teams, GROUP)
    port = desk.adapter.port
    await teams.stop()
    with pytest.raises(TryLater):
        await port.post(to, document("x"), key="k")
    await desk.adapter.stop()


@pytest.mark.parametrize("reference", [None, "", "{}", "[]", '{"place": "other"}'])
async def test_without_a_usable_reference_nothing_is_sent(desk: Desk, reference: str | None) -> None:
    """Teams' address is known only from a message; what is missing is said."""
    to = replace(address(desk.teams), reference=reference)
    with pytest.raises(GiveUp):
        await desk.adapter.port.post(to, document("x"), key="k")


async def test_a_reference_of_another_tenant_is_not_used(desk: Desk) -> None:
    """What belongs to one tenant is not sent by way of another."""
    to = address(desk.teams)
    other = replace(to.thread.channel, place="fabrikam")
    with pytest.raises(GiveUp):
        await desk.adapter.port.post(replace(to, thread=Thread(channel=other)), document("x"), key="k")


# --- the bot's token -----------------------------------------------------------------------------
async def test_the_token_is_sent_to_the_service(desk: Desk) -> None:
    """Every call is authorised."""
    await desk.adapter.port.post(address(desk.teams, GROUP), document("x"), key="k")
    assert [call.token for call in desk.teams.calls] == [desk.teams.bot_token()]


@pytest.mark.parametrize("url", ["http://evil.example/", "ftp://127.0.0.2.example", "", "//", "http://["])
async def test_the_token_is_not_sent_in_the_clear(url: str) -> None:
    """Only https, or this machine, is spoken to."""
    connector = Connector(lambda: "secret")
    with pytest.raises(GiveUp):
        await connector.call("GET", url, "conversations")
    await connector.close()


async def test_without_a_token_only_this_machine_is_called() -> None:
    """In local mode nothing leaves the machine."""
    with pytest.raises(GiveUp):
        await Connector(None).call("GET", "https://smba.example/", "conversations")


async def test_a_refused_token_is_fetched_again_later(teams: FakeTeams) -> None:
    """Microsoft Entra out of reach, or a wrong password, is worth another try."""

    def refused() -> str:
        raise PermissionError("invalid_client")

    with pytest.raises(TryLater):
        await Connector(refused).call("GET", teams.service_url, "conversations")
