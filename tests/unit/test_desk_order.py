"""What the desk leaves alone, and what comes in the wrong order: talk, and words that overtake their question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import LOBBY, mention, message
from tests.unit.office import Office, phrases
from triage.errors import Unsettled
from triage.model import Message, Thread
from triage.ports import Receipt

QUESTION = message("Printer on fire")
THREAD = QUESTION.here


@pytest.fixture
def office() -> Office:
    return Office()


# --- talk ----------------------------------------------------------------------------------------
def test_talk_leaves_nothing(office: Office) -> None:
    """People among themselves, at the top of a channel or in a thread: not even the key is kept."""
    for said in (message("lunch?", channel=LOBBY), message("yes", at=Thread(channel=LOBBY, root="1.1"))):
        assert office.desk.take(said) == Receipt(talk=True)
        with office.storage.reading() as reading:
            assert not reading.seen(said.key)
            assert reading.person(said.sender.account) is None


def test_words_in_a_thread_where_somebody_asked_are_no_talk(office: Office) -> None:
    """Wherever that was: the asker's further words reach the ticket."""
    asked = mention("my chair broke", at=LOBBY)
    office.take(asked)
    assert phrases(office.take(message("the left arm", at=asked.here))) == ["thread.message"]


def test_words_that_bring_a_reference_are_kept_for_it(office: Office) -> None:
    """What an adapter needs to write to this channel later is learned from anything said there."""
    said = replace(message("lunch?", channel=LOBBY), reference="ref")
    assert office.desk.take(said) == Receipt()


# --- the wrong way round -------------------------------------------------------------------------
EARLY = replace(message("it smells now", at=THREAD), after=QUESTION.key, last_try=False)
"""Words below the question, which another process may still be at work on."""


def test_a_bystander_s_mention_does_not_take_the_question_s_thread(office: Office) -> None:
    """It waits for the question, whose author is answered."""
    call = replace(mention("me too", by="bob", at=THREAD), after=QUESTION.key, last_try=False)
    with pytest.raises(Unsettled):
        office.desk.take(call)
    assert "ticket.promise" in phrases(office.take(QUESTION))


def test_words_that_overtake_their_question_come_again(office: Office) -> None:
    """Nothing of them is kept until the question is; then they reach its ticket."""
    with pytest.raises(Unsettled):
        office.desk.take(EARLY)
    office.take(QUESTION)
    assert phrases(office.take(EARLY)) == ["thread.message"]


@pytest.mark.parametrize(
    "said",
    [replace(EARLY, last_try=True), replace(EARLY, after=None)],
    ids=["the last try", "not known to follow anything"],
)
def test_words_that_cannot_wait_are_taken(office: Office, said: Message) -> None:
    """A question that never comes holds nobody up for ever."""
    assert not office.desk.take(said).repeat
    assert office.desk.take(said).repeat


def test_a_question_whose_thread_was_taken_is_answered_all_the_same(office: Office) -> None:
    """A bystander's call came first, and has a ticket there: the question gets one of its own."""
    office.take(mention("me too", by="bob", at=THREAD))
    assert "ticket.promise" in phrases(office.take(QUESTION))
    first, second = office.tickets()
    assert first.requester != second.requester
    assert second.subject == QUESTION.text
