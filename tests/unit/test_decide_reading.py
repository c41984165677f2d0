"""Verbs that only look: who sees what, and why something happened, in the reader's language."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import (
    ASKED,
    LOBBY,
    NO_MATCH,
    NOW,
    changed,
    conversation,
    decided,
    entry,
    hr_ticket,
    loaded,
    match,
    mention,
    message,
    notice,
    person,
    phrases,
    press,
    shown,
    slash,
    ticket,
)
from triage.changes import AddEntry, Decision
from triage.model import Entry, EntryKind, Language, Message
from triage.outgoing import Help, Privately, Reasons, TicketList, TicketView
from triage.phrases import noted
from triage.ports import Loaded


def read(decision: Decision) -> str:
    """What the one reply shows its reader; looking changes nothing and goes to nobody else."""
    (item,) = decision.outgoing
    assert not decision.changes
    assert isinstance(item.to, Privately)
    return shown(item)


# --- lists -------------------------------------------------------------------------------------
def test_an_agents_queue_names_their_teams_and_lists_tickets() -> None:
    """With how many more there are."""
    decision = decided(slash("queue", by="kim"), tickets=(ticket(owner="kim"),), total=3, dues={"t7": NOW})
    text = read(decision)
    assert "Open tickets of IT" in text
    assert "#7 Printer on fire · open · normal" in text
    assert "and 2 more" in text


@pytest.mark.parametrize(
    ("by", "text", "reply"),
    [
        ("ann", "queue", "error.agents_only"),
        ("max", "queue", "error.agents_only"),
        ("kim", "queue hr", "error.team"),
        ("ada", "queue hr", "error.team"),
    ],
)
def test_a_queue_is_shown_to_its_team_only(by: str, text: str, reply: str) -> None:
    """Employees, guests, other agents, and admins where the team is restricted."""
    assert phrases(decided(slash(text, by=by))) == {reply}


def test_an_admin_sees_every_queue_that_is_not_restricted() -> None:
    """One list of all of them."""
    (item,) = decided(slash("queue", by="ada")).outgoing
    assert isinstance(item.notice, TicketList)
    assert item.notice.values["teams"] == "IT, Finance"


def test_mine_without_tickets_says_so() -> None:
    """An empty list is an answer too."""
    assert "You have no open tickets." in read(decided(slash("mine")))


# --- show ----------------------------------------------------------------------------------------
HISTORY = (
    entry("Printer on fire"),
    entry("user is clueless", by="kim", kind=EntryKind.NOTE),
    entry("try again", by="kim", kind=EntryKind.REPLY),
    entry(noted("event.claimed", Language.EN, {"actor": "Kim"}), by="kim", kind=EntryKind.EVENT),
    entry("", kind=EntryKind.MESSAGE),
)
PEOPLE = {"kim": person("kim")}


def history_for(by: str, *, language: Language = Language.EN) -> str:
    said = slash("show 7", by=by)
    return read(decided(said, loaded(ticket()), history=HISTORY, people=PEOPLE, language=language))


def test_show_tells_the_requester_everything_but_notes() -> None:
    """What is internal is left out, and what was deleted."""
    text = history_for("ann")
    assert "Ann: Printer on fire" in text
    assert "Kim answered: try again" in text
    assert "clueless" not in text


def test_show_tells_agents_the_notes_too() -> None:
    """They wrote them."""
    assert "Kim noted: user is clueless" in history_for("kim")


def test_events_read_as_sentences_in_the_readers_language() -> None:
    """Kept as what happened, not as English."""
    assert "Deskbell: Kim claimed this." in history_for("ann")
    assert "Kim 님이 맡았습니다." in history_for("ann", language=Language.KO)


def test_a_long_history_ends_with_the_newest() -> None:
    """At most twenty entries."""
    many = tuple(entry(f"line {n}") for n in range(30))
    (item,) = decided(slash("show 7"), loaded(ticket()), history=many).outgoing
    assert isinstance(item.notice, TicketView)
    assert [line.text for line in item.notice.history] == [f"line {n}" for n in range(10, 30)]


# --- why -----------------------------------------------------------------------------------------
def test_why_tells_routing_clocks_and_calls_of_a_ticket() -> None:
    """Every automatic act can say why."""
    opening = decided(message("x"), match=NO_MATCH)
    stepped = ticket(called="Lee", stepped_at=NOW - timedelta(minutes=3))
    decision = decided(slash("why 7", by="kim"), loaded(stepped), history=entries(opening))
    text = read(decision)
    assert "because" in text
    assert "It was asked in a help channel of IT." in text
    assert "First answer: due Mon 9 Mar 13:00, running (4 h of working time, from Mon 9 Mar 08:00)" in text
    assert "Lee was called Monday 9 March, 08:57 (London)." in text


def entries(opening: Decision) -> tuple[Entry, ...]:
    return tuple(change.entry for change in changed(opening, AddEntry))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (Language.EN, "It was asked in a help channel of IT."),
        (Language.KO, "IT 팀의 도움 채널에서 질문되었습니다."),
        (Language.ZH_HANT, "這是在 IT 的求助頻道提出的。"),
    ],
)
def test_reasons_are_in_the_language_of_whoever_asks(language: Language, sentence: str) -> None:
    """A Korean requester's ticket explains itself to an English agent."""
    opening = decided(message("연봉", at=ASKED.channel), match=match(language=Language.KO, reasons=()))
    asked = decided(slash("why 7"), loaded(ticket()), history=entries(opening), language=language)
    assert sentence in read(asked)


def test_why_below_an_answer_gives_its_asker_the_reasons() -> None:
    """Also when the same thread has a ticket no more."""
    found = Loaded(conversation=conversation(reasons=("near VPN",)))
    assert "near VPN" in read(decided(press("why"), found))


def test_why_below_an_answer_is_about_the_answer_where_a_ticket_is_open() -> None:
    """In a direct chat both stand in one conversation; the button says which is meant."""
    found = loaded(ticket(), conversation=conversation(ticket="t7", article="vpn", reasons=("near VPN",)))
    (item,) = decided(press("why this"), found).outgoing
    assert isinstance(item.notice, Reasons)
    assert (item.notice.phrase, item.notice.reasons) == ("why.answer", ("near VPN",))


def test_why_on_an_answer_is_for_its_asker_alone() -> None:
    """Reasons name articles that others may not read."""
    found = Loaded(conversation=conversation(requester="park", reasons=("near Salary bands",)))
    assert phrases(decided(mention("why", by="bob", at=ASKED), found)) == {"why.asker"}


def test_why_with_nothing_decided_says_so() -> None:
    """Never silent."""
    assert phrases(decided(mention("why", at=LOBBY))) == {"why.none"}


def test_why_tells_nobody_of_a_restricted_ticket() -> None:
    """An outsider in the same thread learns nothing of it."""
    decision = decided(mention("why", by="bob", at=ASKED), loaded(hr_ticket()))
    assert phrases(decision) <= {"why.none", "why.asker"}


def test_a_picked_article_is_its_own_reason() -> None:
    """The asker chose it."""
    picked = decided(press("read vpn"), Loaded(conversation=conversation()))
    kept = next(change.conversation for change in picked.changes if hasattr(change, "conversation"))
    (item,) = decided(press("why"), Loaded(conversation=kept)).outgoing
    assert isinstance(item.notice, Reasons)
    assert item.notice.reasons == ("You picked this article.",)


# --- help ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("by", "agent"), [("ann", False), ("kim", True), ("lee", True), ("ada", True), ("max", False)])
def test_help_lists_the_verbs_one_can_use(by: str, agent: bool) -> None:
    """Agents see theirs too."""
    (item,) = decided(mention("help", by=by, at=LOBBY)).outgoing
    assert isinstance(item.notice, Help)
    assert ("claim" in item.notice.verbs) is agent
    assert "mine" in item.notice.verbs


# --- the ways an order can fail --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "reply", "buttons"),
    [
        (slash("clam 42"), "error.did_you_mean", ["claim 42", "ask clam 42"]),
        (slash("claim it"), "error.usage", ["ask claim it"]),
        (slash("frobnicate 42"), "error.unknown", ["ask frobnicate 42"]),
    ],
)
def test_an_order_that_fails_can_be_asked_as_a_question(said: Message, reply: str, buttons: list[str]) -> None:
    """Every mistake comes with the original text to be asked."""
    decision = decided(said)
    assert [choice.command for choice in notice(decision, reply).choices] == buttons


def test_the_text_of_a_button_is_kept_short_enough_to_be_carried() -> None:
    """Platforms refuse a card whose button carries too much."""
    decision = decided(slash(f"asign 42 @{'k' * 5_000}"))
    assert all(len(choice.command) <= 1_500 for choice in notice(decision, "error.did_you_mean").choices)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (slash("error 809"), {"error.unknown"}),
        (mention("frobnicate 42", by="kim", at=LOBBY), {"error.unknown"}),
        (mention("error 809", at=LOBBY), {"ticket.promise"}),
        (mention("error 809", by="max", at=LOBBY), {"stranger.cannot"}),
    ],
)
def test_an_unknown_order_is_one_by_slash_command_or_from_an_agent(said: Message, reply: set[str]) -> None:
    """Anybody else who writes `error 809` has a question."""
    assert phrases(decided(said, match=NO_MATCH)) == reply


def test_without_a_ticket_a_verb_asks_which() -> None:
    """`/desk claim` names none."""
    assert phrases(decided(slash("claim", by="kim"))) == {"error.which"}
