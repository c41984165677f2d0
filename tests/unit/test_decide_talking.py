"""What people write about a ticket: passed on, kept among agents, or a call for help."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import (
    ASKED,
    CARD,
    DM,
    GROUP,
    HELP,
    NO_MATCH,
    NOW,
    VPN,
    account,
    changed,
    commands,
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
    saying,
    slash,
    ticket,
    to_requester,
    to_team,
)
from triage.changes import AddEntry, Called, Converse, Decision, EditEntry, KeepClock, OpenTicket, SetStatus
from triage.clocks import ClockState
from triage.escalation import Position
from triage.matching import Verdict
from triage.model import EntryKind, Kind, Language, Message, Status, Thread
from triage.outgoing import Answer, Card, Direct, InThread, Outgoing, Privately, Say, UnderSlot, card_slot
from triage.policy import Metric
from triage.ports import Loaded

ANSWERED = Loaded(conversation=conversation(article="vpn"))
TEAM_SIDE = loaded(ticket(), team_side=True)


def kinds(decision: Decision) -> list[EntryKind]:
    return [change.entry.kind for change in changed(decision, AddEntry)]


# --- agents ----------------------------------------------------------------------------------------
def test_an_agents_words_under_the_card_reach_the_requester() -> None:
    """In the thread where they asked, and the agent is told that they were sent."""
    decision = decided(message("try again now", by="kim", at=CARD), TEAM_SIDE)
    sent = saying(decision, "ticket.reply")
    assert sent.to == InThread(thread=ASKED)
    assert notice(decision, "ticket.reply").quote == "try again now"
    assert saying(decision, "thread.sent").to == Privately(person="kim", near=CARD)
    assert kinds(decision) == [EntryKind.REPLY]


def test_a_private_ticket_is_answered_by_direct_message() -> None:
    """A restricted team's words never stand in a channel."""
    decision = decided(message("come by", by="park", at=CARD), loaded(hr_ticket(), team_side=True))
    assert saying(decision, "ticket.reply").to == Direct(person="ann")


def test_the_first_reply_meets_the_promise() -> None:
    """It ends first response and changes no status."""
    decision = decided(message("try again now", by="kim", at=CARD), TEAM_SIDE)
    (clock,) = [change.clock for change in changed(decision, KeepClock)]
    assert (clock.metric, clock.state, clock.ended_at) == (Metric.FIRST_RESPONSE, ClockState.MET, NOW)
    assert not changed(decision, SetStatus)


def test_words_to_a_colleague_stay_among_agents() -> None:
    """A mention of anyone makes it internal, and the agent is told."""
    said = message("@Lee any idea?", by="kim", at=CARD, mentions=(account("lee"),))
    decision = decided(said, TEAM_SIDE)
    assert kinds(decision) == [EntryKind.NOTE]
    assert phrases(decision) == {"thread.kept"}


def test_somebody_who_does_not_serve_the_team_cannot_write_to_the_requester() -> None:
    """Their words under the card are kept as a note, without chatter."""
    decision = decided(message("me too", by="bob", at=CARD), TEAM_SIDE)
    assert kinds(decision) == [EntryKind.NOTE]
    assert not decision.outgoing


@pytest.mark.parametrize("where", [CARD, ASKED])
@pytest.mark.parametrize(("text", "reply"), [("please look", "error.unknown"), ("not working", "error.did_you_mean")])
def test_an_agents_mention_is_an_order_or_nothing(where: Thread, text: str, reply: str) -> None:
    """What is no command is answered, and passed on to nobody."""
    decision = decided(mention(text, by="kim", at=where), loaded(ticket(), team_side=where is CARD))
    assert phrases(decision) == {reply}
    assert not decision.changes


def test_an_agents_bare_mention_lists_what_they_can_say() -> None:
    """Nothing to send, so help."""
    (item,) = decided(mention("", by="kim", at=CARD), TEAM_SIDE).outgoing
    assert item.notice.kind == "help"


def test_an_agent_answering_in_the_requesters_thread_is_recorded_not_repeated() -> None:
    """The requester has seen it; the team has not."""
    decision = decided(message("restart it", by="kim", at=ASKED), loaded(ticket()))
    assert kinds(decision) == [EntryKind.REPLY]
    assert not to_requester(decision)
    assert phrases(decision) == {"thread.reply"}
    assert changed(decision, KeepClock)


# --- the requester -----------------------------------------------------------------------------------
def test_the_requesters_words_reach_the_team_in_its_thread() -> None:
    """No mention needed, and no reply: nothing addressed the bot."""
    decision = decided(message("it is model X", at=ASKED), loaded(ticket()))
    (item,) = decision.outgoing
    assert isinstance(item.to, UnderSlot)
    assert item.to.slot == card_slot("t7", "it")
    assert notice(decision, "thread.message").quote == "it is model X"
    assert kinds(decision) == [EntryKind.MESSAGE]


def test_in_a_direct_chat_they_are_told_where_the_words_went() -> None:
    """With a way to say that it is something new."""
    decision = decided(message("it is model X", at=DM), loaded(ticket()), match=NO_MATCH)
    assert commands(notice(decision, "ticket.added").choices) == ["new it is model X"]


def test_in_a_direct_chat_a_question_the_knowledge_base_answers_is_answered() -> None:
    """It is not about the open ticket, which stays where it is."""
    decision = decided(message("VPN?", at=DM), loaded(ticket()), match=match(Verdict.ANSWER, VPN))
    assert isinstance(decision.outgoing[0].notice, Answer)
    assert changed(decision, Converse)[0].conversation.ticket == "t7"


def test_an_answer_to_the_teams_question_resumes_the_clock_at_once() -> None:
    """Pending ends with the requester's message, not when an agent clicks; even if it reads like a question."""
    waiting = ticket(status=Status.PENDING, owner="kim")
    decision = decided(message("VPN", at=DM), loaded(waiting), match=match(Verdict.ANSWER, VPN))
    assert changed(decision, SetStatus) == [SetStatus(ticket="t7", status=Status.OPEN, at=NOW)]
    assert kinds(decision) == [EntryKind.MESSAGE]


@pytest.mark.parametrize(("before", "after"), [(Status.PENDING, Status.OPEN), (Status.RESOLVED, Status.OPEN)])
def test_the_card_shows_that_the_waiting_is_over_though_no_clock_runs(before: Status, after: Status) -> None:
    """As on a ticket of low priority that was answered once: its card would wait for the requester for ever."""
    found = loaded(ticket(status=before, owner="kim"), clocks=())
    cards = [item.notice for item in decided(message("no", at=ASKED), found).outgoing if isinstance(item.notice, Card)]
    assert [card.status for card in cards] == [after]


def test_a_message_reopens_a_resolved_ticket_and_says_so() -> None:
    """The requester sees that it counts again; so does the team."""
    decision = decided(message("broke again", at=ASKED), loaded(ticket(status=Status.RESOLVED, owner="kim")))
    assert changed(decision, SetStatus)[0].status is Status.OPEN
    assert phrases(decision) == {"thread.message", "ticket.reopened"}


@pytest.mark.parametrize("said", [message("thanks!", at=ASKED), mention("감사합니다", at=ASKED), message("👍", at=DM)])
def test_thanks_reopens_nothing(said: Message) -> None:
    """Nor does it call anybody."""
    assert not decided(said, loaded(ticket(status=Status.RESOLVED)), match=NO_MATCH).changes


def test_a_mention_with_thanks_is_passed_on_without_calling_anybody() -> None:
    """Whoever is thanked need not come."""
    decision = decided(mention("thanks!", at=ASKED), loaded(ticket()))
    assert not changed(decision, Called)
    assert phrases(decision) == {"thread.message", "ticket.added"}


# --- bystanders --------------------------------------------------------------------------------------
def test_a_bystanders_words_are_not_the_requesters() -> None:
    """Unaddressed, nobody is bothered with them."""
    assert decided(message("same here", by="bob", at=ASKED), loaded(ticket())).outgoing == ()


@pytest.mark.parametrize("text", ["same here", "urgent!"])
def test_a_bystanders_mention_is_recorded_and_offered_help(text: str) -> None:
    """It calls nobody: the ticket is not theirs."""
    decision = decided(mention(text, by="bob", at=ASKED), loaded(ticket()))
    assert kinds(decision) == [EntryKind.NOTE]
    assert phrases(decision) == {"event.bystander", "join.offer"}
    assert saying(decision, "join.offer").to == Privately(person="bob", near=ASKED)


def test_in_a_group_chat_anybody_can_ask() -> None:
    """A mention is the only way to speak to the bot there; a ticket of theirs stays apart."""
    here = conversation(mention(at=GROUP).here, ticket="t7")
    open_one = ticket(conversation=here.key)
    decision = decided(mention("my mouse", by="bob", at=GROUP), loaded(open_one, conversation=here), match=NO_MATCH)
    (new,) = changed(decision, OpenTicket)
    assert (new.ticket.requester, new.ticket.conversation) == ("bob", None)


# --- calling for help --------------------------------------------------------------------------------
def called(decision: Decision) -> list[str]:
    return [step.called for step in changed(decision, Called)]


def test_a_mention_first_records_the_words_then_calls_the_owner() -> None:
    """The asker is told who was called; the owner gets a page; the team sees it."""
    decision = decided(mention("still broken!", at=ASKED), loaded(ticket(owner="kim")))
    assert kinds(decision) == [EntryKind.MESSAGE, EntryKind.EVENT]
    assert called(decision) == ["Kim"]
    assert notice(decision, "escalate.called").values["called"] == "Kim"
    page = saying(decision, "page.called_you")
    assert isinstance(page.to, Direct)
    assert (page.to.person, page.language) == ("kim", Language.ZH_HANT)
    assert "event.escalated" in phrases(decision)


@pytest.mark.parametrize("text", ["urgent", "human!", "escalate", "담당자", "help me", "claim it please"])
def test_words_that_mean_a_call_are_recorded_too(text: str) -> None:
    """By whoever asked: also words that are no command of theirs."""
    decision = decided(mention(text, at=ASKED), loaded(ticket(status=Status.PENDING)))
    assert kinds(decision)[0] is EntryKind.MESSAGE
    assert changed(decision, SetStatus)[0].status is Status.NEW
    assert changed(decision, Called)


@pytest.mark.parametrize("said", [slash("escalate 7"), press("escalate 7"), mention("escalate 7", at=ASKED)])
def test_a_command_is_not_recorded_as_the_requesters_words(said: Message) -> None:
    """`escalate 7` says nothing about the problem."""
    assert kinds(decided(said, loaded(ticket(owner="kim")))) == [EntryKind.EVENT]


@pytest.mark.parametrize("minutes", [0, 4])
def test_at_most_one_step_in_five_minutes(minutes: int) -> None:
    """The words are recorded, and the asker told who was called and when to call again."""
    lately = ticket(stepped_at=NOW - timedelta(minutes=minutes, seconds=30), called="Kim")
    decision = decided(mention("hello?", at=ASKED), loaded(lately))
    assert kinds(decision) == [EntryKind.MESSAGE]
    assert not called(decision)
    told = notice(decision, "escalate.lately").values
    assert (told["called"], told["minutes"], told["wait"]) == ("Kim", minutes, 5 - minutes)


def test_five_minutes_hold_also_when_the_ticket_was_resolved_meanwhile() -> None:
    """It is reopened, and nobody is called twice in a row."""
    lately = ticket(status=Status.RESOLVED, stepped_at=NOW - timedelta(minutes=1), called="Kim")
    decision = decided(mention("no it is not", at=ASKED), loaded(lately))
    assert changed(decision, SetStatus)
    assert not called(decision)


def test_after_five_minutes_the_next_in_the_chain_is_called() -> None:
    """Owner, then lead, then everyone: nobody is on call."""
    later = ticket(owner="kim", stepped_at=NOW - timedelta(minutes=5))
    owner_called, lead_called = Position(run="r", step=2), Position(run="r", step=4)
    assert called(decided(mention("hello?", at=ASKED), loaded(later, position=owner_called))) == ["Lee"]
    last = decided(mention("hello?", at=ASKED), loaded(later, position=lead_called))
    assert called(last) == ["IT"]
    assert phrases(last) >= {"escalate.team", "event.escalated_team"}


def test_an_agents_escalation_tells_the_agent_not_the_requester() -> None:
    """Who asked is told who was called."""
    decision = decided(mention("escalate", by="kim", at=CARD), loaded(ticket(owner="kim"), team_side=True))
    assert isinstance(saying(decision, "escalate.called").to, Privately)
    assert not to_requester(decision)


@pytest.mark.parametrize("text", ["nobody answers", "human"])
def test_below_an_answer_a_mention_opens_the_ticket_first(text: str) -> None:
    """With what was asked, then one step of the chain."""
    decision = decided(mention(text, at=ASKED), ANSWERED, match=NO_MATCH)
    (new,) = changed(decision, OpenTicket)
    assert new.ticket.subject.startswith("Printer on fire")
    assert called(decision) == ["Lee"]
    assert phrases(decision) >= {"ticket.promise", "escalate.called"}


def test_with_nothing_asked_there_is_nothing_to_escalate() -> None:
    """The reply says what to do."""
    assert phrases(decided(message("human", at=DM))) == {"error.no_escalation"}


def test_a_strangers_call_is_refused_with_the_reason() -> None:
    """No ticket, so nobody is called."""
    found = Loaded(conversation=conversation(requester="max"))
    decision = decided(mention("human", by="max", at=ASKED), found)
    assert phrases(decision) == {"stranger.cannot"}


# --- edits -------------------------------------------------------------------------------------------
def edit(of: Message, text: str) -> Message:
    return replace(of, key=f"{of.key}:edit:99.9", kind=Kind.EDIT, text=text)


def delete(of: Message) -> Message:
    return replace(of, key=f"{of.key}:delete", kind=Kind.DELETE, text="")


POSTED = message("modle X", at=ASKED)
REPLIED = message("try agian", by="kim", at=CARD)
NOTED = message("note: clueless", by="kim", at=CARD)


def told(change: Message, was: EntryKind, text: str, *, team_side: bool = False) -> Decision:
    by = change.sender.account.user.removeprefix("U0").lower()
    before = entry(text, by=by, kind=was, of=replace(change, key=change.key.split(":edit")[0].split(":delete")[0]))
    return decided(change, loaded(ticket(), team_side=team_side), history=(before,))


def test_an_edit_by_the_requester_reaches_the_team_and_the_ticket() -> None:
    """Under the card, with the new words."""
    decision = told(edit(POSTED, "model X"), EntryKind.MESSAGE, "modle X")
    assert changed(decision, EditEntry) == [EditEntry(ticket="t7", message=POSTED.key, text="model X")]
    assert [item.notice for item in to_team(decision)] == [notice(decision, "thread.edited")]


def test_an_edited_reply_reaches_the_requester() -> None:
    """With the words alone, also when they were given as a command."""
    decision = told(edit(REPLIED, "try again"), EntryKind.REPLY, "try agian", team_side=True)
    assert saying(decision, "thread.edited").to == InThread(thread=ASKED)
    ordered = mention("reply 7 try agian", by="kim", at=CARD)
    corrected = told(edit(ordered, "reply 7 try again"), EntryKind.REPLY, "try agian", team_side=True)
    assert notice(corrected, "thread.edited").quote == "try again"


@pytest.mark.parametrize("change", [edit(NOTED, "note: clueless user"), delete(NOTED)])
def test_a_changed_note_stays_internal(change: Message) -> None:
    """Correcting a note must not publish it."""
    decision = told(change, EntryKind.NOTE, "clueless", team_side=True)
    assert changed(decision, EditEntry)
    assert decision.outgoing == ()


def test_a_reply_made_a_note_afterwards_is_withdrawn() -> None:
    """The requester is told that it is gone, not what it now says."""
    decision = told(edit(REPLIED, "note: try again, clueless"), EntryKind.REPLY, "try agian", team_side=True)
    assert notice(decision, "thread.deleted").quote is None
    assert "clueless" not in repr(decision)


def test_a_deletion_blanks_what_was_kept() -> None:
    """And the other side hears of it."""
    decision = told(delete(POSTED), EntryKind.MESSAGE, "modle X")
    assert changed(decision, EditEntry) == [EditEntry(ticket="t7", message=POSTED.key, text="")]
    assert phrases(decision) == {"thread.deleted"}


@pytest.mark.parametrize("change", [edit(message("x", at=ASKED), "y"), delete(message("x", by="bob", at=ASKED))])
def test_a_change_to_something_never_kept_is_left_alone(change: Message) -> None:
    """Nobody was shown it."""
    assert decided(change, loaded(ticket())) == Decision(verdict=Verdict.IGNORE)


def test_an_edit_that_changes_no_word_is_told_to_nobody() -> None:
    """Link previews and formatting arrive as edits too."""
    assert told(edit(POSTED, "modle X"), EntryKind.MESSAGE, "modle X").outgoing == ()


# --- languages -----------------------------------------------------------------------------------------
def test_each_side_reads_its_own_language() -> None:
    """Requester Korean, team English, the sender as their client is set."""
    korean = ticket(language=Language.KO, owner="kim")
    decision = decided(
        mention("급해요", at=ASKED), loaded(korean), language=Language.KO, people={"kim": person("kim", Language.EN)}
    )
    said = {item.notice.phrase: item.language for item in decision.outgoing if isinstance(item.notice, Say)}
    assert said == {
        "thread.message": Language.EN,
        "escalate.called": Language.KO,
        "page.called_you": Language.EN,
        "event.escalated": Language.EN,
    }


def test_messages_name_their_ticket_so_that_replies_find_it() -> None:
    """Whatever is said about a ticket can be answered under it."""
    decision = decided(mention("hello?", at=ASKED), loaded(ticket(owner="kim")))
    about: list[Outgoing] = [item for item in decision.outgoing if item.ticket != "t7"]
    assert about == []
    assert decided(message("x", at=HELP), match=NO_MATCH).outgoing[0].ticket == "t42"
