"""Several turns in one transaction: each as if it had come alone, all of them stored or none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from storage.memory import MemoryWork
from tests.builders import VPN, message
from tests.unit.office import Office, phrases
from triage.briefing import Arrival
from triage.errors import TooSlow
from triage.model import Message
from triage.outgoing import Answer
from triage.ports import Receipt

PRINTER, COFFEE = message("Printer on fire", id="1.1"), message("Coffee machine leaks", by="bob", id="2.1")


@pytest.fixture
def office() -> Office:
    return Office()


def heard(office: Office, message: Message) -> Arrival:
    found = office.desk.hear(message)
    assert isinstance(found, Arrival)
    return found


def together(office: Office, *messages: Message) -> Sequence[Receipt]:
    arrivals = [heard(office, message) for message in messages]
    return office.desk.take_together(arrivals, late=lambda: False)


def test_each_gets_its_outcome(office: Office) -> None:
    """A request, and a question that an article answers."""
    assert together(office, PRINTER, message(f"{VPN.title}?", by="dan", id="3.1")) == [Receipt(), Receipt()]
    out = office.deliver()
    assert "ticket.promise" in phrases(out)
    assert any(isinstance(item.notice, Answer) for item in out)


def test_one_post_that_arrives_twice_at_once_is_taken_once(office: Office) -> None:
    """As a mention is: Slack sends it as two events."""
    assert together(office, PRINTER, PRINTER) == [Receipt(), Receipt(repeat=True)]
    assert len(office.tickets()) == 1


def test_first_messages_of_one_person_are_by_one_person(office: Office) -> None:
    """Though nobody had met them before."""
    together(office, PRINTER, message("Roof leaks", id="5.1"))
    assert len(office.tickets()) == 2
    assert len({ticket.requester for ticket in office.tickets()}) == 1


def test_where_one_is_late_none_is_stored(office: Office) -> None:
    """Each may come again, and is then taken."""
    arrivals = [heard(office, PRINTER), heard(office, COFFEE)]
    with pytest.raises(TooSlow):
        office.desk.take_together(arrivals, late=lambda: True)
    assert office.deliver() == []
    assert together(office, PRINTER, COFFEE) == [Receipt(), Receipt()]


def test_the_time_is_looked_at_when_only_the_commit_is_left(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept back goes to the database before: that may take long, too."""
    told: list[str] = []
    monkeypatch.setattr(MemoryWork, "flush", lambda work: told.append("flush"))

    def late() -> bool:
        told.append("late")
        return False

    office.desk.take_together([heard(office, PRINTER)], late=late)
    assert told == ["flush", "late"]
