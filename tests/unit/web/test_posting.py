"""A visitor's words are shown at once, handed in once, and never lost silently."""

from __future__ import annotations

import pytest

from adapters.web.desk import direct_channel, triage_channel
from adapters.web.news import News
from adapters.web.posting import Posting
from storage.memory import MemoryStorage
from tests.unit.web.desk import DANA, START, Desk, Failing, counting, written
from triage.document import Document, Paragraph, Plain
from triage.errors import TooSlow, Unavailable
from triage.model import Kind, Sender, Thread
from triage.ports import Receipt
from triage.transcripts import Transcript, WebPost

DM = direct_channel("dana")
TRIAGE = triage_channel("it")
SENDER = Sender(account=DANA.account, name="Dana", locale="en", timezone="Europe/London")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def transcript() -> Transcript:
    return MemoryStorage().transcript


@pytest.fixture
def posting(desk: Desk, transcript: Transcript) -> Posting:
    return Posting(intake=desk, transcript=transcript, news=News(), now=lambda: START, new_id=counting("p"))


async def test_a_post_is_shown_and_handed_in_under_one_id(posting: Posting, desk: Desk, transcript: Transcript) -> None:
    """So that the desk's reply finds the post it answers."""
    await posting.post(SENDER, DM, "My VPN drops")
    assert [(post.id, post.author, post.document.summary) for post in written(transcript)] == [
        ("p1", "Dana", "My VPN drops")
    ]
    assert [(message.id, message.text) for message in desk.taken] == [("p1", "My VPN drops")]


async def test_a_post_is_shown_even_when_the_desk_has_trouble(
    posting: Posting, desk: Desk, transcript: Transcript
) -> None:
    """The writer keeps their words, marked as not sent."""
    desk.trouble = Unavailable("no database")
    with pytest.raises(Unavailable):
        await posting.post(SENDER, DM, "My VPN drops")
    assert (len(written(transcript)), set(posting.unsent(DM, "dana"))) == (1, {"p1"})


async def test_trying_again_hands_in_the_same_message(posting: Posting, desk: Desk, transcript: Transcript) -> None:
    """The same key, so that it cannot be taken twice; nothing is shown a second time."""
    desk.trouble = TooSlow("busy")
    with pytest.raises(TooSlow):
        await posting.post(SENDER, DM, "My VPN drops")
    desk.trouble = None
    await posting.retry("p1")
    assert [message.key for message in desk.taken] == ["web:dm-dana:p1"]
    assert (len(written(transcript)), set(posting.unsent(DM, "dana"))) == (1, set())


async def test_trying_again_what_was_sent_does_nothing(posting: Posting, desk: Desk) -> None:
    """A second tab may still have shown the button."""
    await posting.post(SENDER, DM, "My VPN drops")
    await posting.retry("p1")
    assert len(desk.taken) == 1


async def test_a_command_in_a_channel_is_nobody_elses_business(posting: Posting, transcript: Transcript) -> None:
    """As in Slack, the others do not see what was typed."""
    await posting.post(SENDER, TRIAGE, "/desk queue")
    assert [post.only_for for post in written(transcript)] == ["dana"]


async def test_a_reply_stands_in_its_thread(posting: Posting, transcript: Transcript) -> None:
    """Under the card it answers."""
    await posting.post(SENDER, TRIAGE, "on my way", thread="card-1")
    assert written(transcript)[0].thread == Thread(channel=TRIAGE, root="card-1")


async def test_a_press_is_handed_in_with_the_post_it_was_on(
    posting: Posting, desk: Desk, transcript: Transcript
) -> None:
    """Nothing is written on the visitor's behalf."""
    card = WebPost(
        id="card-1",
        thread=Thread(channel=TRIAGE),
        at=START,
        author=None,
        document=Document(blocks=(), summary="card"),
    )
    await posting.press(SENDER, card, "claim 42")
    assert [(message.kind, message.id, message.text) for message in desk.taken] == [(Kind.BUTTON, "card-1", "claim 42")]
    assert written(transcript) == []


async def test_an_acknowledgement_of_a_press_is_not_shown(posting: Posting, desk: Desk, transcript: Transcript) -> None:
    """The card says the same already."""
    desk.receipt = Receipt(ack=Document(blocks=(Paragraph((Plain("Taken"),)),), summary="Taken"))
    card = WebPost(
        id="p1", thread=Thread(channel=TRIAGE), at=START, author=None, document=Document(blocks=(), summary="")
    )
    await posting.press(SENDER, card, "claim 42")
    assert written(transcript) == []


async def test_words_that_could_not_even_be_written_down_are_kept(desk: Desk) -> None:
    """They wait with their writer, and are written down when they are sent at last."""
    transcript = Failing(MemoryStorage().transcript)
    posting = Posting(intake=desk, transcript=transcript, news=News(), now=lambda: START, new_id=counting("p"))
    with pytest.raises(Unavailable):
        await posting.post(SENDER, DM, "My VPN drops")
    assert [post.document.summary for post in posting.unsent(DM, "dana").values()] == ["My VPN drops"]
    assert posting.unsent(DM, "minji") == {}
    transcript.down = False
    await posting.retry("p1")
    assert ([post.id for post in written(transcript)], len(desk.taken)) == (["p1"], 1)
