"""Whom a ping goes to, what it says, in which language, and when it starts the escalation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.builders import ASKED, NOW, POLICY, TERMS, TRIAGE, hr_ticket, person, ticket
from tests.timelines import story
from tests.unit.times import ON_CALL, kept_pings, known, team_with, tick
from triage.changes import KeepClock
from triage.clocks import Clock, ClockState, due_at
from triage.model import Language, Priority, Ticket
from triage.outgoing import At, Direct, Guard, InThread, Outgoing, Ping, Say, UnderSlot, Who, card_slot
from triage.pings import Pinged, out_of_reach, pinged, stage_key, undelivered
from triage.policy import Metric, Policy, Terms
from triage.ports import DueClock
from triage.timeline import Do, Event

OPENED = ticket().opened_at
DUE = NOW + timedelta(hours=4)
"""When the first answer to a normal ticket is due: Monday 13:00."""

OWNED = ticket(owner="kim")


def due(found: Ticket, *events: Event, metric: Metric = Metric.FIRST_RESPONSE, terms: Terms = TERMS) -> DueClock:
    """A clock of a ticket, after these events."""
    clocks = [clock for clock in story(found, terms, *events).clocks if clock.metric is metric]
    return DueClock(ticket=found, clock=clocks[-1], terms=terms, position=known(found).position)


def rung(about: DueClock, now: datetime = DUE, policy: Policy = POLICY) -> Pinged:
    found = known(about.ticket, terms=about.terms)
    return pinged(about, tick(found, now, key=stage_key(about, now), policy=policy))


def ping(about: DueClock, now: datetime = DUE, policy: Policy = POLICY) -> Ping:
    """The one ping to one person."""
    (found,) = kept_pings(rung(about, now, policy).decision.changes)
    return found


def to_all(about: DueClock, now: datetime = DUE, policy: Policy = POLICY) -> Outgoing:
    """The one message to everyone."""
    (found,) = rung(about, now, policy).decision.outgoing
    return found


def kept(found: Pinged) -> Clock:
    (change,) = [change for change in found.decision.changes if isinstance(change, KeepClock)]
    return change.clock


def next_at(found: Pinged) -> datetime | None:
    (change,) = [change for change in found.decision.changes if isinstance(change, KeepClock)]
    return change.next_at


# --- whom ----------------------------------------------------------------------------------------
NIGHT = NOW + timedelta(hours=10)
"""Monday 19:00: nobody of IT is in."""

URGENT = ticket(priority=Priority.URGENT)


@pytest.mark.parametrize(
    ("found", "now", "policy", "whom"),
    [
        (OWNED, DUE, ON_CALL, "kim"),
        (replace(URGENT, owner="lee"), NIGHT, ON_CALL, "lee"),
        (URGENT, NIGHT, ON_CALL, "kim"),
        (ticket(), DUE, team_with(triage={}), "lee"),
        (URGENT, NIGHT, team_with(triage={}), "lee"),
    ],
    ids=["owner", "owner-at-night", "on-call", "lead-without-channel", "lead-without-rota"],
)
def test_a_ping_goes_to_one_person(found: Ticket, now: datetime, policy: Policy, whom: str) -> None:
    """The owner; out of hours whoever is on call for an urgent ticket; the lead where there is no channel."""
    outcome = rung(due(found), now, policy)
    assert [each.person for each in kept_pings(outcome.decision.changes)] == [whom]
    assert outcome.told == {whom}
    assert outcome.decision.outgoing == ()


@pytest.mark.parametrize(
    ("found", "now"),
    [(ticket(), DUE), (ticket(), NIGHT), (URGENT, DUE)],
    ids=["in-hours", "at-night", "urgent-in-hours"],
)
def test_what_nobody_owns_is_the_teams(found: Ticket, now: datetime) -> None:
    """Under the card, at once: an urgent ticket too while somebody is in."""
    outcome = rung(due(found), now, ON_CALL)
    (item,) = outcome.decision.outgoing
    assert isinstance(item.to, UnderSlot)
    assert (item.to.slot, item.to.channel) == (card_slot("t7", "it"), TRIAGE)
    assert outcome.told == frozenset()


def test_with_nobody_to_ping_the_clock_still_moves_on() -> None:
    """Or the sweep would find it for ever."""
    outcome = rung(due(ticket(team="gone")))
    assert outcome.decision.outgoing == ()
    assert kept_pings(outcome.decision.changes) == []
    assert next_at(outcome) is None


# --- what ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("hours", "stage", "phrase"),
    [(2, "50%", "ping.soon"), (3.5, "-30m", "ping.soon"), (4, "due", "ping.due"), (100, "due", "ping.due")],
)
def test_a_ping_says_what_is_due_when(hours: float, stage: str, phrase: str) -> None:
    """Opened at 08:00, so due at 13:00; the key names the stage, so that it is said once."""
    found = ping(due(OWNED), NOW + timedelta(hours=hours))
    assert found.key == f"sla:t7:first_response:1:1:{stage}"
    assert found.reminder.say.phrase == phrase
    assert found.reminder.say.values["due"] == At(at=DUE, zone="Europe/London")
    assert found.reminder.guard == Guard(ticket="t7", metric=Metric.FIRST_RESPONSE, instance=1, revision=1)


def test_a_ping_under_the_card_is_checked_again_before_it_is_sent() -> None:
    """By ticket, clock and revision."""
    item = to_all(due(ticket()))
    assert item.guard == Guard(ticket="t7", metric=Metric.FIRST_RESPONSE, instance=1, revision=1)
    assert item.key == "sla:t7:first_response:1:1:due"


def test_a_ping_names_its_clock() -> None:
    """In words of the catalogue."""
    values = ping(due(OWNED, metric=Metric.RESOLUTION), NOW + timedelta(hours=8)).reminder.say.values
    assert values["metric"].term == "ping.metric.resolution"  # type: ignore[union-attr]


def raised(found: Ticket, to: Priority) -> DueClock:
    """Its solution clock, after the priority was raised at noon, three hours into it."""
    event = Event(at=NOW + timedelta(hours=3), do=Do.PRIORITY, priority=to)
    return replace(due(found, event, metric=Metric.RESOLUTION), ticket=replace(found, priority=to))


def test_a_breach_by_reclassification_says_so() -> None:
    """Nobody was late: the priority changed, and with it what had been promised."""
    found = ping(raised(OWNED, Priority.URGENT), NOW + timedelta(hours=3))
    assert found.reminder.say.phrase == "ping.reclassification"
    assert found.reminder.say.values["at"] == At(at=NOW + timedelta(hours=3), zone="Europe/London")
    assert found.key == "sla:t7:resolution:1:2:due"


def test_a_reopened_ticket_that_counts_from_the_opening_says_so() -> None:
    """Late the moment it was reopened."""
    targets = {Priority.NORMAL: replace(TERMS.targets[Priority.NORMAL], reopen="from_opening")}
    terms = replace(TERMS, targets=targets)
    solved = Event(at=NOW + timedelta(hours=3), do=Do.RESOLVE)
    again = Event(at=NOW + timedelta(days=2), do=Do.REOPEN)
    about = due(OWNED, solved, again, metric=Metric.RESOLUTION, terms=terms)
    assert ping(about, again.at).reminder.say.phrase == "ping.reopening"


# --- reminders of a broken promise -----------------------------------------------------------------
REMINDED = replace(TERMS, overdue=3_600)


def test_a_broken_promise_is_rung_again_and_again() -> None:
    """Every hour of working time, each under a key of its own."""
    about, now, keys = due(OWNED, terms=REMINDED), DUE, []
    for _ in range(6):
        outcome = rung(about, now)
        keys += [(now, each.key.rpartition("1:1:")[2]) for each in kept_pings(outcome.decision.changes)]
        about, now = replace(about, clock=kept(outcome)), next_at(outcome) or now
    tuesday = NOW + timedelta(days=1)
    assert keys == [
        (DUE, "due"),
        *((DUE + timedelta(hours=n), f"overdue:{n}") for n in (1, 2, 3, 4)),
        (tuesday + timedelta(hours=1), "overdue:5"),
    ]


def test_a_reminder_says_since_when_it_is_late() -> None:
    """And that it is one."""
    first = rung(due(OWNED, terms=REMINDED))
    again = replace(due(OWNED, terms=REMINDED), clock=kept(first))
    say = ping(again, DUE + timedelta(hours=1)).reminder.say
    assert (say.phrase, say.values["due"]) == ("ping.overdue", At(at=DUE, zone="Europe/London"))


# --- what it starts --------------------------------------------------------------------------------
def test_only_a_broken_promise_starts_the_escalation() -> None:
    """Neither a warning nor a reminder of what was told before."""
    warned = rung(due(OWNED, terms=REMINDED), NOW + timedelta(hours=2))
    late = rung(replace(due(OWNED, terms=REMINDED), clock=kept(warned)), DUE)
    reminded = rung(replace(due(OWNED, terms=REMINDED), clock=kept(late)), DUE + timedelta(hours=1))
    assert [warned.broken, late.broken, reminded.broken] == [False, True, False]


def test_a_promise_broken_while_nobody_swept_starts_it_too() -> None:
    """After downtime only the last reminder is said, but the promise was broken all the same."""
    outcome = rung(due(OWNED, terms=REMINDED), DUE + timedelta(hours=3))
    (found,) = kept_pings(outcome.decision.changes)
    assert found.reminder.say.phrase == "ping.overdue"
    assert outcome.broken


def test_a_promise_is_broken_in_the_log_once_it_is_past() -> None:
    """At the due instant itself it may still be kept."""
    assert kept(rung(due(OWNED), DUE)).state is ClockState.RUNNING
    late = kept(rung(due(OWNED), DUE + timedelta(seconds=1)))
    assert (late.state, due_at(late)) == (ClockState.BREACHED, DUE)


def test_a_clock_that_is_no_longer_due_is_scheduled_anew_without_a_ping() -> None:
    """Its next look comes later, never at once."""
    early = rung(due(OWNED), OPENED)
    assert (early.decision.outgoing, kept_pings(early.decision.changes), early.broken) == ((), [], False)
    assert next_at(early) == NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("priority", "hours", "urgent"),
    [
        (Priority.URGENT, 0.3, False),
        (Priority.URGENT, 1, True),
        (Priority.HIGH, 1, False),
    ],
)
def test_only_a_broken_promise_of_an_urgent_ticket_is_urgent(priority: Priority, hours: float, urgent: bool) -> None:
    """Warnings wait for the end of quiet hours, and so does all that is less than urgent."""
    found = ticket(owner="kim", priority=priority)
    assert ping(due(found), NOW + timedelta(hours=hours)).urgent is urgent


def test_reminders_of_an_urgent_ticket_are_urgent_too() -> None:
    """It is still late."""
    about = due(ticket(owner="kim", priority=Priority.URGENT), terms=REMINDED)
    again = replace(about, clock=kept(rung(about, NOW + timedelta(hours=1))))
    assert ping(again, NOW + timedelta(hours=2)).urgent


# --- in which language -----------------------------------------------------------------------------
def test_a_ping_under_the_card_is_in_the_teams_language() -> None:
    """Everybody there reads it."""
    assert to_all(due(hr_ticket())).language is Language.KO


# --- what was given up -----------------------------------------------------------------------------
LOST = Outgoing(key="k", to=InThread(thread=ASKED), notice=Say(phrase="x"), language=Language.EN, ticket="t7")


def test_the_lead_is_told_of_a_message_that_was_given_up() -> None:
    """Once: the key follows from the lost message's."""
    told = undelivered(LOST, ticket(), POLICY, people={"lee": person("lee", Language.KO)})
    assert told is not None
    assert (told.key, told.language) == ("k/undelivered", Language.KO)
    assert isinstance(told.to, Direct)
    assert told.to.person == "lee"
    assert isinstance(told.notice, Say)
    assert told.notice.values == {"number": 7}


@pytest.mark.parametrize("team", ["gone", "leaderless"])
def test_without_a_lead_there_is_nobody_to_tell(team: str) -> None:
    """`doctor` lists the row all the same."""
    policy = replace(POLICY, teams={"leaderless": replace(POLICY.teams["it"], lead=None)})
    assert undelivered(LOST, ticket(team=team), policy, people={}) is None


# --- who is out of reach ---------------------------------------------------------------------------
CALL = replace(LOST, to=Direct(person="kim"))


def test_the_lead_is_told_who_could_only_be_mentioned() -> None:
    """A ping that its owner may never read goes to the lead too."""
    told = out_of_reach(CALL, ticket(), POLICY, people={"lee": person("lee", Language.KO)})
    assert told is not None
    assert (told.key, told.to, told.language) == ("k/out-of-reach", Direct(person="lee"), Language.KO)
    assert isinstance(told.notice, Say)
    assert told.notice.values["who"] == Who(person="kim", name="Kim")


def test_a_lead_who_is_out_of_reach_is_not_written_to_about_it() -> None:
    """It would not arrive either."""
    assert out_of_reach(replace(CALL, to=Direct(person="lee")), ticket(), POLICY, people={}) is None
