"""The whole story on a Slack workspace of this machine, over signed HTTP and over Socket Mode."""

from __future__ import annotations

import re

import pytest

from tests.conformance.desk import ANSWER, KNOWN, UNKNOWN
from tests.conformance.local_slack import ANA, BEN, BOT, DANA, HELP, KIM, LEE, MINJI, RANDOM, TRIAGE, YIJUN, Post, Slack

pytestmark = pytest.mark.conformance


async def opened(slack: Slack, user: str, what: str) -> tuple[Post, Post, int]:
    """A ticket about `what`: the question, the card, and the number."""
    question = await slack.say(user, f"{UNKNOWN} ({what})")
    reply = await slack.bot_says("", under=question)
    if "None of these" in reply.buttons:
        await slack.press(user, reply, "None of these")
    promise = await slack.bot_says("I have opened ticket", under=question)
    card = await slack.bot_says(what, channel=TRIAGE)
    number = re.search(r"#(\d+)", promise.text)
    assert number
    return question, card, int(number[1])


async def test_a_known_question_is_answered_in_its_thread(slack: Slack) -> None:
    """With the article, and a way to say that it did not help."""
    question = await slack.say(DANA, KNOWN)
    answer = await slack.bot_says(ANSWER, under=question)
    assert {"Yes, thanks", "No, get me a person"} <= answer.buttons.keys()


async def test_an_answer_that_does_not_help_becomes_a_ticket(slack: Slack) -> None:
    """By the button below it."""
    question = await slack.say(DANA, KNOWN)
    answer = await slack.bot_says(ANSWER, under=question)
    await slack.press(DANA, answer, "No, get me a person")
    await slack.bot_says("I have opened ticket", under=question)


async def test_an_unknown_question_opens_a_ticket(slack: Slack) -> None:
    """The requester gets a promise in the thread, the team a card in its channel."""
    question = await slack.say(DANA, UNKNOWN)
    await slack.bot_says("IT answers by", under=question)
    card = await slack.bot_says(UNKNOWN, channel=TRIAGE)
    assert f"<@{DANA}>" in card.text
    assert {"Claim", "Resolve"} <= card.buttons.keys()


async def test_claiming_updates_the_card_and_tells_the_requester(slack: Slack) -> None:
    """In place: the card stays one message."""
    question, card, _ = await opened(slack, DANA, "to be claimed")
    await slack.press(LEE, card, "Claim")
    claimed = await slack.became(card, f"<@{LEE}>")
    assert "Claim" not in claimed.buttons
    await slack.bot_says("Lee is on it now", under=question)


async def test_an_agents_words_reach_the_requester(slack: Slack) -> None:
    """What an agent writes under the card arrives in the requester's thread."""
    question, card, _ = await opened(slack, DANA, "answered below")
    await slack.say(LEE, "A new bulb is on its way", channel=TRIAGE, under=card)
    await slack.bot_says("A new bulb is on its way", under=question)


async def test_a_note_stays_among_agents(slack: Slack) -> None:
    """Nothing of it is said to the requester."""
    question, card, _ = await opened(slack, DANA, "with a note")
    await slack.say(LEE, "note the supplier is slow", channel=TRIAGE, under=card)
    await slack.bot_says("Kept as a note", under=card, channel=TRIAGE, to=LEE)
    assert [post for post in await slack.posts(HELP) if "supplier" in post.text and post.thread == question.ts] == []


async def test_the_requesters_words_reach_the_team(slack: Slack) -> None:
    """What the requester adds arrives under the card."""
    question, card, _ = await opened(slack, DANA, "with more words")
    await slack.say(DANA, "It smells burnt, too", under=question)
    await slack.bot_says("It smells burnt, too", under=card)


async def test_an_edit_reaches_the_team(slack: Slack) -> None:
    """They are told what it says now."""
    question = await slack.say(ANA, UNKNOWN)
    await slack.bot_says("I have opened ticket", under=question)
    card = await slack.bot_says(f"<@{ANA}>", channel=TRIAGE)
    await slack.edit(ANA, question, f"{UNKNOWN} in room 5")
    await slack.bot_says("in room 5", under=card)


async def test_a_slash_command_is_answered_privately(slack: Slack) -> None:
    """The queue is shown to the agent who asked, and to nobody else."""
    _, _, number = await opened(slack, DANA, "in the queue")
    await slack.command(LEE, "queue", channel=RANDOM)
    queue = await slack.bot_says("Open tickets of", channel=RANDOM, to=LEE)
    assert f"#{number}" in queue.text or "more" in queue.text


async def test_a_mention_calls_the_owner(slack: Slack) -> None:
    """The requester's mention of the bot is recorded, then the owner is called by direct message."""
    question, card, number = await opened(slack, DANA, "to be escalated")
    await slack.press(LEE, card, "Claim")
    await slack.bot_says("is on it now", under=question)
    await slack.say(DANA, f"<@{BOT}> the meeting starts in five minutes", under=question)
    await slack.bot_says("the meeting starts in five minutes", under=card)
    await slack.bot_tells(LEE, f"asks for you on ticket #{number}")
    await slack.bot_says("I have called Lee", under=question)


async def test_a_mention_calls_the_lead_when_nobody_owns_the_ticket(slack: Slack) -> None:
    """Step by step through the chain."""
    question, _, number = await opened(slack, DANA, "owned by nobody")
    await slack.say(DANA, f"<@{BOT}> hello?", under=question)
    await slack.bot_tells(KIM, f"asks for you on ticket #{number}")


async def test_the_owner_is_rung_before_a_promise_is_broken(slack: Slack) -> None:
    """Nobody has to write anything: the clock does."""
    question, card, number = await opened(slack, DANA, "urgent")
    await slack.press(LEE, card, "Claim")
    await slack.bot_says("is on it now", under=question)
    await slack.say(LEE, f"<@{BOT}> priority urgent", channel=TRIAGE, under=card)
    await slack.bot_tells(LEE, f"#{number} {UNKNOWN}")


async def test_a_resolved_ticket_asks_for_a_rating(slack: Slack) -> None:
    """The requester rates by a button, and the team sees it under the card."""
    question, card, _ = await opened(slack, DANA, "to be resolved")
    await slack.press(LEE, card, "Claim")
    claimed = await slack.became(card, f"<@{LEE}>")
    await slack.press(LEE, claimed, "Resolve")
    resolved = await slack.bot_says("How was the help?", under=question)
    await slack.press(DANA, resolved, "👍 Good")
    await slack.bot_says("rated the help: good", under=card)


async def test_only_one_agent_gets_the_ticket(slack: Slack) -> None:
    """The second is told who has it."""
    _, card, _ = await opened(slack, DANA, "wanted by two")
    await slack.press(LEE, card, "Claim")
    await slack.became(card, f"<@{LEE}>")
    await slack.press(KIM, card, "Claim")
    await slack.bot_says("Lee already has", channel=TRIAGE, to=KIM)


async def test_a_direct_message_is_answered(slack: Slack) -> None:
    """A chat with the bot is a help channel of one."""
    chat = await slack.direct(ANA)
    await slack.say(ANA, KNOWN, channel=chat)
    await slack.bot_tells(ANA, ANSWER)


async def test_a_ticket_from_a_direct_message_is_worked_on_there(slack: Slack) -> None:
    """Promise and reply arrive in the chat."""
    chat = await slack.direct(BEN)
    await slack.say(BEN, UNKNOWN, channel=chat)
    await slack.bot_tells(BEN, "I have opened ticket")
    card = await slack.bot_says(f"<@{BEN}>", channel=TRIAGE)
    await slack.say(KIM, "I come at noon", channel=TRIAGE, under=card)
    await slack.bot_tells(BEN, "I come at noon")


@pytest.mark.parametrize(
    ("user", "words", "title"),
    [(MINJI, "VPN이 자꾸 끊겨요", "VPN"), (YIJUN, "VPN 一直斷線", "VPN")],
    ids=["ko", "zh-Hant"],
)
async def test_an_answer_is_in_the_language_of_the_question(slack: Slack, user: str, words: str, title: str) -> None:
    """Article, buttons and all."""
    question = await slack.say(user, words)
    answer = await slack.bot_says(title, under=question)
    assert "Yes, thanks" not in answer.buttons
    assert len(answer.buttons) == 3


async def test_people_talking_among_themselves_are_left_alone(slack: Slack) -> None:
    """The bot speaks where it is asked, and nowhere else."""
    talk = await slack.say(DANA, f"{KNOWN}, by the way", channel=RANDOM)
    question = await slack.say(DANA, KNOWN)
    await slack.bot_says(ANSWER, under=question)
    assert [post for post in await slack.posts(RANDOM) if post.thread == talk.ts] == []
