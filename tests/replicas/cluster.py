"""Three replicas on one PostgreSQL, the Slack that they talk to, and what a test does with them.

Each has a folder of its own, as a container has: only the database is common to them. Events go to the replica that a
test names, so that what happens at once happens on different ones.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from storage.engine import make_engine
from tests.conformance.programs import free_port
from tests.contract.slack_harness import words
from tests.fakes.slack_methods import Post
from tests.fakes.slack_payloads import Signed
from tests.fakes.slack_server import FakeSlack
from tests.replicas.proxy import HOSTS
from tests.served.process import Served

HELP, TRIAGE = "CHELP", "CTRIAGE"
QUICK_HELP, QUICK_TRIAGE = "CQUICK", "CQUICKTRIAGE"
"""Of a team that promises an answer within seconds."""
DANA, LEE, KIM = "UDANA", "ULEE", "UKIM"
ARTICLE = """---
id: vpn
lang: en
title: The VPN keeps dropping
team: it
audience: company
phrasings:
  - my vpn keeps dropping
  - vpn disconnects all the time
---
{body}
"""
PATIENCE = 30.0
"""Seconds for what should happen at once: machines that run tests are busy."""


def desk_yaml(promise: str = "14s") -> Mapping[str, Any]:
    def team(name: str, help: str, triage: str, promise: str) -> Mapping[str, Any]:
        return {
            "name": name,
            "agents": ["lee", "kim"],
            "sla": {"normal": {"first_response": promise, "hours": "calendar"}},
            "warn": ["50%"],
            "calendar": {"timezone": "Europe/London", "hours": {"mon-sun": ["00:00-24:00"]}},
            "slack": {"help": [help], "triage": triage},
        }

    people = {"lee": {"name": "Lee", "slack": LEE}, "kim": {"name": "Kim", "slack": KIM}}
    teams = {"it": team("IT", HELP, TRIAGE, "4h"), "quick": team("Quick", QUICK_HELP, QUICK_TRIAGE, promise)}
    place = {"kb": "kb/", "places": {"slack": [FakeSlack.team]}, "messages": {"per_minute": 10_000}}
    return {**place, "people": people, "teams": teams}


def workspace(slack: FakeSlack) -> None:
    """The people and channels of `desk_yaml`."""
    for user in (DANA, LEE, KIM):
        slack.add_user(user, name=user[1:].title())
    for help, triage in ((HELP, TRIAGE), (QUICK_HELP, QUICK_TRIAGE)):
        slack.add_channel(help, members={DANA})
        slack.add_channel(triage, members={LEE, KIM})


def replica(folder: Path, slack: FakeSlack, database: str, *, host: str, port: int, **how: Any) -> Served:
    """One that is still to be started, with its own desk.yaml and articles; `how` goes to `Served`."""
    (folder / "kb").mkdir(parents=True)
    (folder / "kb" / "vpn.md").write_text(ARTICLE.format(body="Restart the client."), encoding="utf-8")
    (folder / "desk.yaml").write_text(json.dumps(desk_yaml()), encoding="utf-8")
    environ = {
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.url,
        "DESKBELL_DATABASE_URL": database,
        "DESKBELL_ENCODER": "off",
        **how.pop("environ", {}),
    }
    return Served(config=folder / "desk.yaml", folder=folder, host=host, port=port, environ=environ, **how)


@dataclass(slots=True, kw_only=True)
class Cluster:
    """`entrances` are where events are brought: by default the replicas themselves, in turn."""

    slack: FakeSlack
    database: str
    replicas: Sequence[Served]
    session: aiohttp.ClientSession
    _asked: int = field(default=0, init=False)

    # --- what people do ---
    async def bring(self, request: Signed, at: Served | str) -> int:
        """The status with which this replica, or whoever has this URL, answers."""
        url = at if isinstance(at, str) else at.url
        async with self.session.post(f"{url}/slack/events", data=request.body, headers=request.headers) as answer:
            return answer.status

    async def bring_until_taken(self, request: Signed, at: Served) -> None:
        """As Slack does: again when it was answered with 503."""
        for _ in range(4):
            status = await self.bring(request, at)
            if status == 200:
                return
            assert status == 503
        pytest.fail("not taken in four deliveries")

    async def say(
        self, words: str, *, at: Served | str, user: str = DANA, channel: str = HELP, thread: str | None = None
    ) -> str:
        """A post whose events are all taken there; its ts."""
        post, requests = self.slack.posted(user, channel, words, thread=thread)
        for request in requests:
            assert await self.bring(request, at) == 200
        return str(post["ts"])

    async def ask(self, *, at: Served | str, channel: str = HELP) -> tuple[str, str]:
        """A question that nobody has an answer to: its thread, and words that only it has."""
        self._asked += 1
        subject = f"The coffee grinder sparks, case {self._asked:03d}."
        return await self.say(subject, at=at, channel=channel), subject

    async def asked(self, *, at: Served | str) -> tuple[str, Post]:
        """The same, once its ticket's card is shown: the thread and the card."""
        thread, subject = await self.ask(at=at)
        return thread, await self.card(subject)

    async def press(self, user: str, card: Post, label: str, *, at: Served) -> int:
        return await self.bring(self.slack.press(user, self.shown(card), label, channel=TRIAGE), at)

    # --- what befalls the replicas ---
    async def kill_while_sending(self, questions: int, *, lost: bool) -> list[tuple[str, str]]:
        """The first replica takes so many questions alone and is killed in the middle of sending; the others go on.

        Slack has what was being sent, unless that is `lost`. Returns what `ask` does, for each question.
        """
        first, *others = self.replicas
        for each in others:
            each.pause()
        self.slack.hold(method="chat.postMessage")
        asked = [await self.ask(at=first) for _ in range(questions)]
        await until(lambda: self.leased() > 0, "the first replica to hold leases")
        first.kill()
        self.slack.release(lost=lost)
        for each in others:
            each.resume()
        return asked

    # --- what they see ---
    def cards(self, subject: str, channel: str = TRIAGE) -> list[Post]:
        return [post for post in self.slack.messages(channel) if "thread_ts" not in post and subject in read(post)]

    async def card(self, subject: str, channel: str = TRIAGE) -> Post:
        await until(lambda: bool(self.cards(subject, channel)), f"the card of {subject!r}")
        return self.cards(subject, channel)[0]

    def shown(self, card: Post) -> Post:
        """The card as it is shown now."""
        return next(post for post in self.slack.messages(TRIAGE) if post["ts"] == card["ts"])

    def below(self, card: Post, channel: str = TRIAGE) -> list[str]:
        return [read(post) for post in self.slack.messages(channel, str(card["ts"]))[1:]]

    def answers(self, thread: str, channel: str = HELP) -> list[str]:
        posts = self.slack.messages(channel, thread)
        return [read(post) for post in posts if post["user"] == self.slack.bot]

    def only_to(self, user: str) -> list[str]:
        return [read(post) for post in self.slack.ephemerals if post.get("to") == user]

    # --- what is in the database ---
    def select(self, statement: str, **values: Any) -> list[Any]:
        engine = make_engine(self.database)
        with engine.begin() as db:
            rows = db.execute(text(statement), values)
            found = list(rows.all()) if rows.returns_rows else []
        engine.dispose()
        return found

    def leased(self) -> int:
        """Messages that a replica is sending, or was when it ended."""
        return len(self.select("SELECT id FROM outbox WHERE state = 'pending' AND token IS NOT NULL"))

    async def delivered(self) -> None:
        """Nothing waits in the outbox."""
        waiting = "SELECT key, state, reason FROM outbox WHERE state = 'pending'"
        await until(lambda: not self.select(waiting), "the outbox to be empty")

    def complaints(self) -> list[str]:
        """Lines of errors in the logs of all."""
        return [line for each in self.replicas for line in complaints(each)]


def complaints(served: Served) -> list[str]:
    wrong = re.compile(r"\[(error|critical)|Traceback|\"level\": \"(error|critical)", re.IGNORECASE)
    return [line for line in served.log.read_text(encoding="utf-8").splitlines() if wrong.search(line)]


def read(post: Post) -> str:
    """The post as a person reads it: bold is bold, and a mention shows the name."""
    said = words(post) if "blocks" in post else str(post["text"])
    return re.sub(r"<@U(\w+)>", lambda user: user[1].title(), said).replace("*", "")


async def until(holds: Callable[[], bool], what: str, *, seconds: float = PATIENCE) -> float:
    """Waits until it holds; the seconds that took. Fails with what was waited for."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while not holds():
        if loop.time() - started > seconds:
            raise AssertionError(f"waited {seconds:.0f} s for {what}")
        await asyncio.sleep(0.01)
    return loop.time() - started


async def at_once(*doing: Awaitable[Any]) -> list[Any]:
    return list(await asyncio.gather(*doing))


def one_at_a_time() -> aiohttp.ClientSession:
    """A connection for each event: none that is kept open is found closed by a replica that ended."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))


@asynccontextmanager
async def cluster(folder: Path, database: str, *, hosts: Sequence[str] = HOSTS) -> AsyncIterator[Cluster]:
    """A migrated database and its replicas, all ready."""
    async with FakeSlack() as slack, one_at_a_time() as session:
        workspace(slack)
        port = free_port()
        replicas = [
            replica(folder / f"replica{number}", slack, database, host=host, port=port)
            for number, host in enumerate(hosts)
        ]
        try:
            for each in replicas:
                each.start()
            await asyncio.gather(*(each.ready() for each in replicas))
            yield Cluster(slack=slack, database=database, replicas=replicas, session=session)
        finally:
            for each in replicas:
                each.kill()
