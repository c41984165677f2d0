"""Whom a ping goes to, what it says, and in which language."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import ASKED, NOW, POLICY, TERMS, TRIAGE, hr_ticket, person, ticket
from triage import sla
from triage.changes import KeepClock
from triage.model import Language, Ticket
from triage.outgoing import At, Direct, Guard, InThread, Outgoing, Say, UnderSlot, Who, card_slot
from triage.pings import out_of_reach, pinged, undelivered
from triage.policy import Metric, Policy
from triage.ports import DueClock

OPENED = ticket().opened_at
FIRST = sla.started("t7", ticket().priority, TERMS, OPENED)[0]


def due(found: Ticket) -> DueClock:
    return DueClock(ticket=found, clock=replace(FIRST, ticket=found.id), requester=person(), terms=TERMS)


def ping(found: Ticket, hours: float = 10, policy: Policy = POLICY, **known: Language) -> Outgoing:
    """The one ping of a ticket's first-response clock so many hours after it was opened."""
    people = {id: person(id, language) for id, language in known.items()}
    (item,) = pinged(due(found), policy, OPENED + timedelta(hours=hours), people=people).outgoing
    return item


# --- whom ----------------------------------------------------------------------------------------
def test_the_owner_is_pinged_directly_and_under_the_card_when_out_of_reach() -> None:
    """Somebody always hears it."""
    under = UnderSlot(slot=card_slot("t7", "it"), channel=TRIAGE, lane=card_slot("t7", "it"))
    assert ping(ticket(owner="kim")).to == Direct(person="kim", otherwise=under)


def test_without_an_owner_the_team_is_pinged_under_the_card() -> None:
    """The promise is the team's until somebody has it."""
    to = ping(ticket()).to
    assert isinstance(to, UnderSlot)
    assert to.channel == TRIAGE


def test_without_owner_and_channel_the_lead_is_pinged() -> None:
    """A team without a triage channel is no excuse."""
    alone = replace(POLICY, teams={"it": replace(POLICY.teams["it"], triage={})})
    assert ping(ticket(), policy=alone).to == Direct(person="lee")


def test_with_nobody_to_ping_the_clock_still_moves_on() -> None:
    """Or the sweep would find it for ever."""
    decision = pinged(due(ticket(team="gone")), POLICY, OPENED + timedelta(hours=10), people={})
    assert decision.outgoing == ()
    (change,) = decision.changes
    assert isinstance(change, KeepClock)
    assert change.clock.next_at is None


# --- what ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("hours", "stage", "phrase"),
    [
        (3, "50%", "ping.soon.first_response"),
        (4.6, "-30m", "ping.soon.first_response"),
        (5, "due", "ping.due.first_response"),
    ],
)
def test_a_ping_says_what_is_due_when(hours: float, stage: str, phrase: str) -> None:
    """Opened at 08:00, so due at 13:00; the key names the stage, so that it is said once."""
    item = ping(ticket(owner="kim"), hours)
    assert item.key == f"sla:t7:first_response:1:1:{stage}"
    assert isinstance(item.notice, Say)
    assert item.notice.phrase == phrase
    assert item.notice.values["due"] == At(at=NOW + timedelta(hours=4), zone="Europe/London")


def test_a_ping_is_checked_again_before_it_is_sent() -> None:
    """By ticket, clock and revision."""
    assert ping(ticket()).guard == Guard(ticket="t7", metric=Metric.FIRST_RESPONSE, instance=1, revision=1)


def test_a_clock_that_is_no_longer_due_is_scheduled_anew_without_a_ping() -> None:
    """Its next look comes later, never at once."""
    early = pinged(due(ticket()), POLICY, OPENED, people={})
    assert early.outgoing == ()
    (change,) = early.changes
    assert isinstance(change, KeepClock)
    assert change.clock.next_at is not None
    assert change.clock.next_at > OPENED


# --- in which language -----------------------------------------------------------------------------
def test_a_direct_ping_is_in_the_owners_language() -> None:
    """As their platform says, else as desk.yaml does, else the team's."""
    assert ping(ticket(owner="kim"), kim=Language.KO).language is Language.KO
    assert ping(ticket(owner="kim")).language is Language.ZH_HANT
    assert ping(hr_ticket(owner="park")).language is Language.KO


def test_a_ping_under_the_card_is_in_the_teams_language() -> None:
    """Everybody there reads it."""
    assert ping(hr_ticket()).language is Language.KO


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
