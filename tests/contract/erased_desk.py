"""A desk with traces of one person, Dana, in every table that keeps any: what an erasure has to find.

Everything hers holds `MARK`, so that a mark left over is a trace left over; nothing of others does. Each function
stands for one way in which a person leaves traces. Used by `test_erasing` and by the tests of `deskbell erase`.
"""

from __future__ import annotations

import json
from dataclasses import replace

from storage.sql import SqlStorage
from tests.contract.storages import (
    ANN,
    AT,
    CARD,
    CARDS,
    LEE,
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
    Called,
    Change,
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
    Message,
    Person,
    Platform,
    Priority,
    Status,
    Thread,
)
from triage.outgoing import (
    At,
    Direct,
    HistoryLine,
    InThread,
    Outgoing,
    Reasons,
    Say,
    TicketLine,
    TicketList,
    TicketView,
    Who,
)
from triage.phrases import noted
from triage.rota import Override
from triage.transcripts import WebPost
from triage.turn import own_thread

MARK = "zqx"
"""Stands in everything that is the erased person's, and in nothing else."""

KEY = f"dana.{MARK}"
NAME = f"Dana {MARK.title()}"
USER, CHAT = f"U0{MARK.upper()}", f"D0{MARK.upper()}"
OTHER_ID = f"29:1{MARK}-a_B"
"""What Teams calls somebody beside the id of their account; only references hold it."""
QUESTION = f"My salary slip {MARK} shows the wrong sum since March, can somebody look at it? It is the third time."
SHORT = f"{MARK} vpn"
LATER = f"it still fails {MARK}\nsince this morning"
DIRECT = Channel(platform=Platform.SLACK, place="T1", id=CHAT, kind=ChannelKind.DM)
ACCOUNT = Account(platform=Platform.SLACK, place="T1", user=USER)
DANA = Person(id=KEY, name=NAME, account=ACCOUNT, timezone="Asia/Seoul")
WHO = Who(person=KEY, name=NAME)
TALK = Thread(channel=DIRECT)
"""Where she asked."""
BY_COMMAND = own_thread(message(), DANA)
HERS = ticket(1, requester=KEY, subject=QUESTION[:79].rstrip() + "…", home=TALK, conversation=TALK.key)
HER_CARD = replace(CARD, subject=HERS.subject, text=QUESTION, requester=WHO)


def fill(storage: SqlStorage) -> None:
    """A desk at which Dana asked, was answered, was told of, taught, was on call and answered others."""
    for person in (ANN, LEE):
        record(storage, Meet(person=person))
    record(
        storage,
        Meet(person=DANA),
        *_asked(),
        *_was_helped(),
        *_taught(),
        *_was_pinged(),
        _was_on_call(),
        said=(*_was_told_of(), _was_told()),
        on=_her_message("1"),
    )
    deliver(
        storage,
        replace(words("sent", TALK), notice=_relayed(QUESTION), ticket=HERS.id),
        sent_as(f"{CHAT}.9", DIRECT),
    )
    _answered_others(storage)
    _was_failed(storage)
    _used_the_web_page(storage)


def _asked() -> tuple[Change, ...]:
    """In a direct message, and by slash command where no thread holds it; her ticket has all that she wrote."""
    kept = Conversation(
        key=TALK.key,
        thread=TALK,
        requester=KEY,
        language=Language.EN,
        team="it",
        question=QUESTION,
        ticket=HERS.id,
        reasons=(noted("reason.repaired", Language.EN, {"read": MARK}),),
    )
    return (
        Converse(conversation=kept),
        Converse(conversation=replace(kept, key=BY_COMMAND.key, thread=BY_COMMAND, ticket=None)),
        OpenTicket(ticket=HERS),
        *(
            _entry(EntryKind.MESSAGE, text, author=KEY, message=_her_key(str(number)))
            for number, text in enumerate((QUESTION, SHORT, LATER))
        ),
    )


def _was_helped() -> tuple[Change, ...]:
    """What the desk and its agents noted on her ticket, and that she was called about it."""
    return (
        _entry(EntryKind.EVENT, noted("reason.repaired", Language.EN, {"read": MARK, "n": "7.4%"}), author=None),
        _entry(EntryKind.NOTE, f"I called {NAME} about it.", author="lee"),
        _entry(EntryKind.REPLY, "We look at it.", author="lee"),
        Called(ticket=HERS.id, at=AT, called=NAME),
        KeepPosition(ticket=HERS.id, position=Position(run="r1", acked_by=KEY)),
        kept_clock(1),
    )


def _taught() -> tuple[Change, ...]:
    """What the desk learned from her words, or because she said so."""
    linked = Case(id="c1", at=AT, text=QUESTION, article="pay", kind=CaseKind.LINKED, person="lee", ticket=HERS.id)
    confirmed = Case(id="c2", at=AT, text=LATER, article="pay", kind=CaseKind.CONFIRMED, person=KEY)
    proposal = Proposal(
        id="p1",
        kind=ProposalKind.PHRASING,
        article="pay",
        title="",
        text=QUESTION,
        body="",
        language=Language.EN,
        team="it",
        person=KEY,
        ticket=HERS.id,
        made_at=AT,
    )
    learned = Article(id="learned", title=SHORT, body="Do this.", phrasings=(QUESTION, "other"), owner=KEY)
    return (
        KeepCase(case=linked),
        KeepCase(case=confirmed),
        Propose(proposal=proposal),
        AddPhrasing(article="pay", language=Language.EN, text=QUESTION, against=False, by=KEY),
        AddArticle(article=learned),
    )


def _was_pinged() -> tuple[Change, ...]:
    """A ping that waits for her, and one that waits for another about her ticket."""
    about_hers = Say(phrase="ping.due", values={**reminder().say.values, "subject": HERS.subject})
    return (
        KeepPing(ping=ping("p1", person=KEY)),
        KeepPing(ping=ping("p2", reminder=replace(reminder(), say=about_hers))),
    )


def _was_on_call() -> Change:
    """Somebody's turn, which she took herself."""
    return SwapOnCall(team="it", override=Override(since=AT, until=AT, person=KEY), by=KEY)


def _was_told_of() -> tuple[Outgoing, ...]:
    """What waits to be said to others about her, in each form that names people or quotes them."""
    line = TicketLine(
        number=1, subject=HERS.subject, status=Status.NEW, priority=Priority.LOW, requester=NAME, owner=None, due=None
    )
    queue = TicketList(phrase="queue.title", empty="queue.empty", values={"teams": "IT"}, rows=(line,))
    past = HistoryLine(at=At(at=AT), author=NAME, what="entry.note", text=LATER)
    why = Reasons(phrase="why.answer", values={}, reasons=(f"read as {MARK}",))
    return (
        said(
            HER_CARD,
            to=InThread(thread=CARDS),
            slot="card:t1:it",
            ticket=HERS.id,
            conversation=TALK.key,
            key=f"{_her_key('1')}/card",
        ),
        replace(words("quote"), notice=_relayed(LATER, actor=NAME), ticket=HERS.id),
        replace(words("list"), notice=queue, to=Direct(person="lee")),
        replace(words("view"), notice=TicketView(card=HER_CARD, history=(past,))),
        replace(words("why"), notice=why, ticket=HERS.id),
    )


def _was_told() -> Outgoing:
    """An answer that waits to be sent to her."""
    lee = Who(person="lee", name="Lee")
    reply = Say(phrase="ticket.reply", values={"agent": lee, "number": 1}, quote="We look at it.")
    return replace(words("told"), to=Direct(person=KEY), notice=reply)


def _answered_others(storage: SqlStorage) -> None:
    """She owns a ticket of Ann's, answers her and is thanked by name."""
    record(
        storage,
        OpenTicket(ticket=ticket(2, owner=KEY)),
        _entry(EntryKind.REPLY, f"Try {MARK} again", author=KEY, ticket="t2"),
    )
    record(storage, _entry(EntryKind.MESSAGE, f"Thanks, {NAME}! Dana was quick.", author="ann", ticket="t2"))


def _was_failed(storage: SqlStorage) -> None:
    """A message of hers that could not be handled, and the key of one that was."""
    with storage.writing() as work:
        work.fail("f1", _her_key("7"), AT, f"KeyError: '{USER}'")
        work.claim(f"slack:T1:C0HELP:5:{USER}:+1:6", AT)
        work.commit()


def _used_the_web_page(storage: SqlStorage) -> None:
    """She wrote there, and what she asked was shown to Lee alone."""
    storage.transcript.write(WebPost(id="w1", thread=TALK, at=AT, author=KEY, document=_page(SHORT, summary=SHORT)))
    shown = _page(f"{NAME} asks: {QUESTION}", summary="x")
    storage.transcript.write(WebPost(id="w2", thread=CARDS, at=AT, author=None, document=shown, only_for="lee"))


# --- values --------------------------------------------------------------------------------------
def _her_key(id: str) -> str:
    """Of the message with this id in her direct messages."""
    return f"slack:T1:{CHAT}:{id}"


def _her_message(id: str) -> Message:
    return replace(
        message(_her_key(id), channel=DIRECT),
        sender=replace(message().sender, account=ACCOUNT, name=NAME),
        reference=json.dumps({"bot": "28:desk", "user": OTHER_ID, "user_object": USER}),
    )


def _entry(
    kind: EntryKind, text: str, *, author: str | None, ticket: str = HERS.id, message: str | None = None
) -> Change:
    return AddEntry(ticket=ticket, entry=Entry(at=AT, kind=kind, author=author, text=text, message=message))


def _relayed(words: str, **values: str) -> Say:
    """What she wrote, as a team reads it under the card."""
    return Say(phrase="thread.message", values={"author": WHO, **values}, quote=words)


def _page(text: str, *, summary: str) -> Document:
    return Document(blocks=(Paragraph((Plain(text),)),), summary=summary)
