"""The desk learns from presses: told the same way on Slack, Teams and the web page, down to the articles in force."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.web.desk import direct_channel
from bot.knowing import EMPLOYEE, Knowing
from bot.reporting import Reporting
from bot.running import Running
from tests.builders import press
from tests.scenario.desk import MONDAY, knowing, settle
from tests.scenario.stages import STAGES, Stage, WebStage, web_stage
from triage.knowledge import Article
from triage.learning import CaseKind, Proposal
from triage.matching import Verdict
from triage.model import Account, Message, Platform, Sender

KNOWN = "my vpn keeps disconnecting today again"
UNKNOWN = "coffee grinder sparks"


@pytest.fixture(params=list(STAGES))
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with STAGES[request.param](tmp_path) as stage:
        fill(stage.desk)
        yield stage


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebStage]:
    async with web_stage(tmp_path) as stage:
        assert isinstance(stage, WebStage)
        fill(stage.desk)
        yield stage


def fill(desk: Running) -> None:
    """The articles that the desk answers from, in its library too."""
    desk.storage.library.replace("folder", knowing().base(EMPLOYEE).articles, MONDAY)


def phrasings(stage: Stage, id: str = "vpn-drops") -> tuple[str, ...]:
    return next(article.phrasings for article in articles(stage) if article.id == id)


def articles(stage: Stage) -> tuple[Article, ...]:
    return stage.desk.storage.library.articles()[1]


def kinds(stage: Stage) -> list[CaseKind]:
    return [case.kind for case in stage.desk.storage.cases()]


def proposals(stage: Stage, article: str = "vpn-drops") -> list[Proposal]:
    with stage.desk.storage.reading() as reading:
        return list(reading.lessons.proposals(article))


# --- from an answer to a phrasing --------------------------------------------------------------------
async def test_a_confirmed_answer_becomes_a_phrasing_with_one_press(stage: Stage) -> None:
    """Dana says yes, Lee reads her words with three buttons and presses Add: article and revision follow."""
    await stage.ask(KNOWN)
    await stage.dana_presses("Yes, thanks")
    assert kinds(stage) == [CaseKind.CONFIRMED]
    assert any(KNOWN in text and "VPN keeps dropping" in text for text in stage.lee_sees())
    before = stage.desk.storage.library.revision()
    assert KNOWN not in phrasings(stage)
    await stage.lee_presses("Add")
    assert KNOWN in phrasings(stage)
    assert stage.desk.storage.library.revision() > before
    assert any("in force within seconds" in text for text in stage.lee_sees())
    assert not any("No thanks" in text for text in stage.lee_sees())


async def test_pressing_yes_twice_keeps_one_case(stage: Stage) -> None:
    """And Lee is asked once."""
    await stage.ask(KNOWN)
    await stage.dana_presses("Yes, thanks")
    await stage.dana_presses("Yes, thanks")
    assert kinds(stage) == [CaseKind.CONFIRMED]
    assert sum(KNOWN in text for text in stage.lee_sees()) == 1


async def test_declining_adds_nothing_and_asks_nobody_again(stage: Stage) -> None:
    """Whoever asks it like this next."""
    await stage.ask(KNOWN)
    await stage.dana_presses("Yes, thanks")
    await stage.lee_presses("No thanks")
    await stage.ask(KNOWN + "!")
    await stage.dana_presses("Yes, thanks")
    assert phrasings(stage) == next(a.phrasings for a in knowing().base(EMPLOYEE).articles if a.id == "vpn-drops")
    assert len(proposals(stage)) == 1


async def test_an_added_phrasing_answers(web: WebStage) -> None:
    """A matcher that follows the library's revision has it."""
    await web.ask(KNOWN)
    await web.dana_presses("Yes, thanks")
    await web.lee_presses("Add")
    following = Knowing(precision=0.95, audiences=(EMPLOYEE,))
    assert following.follow(web.desk.storage.library)
    assert await asyncio.to_thread(following.wait, 60)
    match = following.matcher(EMPLOYEE).match(KNOWN)
    assert match.best is not None
    assert (match.verdict, match.best.article.id) == (Verdict.ANSWER, "vpn-drops")
    following.close()


async def test_two_who_press_at_once_add_one_phrasing(web: WebStage) -> None:
    """Lee and Kim: one is first, the other reads that it is done."""
    await web.ask(KNOWN)
    await web.dana_presses("Yes, thanks")
    (proposal,) = proposals(web)
    before = web.desk.storage.library.revision()
    pressed = [press_of(web, proposal, user) for user in ("lee", "kim")]
    await asyncio.gather(*(web.desk.turns(message) for message in pressed))
    await settle(web.desk)
    assert phrasings(web).count(KNOWN) == 1
    assert web.desk.storage.library.revision() == before + 1
    (settled,) = proposals(web)
    assert settled.settled_by in ("lee", "kim")


def press_of(stage: WebStage, proposal: Proposal, user: str) -> Message:
    """The same button, pressed by this user."""
    sender = Sender(account=Account(platform=Platform.WEB, place="demo", user=user), name=user.title())
    pressed = press(f"settle {proposal.id} add", at=direct_channel(user))
    return replace(pressed, sender=sender, key=f"web:press:{user}")


# --- from a ticket to an article ---------------------------------------------------------------------
async def test_a_solved_ticket_becomes_an_article_with_one_press(stage: Stage) -> None:
    """Nothing in the knowledge base is near it; Lee's answer is, and then it is in force for everyone."""
    await stage.ask(UNKNOWN)
    await stage.press("Claim")
    await stage.team_says("Please unplug the grinder.")
    await stage.press("Resolve")
    if any("Which article answered it?" in text for text in stage.lee_sees()):
        await stage.lee_presses("None of these")
    draft = next(text for text in stage.lee_sees() if "New article from ticket #1?" in text)
    assert "Please unplug the grinder." in draft
    assert UNKNOWN in draft
    await stage.lee_presses("Write it")
    written = next(article for article in articles(stage) if article.id == "ticket-1")
    assert (written.title, written.body) == (UNKNOWN, "Please unplug the grinder.")
    assert (written.phrasings, written.team, written.audience) == ((UNKNOWN,), "it", "company")
    assert CaseKind.LINKED in kinds(stage)


async def test_resolving_asks_which_article_answered(stage: Stage) -> None:
    """The nearest ones stand below the confirmation; one press labels the question."""
    await stage.ask(KNOWN)
    await stage.dana_presses("No, get me a person")
    await stage.press("Resolve")
    assert any("Which article answered it?" in text for text in stage.lee_sees())
    await stage.lee_presses("VPN keeps dropping")
    assert sorted(kinds(stage)) == [CaseKind.CONTRADICTED, CaseKind.LINKED]
    assert any("Add this phrasing to VPN keeps dropping?" in text for text in stage.lee_sees())


async def test_an_agent_links_a_ticket_and_sends_the_article(stage: Stage) -> None:
    """By the verb, then with one press: Dana reads the article where she asked."""
    await stage.ask(UNKNOWN)
    await stage.orders("kb 1 printer")
    assert kinds(stage) == [CaseKind.LINKED]
    await stage.lee_presses("Send this answer")
    assert any("Press the green button." in text for text in stage.dana_sees())
    assert any(UNKNOWN in text and "The printer is offline" in text for text in stage.lee_sees())


async def test_an_agents_correction_becomes_a_phrasing_against(stage: Stage) -> None:
    """Once the owner agrees, the article is not meant by these words any more."""
    await stage.ask(UNKNOWN)
    await stage.orders("kb 1 not printer")
    assert kinds(stage) == [CaseKind.CORRECTED]
    await stage.lee_presses("Add")
    (printer,) = [article for article in articles(stage) if article.id == "printer"]
    assert printer.against == (UNKNOWN,)


async def test_anybody_searches_and_reads(stage: Stage) -> None:
    """`kb` with words shows titles with a button each."""
    await stage.orders("kb printer offline")
    await stage.lee_presses("The printer is offline")
    assert any("Press the green button." in text for text in stage.lee_sees())


# --- what is never learned -----------------------------------------------------------------------------
async def test_a_restricted_team_teaches_nothing(tmp_path: Path) -> None:
    """No case, no proposal, whatever is pressed and said; only figures without words."""
    async with web_stage(tmp_path, restricted=True) as stage:
        fill(stage.desk)
        await stage.ask(KNOWN)
        await stage.dana_presses("Yes, thanks")
        await stage.ask(UNKNOWN)
        await stage.press("Claim")
        await stage.team_says("Please unplug the grinder.")
        await stage.press("Resolve")
        await stage.orders("kb 1 printer")
        assert kinds(stage) == []
        assert [proposals(stage, id) for id in ("vpn-drops", "printer", "ticket-1")] == [[], [], []]
        assert not any("Add this phrasing" in text or "New article" in text for text in stage.lee_sees())


# --- the report ----------------------------------------------------------------------------------------
def reporting(stage: Stage) -> Reporting:
    """The job as one process runs it."""
    return Reporting(stage.desk.storage, knowing(), lambda: stage.world.policy, now=stage.desk.now)


async def test_the_report_is_posted_once(stage: Stage) -> None:
    """The next morning at seven, by whichever process comes first, and by none after a restart."""
    await stage.ask(KNOWN)
    await stage.dana_presses("Yes, thanks")
    stage.world.pause(hours=21, minutes=59)
    assert reporting(stage).run() == 0
    stage.world.pause(minutes=2)
    posted = await asyncio.gather(*(asyncio.to_thread(reporting(stage).run) for _ in range(2)))
    assert sorted(posted) == [0, 1]
    assert reporting(stage).run() == 0
    await settle(stage.desk)
    assert "IT: the last day" in stage.card()
    assert "Labelled questions so far: 1" in stage.card()


async def test_a_quiet_day_has_no_report(web: WebStage) -> None:
    """Nobody asked anything: nobody is told so."""
    web.world.pause(hours=23)
    assert reporting(web).run() == 0
