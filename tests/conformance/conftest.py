"""Fixtures: the real `deskbell serve` beside a real local client, once a session; logs of failures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import Page, ViewportSize, async_playwright, expect

from tests.conformance import local_slack, playground
from tests.conformance.desk import desk_yaml, serving
from tests.conformance.local_slack import Mode, Slack
from tests.conformance.playground import Teams
from tests.conformance.programs import LOOK_SECONDS, Program, chromium, free_port

expect.set_options(timeout=1_000 * LOOK_SECONDS)  # machines are slow at times

LOG_TAIL = 8_000
SIZE = ViewportSize(width=1360, height=900)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_programs = pytest.StashKey[list[Program]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the programs printed."""
    report = yield
    if report.failed:
        for program in item.session.stash.get(_programs, []):
            report.sections.append((program.name, program.log.read_text(errors="replace")[-LOG_TAIL:]))
    return report


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="session", params=["events", "socket"])
def slack_workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """local-slack with the desk in it: events by signed HTTP, then the same over Socket Mode."""
    with ExitStack() as stack:
        yield _slack(stack, request, request.param, tmp_path_factory.mktemp(f"slack-{request.param}"))


@pytest.fixture
def slack(slack_workspace: Program, session: aiohttp.ClientSession) -> Slack:
    return Slack(session, slack_workspace.url)


@pytest.fixture
def fresh_slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """A local-slack in which nobody has said anything yet."""
    with ExitStack() as stack:
        yield _slack(stack, request, "events", tmp_path)


@pytest.fixture(scope="session")
def teams_tenant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The Playground with the desk in it."""
    with ExitStack() as stack:
        yield _teams(stack, request, tmp_path_factory.mktemp("teams"))


@pytest.fixture
def fresh_teams(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """A Playground in which nobody has said anything yet."""
    with ExitStack() as stack:
        yield _teams(stack, request, tmp_path)


@pytest.fixture(scope="session")
def teams_chats() -> dict[str, str]:
    return {}


@pytest.fixture
async def teams(
    teams_tenant: Program, teams_chats: dict[str, str], session: aiohttp.ClientSession
) -> AsyncIterator[Teams]:
    async with playground.entered(session, teams_tenant.url, teams_chats) as teams:
        yield teams


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of Chromium; whatever is not on this machine is not loaded."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = await browser.new_page(viewport=SIZE, locale="en-GB", timezone_id="Europe/London")
        await page.route(lambda url: urlsplit(url).hostname != "127.0.0.1", lambda route: route.abort())
        yield page
        await browser.close()


def _slack(stack: ExitStack, request: pytest.FixtureRequest, mode: Mode, folder: Path) -> Program:
    desk_port, slack_port = free_port(), free_port()
    desk_url = f"http://127.0.0.1:{desk_port}"
    slack = stack.enter_context(local_slack.local_slack(folder / "client", mode, port=slack_port, desk_url=desk_url))
    desk = desk_yaml(places=local_slack.PLACES, people=local_slack.PEOPLE, channels=local_slack.CHANNELS)
    environ = local_slack.environ(mode, slack.url)
    served = stack.enter_context(serving(folder / "desk", desk, port=desk_port, environ=environ))
    request.session.stash[_programs] = [served, slack]
    return slack


def _teams(stack: ExitStack, request: pytest.FixtureRequest, folder: Path) -> Program:
    desk = desk_yaml(places=playground.PLACES, people=playground.PEOPLE, channels=playground.CHANNELS)
    served = stack.enter_context(serving(folder / "desk", desk, port=free_port(), environ=playground.ENVIRON))
    client = playground.playground(folder / "client", port=free_port(), desk_url=served.url)
    teams = stack.enter_context(client)
    request.session.stash[_programs] = [served, teams]
    return teams
