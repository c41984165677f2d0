"""What one person is told of all that is due: in one message, not at night, and not too often."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.builders import HOUR, NOW, POLICY, TRIAGE, hr_ticket, person, ticket
from triage.calendars import Calendar, Window
from triage.casework import under_card, unmet
from triage.changes import Decision, HoldPings, SayPings
from triage.model import Language, Person
from triage.outgoing import Direct, Guard, Outgoing, Ping, Pings, Reminder, Say, UnderSlot, card_slot
from triage.pings import apart, bundled
from triage.policy import Metric, Policy, Quiet
from triage.ports import Waiting

TICKETS = {found.id: found for found in (ticket(), hr_ticket(), ticket(9))}
NIGHTS = Calendar(windows=tuple(Window(day=day, opens=20 * HOUR, closes=32 * HOUR) for day in range(7)))
"""From eight in the evening to eight in the morning, wherever the person is."""


def ping(number: int = 7, stage: str = "due", *, urgent: bool = False) -> Ping:
    guard = Guard(ticket=f"t{number}", metric=Metric.FIRST_RESPONSE, instance=1, revision=1)
    say = Say(phrase="ping.due", values={"number": number})
    return Ping(
        key=f"sla:t{number}:{stage}",
        person="kim",
        ticket=f"t{number}",
        at=NOW,
        reminder=Reminder(say=say, guard=guard),
        urgent=urgent,
    )


def thread_of(id: str) -> UnderSlot | None:
    return under_card(TICKETS[id], POLICY.teams[TICKETS[id].team])


def resting(hours: Calendar = NIGHTS, *, zoned: bool = False) -> Policy:
    """Kim is left alone in these hours."""
    kim = replace(POLICY.people["kim"], quiet=Quiet(hours=hours, zoned=zoned))
    return replace(POLICY, people={**POLICY.people, "kim": kim})


def told(
    *pings: Ping,
    at: datetime = NOW,
    policy: Policy = POLICY,
    who: Person | None = None,
    said: tuple[datetime, ...] = (),
    held: int = 0,
) -> Decision:
    waiting = Waiting(person="kim", pings=pings, said=said, held=held)
    return bundled(waiting, policy, who or person("kim"), at, otherwise=thread_of)


def bundle(decision: Decision) -> tuple[Outgoing, Pings]:
    """The one message, and what stands in it."""
    (item,) = decision.outgoing
    assert isinstance(item.notice, Pings)
    return item, item.notice


# --- one message -------------------------------------------------------------------------------
def test_all_that_waits_is_said_in_one_message() -> None:
    """In its order, each with its own guard, and none of it waits any more."""
    pings = (ping(7), ping(8), ping(9))
    decision = told(*pings)
    item, notice = bundle(decision)
    assert notice.reminders == tuple(each.reminder for each in pings)
    assert item.to == Direct(person="kim")
    assert item.ticket is None
    assert decision.changes == (SayPings(keys=tuple(each.key for each in pings), at=NOW),)


def test_the_message_is_named_after_its_first_ping() -> None:
    """Two workers who find the same pings write it once."""
    assert bundle(told(ping(7), ping(8)))[0].key == "sla:t7:due/said"


def test_a_single_ping_can_be_said_in_its_tickets_thread() -> None:
    """Where the person cannot be reached."""
    under = UnderSlot(slot=card_slot("t7", "it"), channel=TRIAGE, lane=card_slot("t7", "it"))
    item, _ = bundle(told(ping(7)))
    assert (item.to, item.ticket) == (Direct(person="kim", otherwise=under), "t7")


@pytest.mark.parametrize(
    ("who", "language"),
    [(person("kim", Language.KO), Language.KO), (unmet("kim", POLICY), Language.ZH_HANT)],
)
def test_it_is_in_the_persons_language(who: Person, language: Language) -> None:
    """As their platform says, else as desk.yaml does."""
    assert bundle(told(ping(7), who=who))[0].language is language


# --- quiet hours -------------------------------------------------------------------------------
EVENING = NOW.replace(hour=21)


def test_in_quiet_hours_pings_wait_for_their_end() -> None:
    """Until eight in the morning, and not because of the cap."""
    decision = told(ping(7), at=EVENING, policy=resting())
    assert decision.outgoing == ()
    until = EVENING.replace(day=10, hour=8)
    assert decision.changes == (HoldPings(person="kim", until=until, capped=False),)


def test_quiet_hours_are_those_of_where_the_person_is() -> None:
    """In Seoul it is night when it is noon in London."""
    noon = NOW.replace(hour=12)
    in_seoul = replace(person("kim"), timezone="Asia/Seoul")
    (held,) = told(ping(7), at=noon, policy=resting(), who=in_seoul).changes
    assert held == HoldPings(person="kim", until=NOW.replace(hour=23), capped=False)
    assert told(ping(7), at=noon, policy=resting()).outgoing


def test_a_zone_named_in_desk_yaml_counts_more_than_the_platforms() -> None:
    """Somebody may want London's nights, wherever their laptop is."""
    in_seoul = replace(person("kim"), timezone="Asia/Seoul")
    decision = told(ping(7), at=NOW.replace(hour=12), policy=resting(zoned=True), who=in_seoul)
    assert decision.outgoing


def test_when_quiet_hours_end_all_is_said_at_once() -> None:
    """The last minute is quiet, the first is not."""
    morning = EVENING.replace(day=10, hour=8)
    assert not told(ping(7), ping(8), at=morning - timedelta(minutes=1), policy=resting()).outgoing
    _, notice = bundle(told(ping(7), ping(8), at=morning, policy=resting()))
    assert len(notice.reminders) == 2


def test_a_broken_promise_of_an_urgent_ticket_breaks_through() -> None:
    """Alone: what is not urgent waits on."""
    decision = told(ping(9), ping(7, urgent=True), at=EVENING, policy=resting())
    _, notice = bundle(decision)
    assert notice.reminders == (ping(7).reminder,)
    assert decision.changes == (SayPings(keys=("sla:t7:due",), at=EVENING),)


def test_what_breaks_through_can_be_said_in_its_own_tickets_thread() -> None:
    """Never in that of another ticket that waits on, which others may read."""
    item, _ = bundle(told(ping(7), ping(8, urgent=True), at=EVENING, policy=resting()))
    assert item.ticket == "t8"
    assert isinstance(item.to, Direct)
    assert item.to.otherwise is not None
    assert item.to.otherwise.slot == card_slot("t8", "hr")


def test_who_has_no_quiet_hours_is_told_at_any_time() -> None:
    """Nor has anyone whom desk.yaml does not name."""
    assert told(ping(7), at=EVENING).outgoing
    assert told(ping(7), at=EVENING, policy=replace(resting(), people={})).outgoing


# --- not too often -------------------------------------------------------------------------------
BUSY = tuple(NOW - timedelta(minutes=minutes) for minutes in (50, 40, 30, 20, 10, 5))
"""As many messages as one person gets in an hour."""


def test_beyond_the_cap_pings_wait_until_an_hour_has_passed() -> None:
    """Since the first of the last hour's messages."""
    decision = told(ping(7), said=BUSY)
    assert decision.outgoing == ()
    assert decision.changes == (HoldPings(person="kim", until=NOW + timedelta(minutes=10), capped=True),)


def test_below_the_cap_nothing_is_held() -> None:
    """Five messages are fewer than six."""
    assert told(ping(7), said=BUSY[1:]).outgoing


def test_the_cap_is_the_companys_own() -> None:
    """`pings_an_hour` in desk.yaml."""
    assert not told(ping(7), said=BUSY[:1], policy=replace(POLICY, pings_an_hour=1)).outgoing


def test_the_next_message_says_how_many_were_held_back() -> None:
    """So that a quiet hour is not taken for a calm one."""
    _, notice = bundle(told(ping(7), ping(8), ping(9), held=2))
    assert notice.held == 2


def test_urgent_ones_break_through_the_cap_and_speak_for_themselves() -> None:
    """What is still held back is not counted as said."""
    _, notice = bundle(told(ping(7), ping(8), ping(9, urgent=True), said=BUSY, held=2))
    assert (len(notice.reminders), notice.held) == (1, 0)


def test_in_quiet_hours_the_cap_is_no_reason() -> None:
    """Whoever is left alone anyway had nothing held back by the cap."""
    (held,) = told(ping(7), at=EVENING, policy=resting(), said=BUSY).changes
    assert isinstance(held, HoldPings)
    assert not held.capped


# --- what cannot be delivered ----------------------------------------------------------------------
def test_a_bundle_that_cannot_be_delivered_is_taken_apart() -> None:
    """Each ping for its own ticket's thread, where its team reads it, under a key of its own."""
    lost, _ = bundle(told(ping(7), ping(8)))
    parts = apart(lost, TICKETS, POLICY)
    assert [part.key for part in parts] == ["sla:t7:due/said:1", "sla:t7:due/said:2"]
    assert [part.ticket for part in parts] == ["t7", "t8"]
    assert [part.to for part in parts] == [
        Direct(person="kim", otherwise=thread_of("t7")),
        Direct(person="kim", otherwise=thread_of("t8")),
    ]
    assert [part.notice for part in parts] == [Pings(reminders=(each.reminder,)) for each in (ping(7), ping(8))]


def test_a_ping_whose_ticket_is_gone_is_left_out() -> None:
    """There is no thread to say it in."""
    lost, _ = bundle(told(ping(7), ping(8)))
    assert [part.ticket for part in apart(lost, {"t8": TICKETS["t8"]}, POLICY)] == ["t8"]


def test_nothing_else_is_taken_apart() -> None:
    """A promise to a requester is one message."""
    lost, _ = bundle(told(ping(7)))
    assert apart(replace(lost, notice=Say(phrase="ticket.open")), TICKETS, POLICY) == ()
