"""Cases, proposals and figures in memory, as `storage.learning` keeps them on SQL. Used by `storage.memory`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from storage.memory_library import revise, write_articles
from storage.memory_tables import Tables
from storage.sources import LEARNED, Learned, Sync
from triage.changes import AddArticle, AddPhrasing, Count, KeepCase, LearningChange, Offer, Propose, Settle
from triage.errors import AlreadyHeld, Conflict
from triage.learning import ASKED, Case, Event, Figures, Proposal, ProposalState


def learn(tables: Tables, change: LearningChange, at: datetime) -> None:
    """Write one change inside a transaction. Raises Conflict when a proposal is settled already."""
    match change:
        case KeepCase(case=case):
            tables.put(tables.cases, case.id, case)
        case Count(id=id):
            tables.put(tables.kb_events, id, tables.kb_events.get(id, (at, change)))
        case AddPhrasing():
            tables.put(tables.phrasings, len(tables.phrasings), _learned(change, at))
            revise(tables)
        case AddArticle(article=article):
            with suppress(AlreadyHeld):
                write_articles(tables, Sync(source=LEARNED, articles=(article,), at=at, retire=False))
        case Propose(proposal=proposal):
            tables.put(tables.proposals, proposal.id, tables.proposals.get(proposal.id, proposal))
        case Offer(proposal=id):
            tables.put(tables.proposals, id, replace(tables.proposals[id], offered_at=at))
        case Settle():
            _settle(tables, change, at)


def _learned(change: AddPhrasing, at: datetime) -> Learned:
    return Learned(
        article=change.article,
        language=change.language,
        text=change.text,
        against=change.against,
        by=change.by,
        at=at,
    )


def _settle(tables: Tables, change: Settle, at: datetime) -> None:
    kept = tables.proposals.get(change.proposal)
    if kept is None or kept.state is not ProposalState.WAITING:
        raise Conflict(f"proposal {change.proposal} was settled meanwhile")
    settled = replace(kept, state=change.state, settled_by=change.by, settled_at=at)
    tables.put(tables.proposals, kept.id, settled)


class MemoryLessons:
    """Implements `triage.ports.Lessons`."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def cases(self, limit: int) -> Sequence[Case]:
        known = (case for case in self._t.cases.values() if not self._is_private(case))
        newest = sorted(known, key=lambda case: (case.at, case.id), reverse=True)
        return tuple(newest[:limit][::-1])

    def cases_of(self, ticket: str) -> Sequence[Case]:
        found = (case for case in self._t.cases.values() if case.ticket == ticket)
        return tuple(sorted(found, key=lambda case: (case.at, case.id)))

    def _is_private(self, case: Case) -> bool:
        kept = self._t.tickets.get(case.ticket) if case.ticket else None
        return kept is not None and kept.ticket.restricted

    def proposal(self, id: str) -> Proposal | None:
        return self._t.proposals.get(id)

    def proposals(self, article: str) -> Sequence[Proposal]:
        return self._proposals(lambda each: each.article == article)

    def offered(self, since: datetime) -> Mapping[str, int]:
        offered = (each for each in self._t.proposals.values() if each.offered_at and each.offered_at > since)
        return Counter(each.person for each in offered)

    def held(self, team: str) -> Sequence[Proposal]:
        return self._proposals(lambda each: _waits(each, team) and each.offered_at is None)

    def figures(self, team: str, since: datetime, until: datetime) -> Figures:
        counts = [count for at, count in self._t.kb_events.values() if count.team == team and since <= at < until]
        events = Counter(count.event for count in counts)
        tickets = [kept.ticket for kept in self._t.tickets.values() if kept.ticket.team == team]
        return Figures(
            asked=sum(events[event] for event in ASKED.values()),
            answered=events[Event.ANSWER],
            confirmed=events[Event.CONFIRMED],
            contradicted=events[Event.CONTRADICTED],
            opened=sum(since <= ticket.opened_at < until for ticket in tickets),
            waiting=len(self._proposals(lambda each: _waits(each, team))),
        )

    def _proposals(self, fits: Callable[[Proposal], bool]) -> Sequence[Proposal]:
        found = filter(fits, self._t.proposals.values())
        return tuple(sorted(found, key=lambda each: (each.made_at, each.id)))


def _waits(proposal: Proposal, team: str) -> bool:
    return proposal.team == team and proposal.state is ProposalState.WAITING
