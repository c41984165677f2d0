"""What the bot says lands in the transcript once, is seen by whom it is for, and wakes open pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.web.desk import direct_channel, triage_channel
from adapters.web.news import Shown
from adapters.web.port import WebPort
from storage.memory import MemoryStorage
from tests.unit.web.desk import DANA, START, Failing, counting, written
from triage.document import Document, Paragraph, Plain
from triage.errors import GiveUp, TryLater
from triage.model import MessageRef, Platform, Thread
from triage.ports import Address
from triage.transcripts import Transcript

CHANNEL = triage_channel("it")
HERE = Address(thread=Thread(channel=CHANNEL))


def _document(text: str) -> Document:
    return Document(blocks=(Paragraph((Plain(text),)),), summary=text)


@pytest.fixture
def transcript() -> Transcript:
    return MemoryStorage().transcript


@pytest.fixture
def port(transcript: Transcript) -> WebPort:
    return WebPort(transcript, now=lambda: START, new_id=counting("p"))


async def test_a_post_is_the_bots_and_can_be_referred_to(port: WebPort, transcript: Transcript) -> None:
    """Its id is the root of the thread that may hang on it."""
    ref = await port.post(HERE, _document("card"), key="k1")
    assert ref == MessageRef(thread=HERE.thread, id="p1")
    assert [(post.id, post.author, post.at) for post in written(transcript)] == [("p1", None, START)]


async def test_posting_twice_under_one_key_posts_once(port: WebPort, transcript: Transcript) -> None:
    """After a crash between sending and marking, the same post is found."""
    first = await port.post(HERE, _document("card"), key="k1")
    assert await port.post(HERE, _document("card"), key="k1") == first
    assert len(written(transcript)) == 1


async def test_an_update_shows_something_else_in_place(port: WebPort, transcript: Transcript) -> None:
    """The post keeps its id and place."""
    ref = await port.post(HERE, _document("new"), key="k1")
    await port.update(ref, _document("open"), reference=None)
    assert [post.document.summary for post in written(transcript)] == ["open"]


async def test_updating_a_post_that_is_gone_is_given_up(port: WebPort) -> None:
    """No retry would ever work."""
    with pytest.raises(GiveUp, match="no post"):
        await port.update(MessageRef(thread=HERE.thread, id="gone"), _document("open"), reference=None)


async def test_a_whisper_is_seen_by_one_person(port: WebPort, transcript: Transcript) -> None:
    """Nobody else's page ever reads it."""
    await port.whisper(HERE, DANA.account, _document("secret"), reply_url=None)
    assert written(transcript, "lee") == []
    assert [post.document.summary for post in written(transcript)] == ["secret"]


async def test_everyone_has_a_direct_chat(port: WebPort) -> None:
    """Opened by nothing more than its name."""
    address = await port.direct(DANA.account, reference=None)
    assert address.thread.channel == direct_channel("dana")


async def test_people_of_other_platforms_have_none(port: WebPort) -> None:
    """A Slack account cannot be reached on the page."""
    with pytest.raises(GiveUp):
        await port.direct(replace(DANA.account, platform=Platform.SLACK), reference=None)


async def test_a_channel_of_another_place_is_given_up(port: WebPort, transcript: Transcript) -> None:
    """And nothing is written."""
    with pytest.raises(GiveUp):
        await port.post(
            Address(thread=Thread(channel=replace(CHANNEL, place="elsewhere"))), _document("card"), key="k1"
        )
    assert written(transcript) == []


async def test_a_post_is_found_by_its_key(port: WebPort) -> None:
    """Only by its own."""
    ref = await port.post(HERE, _document("card"), key="k1")
    assert (await port.find(HERE, key="k1"), await port.find(HERE, key="k2")) == (ref, None)


async def test_open_pages_hear_of_every_change(port: WebPort) -> None:
    """What is new is told apart from what was only updated."""
    heard: list[Shown] = []
    port.changed.subscribe(heard.append)
    ref = await port.post(HERE, _document("new"), key="k1")
    await port.update(ref, _document("open"), reference=None)
    assert heard == [Shown(channel=CHANNEL, fresh=True), Shown(channel=CHANNEL)]


async def test_a_closed_page_hears_nothing_more(port: WebPort) -> None:
    """Ending a subscription twice does no harm."""
    heard: list[Shown] = []
    end = port.changed.subscribe(heard.append)
    end()
    end()
    await port.post(HERE, _document("new"), key="k1")
    assert heard == []


async def test_an_unreachable_transcript_is_tried_again(transcript: Transcript) -> None:
    """Delivery keeps the row."""
    port = WebPort(Failing(transcript), now=lambda: START, new_id=counting("p"))
    with pytest.raises(TryLater):
        await port.post(HERE, _document("card"), key="k1")
