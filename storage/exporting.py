"""What is kept, as plain values: tickets with all that hangs on them, or everything about one person.

Called by `deskbell export`. All of it is of one moment; on PostgreSQL nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, or_, select

from storage.agreements import Agreements
from storage.auditing import keep, lines
from storage.clocking import Clocking
from storage.codec import build
from storage.engine import reading, writing
from storage.erasing import Named, be_patient, find_needles, rows_of, tables_with_people
from storage.rows import entries, people, tickets
from storage.rows_data import audit
from storage.scrubbing import Scrubber
from triage.auditing import EXPORTED, EXPORTED_PERSON, Act, By, Why
from triage.clocks import due_at
from triage.model import Entry, Ticket

Line = Mapping[str, Any]


class Exporting:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        one_moment = engine.dialect.name == "postgresql"
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ") if one_moment else engine

    def tickets(self, since: datetime | None, at: datetime) -> Iterator[Line]:
        """Tickets opened since then, in the order of their numbers; then what of the audit is about none of
        them. That it was exported is kept first. Raises Unavailable."""
        self._told(Act(what=EXPORTED), at)
        with reading(self._snapshots) as db:
            be_patient(db)
            opened = select(tickets).order_by(tickets.c.number)
            yield from _tickets(db, opened.where(tickets.c.opened_at >= since) if since else opened)
            general = (audit.c.ticket.is_(None), *([audit.c.at >= since] if since else []))
            yield from ({"kind": "audit", **asdict(line)} for line in lines(db, *general))

    def person(self, named: Named, at: datetime, new_id: Callable[[], str]) -> Iterator[Line]:
        """Everything kept about somebody: the tickets they asked for, whole, and each further row in which
        they are named or quoted, as it stands; nothing when nobody of that name is known."""
        with reading(self._snapshots) as db:
            be_patient(db)
            needles = find_needles(db, named, new_id)
            if needles is None:
                return
            own = list(needles.ids)
            known = db.execute(select(people.c.id, people.c.surrogate).where(people.c.id.in_(own))).all()
            for row in known:
                self._told(Act(what=EXPORTED_PERSON, about=row.id), at)
            yield from _tickets(db, select(tickets).where(tickets.c.requester.in_(own)).order_by(tickets.c.number))
            scrubber, whole = Scrubber(needles), set(needles.tickets.values())
            for name in tables_with_people():
                for found in rows_of(db, name):
                    told = found.get("ticket" if name != "ticket" else "id") in whole and name in ("ticket", "entry")
                    if not told and scrubber.row(name, found) != found:
                        yield {"kind": "row", "table": name, "row": found}
            surrogates = [row.surrogate for row in known if row.surrogate]
            theirs = or_(audit.c.who.in_(surrogates), audit.c.about.in_(surrogates))
            yield from ({"kind": "audit", **asdict(line)} for line in lines(db, theirs))

    def _told(self, act: Act, at: datetime) -> None:
        with writing(self._engine) as db:
            keep(db, [act], By(why=Why.ADMIN), at)
            db.commit()


def _tickets(db: Connection, which: Any) -> Iterator[Line]:
    clocking = Clocking(db, Agreements())
    for row in db.execute(which).all():
        ticket = build(Ticket, row)
        history = db.execute(select(entries).where(entries.c.ticket == ticket.id).order_by(entries.c.id)).all()
        events = clocking.events_of(ticket.id)
        yield {
            "kind": "ticket",
            **asdict(ticket),
            "history": [asdict(build(Entry, entry)) for entry in history],
            "events": [_event(event) for event in events],
            "clocks": [_clock(clock) for clock in clocking.clocks_of(ticket.id)],
            "audit": [asdict(line) for line in lines(db, audit.c.ticket == ticket.id)],
        }


def _event(event: Any) -> Line:
    plain = {name: getattr(event, name) for name in ("at", "do", "priority", "thanks", "team", "channel")}
    return plain | {"policy": event.terms.policy if event.terms else None}


def _clock(clock: Any) -> Line:
    log = [{"at": each.at, "kind": each.kind, "cause": each.cause} for each in clock.log]
    return {"metric": clock.metric, "instance": clock.instance, "due_at": due_at(clock), "live": clock.live, "log": log}
