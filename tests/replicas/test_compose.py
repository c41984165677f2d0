"""The image and compose.yaml as Docker builds and starts them: what an operator does, and what then dies.

Slow, and only where there is a Docker engine: `make conformance` runs them. Slack is the tests' own, on the
address that this machine has for the containers.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.conformance.programs import free_port
from tests.fakes.slack_server import FakeSlack
from tests.replicas.cluster import ARTICLE, Cluster, desk_yaml, one_at_a_time, until, workspace
from tests.replicas.docker import Project, missing

WHY_NOT = missing()
pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or ""),
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
        await self.seen(lambda: self.project.healthy("bot") == replicas, f"{replicas} healthy replicas")

    async def seen(self, holds: Callable[[], bool], what: str) -> None:
        """Waits until Docker, which is asked, says so."""
        await until(holds, what, seconds=PATIENCE, pause=PAUSE)

    async def answers_once(self) -> None:
        """A question becomes one ticket's card and one answer, another the article's answer."""
        thread, _ = await self.desk.asked(at=self.url)
        await until(lambda: bool(self.desk.answers(thread)), "the answer to what no article knows")
        known = await self.desk.say("my vpn keeps dropping", at=self.url)
        await until(lambda: bool(self.desk.answers(known)), "the article's answer")
        assert len(self.desk.answers(thread)) == 1
        assert ["Restart the client." in said for said in self.desk.answers(known)] == [True]

    def python(self, container: str, code: str) -> str:
        """What code prints that runs in a container as its user."""
        return self.project.docker("exec", container, "python", "-c", code).strip()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Started]:
    """docs/operations.md, step by step: .env, desk/, up."""
    project = Project.copied(tmp_path_factory.mktemp("compose") / "deskbell", f"deskbell-{secrets.token_hex(4)}")
    address = f"127.0.0.1:{free_port()}"
    secret = {name: secrets.token_hex(32) for name in ("POSTGRES_PASSWORD", "DESKBELL_COOKIE_KEY")}
    values = {**secret, "DESKBELL_PORT": address, "DESKBELL_ENCODER": "off"}
    project.fill_in(values)
    (project.folder / "desk" / "kb").mkdir(parents=True)
    (project.folder / "desk" / "desk.yaml").write_text(json.dumps(desk_yaml()), encoding="utf-8")
    (project.folder / "desk" / "kb" / "vpn.md").write_text(ARTICLE.format(body="Restart the client."), encoding="utf-8")
    slack = FakeSlack()
    try:
        project.compose("up", "--detach", "postgres")  # also makes the network, which has this machine's address in it
        slack.host = project.gateway()
        async with slack, one_at_a_time() as session:
            workspace(slack)
            project.fill_in(
                {
                    **values,
                    "SLACK_BOT_TOKEN": slack.token,
                    "SLACK_SIGNING_SECRET": slack.signing_secret,
                    "SLACK_API_URL": slack.url,
                }
            )
            project.compose("up", "--detach", "--build")
            desk = Cluster(slack=slack, database="", replicas=(), session=session)
            found = Started(project=project, desk=desk, url=f"http://{address}")
            await found.healthy(3)
            yield found
    finally:
        project.compose("down", "--volumes", "--timeout", "20")


async def test_three_replicas_answer_through_the_proxy(started: Started) -> None:
    """And nobody is shown what is the operators' own."""
    await started.answers_once()
    for path, status in (("/healthz", 200), ("/readyz", 404), ("/metrics", 404)):
        async with started.desk.session.get(f"{started.url}{path}") as answer:
            assert answer.status == status


async def test_a_replica_can_write_nowhere_but_to_its_data(started: Started) -> None:
    """An ordinary user without rights of its own, on a file system that is read-only, and with no compiler or pip."""
    container = started.project.containers("bot")[0]
    status = started.python(container, "print(open('/proc/self/status').read())")
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert started.python(container, "import os; print(os.getuid(), os.getgid())") == "10001 10001"
    tried = "import os; print([p for p in ('/', '/opt/deskbell', '/desk', '/etc', '/data', '/tmp') if os.access(p, 2)])"
    assert started.python(container, tried) == "['/data', '/tmp']"
    tools = "import importlib.util as u, shutil as s; print(*map(s.which, ('cc', 'gcc', 'git')), u.find_spec('pip'))"
    assert started.python(container, tools) == "None None None None"


async def test_a_killed_replica_is_missed_by_nobody_and_starts_again(started: Started) -> None:
    """The others answer meanwhile."""
    container = started.project.containers("bot")[0]
    started.project.docker("exec", container, "sh", "-c", "kill -KILL -1; true")
    await started.answers_once()
    await started.seen(lambda: started.project.inspect(container)["RestartCount"] == 1, "the replica to start again")
    await started.healthy(3)


async def test_more_replicas_are_found_by_the_proxy_and_fewer_are_stopped_in_order(started: Started) -> None:
    """Told to end, each ends by itself, with exit code 0."""
    started.project.compose("up", "--detach", "--no-recreate", "--scale", "bot=5")
    await started.healthy(5)
    await started.seen(lambda: "5 active" in started.project.compose("logs", "proxy"), "the proxy to pass to five")
    await started.answers_once()
    last = started.project.containers("bot")[-1]
    started.project.docker("stop", last)
    assert started.project.inspect(last)["State"]["ExitCode"] == 0
    await started.answers_once()
    started.project.compose("up", "--detach", "--no-recreate", "--scale", "bot=3")
    await started.healthy(3)


async def test_replicas_go_on_when_postgresql_was_restarted(started: Started) -> None:
    """Nobody restarts them."""
    started.project.compose("restart", "postgres")
    await started.healthy(3)
    await started.answers_once()
    assert [started.project.inspect(each)["RestartCount"] for each in started.project.containers("bot")].count(0) >= 2


async def test_what_was_stored_is_there_after_down_and_up(started: Started) -> None:
    """The volume outlives the containers."""
    thread, card = await started.desk.asked(at=started.url)
    await until(lambda: bool(started.desk.answers(thread)), "the answer")
    started.project.compose("down", "--timeout", "20")
    started.project.compose("up", "--detach")
    await started.healthy(3)
    await started.desk.say("it still sparks", at=started.url, thread=thread)
    await until(lambda: any("it still sparks" in said for said in started.desk.below(card)), "the words below the card")
