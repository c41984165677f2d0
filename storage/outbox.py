"""The outbox on SQL: rows are put by a turn, leased by delivery, and marked with the lease's token.

A lane is delivered in order, so only its oldest pending row can be leased. On PostgreSQL the leases
of several replicas follow the database's own clock, and rows another one is leasing are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    Integer,
    Select,
    String,
    Update,
    bindparam,
    case,
    cast,
    extract,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql import literal_column

from storage.among import Among
from storage.codec import build, values
from storage.engine import glancing, insert_all_new, is_postgres, reading, upsert, writing
from storage.folding import Kept, calling, running, still_said
from storage.parcels import LEASE_SECONDS, SUPERSEDED, addressed, places_of
from storage.pen import Db
from storage.rows import WAITING, accounts, clocks, outbox, people, posts, references, tickets
from storage.views import pending
from triage.layout import fallback
from triage.model import Account, Channel, MessageRef, Ticket
from triage.outgoing import Guard, OnSlot, Outgoing, StepGuard
from triage.ports import Address, Parcel, Sent

DATABASE_CLOCK = cast(extract("epoch", func.clock_timestamp()), Float)

# Written once: building a statement costs as much as running it.
SLOT = select(posts.c.ref).where(posts.c.slot == bindparam("slot")).order_by(posts.c.id.desc()).limit(1)
DIRECT = select(accounts.c.direct).where(accounts.c.key == bindparam("key"))
REFERENCES = select(references).where(Among(references.c.key, "keys"))
_last = accounts.c.key == people.c.account
ACCOUNTS = (
    select(accounts, people.c.id.label("whose"))
    .join(people, or_(accounts.c.person == people.c.id, _last))
    .where(Among(people.c.id, "people"))
    .order_by(_last, accounts.c.key)
)
DONE = (
    update(outbox)
    .where(Among(outbox.c.token, "tokens"), WAITING)
    .values(state="sent", reason=bindparam("why"), token=None, leased_until=None)
    .returning(outbox.c.key)
)
SUPERSEDE = (
    update(outbox)
    .where(outbox.c.updates == bindparam("superseded"), WAITING, outbox.c.token.is_(None))
    .where(outbox.c.id < select(outbox.c.id).where(outbox.c.key == bindparam("newest")).scalar_subquery())
    .values(state="dropped", reason=SUPERSEDED)
)


class SqlOutbox:
    """Implements `triage.ports.Outbox`; `clock` gives unix seconds and serves SQLite only."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._engine = engine
        self._clock = clock
        self._new_id = new_id

    def lease(self, limit: int, *, skip: frozenset[str] = frozenset()) -> Sequence[Parcel]:
        with writing(self._engine) as db:
            now = {} if is_postgres(db) else {"now": self._clock()}
            free, lease = _leasing(db.dialect.name)
            rows = db.execute(free, now | {"most": limit, "skip": sorted(skip)}).all()
            if not rows:
                return ()
            token = self._new_id()
            db.execute(lease, now | {"lease": f"{token}:", "ids": [row.id for row in rows]})
            leased = [_parcel(row, f"{token}:{row.id}") for row in rows]
            directory = SqlDirectory(db, {key for parcel in leased for key in places_of(parcel)})
            parcels = [addressed(parcel, directory) for parcel in leased]
            db.commit()
        return parcels

    def standing(self, parcel: Parcel) -> Parcel | None:
        if not parcel.outgoing.guarded:
            return parcel
        with glancing(self._engine) as db:
            left = still_said(parcel.outgoing, partial(_holds, db))
        return replace(parcel, outgoing=left) if left else None

    def sent(self, together: Sequence[Sent]) -> Sequence[bool]:
        with writing(self._engine) as db:
            marked = _mark_sent(db, together)
            ours = [sent for sent in together if sent.parcel.token in marked]
            if rows := [_post(sent.parcel.outgoing, sent.ref) for sent in ours if sent.ref is not None]:
                insert_all_new(db, posts, rows, "channel", "message")
            for sent in ours:
                if sent.direct is not None and sent.parcel.account is not None:
                    _keep_direct(db, sent.parcel.account, sent.direct)
            db.commit()
        return [sent.parcel.token in marked for sent in together]

    def later(self, parcel: Parcel, seconds: float, reason: str) -> None:
        with writing(self._engine) as db:
            now = DATABASE_CLOCK if is_postgres(db) else literal(self._clock(), Float)
            _mark(db, parcel, not_before=now + seconds, tries=parcel.tries + 1, reason=reason)
            db.commit()

    def dropped(self, parcel: Parcel, reason: str) -> None:
        with writing(self._engine) as db:
            _mark(db, parcel, state="dropped", reason=reason)
            db.commit()

    def failed(self, parcel: Parcel, reason: str, at: datetime, told: Sequence[Outgoing] = ()) -> None:
        with writing(self._engine) as db:
            if _mark(db, parcel, state="failed", reason=reason):
                put(db, told, at)
            db.commit()

    def pending(self) -> int:
        with reading(self._engine) as db:
            return pending(db)


class SqlDirectory:
    """The look-ups of `storage.parcels`; references of these `places` are read at once."""

    def __init__(self, connection: Connection, places: Collection[str]) -> None:
        self._db = connection
        self._places = places
        self._references: dict[str, str] = _references(connection, places) if places else {}

    def slot(self, slot: str) -> MessageRef | None:
        return self._db.scalar(SLOT, {"slot": slot})

    def accounts_of(self, people_ids: Collection[str]) -> Mapping[str, Sequence[Account]]:
        by_person: dict[str, list[Account]] = {}
        for row in self._db.execute(ACCOUNTS, {"people": list(people_ids)}):
            by_person.setdefault(row.whose, []).append(build(Account, row))
        return by_person

    def direct(self, account: Account) -> Channel | None:
        return self._db.scalar(DIRECT, {"key": account.key})

    def reference(self, key: str, place: str) -> str | None:
        if missing := {key, place}.difference(self._places):
            self._references |= _references(self._db, missing)
        return self._references.get(key, self._references.get(place))


def _references(db: Connection, keys: Collection[str]) -> dict[str, str]:
    return {row.key: row.reference for row in db.execute(REFERENCES, {"keys": list(keys)})}


def _holds(db: Connection, guard: Guard | StepGuard) -> bool:
    if isinstance(guard, StepGuard):
        row = db.execute(select(tickets).where(tickets.c.id == guard.ticket)).first()
        return calling(guard, Kept(ticket=build(Ticket, row), position=row.position) if row else None)
    which = (clocks.c.ticket == guard.ticket, clocks.c.metric == guard.metric, clocks.c.instance == guard.instance)
    state = db.execute(select(clocks.c.live, clocks.c.paused, clocks.c.revision).where(*which)).first()
    return state is not None and running(guard, live=state.live, paused=state.paused, revision=state.revision)


def put(db: Db, outgoing: Iterable[Outgoing], at: datetime) -> None:
    """Write outbox rows; a key written before is left as it is. Of one card's waiting updates the newest stays."""
    for item in outgoing:
        insert_all_new(db, outbox, [_row(item, at)], "key")
        if isinstance(item.to, OnSlot):
            db.execute(SUPERSEDE, {"superseded": item.to.slot, "newest": item.key})


def keep_reference(db: Db, keys: Iterable[str], reference: str) -> None:
    """Keep an adapter's reference; what is known already is not written, so that turns need not wait for it."""
    for key in keys:
        if db.scalar(select(references.c.reference).where(references.c.key == key)) != reference:
            upsert(db, references, {"key": key, "reference": reference}, "key")


@cache
def _leasing(dialect: str) -> tuple[Select[Any], Update]:
    """The rows that are free, and their lease by `ids`; each row's token names it. A lease that ran out was a try."""
    now = DATABASE_CLOCK if dialect == "postgresql" else bindparam("now", type_=Float)
    again = case((outbox.c.token.is_not(None), outbox.c.tries + 1), else_=outbox.c.tries)
    token = bindparam("lease", type_=String) + cast(outbox.c.id, String)
    lease = update(outbox).where(Among(outbox.c.id, "ids"))
    held = lease.values(token=token, leased_until=now + LEASE_SECONDS, tries=again)
    return free_query(now, bindparam("most", type_=Integer), Among(outbox.c.bucket, "skip")), held


def free_query(now: ColumnElement[float], limit: Any, skip: ColumnElement[bool]) -> Select[Any]:
    """The oldest pending row of each lane, where that row is neither leased, nor put off, nor skipped.

    `limit` is a number or a parameter for it; `skip` tells which rows are skipped.
    """
    earlier = outbox.alias("earlier")
    is_waiting = earlier.c.state == literal_column("'pending'")
    blocked = select(earlier.c.id).where(earlier.c.lane == outbox.c.lane, earlier.c.id < outbox.c.id, is_waiting)
    free = select(outbox).where(
        outbox.c.state == literal_column("'pending'"),
        or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now),
        or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= now),
        ~skip,
        ~blocked.exists(),
    )
    return free.order_by(outbox.c.rank, outbox.c.id).limit(limit).with_for_update(skip_locked=True, of=outbox)


def _row(item: Outgoing, at: datetime) -> dict[str, Any]:
    updates = item.to.slot if isinstance(item.to, OnSlot) else None
    place = {"lane": item.to.lane, "bucket": item.to.bucket, "updates": updates}
    text = {"fallback": fallback(item.notice), "created_at": at}
    return values(item) | place | text | {"state": "pending", "tries": 0}


def _parcel(row: Any, token: str) -> Parcel:
    return Parcel(
        outgoing=build(Outgoing, row),
        fallback=row.fallback,
        token=token,
        tries=_tries(row),
        created_at=row.created_at,
        doubtful=row.token is not None,
    )


def _tries(row: Any) -> int:
    """How often it was tried before; a lease that ran out was a try."""
    return int(row.tries) + (row.token is not None)


def _mark(db: Connection, parcel: Parcel, **what: Any) -> bool:
    """Give the lease back with these values; False when somebody else has it by now."""
    row = update(outbox).where(outbox.c.token == parcel.token, WAITING)
    return db.execute(row.values(token=None, leased_until=None, **what)).rowcount == 1


def _mark_sent(db: Connection, together: Sequence[Sent]) -> set[str]:
    """The tokens of those that were marked."""
    reasons: dict[str | None, list[str]] = {}
    for sent in together:
        reasons.setdefault(sent.missed, []).append(sent.parcel.token)
    marked: set[str] = set()
    for reason, tokens in reasons.items():
        keys = set(db.scalars(DONE, {"tokens": tokens, "why": reason}))
        marked |= {sent.parcel.token for sent in together if sent.parcel.outgoing.key in keys}
    return marked


def _post(outgoing: Outgoing, ref: MessageRef) -> dict[str, Any]:
    """Where replies to the message belong; the slot it fills, also when an update had to be posted anew."""
    slot = outgoing.slot or (outgoing.to.slot if isinstance(outgoing.to, OnSlot) else None)
    row = {"channel": ref.thread.channel.key, "message": ref.id, "ref": ref, "slot": slot}
    return row | {"ticket": outgoing.ticket, "conversation": outgoing.conversation}


def _keep_direct(db: Connection, account: Account, direct: Address) -> None:
    channel = direct.thread.channel
    db.execute(update(accounts).where(accounts.c.key == account.key).values(direct=channel))
    if direct.reference is not None:
        keep_reference(db, (channel.key,), direct.reference)
