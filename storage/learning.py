"""Cases, proposals and figures on SQL. `learn` runs inside a turn's transaction; `SqlLessons` reads.

Called by `storage.unit_of_work` and `storage.views`. What changes articles raises their revision in the
same transaction, so that every process follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, insert, select, update

from storage.codec import build, build_all, values
from storage.engine import insert_all_new, insert_new, upsert
from storage.library import revise, write_articles
from storage.pen import Db
from storage.rows import tickets
from storage.rows_knowledge import cases, kb_events, phrasings, proposals
from storage.sources import LEARNED, Sync
from triage.changes import AddArticle, AddPhrasing, Count, KeepCase, LearningChange, Offer, Propose, Settle
from triage.errors import AlreadyHeld, Conflict
from triage.learning import ASKED, Case, Event, Figures, Proposal, ProposalState


def learn(db: Db, change: LearningChange, at: datetime) -> None:
    """Write one change. Raises Conflict when a proposal is settled already."""
    match change:
        case KeepCase(case=case):
            upsert(db, cases, values(case), "id")
        case Count():
            insert_all_new(db, kb_events, [values(change) | {"at": at}], "id")
        case AddPhrasing():
            db.execute(insert(phrasings).values(values(change) | {"at": at}))
            revise(db)
        case AddArticle(article=article):
            with suppress(AlreadyHeld):
                write_articles(db, Sync(source=LEARNED, articles=(article,), at=at, retire=False))
        case Propose(proposal=proposal):
            insert_new(db, proposals, values(proposal), "id")
        case Offer(proposal=id):
            db.execute(update(proposals).where(proposals.c.id == id).values(offered_at=at))
        case Settle():
            _settle(db, change, at)


def _settle(db: Db, change: Settle, at: datetime) -> None:
    waiting = update(proposals).where(proposals.c.id == change.proposal, proposals.c.state == ProposalState.WAITING)
    settled = waiting.values(state=change.state, settled_by=change.by, settled_at=at)
    if db.execute(settled).rowcount != 1:
        raise Conflict(f"proposal {change.proposal} was settled meanwhile")


class SqlLessons:
    """Implements `triage.ports.Lessons` on one connection."""

    def __init__(self, connection: Db) -> None:
        self._db = connection

    def cases(self, limit: int) -> Sequence[Case]:
        is_private = exists().where(tickets.c.id == cases.c.ticket, tickets.c.restricted)
        newest = select(cases).where(~is_private).order_by(cases.c.at.desc(), cases.c.id.desc()).limit(limit)
        return build_all(Case, self._db.execute(newest).all())[::-1]

    def cases_of(self, ticket: str) -> Sequence[Case]:
        found = select(cases).where(cases.c.ticket == ticket).order_by(cases.c.at, cases.c.id)
        return build_all(Case, self._db.execute(found).all())

    def proposal(self, id: str) -> Proposal | None:
        row = self._db.execute(select(proposals).where(proposals.c.id == id).with_for_update()).first()
        return None if row is None else build(Proposal, row)

    def proposals(self, article: str) -> Sequence[Proposal]:
        return self._proposals(proposals.c.article == article)

    def offered(self, since: datetime) -> Mapping[str, int]:
        counted = select(proposals.c.person, func.count()).where(proposals.c.offered_at > since)
        return dict(self._db.execute(counted.group_by(proposals.c.person)).all())

    def held(self, team: str) -> Sequence[Proposal]:
        return self._proposals(
            proposals.c.team == team, proposals.c.state == ProposalState.WAITING, proposals.c.offered_at.is_(None)
        )

    def figures(self, team: str, since: datetime, until: datetime) -> Figures:
        day = (kb_events.c.team == team, kb_events.c.at >= since, kb_events.c.at < until)
        counted = select(kb_events.c.event, func.count()).where(*day).group_by(kb_events.c.event)
        events: dict[Event, int] = dict(self._db.execute(counted).all())
        opened = (tickets.c.team == team, tickets.c.opened_at >= since, tickets.c.opened_at < until)
        waiting = (proposals.c.team == team, proposals.c.state == ProposalState.WAITING)
        return Figures(
            asked=sum(events.get(event, 0) for event in ASKED.values()),
            answered=events.get(Event.ANSWER, 0),
            confirmed=events.get(Event.CONFIRMED, 0),
            contradicted=events.get(Event.CONTRADICTED, 0),
            opened=self._count(tickets, *opened),
            waiting=self._count(proposals, *waiting),
        )

    def _proposals(self, *which: Any) -> Sequence[Proposal]:
        found = select(proposals).where(*which).order_by(proposals.c.made_at, proposals.c.id)
        return build_all(Proposal, self._db.execute(found).all())

    def _count(self, table: Any, *which: Any) -> int:
        return self._db.scalar(select(func.count()).select_from(table).where(*which)) or 0
