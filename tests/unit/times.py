"""What time alone does, in tests: a tick over a ticket, and the company with one team changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from tests.builders import NOW, POLICY, TERMS, loaded, person
from tests.timelines import story
from triage.casework import Tick
from triage.chain import Chain, ChainStep
from triage.changes import Called, Change, Decision, KeepPing, KeepPosition
from triage.escalation import Position
from triage.model import Language, Ticket
from triage.outgoing import Ping
from triage.policy import Policy, Terms
from triage.ports import Loaded
from triage.rota import Rota

ROTA = Rota(people=("kim", "lee"), start=date(2026, 3, 9))
"""Kim is on call in the week of NOW, from nine on; then Lee."""


def team_with(team: str = "it", **changes: Any) -> Policy:
    """The company with one team changed."""
    return replace(POLICY, teams={**POLICY.teams, team: replace(POLICY.teams[team], **changes)})


ON_CALL = team_with(rota=ROTA)


def chained(*steps: ChainStep, terms: Terms = TERMS) -> Terms:
    return replace(terms, chain=Chain(steps=steps))


def known(found: Ticket, position: Position | None = None, terms: Terms = TERMS) -> Loaded:
    """All that is known of a ticket that runs under these terms."""
    past = story(found, terms)
    return loaded(found, clocks=past.clocks, events=past.events, terms=terms, position=position or Position())


def tick(of: Loaded, now: datetime = NOW, *, key: str = "due", policy: Policy = POLICY, **languages: Language) -> Tick:
    """Time moves this ticket; `languages` are those of people seen before."""
    people = {id: person(id, language) for id, language in languages.items()}
    return Tick(due=key, known=of, policy=policy, now=now, people=people)


# --- looking at decisions ----------------------------------------------------------------------
def called(decision: Decision) -> list[str]:
    return [change.called for change in decision.changes if isinstance(change, Called)]


def kept_position(decision: Decision) -> Position:
    """Where the chain stands afterwards; a decision says it once."""
    (found,) = [change for change in decision.changes if isinstance(change, KeepPosition)]
    return found.position


def kept_pings(changes: tuple[Change, ...]) -> list[Ping]:
    return [change.ping for change in changes if isinstance(change, KeepPing)]
