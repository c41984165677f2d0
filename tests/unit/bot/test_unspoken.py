"""What people say, who they are, and what opens doors: none of it in logs, metrics or answers to strangers."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from nicegui import core
from nicegui.testing import user_simulation
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.slack.adapter import SlackAdapter, SlackSettings
from adapters.teams.adapter import TeamsAdapter
from adapters.web.desk import direct_channel
from adapters.web.news import News
from adapters.web.page import DemoPage, add_page
from adapters.web.posting import Posting
from bot import logs
from bot.compose import composed
from bot.knowing import Knowing
from bot.turns import Runner, Turns
from bot.web import application
from storage.engine import make_engine
from storage.memory import MemoryStorage
from storage.sql import SqlStorage
from tests.fakes.slack_server import FakeSlack
from tests.fakes.teams_connector import BOT_TOKEN, FakeTeams
from tests.scenario.desk import MONDAY
from tests.scenario.stages import STAGES
from tests.unit.web.desk import Desk as FakeDesk
from tests.unit.web.desk import demo_desk
from triage.desk import Desk
from triage.errors import TurnError
from triage.knowledge import KnowledgeBase
from triage.model import Account, Message, Platform, Sender
from triage.policy import Policy
from triage.ports import Receipt

pytestmark = pytest.mark.usefixtures("restored_logs")

WORDS = "zanzibar"
"""Said by people in everything below, and by nobody else."""


@pytest.mark.parametrize("platform", STAGES)
async def test_a_whole_story_leaves_no_words_in_the_log(
    tmp_path: Path, platform: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked, answered, noted and shown, at the most talkative level; neither words nor names nor tokens."""
    async with STAGES[platform](tmp_path) as stage:
        logs.configure("json", level=logging.DEBUG)
        await stage.ask(f"the {WORDS} is on fire")
        await stage.press("Claim")
        await stage.team_says(f"we look at the {WORDS}")
        await stage.orders(f"note 1 {WORDS}")
        await stage.orders("show 1")
        await stage.says(f"still the {WORDS}")
        assert any(WORDS in text for text in stage.lee_sees() + stage.under_card())
    log, metrics = capsys.readouterr().err, generate_latest().decode()
    assert "turn" in log
    for secret in (WORDS, "Dana", "Lee", "xoxb-", BOT_TOKEN, "Bearer "):
        assert secret not in log
        assert secret not in metrics


# --- when it fails ---------------------------------------------------------------------------------
class Quotes(Desk):
    """A desk with a bug that quotes what it was given, as `int()`, `dict[…]` and most libraries do."""

    def __init__(self) -> None:
        pass

    def hear(self, message: Message) -> Receipt:
        return self.fail(message, "")

    def fail(self, message: Message, error: str) -> Receipt:
        known: dict[str, Receipt] = {}
        try:
            return known[message.text]
        except KeyError as error:
            raise ValueError(f"cannot read {message.text!r} by {message.sender.name}") from error


@pytest.fixture
async def turns() -> AsyncIterator[Turns]:
    run = Runner(1)
    yield Turns(Quotes(), run, nudge=lambda: None, new_id=lambda: "t-1")
    run.close()


async def _slack(turns: Turns) -> int:
    async with FakeSlack() as slack:
        slack.add_user("U1", name="Dana")
        slack.add_channel("C1", members={"U1"})
        settings = SlackSettings(bot_token=slack.token, signing_secret=slack.signing_secret, base_url=slack.url)
        adapter = SlackAdapter(settings, intake=turns, busy=lambda _: "busy", first_pause=0.01)
        slack.deliver_to(Starlette(routes=adapter.routes))
        await adapter.start()
        await adapter.wait_ready()
        _, (request, *_) = slack.posted("U1", "C1", WORDS)
        status = (await slack.deliver(request)).status
        await slack.deliver(slack.command("U1", "C1", WORDS))
        await adapter.stop()
        return status or 0


async def _teams(turns: Turns) -> int:
    async with FakeTeams() as teams:
        adapter = TeamsAdapter(
            teams.settings, turns, retry_text=lambda _: "", done_text=lambda _: "", token=teams.bot_token
        )
        answer = await teams.deliver(Starlette(routes=adapter.routes), teams.activity(WORDS, user="dana"))
        await adapter.stop()
        return answer.status_code


async def _web(turns: Turns) -> int:
    posting = Posting(
        intake=turns, transcript=MemoryStorage().transcript, news=News(), now=lambda: MONDAY, new_id=lambda: "1"
    )
    sender = Sender(account=Account(platform=Platform.WEB, place="demo", user="dana"), name="Dana")
    with pytest.raises(TurnError):
        await posting.post(sender, direct_channel("dana"), WORDS)
    return 503


@pytest.mark.parametrize("way", [_slack, _teams, _web])
@pytest.mark.parametrize("form", ["json", "text"])
async def test_a_turn_that_fails_leaves_no_words_in_the_log(
    turns: Turns, way: Callable[[Turns], Any], form: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log says which error and where in the code, not what it quotes."""
    logs.configure(form, level=logging.DEBUG)
    assert await way(turns) == 503
    log = capsys.readouterr().err
    assert "ValueError" in log
    assert "test_unspoken.py" in log
    for secret in (WORDS, "Dana"):
        assert secret not in log


def test_a_library_that_logs_an_error_quotes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """As asyncio does with a task whose exception nobody asked for."""
    logs.configure("json")
    try:
        raise ValueError(f"bad {WORDS}")
    except ValueError as error:
        logging.getLogger("asyncio").error("Task failed: %r (%s)", error, error, exc_info=error)
    log = capsys.readouterr().err
    assert ("ValueError" in log, WORDS in log) == (True, False)


# --- what strangers are answered ---------------------------------------------------------------------
async def test_an_error_page_tells_nothing(tmp_path: Path) -> None:
    """No stack trace, no text of the error, no path of this machine."""

    async def broken(_: Request) -> Response:
        raise ValueError(f"cannot read {WORDS}")

    url = f"sqlite:///{tmp_path / 'desk.db'}"
    storage = SqlStorage(make_engine(url))
    app = application(composed(storage, url, Knowing(KnowledgeBase(), precision=0.95), Policy(teams={}), {}))
    app.router.routes.append(Route("/broken", broken))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as web:
        answer = await web.get("/broken")
        missing = await web.get(f"/console/{WORDS}")
        docs = [(await web.get(path)).status_code for path in ("/docs", "/redoc", "/openapi.json", "/", "/api/v1/x")]
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert (missing.status_code, missing.text) == (404, "Not Found")
    assert docs == [404] * 5


async def test_a_page_that_breaks_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """NiceGUI would show the visitor what the exception says."""

    async def broken(_: DemoPage) -> None:
        raise ValueError(f"cannot read {WORDS}")

    monkeypatch.setattr(DemoPage, "build", broken)
    desk, transcript = FakeDesk(), MemoryStorage().transcript
    async with user_simulation():
        add_page(demo_desk(desk, transcript, News()))
        transport = httpx.ASGITransport(app=core.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as web:
            answer = await web.get("/")
    assert (answer.status_code, WORDS in answer.text, "ValueError" in answer.text) == (500, False, False)
