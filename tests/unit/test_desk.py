"""The use cases over the storage in memory: one turn stored whole or not at all, and the sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from storage.memory import MemoryStorage, MemoryWork
from tests.builders import (
    ASKED,
    DM,
    HR_HELP,
    LOBBY,
    NOW,
    TRIAGE,
    VPN,
    Known,
    mention,
    message,
    press,
    shown,
    slash,
)
from tests.unit.office import Office, phrases
from triage.auditing import Why
from triage.changes import Decision
from triage.desk import ATTEMPTS
from triage.errors import Conflict, TooSlow
from triage.model import Kind, Language, Message, Sender, Status, Thread
from triage.outgoing import Answer, Card, InThread, OnSlot, Privately, Say
from triage.ports import Receipt


@pytest.fixture
def office() -> Office:
    return Office()


QUESTION = message("Printer on fire")
THREAD = QUESTION.here


def opened(office: Office) -> Thread:
    """Ann's question became a ticket; the thread under its card."""
    office.take(QUESTION)
    return Thread(channel=TRIAGE, root="p2")


# --- a story -------------------------------------------------------------------------------------
def test_a_conversation_goes_both_ways(office: Office) -> None:
    """A question, its card, a claim, a reply, an answer."""
    card = opened(office)
    assert [ticket.number for ticket in office.tickets()] == [1]
    assert "done.claimed" in phrases(office.take(mention("claim", by="kim", at=card)))
    sent = office.take(message("which floor?", by="kim", at=card))
    assert [item.to for item in sent if phrases([item]) == ["ticket.reply"]] == [InThread(thread=THREAD)]
    heard = office.take(message("third", at=THREAD))
    assert phrases(heard) == ["thread.message"]
    assert office.tickets()[0].status is Status.OPEN


def test_an_answer_is_kept_for_its_buttons(office: Office) -> None:
    """Pressing "No, get me a person" twice opens one ticket with the question."""
    asked = message(f"{VPN.title}?")
    (answer,) = office.take(asked)
    assert isinstance(answer.notice, Answer)
    assert "ticket.promise" in phrases(office.take(press("ticket", at=asked.here)))
    assert phrases(office.take(press("ticket", at=asked.here))) == ["ticket.exists"]
    assert [ticket.subject for ticket in office.tickets()] == [f"{VPN.title}?"]


def test_joining_twice_opens_one_ticket_of_ones_own(office: Office) -> None:
    """A bystander's second press finds the first one's ticket."""
    opened(office)
    office.take(press("join", by="bob", at=THREAD))
    assert phrases(office.take(press("join", by="bob", at=THREAD))) == ["ticket.exists"]
    assert [ticket.number for ticket in office.tickets()] == [1, 2]
    assert phrases(office.take(message("thanks Bob, mine too", at=THREAD))) == ["thread.message"]


def test_a_slash_command_has_a_conversation_of_its_own(office: Office) -> None:
    """Its buttons, on messages only its sender sees, find it again and stay private."""
    (answer,) = office.take(slash(f"{VPN.title}?"))
    assert isinstance(answer.to, Privately)
    out = office.take(press("ticket", at=LOBBY, id="ephemeral:9.9"))
    assert [ticket.home for ticket in office.tickets()] == [None]
    assert not [item for item in out if isinstance(item.to, InThread) and item.to.thread.channel == LOBBY]


def test_an_earlier_ticket_of_a_chat_can_be_reopened_beside_a_newer_one(office: Office) -> None:
    """The conversation feeds the newer one; the older has lost its place, not its life."""
    office.take(message("printer", at=DM))
    office.take(press("resolve 1", at=DM))
    office.take(message("coffee machine", at=DM))
    assert "ticket.reopened" in phrases(office.take(press("reopen 1", at=DM)))
    assert [ticket.status for ticket in office.tickets()] == [Status.NEW, Status.NEW]


def test_an_edit_finds_what_was_kept(office: Office) -> None:
    """The team is told, once."""
    opened(office)
    said = message("modle X", at=THREAD)
    office.take(said)
    corrected = replace(said, key=f"{said.key}:edit:1", kind=Kind.EDIT, text="model X")
    assert phrases(office.take(corrected)) == ["thread.edited"]
    assert office.desk.take(corrected).repeat
    assert "Ann: model X" in shown(office.take(slash("show 1"))[0])


def test_an_edited_note_is_not_published(office: Office) -> None:
    """Through storage too: its kind is remembered."""
    card = opened(office)
    note = message("note: clueless", by="kim", at=card)
    office.take(note)
    assert office.take(replace(note, key=f"{note.key}:edit:1", kind=Kind.EDIT, text="note: clueless user")) == []


def test_why_remembers_the_routing_of_a_long_ticket(office: Office) -> None:
    """However much was said since."""
    opened(office)
    for n in range(30):
        office.take(message(f"line {n}", at=THREAD))
    assert "It was asked in a help channel of IT." in shown(office.take(slash("why 1"))[0])


# --- the audit -----------------------------------------------------------------------------------
def test_reading_a_restricted_ticket_is_audited(office: Office) -> None:
    """Shown to its team it leaves a line with who and why; asked for by others, who see nothing, none."""
    office.take(message("My payslip is wrong", at=HR_HELP))
    before = len(office.storage.audit())
    office.take(slash("show 1", by="bob"))
    assert len(office.storage.audit()) == before
    office.take(slash("show 1", by="park"))
    office.take(slash("queue hr", by="park"))
    assert [(line.what, line.ticket is None) for line in office.storage.audit()[before:]] == [
        ("audit.read", False),
        ("audit.listed", True),
    ]
    assert office.storage.audit()[-1].who


def test_reading_an_open_ticket_is_not_audited(office: Office) -> None:
    """Everybody in the team's channel sees it anyway."""
    opened(office)
    before = len(office.storage.audit())
    office.take(slash("show 1", by="kim"))
    assert len(office.storage.audit()) == before


# --- once, whole, in time --------------------------------------------------------------------------
def test_a_repeat_does_nothing(office: Office) -> None:
    """The same key is the same message."""
    opened(office)
    assert office.desk.take(QUESTION) == Receipt(repeat=True)
    assert office.deliver() == []


class Contended(MemoryStorage):
    """A storage in which somebody else is first, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times
        self.tried = 0

    @contextmanager
    def writing(self) -> Iterator[MemoryWork]:
        with super().writing() as work:
            self.tried += 1
            yield work if self.tried > self.left else Losing(self._tables, self._new_id)


class Losing(MemoryWork):
    def record(self, decision: Decision, at: datetime, *, message: Message | None = None, why: Why = Why.TIME) -> None:
        super().record(decision, at, message=message, why=why)
        raise Conflict("somebody else was first")


def test_a_conflict_is_decided_again() -> None:
    """Up to three times, and stored once."""
    office = Office(storage=Contended(ATTEMPTS - 1))
    assert "ticket.promise" in phrases(office.take(QUESTION))
    assert [ticket.number for ticket in office.tickets()] == [1]


def test_a_conflict_that_does_not_end_leaves_nothing() -> None:
    """The platform delivers again, and then it is taken."""
    storage = Contended(ATTEMPTS)
    office = Office(storage=storage)
    with pytest.raises(Conflict):
        office.desk.take(QUESTION)
    assert (storage.tried, office.deliver()) == (ATTEMPTS, [])
    assert "ticket.promise" in phrases(office.take(QUESTION))


def test_a_late_turn_rolls_back(office: Office) -> None:
    """Nothing of it is stored, not even that it was seen."""
    with pytest.raises(TooSlow):
        office.desk.take(QUESTION, late=lambda: True)
    assert office.deliver() == []
    assert "ticket.promise" in phrases(office.take(QUESTION))


@pytest.mark.parametrize(("said", "apology"), [(mention("x", at=LOBBY), ["error.failed"]), (message("x"), [])])
def test_a_failed_turn_is_kept_with_an_apology_to_whoever_waits(
    office: Office, said: Message, apology: list[str]
) -> None:
    """With its id, privately; only to those who addressed the bot, and once."""
    receipt = office.desk.fail(said, "ValueError at triage.desk:1")
    out = office.deliver()
    assert phrases(out) == apology
    assert all(isinstance(item.to, Privately) for item in out)
    (turn,) = office.storage.health().failed_turns
    assert (turn.id, turn.error) == (receipt.failure, "ValueError at triage.desk:1")
    assert office.desk.fail(said, "again").repeat
    assert office.desk.take(said).repeat


# --- who it was --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Interrupting(Known):
    """A knowledge base that takes so long that something else happens meanwhile, once."""

    meanwhile: list[Callable[[], Any]] = field(default_factory=list)

    def matcher(self, audience: frozenset[str]) -> Any:
        if self.meanwhile:
            self.meanwhile.pop()()
        return super().matcher(audience)


def test_two_first_messages_at_once_are_by_one_person() -> None:
    """Or the first ticket would belong to somebody who never comes back."""
    happens: list[Callable[[], Any]] = []
    office = Office(knowing=Interrupting(meanwhile=happens))
    happens.append(lambda: office.desk.take(message("coffee machine", at=HR_HELP)))
    office.take(QUESTION)
    assert len({ticket.requester for ticket in office.tickets()}) == 1
    assert [ticket.number for ticket in office.tickets()] == [1, 2]


@pytest.mark.parametrize(
    ("by", "locale", "language"),
    [
        ("ann", None, Language.EN),
        ("ann", "ko-KR", Language.KO),
        ("kim", None, Language.ZH_HANT),
        ("kim", "ko", Language.KO),
    ],
)
def test_a_reader_is_written_to_as_their_platform_says_else_as_desk_yaml_does(
    office: Office, by: str, locale: str | None, language: Language
) -> None:
    """And English when nobody says."""
    said = slash("mine", by=by)
    (reply,) = office.take(replace(said, sender=replace(said.sender, locale=locale)))
    assert reply.language is language


def test_a_language_once_known_is_kept(office: Office) -> None:
    """Not every event of a platform carries it."""
    greeted = slash("mine")
    office.take(replace(greeted, sender=replace(greeted.sender, locale="ko-KR")))
    assert office.take(slash("mine"))[0].language is Language.KO


@pytest.mark.parametrize(
    "zone", ["Asia/Nowhere", "../../etc/passwd", "Asia", "/etc", "\0", "x" * 300, "Korea Standard Time"]
)
def test_a_zone_that_nobody_knows_is_none(office: Office, zone: str) -> None:
    """A client may say what it likes, and a new zone may be newer than ours: the question is answered all the same."""
    asked = replace(QUESTION, sender=replace(QUESTION.sender, timezone=zone))
    assert "ticket.promise" in phrases(office.take(asked))
    (person,) = (office.known(ticket.id).people[ticket.requester] for ticket in office.tickets())
    assert person.timezone is None


@pytest.mark.parametrize(
    ("text", "language"), [("VPN error 809", Language.KO), ("my printer is on fire again", Language.EN)]
)
def test_a_few_latin_words_are_in_the_language_of_their_reader(office: Office, text: str, language: Language) -> None:
    """Product names say nothing about who writes them."""
    said = message(text)
    out = office.take(replace(said, sender=Sender(account=said.sender.account, locale="ko-KR")))
    assert out[0].language is language


def test_a_stranger_is_matched_against_public_articles_only(office: Office) -> None:
    """What is for the company has no part in their answer."""
    assert phrases(office.take(mention("Mail on the phone", by="max", at=LOBBY))) == ["stranger.cannot"]
    (answer,) = office.take(mention(VPN.title, by="max", at=LOBBY))
    assert isinstance(answer.notice, Answer)


# --- what was given up -----------------------------------------------------------------------------------
def test_the_lead_is_told_once_of_what_was_given_up(office: Office) -> None:
    """Under one key, however often it is asked; and not of that message in turn."""
    office.desk.take(QUESTION)
    promise, *_ = office.deliver()
    told = office.desk.undelivered(promise)
    assert (phrases(list(told)), office.desk.undelivered(promise)) == (["page.undelivered"], told)
    assert office.desk.undelivered(told[0]) == ()


def test_nobody_is_told_of_a_card_that_could_not_be_updated(office: Office) -> None:
    """Nor of a message that is about no ticket."""
    card = opened(office)
    (update,) = [item for item in office.take(mention("claim", by="kim", at=card)) if isinstance(item.to, OnSlot)]
    assert isinstance(update.notice, Card)
    assert office.desk.undelivered(update) == ()
    assert office.desk.undelivered(replace(update, to=InThread(thread=ASKED), ticket=None)) == ()


# --- which article answered -------------------------------------------------------------------------
def test_a_resolved_tickets_question_is_matched_for_its_agent(office: Office) -> None:
    """Before the turn, like any question; the nearest article stands below the confirmation."""
    office.take(message("VPN keeps dropping", by="ann", at=DM))
    office.take(press("ticket", at=DM))
    told = office.take(press("resolve 1", by="kim", at=TRIAGE))
    (asked,) = [item.notice for item in told if phrases([item]) == ["kb.which_solved"]]
    assert isinstance(asked, Say)
    assert [choice.command for choice in asked.choices] == ["kb 1 vpn", "kb 1 none"]


def test_nobody_else_learns_what_a_tickets_question_is_near(office: Office) -> None:
    """Not even by an error."""
    office.take(message("VPN keeps dropping", by="ann", at=DM))
    office.take(press("ticket", at=DM))
    for by in ("bob", "park"):
        assert set(phrases(office.take(slash("kb 1", by=by)))) == {"error.no_ticket"}


def test_a_proposal_reaches_the_lead_and_one_press_is_in_the_library(office: Office) -> None:
    """From "yes, thanks" to the phrasing, in two turns."""
    office.storage.library.replace("folder", [VPN], NOW)
    office.take(message("VPN keeps dropping whenever it rains", by="ann", at=DM))
    (asked,) = [item for item in office.take(press("solved vpn", at=DM)) if phrases([item]) == ["learn.phrasing"]]
    assert isinstance(asked.notice, Say)
    office.take(press(asked.notice.choices[0].command, by="lee", at=LOBBY))
    (article,) = office.storage.library.articles()[1]
    assert article.phrasings == ("VPN keeps dropping whenever it rains",)
    again = office.take(press(asked.notice.choices[0].command, by="kim", at=LOBBY))
    assert phrases(again) == ["learn.settled"]
