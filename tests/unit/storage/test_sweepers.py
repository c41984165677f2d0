"""Two replicas that sweep at once on PostgreSQL share the work, and neither waits for the other."""

from __future__ import annotations

from tests.contract.storages import AT, Bench, clock, kept_clock, minutes, open_ticket, ping, record
from triage.changes import Decision, HoldPings, KeepPing, KeepPosition, SayPings
from triage.escalation import Position
from triage.policy import Metric


def test_two_sweeps_share_the_due_clocks(postgres_bench: Bench) -> None:
    """The second passes over what the first has in hand, also another clock of the same ticket."""
    for number in (1, 2):
        open_ticket(postgres_bench.storage, number)
        record(
            postgres_bench.storage,
            kept_clock(number, next_at=AT),
            kept_clock(number, clock(metric=Metric.RESOLUTION), next_at=minutes(1)),
        )
    with postgres_bench.storage.writing() as first, postgres_bench.storage.writing() as second:
        assert [due.ticket.number for due in first.due(AT, 1)] == [1]
        assert [due.ticket.number for due in second.due(minutes(1), 9)] == [2, 2]
        assert first.due(minutes(1), 9)[0].ticket.number == 1


def test_two_sweeps_share_the_steps(postgres_bench: Bench) -> None:
    """No step of a chain is taken twice."""
    for number in (1, 2, 3):
        open_ticket(postgres_bench.storage, number)
        position = Position(run="r1", next_at=minutes(number))
        record(postgres_bench.storage, KeepPosition(ticket=f"t{number}", position=position))
    with postgres_bench.storage.writing() as first, postgres_bench.storage.writing() as second:
        assert first.due_steps(minutes(9), 2) == ["t1", "t2"]
        assert second.due_steps(minutes(9), 9) == ["t3"]


def test_a_ticket_that_rings_takes_no_step_meanwhile(postgres_bench: Bench) -> None:
    """Clocks and steps of one ticket are never worked on by two."""
    open_ticket(postgres_bench.storage)
    position = KeepPosition(ticket="t1", position=Position(run="r1", next_at=AT))
    record(postgres_bench.storage, kept_clock(next_at=AT), position)
    with postgres_bench.storage.writing() as first, postgres_bench.storage.writing() as second:
        assert len(first.due(AT, 9)) == 1
        assert second.due_steps(AT, 9) == []


def test_two_sweeps_share_the_people(postgres_bench: Bench) -> None:
    """No ping is said twice."""
    pings = (ping("p1"), ping("p2"), ping("p3", person="kim", at=minutes(1)))
    record(postgres_bench.storage, *(KeepPing(ping=each) for each in pings))
    with postgres_bench.storage.writing() as first, postgres_bench.storage.writing() as second:
        assert [each.person for each in first.waiting(AT, 1)] == ["lee"]
        assert [each.person for each in second.waiting(AT, 9)] == ["kim"]


def test_a_ping_that_came_meanwhile_waits_for_the_next_bundle(postgres_bench: Bench) -> None:
    """Its person is being told by another replica: a second message at the same moment would be one too many."""
    record(postgres_bench.storage, KeepPing(ping=ping("p1")))
    with postgres_bench.storage.writing() as first, postgres_bench.storage.writing() as second:
        assert len(first.waiting(AT, 9)) == 1
        record(postgres_bench.storage, KeepPing(ping=ping("p2")))
        assert second.waiting(AT, 9) == []
        first.record(Decision(changes=(SayPings(keys=("p1",), at=AT),)), AT)
        first.commit()
    with postgres_bench.storage.writing() as third:
        assert [(each.said, len(each.pings)) for each in third.waiting(AT, 9)] == [((AT,), 1)]


def test_one_replica_holds_while_another_says(postgres_bench: Bench) -> None:
    """For different people; else the second would give up here."""
    record(postgres_bench.storage, KeepPing(ping=ping("p1")), KeepPing(ping=ping("p2", person="kim", at=minutes(1))))
    with postgres_bench.storage.writing() as first, postgres_bench.storage.writing() as second:
        assert [each.person for each in first.waiting(AT, 1)] == ["lee"]
        assert [each.person for each in second.waiting(AT, 9)] == ["kim"]
        first.record(Decision(changes=(SayPings(keys=("p1",), at=AT),)), AT)
        second.record(Decision(changes=(HoldPings(person="kim", until=minutes(5), capped=True),)), AT)
