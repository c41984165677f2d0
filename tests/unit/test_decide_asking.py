"""Questions: answered, narrowed down, or turned into a ticket with a promise; publicly or alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import (
    ASKED,
    BANDS,
    CARD,
    DM,
    GROUP,
    HELP,
    HR_HELP,
    LEAVE,
    LOBBY,
    MAIL,
    NO_MATCH,
    NOW,
    TRIAGE,
    VPN,
    changed,
    commands,
    conversation,
    decided,
    loaded,
    match,
    mention,
    message,
    notice,
    phrases,
    press,
    saying,
    slash,
    ticket,
)
from triage.changes import AddEntry, Converse, Decision, Detach, KeepCase, KeepTerms, OpenTicket
from triage.knowledge import Article, KnowledgeBase
from triage.matching import Verdict
from triage.model import Channel, ChannelKind, EntryKind, Language, Message, Status, Ticket
from triage.outgoing import Answer, Card, Direct, InThread, Outgoing, Privately, Suggestions
from triage.phrases import spoken
from triage.ports import Loaded

ANSWER = match(Verdict.ANSWER, VPN, team="it")
SUGGEST = match(Verdict.SUGGEST, VPN, MAIL, team="it")
QUESTION = "my VPN keeps dropping"


def only(decision: Decision) -> Outgoing:
    (item,) = decision.outgoing
    return item


def opened(decision: Decision) -> Ticket:
    (change,) = changed(decision, OpenTicket)
    found: Ticket = change.ticket
    return found


def reasons(decision: Decision) -> list[str]:
    return [spoken(reason, Language.EN) for reason in decision.reasons]


# --- answers -----------------------------------------------------------------------------------
def test_a_question_in_a_help_channel_is_answered_in_its_thread() -> None:
    """With the article, its source, and the reasons kept for `why`."""
    said = message(QUESTION)
    decision = decided(said, match=ANSWER)
    item = only(decision)
    assert decision.verdict is Verdict.ANSWER
    assert item.to == InThread(thread=said.here)
    assert item.notice == Answer(article="vpn", title=VPN.title, body=VPN.body, team="IT")
    (kept,) = changed(decision, Converse)
    assert (kept.conversation.article, kept.conversation.reasons) == ("vpn", ("because",))


def test_an_answer_is_in_the_language_of_the_question() -> None:
    """Whatever language the asker's client is set to."""
    korean = match(Verdict.ANSWER, VPN, language=Language.KO)
    assert only(decided(message(QUESTION), match=korean)).language is Language.KO


@pytest.mark.parametrize(
    ("said", "private"),
    [
        (message(QUESTION, at=DM), False),
        (mention(QUESTION, at=LOBBY), False),
        (mention(QUESTION, at=GROUP), False),
        (slash(QUESTION), True),
        (slash(f"ask {QUESTION}"), True),
        (slash(QUESTION, at=DM), False),
    ],
)
def test_a_slash_command_is_answered_privately(said: Message, private: bool) -> None:
    """An answer meant for one person never goes to the channel."""
    to = only(decided(said, match=ANSWER)).to
    assert isinstance(to, Privately if private else InThread)


@pytest.mark.parametrize("found", [None, loaded(None, conversation=None)])
def test_buttons_below_a_private_reply_answer_privately_too(found: Loaded | None) -> None:
    """An ephemeral message belongs to no conversation that others see."""
    pressed = press(f"ask {QUESTION}", at=LOBBY, id="ephemeral:300.1")
    decision = decided(pressed, found, match=ANSWER)
    assert isinstance(only(decision).to, Privately)
    (kept,) = changed(decision, Converse)
    assert kept.conversation.thread.channel.kind is ChannelKind.DM


def test_picking_a_suggestion_made_by_slash_command_stays_private() -> None:
    """The conversation is the asker's own, though the button was pressed in a channel."""
    asked = decided(slash(QUESTION), match=SUGGEST)
    (kept,) = changed(asked, Converse)
    picked = decided(press("read vpn", at=LOBBY), Loaded(conversation=kept.conversation))
    assert isinstance(only(picked).to, Privately)
    person = decided(press("ticket", at=LOBBY), Loaded(conversation=kept.conversation))
    assert isinstance(saying(person, "ticket.promise").to, Direct)


@pytest.mark.parametrize(
    ("article", "channel"), [(LEAVE, HELP), (BANDS, HELP), (VPN, HR_HELP)], ids=["its team", "its audience", "channel"]
)
@pytest.mark.parametrize("verdict", [Verdict.ANSWER, Verdict.SUGGEST])
def test_a_restricted_team_answers_privately(article: Article, channel: Channel, verdict: Verdict) -> None:
    """Its articles, articles for a team alone, and whatever is asked in its own channel."""
    known = KnowledgeBase.of((article,))
    decision = decided(message(QUESTION, at=channel), match=match(verdict, article), kb=known)
    assert isinstance(only(decision).to, Privately)


def test_up_to_three_suggestions_are_shown() -> None:
    """A suggestion decides nothing: the asker picks, or gets a person."""
    decision = decided(message(QUESTION), match=SUGGEST)
    assert decision.verdict is Verdict.SUGGEST
    assert only(decision).notice == Suggestions(articles=(("vpn", VPN.title), ("mail", MAIL.title)))


def test_a_picked_article_is_shown_and_remembered() -> None:
    """Whether it helped is asked; the pick alone says nothing yet."""
    decision = decided(press("read mail"), Loaded(conversation=conversation(question=QUESTION)))
    assert isinstance(only(decision).notice, Answer)
    (kept,) = changed(decision, Converse)
    assert (kept.conversation.question, kept.conversation.article) == (QUESTION, "mail")
    assert changed(decision, KeepCase) == []


@pytest.mark.parametrize("article", ["gone", "bands"])
def test_an_article_that_is_gone_or_not_for_the_reader_is_not_shown(article: str) -> None:
    """Both read the same, and offer a person."""
    decision = decided(press(f"read {article}"), Loaded(conversation=conversation()))
    assert commands(notice(decision, "answer.gone").choices) == ["ticket"]


# --- nothing to ask --------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_mention_is_asked_what_is_needed(text: str) -> None:
    """Never silent to whoever addressed the bot."""
    assert phrases(decided(mention(text, at=LOBBY))) == {"ask.empty"}


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (message("hello!", at=DM), {"small_talk"}),
        (message("thanks!", at=DM), {"answer.solved"}),
        (mention("안녕하세요", at=LOBBY), {"small_talk"}),
        (message("hello!"), set()),
        (message("thanks!"), set()),
    ],
)
def test_small_talk_opens_no_ticket(said: Message, reply: set[str]) -> None:
    """Answered when it was said to the bot, else left alone."""
    decision = decided(said, match=NO_MATCH)
    assert phrases(decision) == reply
    assert not decision.changes


@pytest.mark.parametrize(
    "said", [message("see you at lunch", at=LOBBY), message("try turning it off", by="kim"), message("hm", at=TRIAGE)]
)
def test_chatter_is_left_alone(said: Message) -> None:
    """Other channels, those who help in a help channel, and the team's own."""
    assert decided(said, match=NO_MATCH) == Decision(verdict=Verdict.IGNORE)


# --- tickets ---------------------------------------------------------------------------------------
def test_a_ticket_is_opened_with_a_promise_and_a_card() -> None:
    """The words, the terms of the day, the clocks, and when somebody answers."""
    said = message("Printer on fire\nfloor 3")
    decision = decided(said, match=NO_MATCH)
    new = opened(decision)
    assert (new.number, new.team, new.subject, new.home) == (42, "it", "Printer on fire floor 3", said.here)
    assert changed(decision, KeepTerms)
    assert changed(decision, AddEntry)[0].entry.text == "Printer on fire\nfloor 3"
    promise = saying(decision, "ticket.promise")
    assert promise.to == InThread(thread=said.here)
    assert notice(decision, "ticket.promise").values["due"].at == NOW + timedelta(hours=4)  # type: ignore[union-attr]
    (card,) = [item for item in decision.outgoing if isinstance(item.notice, Card)]
    assert isinstance(card.to, InThread)
    assert (card.to.thread.channel, card.rank) == (TRIAGE, 1)


def test_the_channel_decides_the_team_before_the_articles_do() -> None:
    """A question about leave in IT's channel is IT's until somebody moves it."""
    decision = decided(message("x"), match=match(team="hr"))
    assert opened(decision).team == "it"
    assert "It was asked in a help channel of IT." in reasons(decision)


@pytest.mark.parametrize(
    ("near", "team", "why"),
    [
        ("finance", "finance", "The nearest articles belong to Finance."),
        (None, "it", "Nothing pointed to another team, so IT, the first team, takes it."),
        ("unheard-of", "it", "Nothing pointed to another team, so IT, the first team, takes it."),
    ],
)
def test_elsewhere_the_nearest_articles_decide(near: str | None, team: str, why: str) -> None:
    """With the reason kept on the ticket."""
    decision = decided(message("x", at=DM), match=match(team=near))
    assert opened(decision).team == team
    assert why in reasons(decision)


def test_a_ticket_of_a_restricted_team_is_private() -> None:
    """Restricted, and answered by direct message, though it was asked in a channel."""
    decision = decided(message("my salary", at=HR_HELP), match=NO_MATCH)
    new = opened(decision)
    assert (new.restricted, new.home) == (True, None)
    assert saying(decision, "ticket.promise").to == Direct(person="ann")
    assert "HR works privately: only you and the team see it." in reasons(decision)


def test_what_only_another_team_may_read_is_not_told_to_the_team_that_answers() -> None:
    """The matcher's reasons name articles; those of HR do not travel to IT with Park's ticket."""
    near = match(Verdict.TICKET, BANDS, reasons=("near Salary bands",))
    entries = [change.entry for change in changed(decided(message("x", by="park"), match=near), AddEntry)]
    assert "Salary bands" not in repr(entries)


def test_a_new_slash_command_is_a_new_request() -> None:
    """It is never swallowed by the ticket that an earlier one opened."""
    decision = decided(slash("coffee machine leaks"), loaded(ticket(home=None)), match=NO_MATCH)
    assert opened(decision).number == 42
    assert isinstance(saying(decision, "ticket.promise").to, Direct)


def test_a_second_open_ticket_frees_the_conversation_of_the_first() -> None:
    """One open ticket a conversation: also when another, private one is what is loaded."""
    found = loaded(ticket(9, home=None, conversation=None), conversation=conversation(ticket="t7"))
    decision = decided(message("ask my mouse is dead", at=DM), found, match=NO_MATCH)
    here = conversation(thread=message(at=DM).here, ticket="t7")
    again = decided(message("ask my mouse is dead", at=DM), loaded(ticket(9), conversation=here), match=NO_MATCH)
    assert not changed(decision, Detach)
    assert changed(again, Detach) == [Detach(ticket="t7")]


# --- strangers ---------------------------------------------------------------------------------------
def test_a_stranger_cannot_open_a_ticket_unless_the_team_allows_it() -> None:
    """They are told why, and whom to ask."""
    refused = decided(message("x", by="max", at=HELP), match=NO_MATCH)
    assert phrases(refused) == {"stranger.cannot"}
    assert not refused.changes
    assert opened(decided(message("x", by="max", at=DM), match=match(team="finance"))).team == "finance"


def test_a_stranger_gets_public_answers() -> None:
    """What is for the public is for them too."""
    decision = decided(mention(QUESTION, by="max", at=LOBBY), match=ANSWER)
    assert isinstance(only(decision).notice, Answer)


# --- buttons below an answer -------------------------------------------------------------------------
ANSWERED = Loaded(conversation=conversation(article="vpn", question=QUESTION, reasons=("because",)))


def test_solved_is_thanked_for() -> None:
    """What is learned from it stands in `test_decide_learning`."""
    assert "answer.solved" in phrases(decided(press("solved vpn"), ANSWERED))


def test_no_get_me_a_person_opens_a_ticket_with_the_question() -> None:
    """With all that was asked, and why there is a ticket."""
    decision = decided(press("ticket"), ANSWERED)
    assert opened(decision).subject == QUESTION
    assert "You asked for a person." in reasons(decision)


@pytest.mark.parametrize("command", ["ticket", f"new {QUESTION}", "join"])
@pytest.mark.parametrize("listed", [True, False])
def test_pressing_a_button_for_a_ticket_twice_opens_one(command: str, listed: bool) -> None:
    """The second press names the ticket there is."""
    mine = ticket(subject=QUESTION)
    found = Loaded(conversation=ANSWERED.conversation, ticket=None if listed else mine)
    decision = decided(press(command), found, match=NO_MATCH, tickets=(mine,) if listed else ())
    assert phrases(decision) == {"ticket.exists"}
    assert not decision.changes


def test_another_question_gets_a_person_though_a_ticket_is_open() -> None:
    """In one chat the open ticket is about something else."""
    found = loaded(ticket(subject="Printer on fire"), conversation=conversation(question=QUESTION, ticket="t7"))
    assert opened(decided(press("ticket"), found)).subject == QUESTION


@pytest.mark.parametrize("command", ["ticket", "join"])
@pytest.mark.parametrize("found", [ANSWERED, loaded(ticket())])
def test_a_bystanders_button_makes_a_ticket_of_their_own(command: str, found: Loaded) -> None:
    """Answered privately; the asker keeps their conversation and their ticket."""
    decision = decided(press(command, by="bob"), found, language=Language.KO)
    new = opened(decision)
    assert (new.requester, new.conversation, new.home, new.language) == ("bob", None, None, Language.KO)
    assert not changed(decision, Converse)
    assert not changed(decision, Detach)


@pytest.mark.parametrize("command", ["read mail", f"ask {QUESTION}"])
def test_a_bystander_does_not_take_over_the_conversation(command: str) -> None:
    """They are answered; whose question it is stays as it was."""
    decision = decided(press(command, by="bob"), ANSWERED, match=ANSWER)
    assert not changed(decision, Converse)
    assert isinstance(only(decision).notice, Answer)


def test_an_agents_question_under_a_card_stays_apart_from_the_ticket() -> None:
    """The card's thread goes on being about the requester's ticket."""
    decision = decided(
        mention("ask my own laptop", by="kim", at=CARD), loaded(ticket(), team_side=True), match=NO_MATCH
    )
    assert (opened(decision).conversation, opened(decision).home) == (None, None)


# --- more words below an answer ------------------------------------------------------------------------
def test_a_follow_up_that_nothing_answers_opens_a_ticket_with_both_texts() -> None:
    """The agent reads the question and what was added."""
    decision = decided(message("still dropping", at=ASKED), ANSWERED, match=NO_MATCH)
    assert changed(decision, AddEntry)[0].entry.text == f"{QUESTION}\nstill dropping"


def test_a_follow_up_can_be_answered() -> None:
    """Follow-ups in a thread are read like questions."""
    assert isinstance(only(decided(message("and mail?", at=ASKED), ANSWERED, match=ANSWER)).notice, Answer)


@pytest.mark.parametrize("said", [message("thanks!", at=ASKED), mention("thanks!", at=ASKED)])
def test_thanks_below_an_answer_calls_nobody(said: Message) -> None:
    """With or without a mention."""
    assert not decided(said, ANSWERED, match=NO_MATCH).changes


def test_a_bystander_below_an_answer_is_offered_help_when_they_ask_for_it() -> None:
    """And left alone when they do not."""
    assert decided(message("same here", by="bob", at=ASKED), ANSWERED, match=NO_MATCH).outgoing == ()
    asked = decided(mention("same here", by="bob", at=ASKED), ANSWERED, match=NO_MATCH)
    assert commands(notice(asked, "join.other").choices) == ["join"]


def test_an_agents_words_below_an_answer_are_no_request() -> None:
    """Helping by hand is not asking."""
    assert decided(message("I can look", by="kim", at=ASKED), ANSWERED, match=NO_MATCH).outgoing == ()


def test_events_of_the_bot_have_no_author() -> None:
    """The reasons on a ticket are the bot's own."""
    bot = changed(decided(message("x"), match=NO_MATCH), AddEntry)[1].entry
    assert (bot.kind, bot.author) == (EntryKind.EVENT, None)


def test_an_ended_ticket_does_not_keep_a_direct_chat_from_asking() -> None:
    """A new question there is a new request."""
    decision = decided(message("x", at=DM), loaded(ticket(status=Status.RESOLVED)), match=NO_MATCH)
    assert opened(decision).number == 42
