"""What every platform's `ChatPort` does alike, over the real port and a fake of its server.

A harness that cannot be imported is a failure, not a skip: every platform has one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest

from tests.contract.harness import Harness
from triage.document import (
    Button,
    Buttons,
    Document,
    Facts,
    Heading,
    Link,
    Markdown,
    Mention,
    Paragraph,
    Plain,
    Quote,
    Small,
    Strong,
    When,
)
from triage.errors import GiveUp, TryLater
from triage.model import MessageRef, Thread
from triage.ports import Address

HARNESSES = ("Slack", "Teams", "Web")


@pytest.fixture(params=HARNESSES, ids=str.lower)
async def harness(request: pytest.FixtureRequest) -> AsyncIterator[Harness]:
    module = import_module(f"tests.contract.{request.param.lower()}_harness")
    async with getattr(module, f"{request.param}Harness")() as harness:
        yield harness


def says(text: str) -> Document:
    return Document(blocks=(Paragraph((Plain(text),)),), summary=text)


def thread_on(ref: MessageRef) -> Thread:
    return Thread(channel=ref.thread.channel, root=ref.thread.root or ref.id)


async def test_a_post_is_shown_where_it_was_addressed(harness: Harness) -> None:
    """What is posted to a channel can be read there."""
    await harness.port.post(harness.channel, says("the printer is back"), key="k1")
    assert any("the printer is back" in text for text in harness.shown(harness.channel.thread))


async def test_a_post_names_the_platform_and_channel_it_went_to(harness: Harness) -> None:
    """The reference says enough to answer or change the message later."""
    ref = await harness.port.post(harness.channel, says("hello"), key="k1")
    assert (ref.thread.channel.key, ref.thread.channel.platform, bool(ref.id)) == (
        harness.channel.thread.channel.key,
        harness.port.platform,
        True,
    )


async def test_a_reply_is_shown_in_its_thread(harness: Harness) -> None:
    """A post to a thread hangs on the thread's first message."""
    root = await harness.port.post(harness.channel, says("the question"), key="k1")
    await harness.port.post(
        Address(thread=thread_on(root), reference=harness.channel.reference), says("reply"), key="k2"
    )
    assert any("reply" in text for text in harness.shown(thread_on(root)))


async def test_two_posts_keep_their_order(harness: Harness) -> None:
    """The later post is shown below the earlier one."""
    await harness.port.post(harness.channel, says("first words"), key="k1")
    await harness.port.post(harness.channel, says("second words"), key="k2")
    text = "\n".join(harness.shown(harness.channel.thread))
    assert text.index("first words") < text.index("second words")


async def test_an_update_replaces_what_is_shown(harness: Harness) -> None:
    """After an update the old words are gone and the new ones stand in their place."""
    ref = await harness.port.post(harness.channel, says("status new"), key="k1")
    await harness.port.update(ref, says("status solved"), reference=harness.channel.reference)
    text = "\n".join(harness.shown(harness.channel.thread))
    assert ("status solved" in text, "status new" in text) == (True, False)


async def test_an_update_adds_no_message(harness: Harness) -> None:
    """An update leaves the number of messages as it was."""
    ref = await harness.port.post(harness.channel, says("one"), key="k1")
    before = len(harness.shown(harness.channel.thread))
    await harness.port.update(ref, says("one, changed"), reference=harness.channel.reference)
    assert len(harness.shown(harness.channel.thread)) == before


async def test_an_update_of_a_message_that_is_not_there_is_given_up(harness: Harness) -> None:
    """A message nobody can find will not be found by trying again."""
    ref = await harness.port.post(harness.channel, says("one"), key="k1")
    gone = MessageRef(thread=ref.thread, id="1.000001")
    with pytest.raises(GiveUp):
        await harness.port.update(gone, says("two"), reference=harness.channel.reference)


async def test_a_post_where_the_bot_may_not_write_is_given_up(harness: Harness) -> None:
    """A channel closed to the bot is no reason to try again."""
    with pytest.raises(GiveUp):
        await harness.port.post(harness.forbidden, says("hello"), key="k1")


async def test_giving_up_comes_with_a_reason_for_an_admin(harness: Harness) -> None:
    """The reason is a sentence, not only a code."""
    with pytest.raises(GiveUp) as caught:
        await harness.port.post(harness.forbidden, says("hello"), key="k1")
    assert " " in str(caught.value)


async def test_a_busy_platform_is_tried_later_after_the_time_it_asks_for(harness: Harness) -> None:
    """A 429 slows the whole bucket for as long as the platform says."""
    if not harness.busy_once(7):
        pytest.skip("this platform is never busy")
    with pytest.raises(TryLater) as caught:
        await harness.port.post(harness.channel, says("hello"), key="k1")
    assert (caught.value.delay, caught.value.bucket_wide) == (timedelta(seconds=7), True)


async def test_a_busy_platform_shows_nothing_of_the_refused_post(harness: Harness) -> None:
    """The port does not repeat a refused call on its own: that is the outbox's business."""
    if not harness.busy_once(1):
        pytest.skip("this platform is never busy")
    with pytest.raises(TryLater):
        await harness.port.post(harness.channel, says("hello"), key="k1")
    assert not any("hello" in text for text in harness.shown(harness.channel.thread))


async def test_a_whisper_is_seen_by_its_person(harness: Harness) -> None:
    """A private message reaches the one it is for."""
    if not harness.whispers:
        pytest.skip("this platform has no private messages in place")
    await harness.port.whisper(harness.channel, harness.account, says("only you"), reply_url=None)
    assert any("only you" in text for text in harness.shown_privately(harness.account))


async def test_a_whisper_is_not_seen_by_the_channel(harness: Harness) -> None:
    """A private message leaves no trace in public."""
    if not harness.whispers:
        pytest.skip("this platform has no private messages in place")
    await harness.port.whisper(harness.channel, harness.account, says("only you"), reply_url=None)
    assert not any("only you" in text for text in harness.shown(harness.channel.thread))


async def test_a_whisper_that_cannot_be_private_is_refused(harness: Harness) -> None:
    """Where the platform has no private messages the port says so and shows nothing."""
    if harness.whispers:
        pytest.skip("this platform has private messages in place")
    with pytest.raises(GiveUp):
        await harness.port.whisper(harness.channel, harness.account, says("only you"), reply_url=None)
    assert not any("only you" in text for text in harness.shown(harness.channel.thread))


async def test_a_direct_message_reaches_its_person_alone(harness: Harness) -> None:
    """What is posted to the direct chat is seen by its person and not in the channel."""
    address = await harness.port.direct(harness.account, reference=harness.channel.reference)
    await harness.port.post(address, says("between us"), key="k1")
    assert any("between us" in text for text in harness.shown_privately(harness.account))
    assert not any("between us" in text for text in harness.shown(harness.channel.thread))


async def test_the_direct_chat_with_a_person_is_always_the_same(harness: Harness) -> None:
    """Asking twice opens one chat."""
    first = await harness.port.direct(harness.account, reference=harness.channel.reference)
    second = await harness.port.direct(harness.account, reference=harness.channel.reference)
    assert first.thread.channel.key == second.thread.channel.key


async def test_a_post_that_went_out_is_found_by_its_key(harness: Harness) -> None:
    """After a crash between sending and marking, the post is recognised."""
    ref = await harness.port.post(harness.channel, says("hello"), key="k1")
    found = await harness.port.find(harness.channel, key="k1")
    assert found == (ref if harness.finds else None)


async def test_a_reply_that_went_out_is_found_by_its_key(harness: Harness) -> None:
    """Posts in threads are recognised as well."""
    root = await harness.port.post(harness.channel, says("hello"), key="k1")
    thread = Address(thread=thread_on(root), reference=harness.channel.reference)
    ref = await harness.port.post(thread, says("reply"), key="k2")
    assert await harness.port.find(thread, key="k2") == (ref if harness.finds else None)


async def test_a_post_that_never_went_out_is_not_found(harness: Harness) -> None:
    """Somebody else's key does not match."""
    await harness.port.post(harness.channel, says("hello"), key="k1")
    assert await harness.port.find(harness.channel, key="k2") is None


async def test_an_invitation_is_a_link_to_the_bot(harness: Harness) -> None:
    """Where the platform has such links, it is an address that can be opened."""
    link = harness.port.invitation(harness.account.place)
    assert link is None or "://" in link or link.startswith("/")


async def test_everything_a_document_can_hold_is_shown(harness: Harness) -> None:
    """No kind of block is lost on the way."""
    document = Document(
        blocks=(
            Heading("the heading"),
            Paragraph((Strong("bold words"), Plain(" and "), Link("https://example.com/a?b=1&c=2", "a link"))),
            Markdown("## An article\n\n- with **points**\n\n```\nand code\n```"),
            Quote("somebody's\nown words"),
            Facts((("Owner", (Mention(None, "Kim"),)), ("Due", (When(datetime(2026, 3, 6, tzinfo=UTC), "midnight"),)))),
            Small((Plain("the footnote"),)),
            Buttons((Button("Press me", "claim 1", "primary"), Button("Not me", "release 1", "danger"))),
        ),
        summary="everything",
    )
    await harness.port.post(harness.channel, document, key="k1")
    text = "\n".join(harness.shown(harness.channel.thread))
    wanted = [
        "the heading",
        "bold words",
        "a link",
        "An article",
        "points",
        "and code",
        "own words",
        "Kim",
        "the footnote",
    ]
    assert [words for words in wanted if words not in text] == []


@pytest.mark.parametrize(
    "text", ["<b>&amp;</b>", "*a* _b_ ~c~ `d`", "<!channel> <@U1>", "[x](https://evil.example)", "{{DATE(1)}}"]
)
async def test_what_people_wrote_is_shown_as_they_wrote_it(harness: Harness, text: str) -> None:
    """User text is never taken for markup."""
    await harness.port.post(harness.channel, says(f"they said: {text}"), key="k1")
    assert any(text in shown for shown in harness.shown(harness.channel.thread))


@pytest.mark.parametrize("length", [4_000, 60_000])
async def test_a_long_text_is_accepted(harness: Harness, length: int) -> None:
    """However long, the beginning is shown."""
    await harness.port.post(
        harness.channel, Document(blocks=(Quote("word " * (length // 5)),), summary="long"), key="k1"
    )
    assert any("word word" in text for text in harness.shown(harness.channel.thread))
