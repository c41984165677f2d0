"""The whole story on a Teams of this machine, over its HTTP API and without a browser."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.conformance.desk import ANSWER, KNOWN, UNKNOWN
from tests.conformance.playground import DANA, GROUP, HELP, KIM, LEE, PERSONAL, Post, Teams

pytestmark = pytest.mark.conformance


async def opened(teams: Teams, what: str) -> tuple[str, Post, int]:
    """Dana's ticket about `what`: the thread she asked in, the card, and the number."""
    thread = await teams.say(f"{UNKNOWN} ({what})", to=HELP)
    reply = await teams.bot_says("", in_=thread)
    if "None of these" in reply.buttons:
        await teams.press(DANA, reply, "None of these")
    promise = await teams.bot_says("I have opened ticket", in_=thread)
    card = await teams.card(what)
    number = re.search(r"#(\d+)", promise.text)
    assert number
    return thread, card, int(number[1])


async def test_a_known_question_is_answered(teams: Teams) -> None:
    """In the personal chat, with the article and a way to say that it did not help."""
    await teams.say(KNOWN)
    answer = await teams.bot_says(ANSWER, in_=PERSONAL)
    assert {"Yes, thanks", "No, get me a person"} <= answer.buttons.keys()


async def test_an_unknown_question_opens_a_ticket(teams: Teams) -> None:
    """In the personal chat, where promise and reply arrive."""
    await teams.say(UNKNOWN)
    await teams.bot_says("IT answers by", in_=PERSONAL)
    card = await teams.card("<at>Dana</at>")
    await teams.says(LEE, "I bring a new one", to=card.conversation)
    await teams.bot_says("I bring a new one", in_=PERSONAL)


async def test_a_post_in_a_channel_is_answered_in_its_thread(teams: Teams) -> None:
    """When the bot is mentioned."""
    thread = await teams.say(KNOWN, to=HELP)
    assert thread.startswith(f"{HELP};messageid=")
    await teams.bot_says(ANSWER, in_=thread)


async def test_claiming_updates_the_card_and_tells_the_requester(teams: Teams) -> None:
    """The press is answered at once, the card stays one message."""
    thread, card, number = await opened(teams, "to be claimed")
    answer = await teams.press(LEE, card, "Claim")
    assert answer["value"] == f"Ticket #{number} is yours."
    claimed = await teams.became(card, "<at>Lee</at>")
    assert "Claim" not in claimed.buttons
    await teams.bot_says("Lee is on it now", in_=thread)


async def test_a_command_can_be_typed(teams: Teams) -> None:
    """A mention with the words of the button does what the button does."""
    thread, card, number = await opened(teams, "claimed by words")
    await teams.says(KIM, f"claim {number}", to=card.conversation, mention=True)
    await teams.became(card, "<at>Kim</at>")
    await teams.bot_says("Kim is on it now", in_=thread)


async def test_an_agents_words_reach_the_requester(teams: Teams) -> None:
    """What an agent writes under the card arrives in the requester's thread."""
    thread, card, _ = await opened(teams, "answered below")
    await teams.says(LEE, "A new bulb is on its way", to=card.conversation)
    await teams.bot_says("A new bulb is on its way", in_=thread)


async def test_the_requesters_words_reach_the_team(teams: Teams) -> None:
    """Here a mention, without which the Playground delivers nothing, so it also calls for help."""
    thread, card, number = await opened(teams, "with more words")
    await teams.say("It smells burnt, too", to=thread)
    await teams.bot_says("It smells burnt, too", in_=card.conversation)
    await teams.bot_tells(KIM, f"asks for you on ticket #{number}")


async def test_a_post_without_a_mention_reaches_the_team(teams: Teams) -> None:
    """Teams delivers it when the company lets the bot read the channel's messages."""
    thread, card, _ = await opened(teams, "read without a mention")
    await teams.says(DANA, "It is the one by the window", to=thread)
    await teams.bot_says("It is the one by the window", in_=card.conversation)


async def test_an_edit_reaches_the_requester(teams: Teams) -> None:
    """They are told what an agent's message says now."""
    thread, card, _ = await opened(teams, "with a wrong hour")
    sent = await teams.says(LEE, "I come at noon", to=card.conversation)
    await teams.bot_says("I come at noon", in_=thread)
    await teams.edits(LEE, "I come at one", to=card.conversation, id=sent)
    await teams.bot_says("I come at one", in_=thread)


async def test_the_owner_is_rung_before_a_promise_is_broken(teams: Teams) -> None:
    """By direct message, though they never wrote to the bot."""
    _, card, number = await opened(teams, "urgent")
    await teams.press(LEE, card, "Claim")
    await teams.became(card, "<at>Lee</at>")
    await teams.says(LEE, f"priority {number} urgent", to=card.conversation, mention=True)
    await teams.bot_tells(LEE, f"#{number} {UNKNOWN}")


async def test_a_resolved_ticket_asks_for_a_rating(teams: Teams) -> None:
    """The requester rates by a button, and the team sees it under the card."""
    thread, card, _ = await opened(teams, "to be resolved")
    await teams.press(LEE, card, "Claim")
    claimed = await teams.became(card, "<at>Lee</at>")
    await teams.press(LEE, claimed, "Resolve")
    resolved = await teams.bot_says("How was the help?", in_=thread)
    await teams.press(DANA, resolved, "👍 Good")
    await teams.bot_says("rated the help: good", in_=card.conversation)


async def test_only_one_agent_gets_the_ticket(teams: Teams) -> None:
    """The second is told who has it."""
    _, card, number = await opened(teams, "wanted by two")
    await teams.press(LEE, card, "Claim")
    await teams.press(KIM, card, "Claim")
    await teams.bot_tells(KIM, f"Lee already has ticket #{number}.")


async def test_a_group_chat_is_answered(teams: Teams) -> None:
    """When the bot is mentioned; there are no threads."""
    await teams.say(KNOWN, to=GROUP)
    await teams.bot_says(ANSWER, in_=GROUP)


async def test_a_card_with_a_lost_nonce_is_still_understood(teams: Teams) -> None:
    """A card from before an update of the desk may be pressed years later."""
    _, card, _ = await opened(teams, "pressed late")
    bare = {**card.buttons["Claim"], "data": {"command": card.buttons["Claim"]["data"]["command"]}}
    await teams.press(LEE, replace(card, buttons={"Claim": bare}), "Claim")
    await teams.became(card, "<at>Lee</at>")
