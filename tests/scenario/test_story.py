"""The main job end to end, told the same way on Slack, Teams and the web page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario.desk import settle
from tests.scenario.stages import STAGES, Stage


@pytest.fixture(params=list(STAGES))
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with STAGES[request.param](tmp_path) as stage:
        yield stage


UNKNOWN = "coffee grinder sparks"


async def test_a_known_question_is_answered_with_its_source(stage: Stage) -> None:
    """What the knowledge base knows comes back with the article's text, its source and a question whether it helped."""
    await stage.ask("my vpn keeps disconnecting")
    answer = stage.dana_sees()[-1]
    assert "Restart the client." in answer
    assert "VPN keeps dropping" in answer
    assert "Did this solve it?" in answer


async def test_an_unknown_question_becomes_a_ticket_with_a_promise(stage: Stage) -> None:
    """Monday 09:00 and one working hour: the requester reads a number, the team, and Monday 10:00."""
    await stage.ask(UNKNOWN)
    promise = stage.dana_sees()[-1]
    assert "#1" in promise
    assert "IT answers by" in promise
    assert UNKNOWN in stage.card()
    assert "nobody yet" in stage.card()


async def test_an_unhelpful_answer_leads_to_a_person(stage: Stage) -> None:
    """ "No, get me a person" below an answer opens a ticket with the question that was asked."""
    await stage.ask("my vpn keeps disconnecting")
    await stage.dana_presses("No, get me a person")
    assert "#1" in stage.dana_sees()[-1]
    assert "my vpn keeps disconnecting" in stage.card()


async def test_claiming_names_the_owner_on_the_card_and_to_the_requester(stage: Stage) -> None:
    """One press: the card is updated in place and the requester reads who is on it."""
    await stage.ask(UNKNOWN)
    await stage.press("Claim")
    assert "nobody yet" not in stage.card()
    assert "Lee" in stage.card()
    assert "Lee is on it now" in stage.dana_sees()[-1]


async def test_a_command_claims_as_the_button_does(stage: Stage) -> None:
    """`claim 1` by slash command or mention does what the button does."""
    await stage.ask(UNKNOWN)
    await stage.orders("claim 1")
    assert "Lee is on it now" in stage.dana_sees()[-1]


async def test_what_an_agent_writes_under_the_card_reaches_the_requester(stage: Stage) -> None:
    """The requester reads the words, with the agent's name."""
    await stage.ask(UNKNOWN)
    await stage.team_says("Please unplug it, I am on my way.")
    assert "Please unplug it, I am on my way." in stage.dana_sees()[-1]
    assert "Lee" in stage.dana_sees()[-1]


async def test_a_note_stays_among_agents(stage: Stage) -> None:
    """A message that begins with "note" never reaches the requester."""
    await stage.ask(UNKNOWN)
    await stage.team_says("note she broke it herself last week")
    assert not any("broke it herself" in text for text in stage.dana_sees())


async def test_what_the_requester_adds_reaches_the_team(stage: Stage) -> None:
    """A reply in the requester's thread is shown under the card."""
    await stage.ask(UNKNOWN)
    await stage.says("it smells of burning now")
    assert any("it smells of burning now" in text for text in stage.under_card())


async def test_a_mention_calls_the_owner(stage: Stage) -> None:
    """The requester's mention calls the owner directly and says who was called."""
    await stage.ask(UNKNOWN)
    await stage.press("Claim")
    await stage.says("nobody has come yet", mention=True)
    assert any("asks for you" in text for text in stage.lee_sees())
    assert any("I have called Lee" in text for text in stage.dana_sees())
    assert any("nobody has come yet" in text for text in stage.under_card())


async def test_the_team_is_pinged_before_the_first_answer_is_late(stage: Stage) -> None:
    """Nobody owns it: half an hour before 10:00 the ping stands under the card."""
    await stage.ask(UNKNOWN)
    stage.world.pause(minutes=31)
    await stage.desk.sweep()
    await settle(stage.desk)
    assert any("first answer is due" in text for text in stage.under_card())


async def test_the_owner_is_pinged_directly(stage: Stage) -> None:
    """Somebody owns it: the ping goes to them alone."""
    await stage.ask(UNKNOWN)
    await stage.press("Claim")
    stage.world.pause(minutes=31)
    await stage.desk.sweep()
    await settle(stage.desk)
    assert any("first answer is due" in text for text in stage.lee_sees())


async def test_when_nobody_reacts_the_next_is_called_until_somebody_is_on_it(stage: Stage) -> None:
    """Kim lets the promise break: ten minutes later Lee is called, and one press tells the team that he is on it."""
    await stage.ask(UNKNOWN)
    await stage.orders("assign 1 kim")
    for minutes in (61, 10):
        stage.world.pause(minutes=minutes)
        await stage.desk.sweep()
        await settle(stage.desk)
    assert any("needs you on ticket" in text for text in stage.lee_sees())
    assert "missed on" in stage.card()
    await stage.lee_presses("I'm on it")
    assert any("Lee" in text and "is on it" in text for text in stage.under_card())
    before = stage.under_card()
    stage.world.pause(minutes=30)
    await stage.desk.sweep()
    await settle(stage.desk)
    assert stage.under_card() == before


async def test_an_answered_ticket_rings_no_first_response(stage: Stage) -> None:
    """The agent's reply meets the clock, so its warning never comes."""
    await stage.ask(UNKNOWN)
    await stage.press("Claim")
    await stage.team_says("On my way.")
    stage.world.pause(minutes=31)
    await stage.desk.sweep()
    await settle(stage.desk)
    assert not any("first answer is due" in text for text in [*stage.lee_sees(), *stage.under_card()])


async def test_resolving_asks_how_it_was_and_the_team_sees_the_rating(stage: Stage) -> None:
    """The requester is told, rates the help, and the team reads it."""
    await stage.ask(UNKNOWN)
    await stage.press("Claim")
    await stage.press("Resolve")
    assert "as solved" in stage.dana_sees()[-1]
    await stage.dana_presses("👍 Good")
    assert any("rated the help: good" in text for text in stage.under_card())


async def test_a_ticket_can_be_reopened_by_its_requester(stage: Stage) -> None:
    """ "Not solved yet" opens it again and offers the card's buttons anew."""
    await stage.ask(UNKNOWN)
    await stage.press("Claim")
    await stage.press("Resolve")
    await stage.dana_presses("Not solved yet")
    assert "open again" in stage.dana_sees()[-1]
    assert "solved" not in stage.card()


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("queue", UNKNOWN),
        ("mine", "no open tickets"),
        ("show 1", UNKNOWN),
        ("why 1", "help channel of IT|nearest articles|first team"),
        ("help", "claim 42"),
        ("note 1 she broke it herself", "#1"),
        ("claim 99", "cannot find a ticket #99"),
        ("frobnicate 1", "do not know"),
        ("clam 1", "Did you mean claim 1"),
        ("priority 1 mega", "priority 42 high"),
        ("transfer 1 nowhere", "no team"),
    ],
)
async def test_an_order_is_answered_to_its_giver_alone(stage: Stage, order: str, expected: str) -> None:
    """Right or wrong, whoever gives an order reads an answer, and the requester reads nothing of it."""
    await stage.ask(UNKNOWN)
    before = stage.dana_sees()
    await stage.orders(order)
    told = "\n".join(stage.lee_sees())
    assert any(part in told for part in expected.split("|"))
    assert stage.dana_sees() == before


@pytest.mark.parametrize(
    ("order", "on_card"),
    [
        ("priority 1 high", "high"),
        ("assign 1 kim", "Kim"),
        ("pending 1 which floor?", "waiting for the requester"),
    ],
)
async def test_an_order_changes_the_card_in_place(stage: Stage, order: str, on_card: str) -> None:
    """What a command changes can be read on the card."""
    await stage.ask(UNKNOWN)
    await stage.orders(order)
    assert on_card in stage.card()


async def test_release_gives_the_ticket_back(stage: Stage) -> None:
    """Released, it has no owner and can be claimed again."""
    await stage.ask(UNKNOWN)
    await stage.press("Claim")
    await stage.press("Release")
    assert "nobody yet" in stage.card()


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        (("reply 1 Which floor?",), "Which floor?"),
        (("resolve 1 New fuse.",), "New fuse."),
        (("resolve 1", "reopen 1"), "open again"),
    ],
)
async def test_an_order_reaches_the_requester(stage: Stage, orders: tuple[str, ...], expected: str) -> None:
    """What an agent orders about a ticket is read where it was asked."""
    await stage.ask(UNKNOWN)
    for order in orders:
        await stage.orders(order)
    assert expected in stage.dana_sees()[-1]


async def test_an_order_to_escalate_calls_the_next_person(stage: Stage) -> None:
    """Kim owns it and Lee calls her: the team reads who was called."""
    await stage.ask(UNKNOWN)
    await stage.orders("assign 1 kim")
    await stage.orders("escalate 1")
    assert any("Kim" in text and "Lee" in text for text in stage.under_card())
