"""The knowledge base lives: whoever changes it, every process answers by it within five seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bot.compose import composed, new_id, utc_now
from bot.knowing import EMPLOYEE, Knowing
from bot.running import Running
from bot.syncing import FolderSync
from storage.engine import make_engine, writing
from storage.library import SqlLibrary, revise
from storage.rows_knowledge import phrasings
from storage.schema import migrate
from storage.sql import SqlStorage
from triage.knowledge import Article, KnowledgeBase
from triage.matching import Match, Verdict
from triage.model import Language
from triage.policy import Policy, Team

POLICY = Policy(teams={"it": Team(id="it", name="IT")})
IN_FORCE = 5.0
"""Seconds after which a change must be in force everywhere."""


@dataclass
class Recited:
    """A matcher that recites what it knows instead of matching."""

    kb: KnowledgeBase

    def match(self, text: str) -> Match:
        known = (line for article in self.kb.articles for line in (article.title, *article.phrasings))
        return Match(verdict=Verdict.TICKET, language=Language.EN, reasons=tuple(known))


@dataclass
class Process:
    """One process of the desk; its matchers are built only while `going` is set."""

    running: Running
    going: Event
    building: Event

    def knows(self, text: str) -> bool:
        """Whether a question asked now would be matched against this."""
        return text in self.running.knowing.matcher(EMPLOYEE).match("?").reasons


@dataclass
class Office:
    url: str
    folder: Path
    processes: list[Process] = field(default_factory=list)

    def write(self, id: str, title: str) -> None:
        head = f"id: {id}\nlang: en\ntitle: {title}\nteam: it\naudience: company\nphrasings: [about {id}]\n"
        (self.folder / f"{id}.md").write_text(f"---\n{head}---\nText.\n")

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Process]:
        """One life of a process, with its real timers."""
        storage = SqlStorage(make_engine(self.url), new_id=new_id)
        going, building = Event(), Event()
        going.set()

        def build(kb: KnowledgeBase, **_: Any) -> Recited:
            building.set()
            assert going.wait(30)
            return Recited(kb)

        knowing = Knowing(precision=0.95, audiences=(EMPLOYEE,), build=build)
        running = composed(storage, self.url, knowing, POLICY, {})
        running.folder = FolderSync(self.folder, storage.library, policy=POLICY, now=utc_now)
        await running.start()
        try:
            async with asyncio.timeout(20):
                while running.not_ready:
                    await asyncio.sleep(0.02)
            yield Process(running, going, building)
        finally:
            going.set()
            await running.stop()

    async def all_know(self, text: str) -> None:
        async with asyncio.timeout(IN_FORCE):
            while not all(process.knows(text) for process in self.processes):
                await asyncio.sleep(0.02)


@pytest.fixture(params=["sqlite", "postgres"])
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    """Two processes on one database and one folder with an article."""
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("new_postgres")
    migrate(url)
    office = Office(url, tmp_path / "kb")
    office.folder.mkdir()
    office.write("vpn", "VPN drops")
    async with office.process() as one, office.process() as two:
        office.processes += [one, two]
        yield office


async def test_an_edited_file_is_in_force_everywhere(office: Office) -> None:
    """Nobody is told; the folder is looked at."""
    await office.all_know("VPN drops")
    office.write("vpn", "The tunnel drops")
    await office.all_know("The tunnel drops")


async def test_a_learned_phrasing_is_in_force_everywhere(office: Office) -> None:
    """Somebody pressed "add this phrasing"; which process took that does not matter."""
    engine = make_engine(office.url)
    row = {"article": "vpn", "language": Language.EN, "text": "no tunnel", "against": False, "by": "lee"}
    with writing(engine) as db:
        db.execute(phrasings.insert().values(row | {"at": utc_now()}))
        revise(db)
        db.commit()
    engine.dispose()
    await office.all_know("no tunnel")


async def test_an_import_from_outside_is_in_force_everywhere(office: Office) -> None:
    """`deskbell kb import` runs in a process of its own, and leaves the folder's articles alone."""
    engine = make_engine(office.url)
    SqlLibrary(engine).replace("import", [Article(id="phone", title="New phone", team="it")], utc_now())
    engine.dispose()
    await office.all_know("New phone")
    await office.all_know("VPN drops")


async def test_answering_never_pauses_while_a_matcher_is_built(office: Office) -> None:
    """The slow process answers by what it knew, the other is ahead; in the end both know."""
    slow, fast = office.processes
    slow.going.clear()
    slow.building.clear()
    office.write("vpn", "The tunnel drops")
    async with asyncio.timeout(IN_FORCE):
        while not (fast.knows("The tunnel drops") and slow.building.is_set()):
            assert slow.knows("VPN drops")
            await asyncio.sleep(0.02)
    assert slow.knows("VPN drops")
    slow.going.set()
    await office.all_know("The tunnel drops")
