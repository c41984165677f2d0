"""The image and compose.yaml as Docker builds and starts them: what an operator does, and what then dies.

Slow, and only where there is a Docker engine: `make conformance` runs them. Slack is the tests' own, on the
address that this machine has for the containers.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio

from tests.conformance.programs import free_port
from tests.fakes.slack_methods import Post
from tests.fakes.slack_server import FakeSlack
from tests.replicas.cluster import ARTICLE, DANA, HELP, Cluster, desk_yaml, one_at_a_time, until, workspace
from tests.replicas.docker import Project, missing

T = TypeVar("T")
pytestmark = [
    pytest.mark.conformance,
    pytest.mark.timeout(1800),
    pytest.mark.asyncio(loop_scope="module"),
]
PATIENCE, PAUSE = 240.0, 2.0
"""Seconds until replicas that start together are healthy, and between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    project: Project
    desk: Cluster
    url: str
    """The proxy's."""

    async def healthy(self, replicas: int) -> None:
        await self.sees(self.project.healthy, "bot", until=lambda healthy: healthy == replicas)

    async def sees(self, ask: Callable[[str], Awaitable[T]], about: str, *, until: Callable[[T], bool]) -> None:
        """Asks Docker until it says so."""
        async with asyncio.timeout(PATIENCE):
            while not until(await ask(about)):
                await asyncio.sleep(PAUSE)

    async def restarts(self) -> list[int]:
        """How often Docker has started each replica again."""
        replicas = await self.project.containers("bot")
        return [(await self.project.inspect(replica))["RestartCount"] for replica in replicas]

    async def say(self, words: str, thread: str | None = None) -> str:
        """A post that is brought through the proxy again, as Slack does, while it is answered with 503; its ts."""
        post, requests = self.desk.slack.posted(DANA, HELP, words, thread=thread)
        for request in requests:
            async with asyncio.timeout(PATIENCE):
                while (status := await self.desk.bring(request, self.url)) == 503:
                    await asyncio.sleep(PAUSE)
            assert status == 200
        return str(post["ts"])

    async def answered(self, words: str) -> tuple[str, str]:
        """The thread of this question and the one answer in it."""
        thread = await self.say(words)
        await until(lambda: bool(self.desk.answers(thread)), f"the answer to {words!r}")
        (answer,) = self.desk.answers(thread)
        return thread, answer

    async def ticket(self) -> tuple[str, Post]:
        """The thread of a question that no article answers, and the one card of its ticket."""
        subject = f"The coffee grinder sparks, case {secrets.token_hex(4)}."
        thread, _ = await self.answered(subject)
        await self.desk.card(subject)
        (card,) = self.desk.cards(subject)
        return thread, card

    async def works(self) -> None:
        """A question that an article answers is answered, another becomes one ticket."""
        _, answer = await self.answered("my vpn keeps dropping")
        assert "Restart the client." in answer
        await self.ticket()

    async def python(self, container: str, code: str) -> str:
        """What code prints that runs in a container as its user."""
        return (await self.project.docker("exec", container, "python", "-c", code)).strip()


def filled(folder: Path) -> None:
    """The operator's desk/."""
    (folder / "kb").mkdir(parents=True)
    (folder / "kb" / "vpn.md").write_text(ARTICLE.format(body="Restart the client."), encoding="utf-8")
    (folder / "desk.yaml").write_text(json.dumps(desk_yaml()), encoding="utf-8")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Started]:
    """docs/operations.md, step by step: .env, desk/, up. PostgreSQL comes first, because its start makes the network in
    which this machine, and with it the tests' Slack, has an address."""
    if reason := missing():
        pytest.skip(reason)
    project = Project.copied(tmp_path_factory.mktemp("compose") / "deskbell", f"deskbell-{secrets.token_hex(4)}")
    filled(project.folder / "desk")
    address = f"127.0.0.1:{free_port()}"
    env = {name: secrets.token_hex(32) for name in ("POSTGRES_PASSWORD", "DESKBELL_COOKIE_KEY")}
    env |= {"DESKBELL_PORT": address, "DESKBELL_ENCODER": "off"}
    env |= {"SLACK_BOT_TOKEN": FakeSlack.token, "SLACK_SIGNING_SECRET": FakeSlack.signing_secret}
    project.fill_in(env)
    slack = FakeSlack()
    try:
        await project.compose("up", "--detach", "postgres")
        slack.host = await project.gateway()
        async with slack, one_at_a_time() as session:
            workspace(slack)
            project.fill_in({**env, "SLACK_API_URL": slack.url})
            await project.compose("up", "--detach", "--build")
            desk = Cluster(slack=slack, database="", replicas=(), session=session)
            found = Started(project=project, desk=desk, url=f"http://{address}")
            await found.healthy(3)
            yield found
    finally:
        await project.compose("down", "--volumes", "--timeout", "20")


async def test_three_replicas_answer_through_the_proxy(started: Started) -> None:
    """And nobody is shown what is the operators' own."""
    await started.works()
    for path, status in (("/healthz", 200), ("/readyz", 404), ("/metrics", 404)):
        async with started.desk.session.get(f"{started.url}{path}") as answer:
            assert answer.status == status


async def test_a_replica_can_write_nowhere_but_to_its_data(started: Started) -> None:
    """An ordinary user without rights of its own, on a file system that is read-only, and with no compiler or pip."""
    container = (await started.project.containers("bot"))[0]
    status = await started.python(container, "print(open('/proc/self/status').read())")
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert await started.python(container, "import os; print(os.getuid(), os.getgid())") == "10001 10001"
    tried = "import os; print([p for p in ('/', '/opt/deskbell', '/desk', '/etc', '/data', '/tmp') if os.access(p, 2)])"
    assert await started.python(container, tried) == "['/data', '/tmp']"
    tools = "import importlib.util as u, shutil as s; print(*map(s.which, ('cc', 'gcc', 'git')), u.find_spec('pip'))"
    assert await started.python(container, tools) == "None None None None"


async def test_a_killed_replica_is_missed_by_nobody_and_starts_again(started: Started) -> None:
    """The others answer meanwhile."""
    container = (await started.project.containers("bot"))[0]
    await started.project.docker("exec", container, "sh", "-c", "kill -KILL -1; true")
    await started.works()
    await started.sees(started.project.inspect, container, until=lambda found: bool(found["RestartCount"] == 1))
    await started.healthy(3)


async def test_more_replicas_are_found_by_the_proxy_and_fewer_are_stopped_in_order(started: Started) -> None:
    """Told to end, each ends by itself, with exit code 0."""
    await started.project.compose("up", "--detach", "--no-recreate", "--scale", "bot=5")
    await started.healthy(5)
    await started.works()
    last = (await started.project.containers("bot"))[-1]
    await started.project.docker("stop", last)
    assert (await started.project.inspect(last))["State"]["ExitCode"] == 0
    await started.works()
    await started.project.compose("up", "--detach", "--no-recreate", "--scale", "bot=3")
    await started.healthy(3)


async def test_replicas_go_on_when_postgresql_was_restarted(started: Started) -> None:
    """Nobody restarts them."""
    before = await started.restarts()
    await started.project.compose("restart", "postgres")
    await started.healthy(3)
    await started.works()
    assert await started.restarts() == before


async def test_what_was_stored_is_there_after_down_and_up(started: Started) -> None:
    """The database's volume outlives the containers, and no volume without a name is left of them."""
    thread, card = await started.ticket()
    unnamed = await started.project.docker("volume", "ls", "--quiet", "--filter", "dangling=true")
    await started.project.compose("down", "--timeout", "20")
    left = await started.project.docker("volume", "ls", "--quiet", "--filter", "dangling=true")
    assert {name for name in left.split() if name not in unnamed.split()} == {
        f"{started.project.name}_{volume}" for volume in ("postgres", "data")
    }
    await started.project.compose("up", "--detach")
    await started.healthy(3)
    await started.say("It still sparks.", thread)
    await until(
        lambda: any("It still sparks." in said for said in started.desk.below(card)), "the words below the card"
    )
