"""Erasing a person: nothing of them is left in any column of any table, and nothing of others is lost."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, select

from storage.columns import METADATA
from storage.erasing import Erased, Erasing, Named, raw_table
from storage.sql import SqlStorage
from tests.builders import mark_sent
from tests.contract.storages import (
    ANN,
    AT,
    CARD,
    CARDS,
    LEE,
    Bench,
    deliver,
    kept_clock,
    message,
    ping,
    record,
    reminder,
    said,
    sent_as,
    ticket,
    words,
)
from triage.changes import (
    AddArticle,
    AddEntry,
    AddPhrasing,
    Assign,
    Called,
    Converse,
    KeepCase,
    KeepPing,
    KeepPosition,
    Meet,
    OpenTicket,
    Propose,
    SwapOnCall,
)
from triage.document import Document, Paragraph, Plain
from triage.escalation import Position
from triage.knowledge import Article
from triage.learning import Case, CaseKind, Proposal, ProposalKind
from triage.model import (
    Account,
    Channel,
    ChannelKind,
    Conversation,
    Entry,
    EntryKind,
    Language,
    Person,
    Platform,
    Priority,
    Status,
    Thread,
)
from triage.outgoing import At, Direct, HistoryLine, InThread, Reasons, Say, TicketLine, TicketList, TicketView, Who
from triage.phrases import noted
from triage.rota import Override
from triage.transcripts import WebPost

MARK = "zqx"
"""Stands in everything that is the erased person's, and in nothing else."""

KEY = f"dana.{MARK}"
NAME = f"Dana {MARK.title()}"
USER, CHAT = f"U0{MARK.upper()}", f"D0{MARK.upper()}"
TEXTS = {
    "first": f"My salary slip {MARK} shows the wrong sum since March, can somebody look at it? It is the third time.",
    "short": f"{MARK} vpn",
    "later": f"it still fails {MARK}\nsince this morning",
}
DIRECT = Channel(platform=Platform.SLACK, place="T1", id=CHAT, kind=ChannelKind.DM)
ACCOUNT = Account(platform=Platform.SLACK, place="T1", user=USER)
DANA = Person(id=KEY, name=NAME, account=ACCOUNT, timezone="Asia/Seoul")


def dana_writes(key: str) -> Any:
    return replace(
        message(f"slack:T1:{CHAT}:{key}", channel=DIRECT),
        sender=replace(message().sender, account=ACCOUNT, name=NAME),
    )


def fill(storage: SqlStorage) -> None:
    """A desk at which Dana asked, was answered, was told of, taught, was on call and answered others."""
    for person in (ANN, LEE):
        record(storage, Meet(person=person))
    thread, mine = (
        Thread(channel=DIRECT),
        ticket(1, requester=KEY, subject=TEXTS["first"][:79].rstrip() + "…", home=Thread(channel=DIRECT)),
    )
    mine = replace(mine, conversation=thread.key)
    kept = Conversation(
        key=thread.key,
        thread=thread,
        requester=KEY,
        language=Language.EN,
        team="it",
        question=TEXTS["first"],
        ticket="t1",
        reasons=(noted("reason.repaired", Language.EN, {"read": MARK}),),
    )
    own = Thread(channel=Channel(platform=Platform.SLACK, place="T1", id=f"person:{KEY}", kind=ChannelKind.DM))
    who = Who(person=KEY, name=NAME)
    card = replace(CARD, subject=mine.subject, text=TEXTS["first"], requester=who)
    line = TicketLine(
        number=1, subject=mine.subject, status=Status.NEW, priority=Priority.LOW, requester=NAME, owner=None, due=None
    )
    record(
        storage,
        Meet(person=DANA),
        Converse(conversation=kept),
        Converse(conversation=replace(kept, key=own.key, thread=own, ticket=None)),
        OpenTicket(ticket=mine),
        *(
            AddEntry(
                ticket="t1",
                entry=Entry(at=AT, kind=EntryKind.MESSAGE, author=KEY, text=each, message=f"slack:T1:{CHAT}:{n}"),
            )
            for n, each in enumerate(TEXTS.values())
        ),
        AddEntry(
            ticket="t1",
            entry=Entry(
                at=AT,
                kind=EntryKind.EVENT,
                author=None,
                text=noted("reason.repaired", Language.EN, {"read": MARK, "n": "7.4%"}),
            ),
        ),
        AddEntry(ticket="t1", entry=Entry(at=AT, kind=EntryKind.NOTE, author="lee", text=f"I called {NAME} about it.")),
        AddEntry(ticket="t1", entry=Entry(at=AT, kind=EntryKind.REPLY, author="lee", text="We look at it.")),
        Called(ticket="t1", at=AT, called=NAME),
        KeepPosition(ticket="t1", position=Position(run="r1", acked_by=KEY)),
        kept_clock(1),
        KeepCase(
            case=Case(
                id="c1", at=AT, text=TEXTS["first"], article="pay", kind=CaseKind.LINKED, person="lee", ticket="t1"
            )
        ),
        KeepCase(case=Case(id="c2", at=AT, text=TEXTS["later"], article="pay", kind=CaseKind.CONFIRMED, person=KEY)),
        Propose(
            proposal=Proposal(
                id="p1",
                kind=ProposalKind.PHRASING,
                article="pay",
                title="",
                text=TEXTS["first"],
                body="",
                language=Language.EN,
                team="it",
                person=KEY,
                ticket="t1",
                made_at=AT,
            )
        ),
        AddPhrasing(article="pay", language=Language.EN, text=TEXTS["first"], against=False, by=KEY),
        AddArticle(
            article=Article(
                id="learned", title=TEXTS["short"], body="Do this.", phrasings=(TEXTS["first"], "other"), owner=KEY
            )
        ),
        KeepPing(ping=ping("p1", person=KEY)),
        KeepPing(
            ping=ping(
                "p2",
                reminder=replace(
                    reminder(), say=Say(phrase="ping.due", values={**reminder().say.values, "subject": mine.subject})
                ),
            )
        ),
        SwapOnCall(team="it", override=Override(since=AT, until=AT, person=KEY), by=KEY),
        said=(
            said(
                card,
                to=InThread(thread=CARDS),
                slot="card:t1:it",
                ticket="t1",
                conversation=thread.key,
                key=f"slack:T1:{CHAT}:1/card",
            ),
            replace(
                words("quote"),
                notice=Say(phrase="thread.message", values={"author": who, "actor": NAME}, quote=TEXTS["later"]),
                ticket="t1",
            ),
            replace(
                words("list"),
                notice=TicketList(phrase="queue.title", empty="queue.empty", values={"teams": "IT"}, rows=(line,)),
                to=Direct(person="lee"),
            ),
            replace(
                words("view"),
                notice=TicketView(
                    card=card, history=(HistoryLine(at=At(at=AT), author=NAME, what="entry.note", text=TEXTS["later"]),)
                ),
            ),
            replace(
                words("why"), notice=Reasons(phrase="why.answer", values={}, reasons=(f"read as {MARK}",)), ticket="t1"
            ),
            replace(
                words("told"),
                to=Direct(person=KEY),
                notice=Say(
                    phrase="ticket.reply",
                    values={"agent": Who(person="lee", name="Lee"), "number": 1},
                    quote="We look at it.",
                ),
            ),
        ),
        on=dana_writes("1"),
    )
    deliver(
        storage,
        replace(
            words("sent", thread),
            notice=Say(
                phrase="thread.message",
                values={
                    "author": who,
                },
                quote=TEXTS["first"],
            ),
            ticket="t1",
        ),
        sent_as(f"{CHAT}.9", DIRECT),
    )
    others = ticket(2, owner=KEY)
    record(
        storage,
        OpenTicket(ticket=others),
        AddEntry(ticket="t2", entry=Entry(at=AT, kind=EntryKind.REPLY, author=KEY, text=f"Try {MARK} again")),
    )
    record(
        storage,
        AddEntry(
            ticket="t2",
            entry=Entry(at=AT, kind=EntryKind.MESSAGE, author="ann", text=f"Thanks, {NAME}! Dana was quick."),
        ),
    )
    with storage.writing() as work:
        work.fail("f1", f"slack:T1:{CHAT}:7", AT, f"KeyError: '{USER}'")
        work.claim(f"slack:T1:C0HELP:5:{USER}:+1:6", AT)
        work.commit()
    storage.transcript.write(
        WebPost(
            id="w1",
            thread=Thread(channel=DIRECT),
            at=AT,
            author=KEY,
            document=Document(blocks=(Paragraph((Plain(TEXTS["short"]),)),), summary=TEXTS["short"]),
        )
    )
    storage.transcript.write(
        WebPost(
            id="w2",
            thread=CARDS,
            at=AT,
            author=None,
            document=Document(blocks=(Paragraph((Plain(f"{NAME} asks: {TEXTS['first']}"),)),), summary="x"),
            only_for="lee",
        )
    )


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(f"{request.param}_bench")
    assert isinstance(found.storage, SqlStorage)
    fill(found.storage)
    return found


def erase(bench: Bench, *, person: str = KEY, dry: bool = False) -> Erased:
    ids = count()
    named = Named(person=person, names=frozenset({f"{MARK}@example.com"}))
    return Erasing(_engine(bench), lambda: f"erased{next(ids):026}").erase(named, AT, dry=dry)


def marks(engine: Engine) -> list[tuple[str, str, str]]:
    """Table, column and value of everything in which the mark stands."""
    found = []
    with engine.connect() as db:
        for name in METADATA.tables:
            for row in db.execute(select(raw_table(name))).mappings():
                found += [(name, key, value) for key, value in row.items() if MARK in str(value).casefold()]
    return found


# --- nothing of them ---------------------------------------------------------------------------
@pytest.mark.parametrize("by", [KEY, USER, f"slack:T1:{USER}"])
def test_nothing_of_the_person_is_left(bench: Bench, by: str) -> None:
    """However they were named: no name, no id, no word."""
    assert len({table for table, _, _ in marks(_engine(bench))}) >= 14
    assert erase(bench, person=by).found
    assert marks(_engine(bench)) == []


def test_the_file_itself_holds_nothing_any_more(sqlite_bench: Bench) -> None:
    """Neither in free pages nor in the log beside it."""
    assert isinstance(sqlite_bench.storage, SqlStorage)
    fill(sqlite_bench.storage)
    erase(sqlite_bench)
    from pathlib import Path

    file = Path(_engine(sqlite_bench).url.database or "")
    for part in file.parent.glob(f"{file.name}*"):
        assert MARK.encode() not in part.read_bytes().lower(), part


def test_twice_is_harmless(bench: Bench) -> None:
    """The second time there is nobody of that name."""
    erase(bench)
    before = _dump(bench)
    assert not erase(bench).found
    assert _dump(bench) == before


def test_a_rehearsal_changes_nothing(bench: Bench) -> None:
    """It counts what would be replaced."""
    before = _dump(bench)
    found = erase(bench, dry=True)
    assert found.rows["entry"] >= 4
    assert _dump(bench) == before


def test_an_erasure_that_was_stopped_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process was killed after some tables; the same command finishes, though the person has no name any more."""
    done = count()

    class Killed(BaseException):
        pass

    real = Erasing._replace

    def replace_some(self: Erasing, *given: Any) -> int:
        if next(done) == 3:
            raise Killed
        return real(self, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Erasing, "_replace", replace_some)
        with pytest.raises(Killed):
            erase(bench)
    assert marks(_engine(bench))
    assert erase(bench).found
    assert marks(_engine(bench)) == []


def test_turns_go_on_meanwhile(bench: Bench) -> None:
    """Others write all the time: none of them is refused, and nothing of the person is written back."""
    storage, done = bench.storage, threading.Event()
    failed: list[Exception] = []

    def write() -> None:
        number = 100
        while not done.is_set():
            number += 1
            try:
                record(storage, OpenTicket(ticket=ticket(number)), Assign(ticket=f"t{number}", owner="lee"))
            except Exception as error:  # noqa: BLE001
                failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert erase(bench).found
    finally:
        done.set()
        thread.join()
    assert failed == []
    assert marks(_engine(bench)) == []


# --- everything else -----------------------------------------------------------------------------
def test_figures_history_and_audit_stay(bench: Bench) -> None:
    """As many rows as before, but for accounts, pings that wait and phrasings; and what others wrote."""
    before, lines = _counts(bench), bench.storage.audit()
    erase(bench)
    after = _counts(bench)
    gone = {name for name, rows in after.items() if rows != before[name]}
    assert gone - {"thread_lock"} == {"account", "ping", "phrasing", "audit"}
    assert bench.storage.audit()[:-1] == lines
    assert bench.storage.audit()[-1].what == "audit.erased"
    with bench.storage.reading() as reading:
        assert [entry.text for entry in reading.history("t2", 9)][-1] == "Thanks, [erased]! Dana was quick."
        assert "We look at it." in [entry.text for entry in reading.history("t1", 9)]


def test_history_and_audit_name_the_same_surrogate(bench: Bench) -> None:
    """Lines of one person still belong together."""
    erase(bench)
    with bench.storage.reading() as reading:
        requester = reading.ticket("t1").requester  # type: ignore[union-attr]
    opened = next(line for line in bench.storage.audit() if line.what == "audit.opened" and line.ticket == "t1")
    assert opened.about == requester == bench.storage.audit()[-1].about


def test_the_desk_works_on(bench: Bench) -> None:
    """What waits is sent without them, what was for them is not, and every row can still be read."""
    erase(bench)
    keys = set()
    for _ in range(10):
        bench.expire()
        for parcel in bench.storage.outbox.lease(10):
            keys.add(parcel.outgoing.key)
            mark_sent(bench.storage.outbox, parcel, None)
    assert {"quote", "list", "view", "why"} <= keys
    assert "told" not in keys
    assert [ticket.number for ticket in _mine(bench)] == [1, 2]
    assert bench.storage.library.articles()[1] == ()
    assert {case.text for case in bench.storage.cases()} == {""}


def test_a_ticket_read_before_is_not_written_back(bench: Bench) -> None:
    """The erasure raises the version: a turn under way decides again."""
    erase(bench)
    with bench.storage.reading() as reading:
        assert reading.ticket("t1").version > 1  # type: ignore[union-attr]


def test_nobody_is_nobody(bench: Bench) -> None:
    """A name that is not known changes nothing."""
    before = _dump(bench)
    assert not erase(bench, person="nobody-here").found
    assert _dump(bench) == before


def _engine(bench: Bench) -> Engine:
    assert bench.engine is not None
    return bench.engine


def _dump(bench: Bench) -> dict[str, list[Any]]:
    with _engine(bench).connect() as db:
        return {name: sorted(map(str, db.execute(select(raw_table(name))).all())) for name in METADATA.tables}


def _counts(bench: Bench) -> dict[str, int]:
    return {name: len(rows) for name, rows in _dump(bench).items()}


def _mine(bench: Bench) -> Any:
    with bench.storage.reading() as reading:
        return sorted(reading.queue(["it"], 10)[0], key=lambda ticket: ticket.number)
