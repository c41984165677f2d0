"""Several turns in one transaction: each as if it had come alone, all of them stored or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.builders import LOBBY, VPN, mention, message
from tests.unit.office import Office, phrases
from triage.errors import TooSlow, Unsettled
from triage.model import Message, Thread
from triage.outgoing import Answer
from triage.ports import Receipt

PRINTER, COFFEE = message("Printer on fire", id="1.1"), message("Coffee machine leaks", by="bob", id="2.1")


@pytest.fixture
def office() -> Office:
    return Office()


def together(office: Office, *messages: Message) -> Sequence[Receipt | Unsettled]:
    return office.desk.take_together(messages, late=lambda: False)


def test_each_gets_its_outcome(office: Office) -> None:
    """A request, a question that an article answers, talk, and a repeat."""
    office.take(COFFEE)
    asked, talk = message(f"{VPN.title}?", by="dan", id="3.1"), message("lunch?", channel=LOBBY, id="4.1")
    receipts = together(office, PRINTER, asked, talk, COFFEE)
    assert receipts == [Receipt(), Receipt(), Receipt(talk=True), Receipt(repeat=True)]
    out = office.deliver()
    assert "ticket.promise" in phrases(out)
    assert any(isinstance(item.notice, Answer) for item in out)


def test_one_post_that_arrives_twice_at_once_is_taken_once(office: Office) -> None:
    """As a mention is: Slack sends it as two events."""
    assert together(office, PRINTER, PRINTER) == [Receipt(), Receipt(repeat=True)]
    assert len(office.tickets()) == 1


def test_a_reply_sees_what_the_turn_before_it_stored(office: Office) -> None:
    """The question was asked in an ordinary channel: only the turn before says that its thread is no talk."""
    asked = mention("my chair broke", at=Thread(channel=LOBBY, root=None))
    reply = message("the left arm", at=Thread(channel=LOBBY, root=asked.id), id="9.9")
    assert together(office, asked, reply) == [Receipt(), Receipt()]
    assert "thread.message" in phrases(office.deliver())


def test_first_messages_of_one_person_are_by_one_person(office: Office) -> None:
    """Though nobody had met them before."""
    together(office, PRINTER, message("Roof leaks", id="5.1"))
    assert len(office.tickets()) == 2
    assert len({ticket.requester for ticket in office.tickets()}) == 1


def test_what_must_wait_keeps_no_other_waiting(office: Office) -> None:
    """Words below a question that is still to come are refused; the rest is stored."""
    early = replace(message("it smells", at=PRINTER.here, id="6.1"), after=PRINTER.key, last_try=False)
    refused, taken = together(office, early, COFFEE)
    assert isinstance(refused, Unsettled)
    assert taken == Receipt()


def test_where_one_is_late_none_is_stored(office: Office) -> None:
    """Each may come again, and is then taken."""
    with pytest.raises(TooSlow):
        office.desk.take_together([PRINTER, COFFEE], late=lambda: True)
    assert office.deliver() == []
    assert together(office, PRINTER, COFFEE) == [Receipt(), Receipt()]
