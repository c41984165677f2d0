"""Fixtures: the real `deskbell serve` beside a real local client, once a session; logs of failures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.conformance import local_slack
from tests.conformance.desk import desk_yaml, serving
from tests.conformance.local_slack import Mode, Slack
from tests.conformance.programs import Program, free_port

LOG_TAIL = 8_000
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
        desk, slack = _slack(stack, request.param, tmp_path_factory.mktemp(f"slack-{request.param}"))
        request.session.stash[_programs] = [desk, slack]
        yield slack


@pytest.fixture
def slack(slack_workspace: Program, session: aiohttp.ClientSession) -> Slack:
    return Slack(session, slack_workspace.url)


def _slack(stack: ExitStack, mode: Mode, folder: Path) -> tuple[Program, Program]:
    desk_port, slack_port = free_port(), free_port()
    desk_url = f"http://127.0.0.1:{desk_port}"
    slack = stack.enter_context(local_slack.local_slack(folder / "client", mode, port=slack_port, desk_url=desk_url))
    desk = desk_yaml(places=local_slack.PLACES, people=local_slack.PEOPLE, channels=local_slack.CHANNELS)
    environ = local_slack.environ(mode, slack.url)
    return stack.enter_context(serving(folder / "desk", desk, port=desk_port, environ=environ)), slack
