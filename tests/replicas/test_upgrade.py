"""A rolling upgrade: the last release and the next one side by side on one database that the next one migrated.

The next one is this checkout with one expanding migration more, planted, so that there is one whatever this checkout
holds. Both are real processes; every step goes through both.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from storage.schema import Phase
from tests.conformance.programs import CHECKOUT, free_port
from tests.fakes.slack_server import FakeSlack
from tests.migrations import EXPANDED, plant, scripts
from tests.replicas.cluster import (
    KIM,
    LEE,
    QUICK_HELP,
    QUICK_TRIAGE,
    Cluster,
    at_once,
    one_at_a_time,
    replica,
    until,
    workspace,
)
from tests.replicas.releases import last_release, unpacked
from tests.served.process import Served

PROGRAM = (sys.executable, "-c", "import sys; from bot.cli import main; sys.exit(main())")
OURS = ("adapters", "bot", "storage", "triage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Its code is in a folder of its own, its dependencies are those of the tests."""

    code: Path

    @property
    def environ(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(self.code)}

    def migrate(self, database: str, *options: str) -> str:
        """What the command printed; fails when it did."""
        done = subprocess.run(
            [*PROGRAM, "migrate", *options],
            cwd=self.code,
            env={**self.environ, "DESKBELL_DATABASE_URL": database},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Version:
    _, commit = last_release()
    return Version(code=unpacked(commit, tmp_path_factory.mktemp("released")))


@pytest.fixture(scope="module")
def next_one(tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = tmp_path_factory.mktemp("next")
    for name in OURS:
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    plant(folder / "storage" / "migrations")
    return Version(code=folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(
    released: Version, next_one: Version, empty: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Cluster, Served, Served]]:
    """The last release, running since before the migration, and the next one."""
    async with FakeSlack() as slack, one_at_a_time() as session:
        workspace(slack)
        folder = tmp_path_factory.mktemp("upgrade")
        old, new = (
            replica(
                folder / name,
                slack,
                empty,
                host="127.0.0.1",
                port=free_port(),
                program=PROGRAM,
                environ=version.environ,
            )
            for name, version in (("released", released), ("next", next_one))
        )
        try:
            released.migrate(empty)
            old.start()
            await old.ready()
            next_one.migrate(empty)
            new.start()
            await new.ready()
            yield Cluster(slack=slack, database=empty, replicas=(old, new), session=session), old, new
        finally:
            old.kill()
            new.kill()


def test_the_last_release_can_be_found() -> None:
    """Its commit is the one that first had its heading, and it says the same version of itself."""
    version, commit = last_release()
    project = subprocess.run(
        ["git", "-C", CHECKOUT, "show", f"{commit}:pyproject.toml"], capture_output=True, text=True, check=True
    )
    assert f'version = "{version}"' in project.stdout


def test_this_checkout_only_expands_what_the_last_release_has(released: Version) -> None:
    """What it would take away is left until the release is gone."""
    theirs = {step.revision for step in scripts(released.code / "storage" / "migrations").walk_revisions()}
    ours = {step.revision: step.module.phase for step in scripts().walk_revisions()}
    assert theirs <= ours.keys()
    assert {phase for revision, phase in ours.items() if revision not in theirs} <= {Phase.EXPAND, Phase.CONTRACT}


@pytest.mark.conformance
def test_the_last_release_has_nothing_to_migrate_there(released: Version, next_one: Version, new_postgres: str) -> None:
    """Whoever runs its command by mistake does no harm."""
    next_one.migrate(new_postgres)
    assert released.migrate(new_postgres) == "The database is up to date.\n"


@pytest.mark.asyncio(loop_scope="module")
async def test_two_versions_work_side_by_side(both: tuple[Cluster, Served, Served]) -> None:
    """Questions, tickets, claims, words both ways and pings, through both: one outcome each, and no error in a log."""
    desk, old, new = both
    assert desk.select("SELECT version_num FROM alembic_version") == [(EXPANDED,)]
    for turn in range(4):
        here, there = (old, new) if turn % 2 else (new, old)
        thread, card = await desk.asked(at=here)
        presses = (desk.press(LEE, card, "Claim", at=here), desk.press(KIM, card, "Claim", at=there))
        assert await at_once(*presses) == [200, 200]
        await desk.say(f"words of Dana, {turn}", at=there, thread=thread)
        await desk.say(f"words of the team, {turn}", at=here, user=LEE, channel="CTRIAGE", thread=str(card["ts"]))
        await desk.delivered()
        assert sum(f"words of Dana, {turn}" in said for said in desk.below(card)) == 1
        assert sum(f"words of the team, {turn}" in said for said in desk.answers(thread)) == 1
    told = [said for user in (LEE, KIM) for said in desk.only_to(user) if "already has ticket" in said]
    assert len(told) == 4
    for at in (old, new):
        thread = await desk.say("my vpn keeps dropping", at=at)
        await desk.delivered()
        assert "Restart the client." in desk.answers(thread)[0]
    await _ring(desk, old, new)
    assert desk.complaints() == []


async def _ring(desk: Cluster, *at: Served) -> None:
    """Each of four tickets is rung for once, whoever took it."""
    asked = [await desk.ask(at=at[turn % len(at)], channel=QUICK_HELP) for turn in range(4)]
    cards = [await desk.card(subject, QUICK_TRIAGE) for _, subject in asked]

    def rung() -> list[int]:
        return [sum("first answer is due" in said for said in desk.below(card, QUICK_TRIAGE)) for card in cards]

    await until(lambda: all(rung()), "four pings")
    await desk.delivered()
    assert rung() == [1, 1, 1, 1]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_last_release_starts_again_on_the_next_ones_database(both: tuple[Cluster, Served, Served]) -> None:
    """Also alone, when the upgrade is taken back; and its `migrate` leaves the database as it is."""
    desk, old, new = both
    await old.stop()
    await new.stop()
    old.start()
    await old.ready()
    thread, _ = await desk.asked(at=old)
    await desk.delivered()
    assert len(desk.answers(thread)) == 1
    assert desk.complaints() == []
