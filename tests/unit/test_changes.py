"""What each change makes of a ticket, whatever it is kept in."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from tests.builders import ASKED, DM, GROUP, NOW, ticket
from triage.changes import Assign, Called, Decision, Detach, Rate, SetPriority, SetStatus, TicketChange, Transfer, apply
from triage.matching import Verdict
from triage.model import Language, Priority, Status, Thread, Ticket
from triage.outgoing import InThread, Outgoing, Say


def difference(before: Ticket, change: TicketChange) -> dict[str, Any]:
    after = apply(before, change)
    named = [field.name for field in fields(Ticket)]
    return {name: getattr(after, name) for name in named if getattr(after, name) != getattr(before, name)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Detach(ticket="t7"), {"conversation": None}),
        (Assign(ticket="t7", owner="kim"), {"owner": "kim"}),
        (SetPriority(ticket="t7", priority=Priority.HIGH), {"priority": Priority.HIGH}),
        (SetStatus(ticket="t7", status=Status.PENDING, at=NOW), {"status": Status.PENDING}),
        (SetStatus(ticket="t7", status=Status.RESOLVED, at=NOW), {"status": Status.RESOLVED, "resolved_at": NOW}),
        (Rate(ticket="t7", rating="good"), {"rating": "good"}),
        (Called(ticket="t7", at=NOW, called="Lee"), {"stepped_at": NOW, "called": "Lee"}),
    ],
)
def test_a_change_changes_what_it_names_and_nothing_else(change: TicketChange, expected: dict[str, Any]) -> None:
    """The version is storage's to raise."""
    assert difference(ticket(), change) == expected


@pytest.mark.parametrize(("status", "kept"), [(Status.OPEN, False), (Status.CLOSED, True)])
def test_when_it_was_resolved_is_forgotten_by_reopening_only(status: Status, kept: bool) -> None:
    """Closing a resolved ticket keeps the instant."""
    resolved = ticket(status=Status.RESOLVED, resolved_at=NOW)
    assert (apply(resolved, SetStatus(ticket="t7", status=status, at=NOW)).resolved_at is not None) is kept


def transferred(before: Ticket, *, restricted: bool) -> Ticket:
    return apply(before, Transfer(ticket="t7", team="hr", restricted=restricted))


def test_a_transfer_gives_up_the_owner() -> None:
    """When somebody was last called is kept."""
    after = transferred(ticket(owner="kim", stepped_at=NOW, called="Lee"), restricted=False)
    assert (after.team, after.owner, after.stepped_at) == ("hr", None, NOW)


@pytest.mark.parametrize(
    ("home", "restricted", "kept"),
    [
        (ASKED, False, True),
        (ASKED, True, False),
        (Thread(channel=GROUP), True, False),
        (Thread(channel=DM), True, True),
        (None, True, True),
    ],
)
def test_a_transfer_to_a_restricted_team_answers_privately_from_then_on(
    home: Thread | None, restricted: bool, kept: bool
) -> None:
    """Only a direct chat stays where it is."""
    after = transferred(ticket(home=home), restricted=restricted)
    assert after.home == (home if kept else None)
    assert after.restricted is restricted


def test_restriction_is_never_lifted() -> None:
    """What was said to HR stays with those who may see it."""
    assert transferred(ticket(restricted=True, home=None), restricted=False).restricted


# --- decisions -------------------------------------------------------------------------------------
def word(key: str, **values: str) -> Outgoing:
    return Outgoing(key=key, to=InThread(thread=ASKED), notice=Say(phrase="x", values=values), language=Language.EN)


def test_decisions_add_up() -> None:
    """In order; the later verdict and acknowledgement count."""
    one = Decision(verdict=Verdict.TICKET, outgoing=(word("a"),), reasons=("r",))
    other = Decision(verdict=Verdict.IGNORE, changes=(Detach(ticket="t7"),), ack=Say(phrase="y"))
    assert one + other == Decision(
        verdict=Verdict.IGNORE,
        changes=(Detach(ticket="t7"),),
        outgoing=(word("a"),),
        ack=Say(phrase="y"),
        reasons=("r",),
    )
    assert (one + Decision()).verdict is Verdict.TICKET


def test_two_messages_never_share_an_outbox_key() -> None:
    """Writing a key twice is writing it once, so the second would be lost."""
    decision = Decision(outgoing=(word("a", v="1"), word("b"), word("a", v="2"), word("a", v="3"))).distinct()
    assert [item.key for item in decision.outgoing] == ["a", "b", "a:2", "a:3"]
    values = [item.notice.values for item in decision.outgoing if isinstance(item.notice, Say)]
    assert values == [{"v": "1"}, {}, {"v": "2"}, {"v": "3"}]


def test_distinct_keys_stay_as_they_are() -> None:
    """A turn decided again writes the same keys."""
    decision = Decision(outgoing=(word("a"), word("b")))
    assert decision.distinct() == decision
