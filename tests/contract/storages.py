"""The three storages the contract suites run over, each clean, and the clock their leases follow."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, text

from storage.columns import METADATA
from storage.engine import make_engine
from storage.memory import MemoryStorage
from storage.schema import migrate
from storage.sql import SqlStorage
from storage.views import Health
from tests.builders import mark_sent
from triage.auditing import AuditLine
from triage.calendars import ALWAYS, Calendar, DatedWindow, Window
from triage.chain import Chain, Notify, Raise, Reassign, Repeat, Wait, Whom
from triage.changes import AddEntry, Change, Converse, Decision, KeepClock, Meet, OpenTicket
from triage.clocks import Clock, ClockEventKind, LogEvent, Measure
from triage.learning import Case
from triage.model import (
    Account,
    Channel,
    ChannelKind,
    Conversation,
    Entry,
    EntryKind,
    Kind,
    Language,
    Message,
    MessageRef,
    Person,
    Platform,
    Priority,
    Sender,
    Status,
    Thread,
    Ticket,
)
from triage.outgoing import (
    At,
    Card,
    ClockNote,
    Guard,
    InThread,
    Notice,
    OnSlot,
    Outgoing,
    Ping,
    Reminder,
    Say,
    StepGuard,
    Term,
    Value,
    Who,
)
from triage.policy import Metric, Targets, Terms
from triage.ports import Loaded, Lookup, Outbox, Parcel, Storage
from triage.transcripts import Transcript

AT = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
HELP = Channel(platform=Platform.SLACK, place="T1", id="C0HELP")
TRIAGE = Channel(platform=Platform.SLACK, place="T1", id="C0TRIAGE")
CHAT = Channel(platform=Platform.SLACK, place="T1", id="D0ANN", kind=ChannelKind.DM)
ASKED = Thread(channel=HELP, root="100.1")
ANN = Person(id="ann", name="Ann", account=Account(platform=Platform.SLACK, place="T1", user="U0ANN"))
LEE = Person(
    id="lee", name="Lee", language=Language.KO, account=Account(platform=Platform.SLACK, place="T1", user="U0LEE")
)
SEOUL = Calendar(
    timezone="Asia/Seoul",
    windows=(Window(day=0, opens=32_400, closes=64_800),),
    holidays=("KR", "2026-12-25"),
    dated=(DatedWindow(on=date(2026, 12, 24), opens=32_400, closes=46_800),),
)
TERMS = Terms(
    policy="board",
    calendar=SEOUL,
    targets={Priority.HIGH: Targets(seconds={Metric.RESOLUTION: 28_800}, pause_on_hold=True)},
    warn=("50%", "-30m"),
    overdue=3_600,
    chain=Chain(
        steps=(
            Notify(whom=Whom.OWNER),
            Wait(seconds=600),
            Notify(person="kim"),
            Notify(channel=TRIAGE),
            Raise(priority=Priority.URGENT),
            Reassign(whom=Whom.ON_CALL),
            Reassign(person="lee"),
            Repeat(times=2),
        ),
        ack=1_800,
    ),
)
GUARD = Guard(ticket="t1", metric=Metric.FIRST_RESPONSE, instance=1, revision=1)
TEAMS_ANN = Account(platform=Platform.TEAMS, place="tenant", user="29:ann")
CARDS = Thread(channel=TRIAGE)
SLOT = "card:t1:it"
UPDATE = OnSlot(slot=SLOT, lane=SLOT, bucket=TRIAGE.key)
NOTE = ClockNote(
    phrase="state.running", instants={"due": At(at=AT, zone="Asia/Seoul")}, seconds={"left": 600}, days=True
)
CARD = Card(
    number=1,
    subject="VPN down",
    text="It <b>fails</b>",
    requester=Who(person="ann", name="Ann"),
    team="IT",
    status=Status.NEW,
    priority=Priority.NORMAL,
    owner=None,
    opened=At(at=AT),
    clocks=((Metric.FIRST_RESPONSE, NOTE),),
)


class Kept(Storage, Protocol):
    """What `SqlStorage` and `MemoryStorage` have in common."""

    @property
    def transcript(self) -> Transcript: ...

    def audit(self) -> Sequence[AuditLine]: ...

    def cases(self, limit: int = ...) -> Sequence[Case]: ...

    def health(self) -> Health: ...

    def unreachable(self) -> Mapping[str, str]: ...


@dataclass
class Ticking:
    """Unix seconds that a test moves on by hand."""

    seconds: float = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Bench:
    """One storage under test. `expire` makes every lease and every delay run out."""

    storage: Kept
    expire: Callable[[], None]
    engine: Engine | None = None


def memory() -> Bench:
    clock = Ticking()
    return Bench(storage=MemoryStorage(clock=clock), expire=lambda: _move(clock))


@contextmanager
def sqlite(empty: Path, directory: Path) -> Iterator[Bench]:
    """On a copy of `empty`, a migrated database."""
    file = directory / "desk.db"
    shutil.copyfile(empty, file)
    engine, clock = make_engine(f"sqlite:///{file}"), Ticking()
    try:
        yield Bench(storage=SqlStorage(engine, clock=clock), expire=lambda: _move(clock), engine=engine)
    finally:
        engine.dispose()


@contextmanager
def postgres(url: str) -> Iterator[Bench]:
    """On a migrated database, emptied. Leases follow its own clock, so here they are aged instead."""
    engine = make_engine(url)
    try:
        clear(engine)
        yield Bench(storage=SqlStorage(engine), expire=lambda: _age(engine), engine=engine)
    finally:
        engine.dispose()


def empty_sqlite(directory: Path) -> Path:
    """A migrated SQLite file without rows."""
    file = directory / "empty.db"
    migrate(f"sqlite:///{file}")
    engine = make_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return file


def clear(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())
        connection.execute(text("ALTER TABLE audit ENABLE TRIGGER USER"))
        connection.execute(text("ALTER SEQUENCE ticket_number RESTART"))


def _move(clock: Ticking) -> None:
    clock.seconds += 3_600


def _age(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET leased_until = leased_until - 3600, not_before = not_before - 3600"))


# --- values --------------------------------------------------------------------------------------
def minutes(count: float) -> datetime:
    return AT + timedelta(minutes=count)


def ticket(number: int = 1, **changes: Any) -> Ticket:
    """A new ticket of Ann's, numbered and named alike."""
    known: dict[str, Any] = {
        "id": f"t{number}",
        "number": number,
        "team": "it",
        "requester": "ann",
        "subject": "VPN down",
        "language": Language.EN,
        "priority": Priority.NORMAL,
        "status": Status.NEW,
        "opened_at": AT,
    }
    return Ticket(**(known | changes))


def conversation(thread: Thread = ASKED, **changes: Any) -> Conversation:
    known: dict[str, Any] = {
        "key": thread.key,
        "thread": thread,
        "requester": "ann",
        "language": Language.EN,
        "team": "it",
        "question": "Why is the VPN down?",
    }
    return Conversation(**(known | changes))


def started(at: datetime = AT, calendar: Calendar = ALWAYS) -> LogEvent:
    """What begins a log: an hour of this calendar is promised."""
    return LogEvent(at=at, kind=ClockEventKind.START, measure=Measure(seconds=3_600, calendar=calendar))


def clock(*further: LogEvent, **changes: Any) -> Clock:
    """A clock that was started, and what happened to it since."""
    known: dict[str, Any] = {
        "metric": Metric.FIRST_RESPONSE,
        "instance": 1,
        "log": (started(), *further),
        "known_at": AT,
    }
    return Clock(**(known | changes))


def event(kind: ClockEventKind, minute: float = 0, **changes: Any) -> LogEvent:
    return LogEvent(at=minutes(minute), kind=kind, **changes)


def kept_clock(number: int = 1, kept: Clock | None = None, **changes: Any) -> KeepClock:
    """A clock of that ticket; what is due next, its promise or the ping, is due at one instant."""
    next_at = changes.get("next_at")
    known: dict[str, Any] = {"ticket": f"t{number}", "clock": kept or clock(), "next_at": None, "due_at": next_at}
    return KeepClock(**(known | changes))


def reminder(guard: Guard | StepGuard = GUARD) -> Reminder:
    values: dict[str, Value] = {
        "number": 1,
        "subject": "VPN down",
        "metric": Term(term="ping.metric.resolution"),
        "due": At(at=AT),
    }
    return Reminder(say=Say(phrase="ping.due", values=values), guard=guard)


def ping(key: str = "p1", **changes: Any) -> Ping:
    """A reminder for Lee about the first ticket."""
    known: dict[str, Any] = {"key": key, "person": "lee", "ticket": "t1", "at": AT, "reminder": reminder()}
    return Ping(**(known | changes))


def words(key: str, thread: Thread = ASKED, **changes: Any) -> Outgoing:
    """One sentence to be said in a thread."""
    known: dict[str, Any] = {
        "key": key,
        "to": InThread(thread=thread),
        "notice": Say(phrase="error.failed", values={"id": key}),
        "language": Language.EN,
    }
    return Outgoing(**(known | changes))


def said(notice: Notice, **changes: Any) -> Outgoing:
    return replace(words("o1"), notice=notice, **changes)


def message(key: str = "slack:T1:C0HELP:100.1", channel: Channel = HELP, **changes: Any) -> Message:
    assert ANN.account is not None
    known: dict[str, Any] = {
        "key": key,
        "kind": Kind.POST,
        "sender": Sender(account=ANN.account),
        "channel": channel,
        "id": "100.1",
    }
    return Message(**(known | changes))


def sent_as(id: str, channel: Channel = HELP, root: str | None = None) -> MessageRef:
    return MessageRef(thread=Thread(channel=channel, root=root), id=id)


# --- short ways through a storage ----------------------------------------------------------------
def record(
    storage: Storage, *changes: Change, said: tuple[Outgoing, ...] = (), on: Message | None = None, at: datetime = AT
) -> None:
    """One committed turn."""
    with storage.writing() as work:
        work.record(Decision(changes=changes, outgoing=said), at, message=on)
        work.commit()


def open_ticket(storage: Storage, number: int = 1, **changes: Any) -> Ticket:
    """Ann's ticket with its first message, and Ann."""
    opened = ticket(number, **changes)
    entry = Entry(at=AT, kind=EntryKind.MESSAGE, author="ann", text=f"Request {number}", message=f"m{number}")
    record(storage, Meet(person=ANN), OpenTicket(ticket=opened), AddEntry(ticket=opened.id, entry=entry))
    return opened


def converse(storage: Storage, thread: Thread = ASKED, **changes: Any) -> Conversation:
    kept = conversation(thread, **changes)
    record(storage, Converse(conversation=kept))
    return kept


def keep_clock(storage: Storage, number: int = 1, kept: Clock | None = None, **changes: Any) -> None:
    record(storage, kept_clock(number, kept, **changes))


def load(storage: Storage, here: Thread = ASKED, **changes: Any) -> Loaded:
    """What a turn of Ann's in this thread finds."""
    known: dict[str, Any] = {"sender": "ann", "here": here, "root": here.root, "flat": False}
    with storage.writing() as work:
        return work.load(Lookup(**(known | changes)))


def lease(outbox: Outbox, limit: int = 10, **changes: Any) -> dict[str, Parcel]:
    """What can be delivered now, by outbox key."""
    return {parcel.outgoing.key: parcel for parcel in outbox.lease(limit, **changes)}


def deliver(storage: Storage, said: Outgoing, ref: MessageRef) -> None:
    """Say something, and have it arrive as this message."""
    record(storage, said=(said,))
    assert mark_sent(storage.outbox, lease(storage.outbox)[said.key], ref)
