"""`deskbell doctor`: what it finds, and how bad that is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.doctor import State, examine
from bot.settings import Settings
from storage.engine import make_engine
from storage.schema import migrate
from storage.sql import SqlStorage
from tests.builders import mark_sent
from tests.scenario.desk import MONDAY
from triage.changes import Decision, Meet
from triage.model import Language, Person
from triage.outgoing import Direct, Outgoing, Say

TODAY = date(2026, 3, 9)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "kb").mkdir()
    (tmp_path / "desk.yaml").write_text("kb: kb/\nteams: {it: {name: IT, agents: [lee]}}\npeople: {lee: {name: Lee}}\n")
    return Settings.load({}, data=tmp_path, config=tmp_path / "desk.yaml")


def test_a_database_that_is_behind_is_a_warning_with_the_way_out(settings: Settings) -> None:
    """Nothing is broken, one command is missing."""
    (found,) = [finding for finding in examine(settings, TODAY) if finding.text.startswith("database")]
    assert found.state is State.WARN
    assert "deskbell migrate" in found.text


def test_failed_turns_are_listed(settings: Settings) -> None:
    """A person was given this id; the admin finds it here with what went wrong."""
    migrate(settings.database)
    storage = SqlStorage(make_engine(settings.database))
    with storage.writing() as work:
        work.fail("code-7", "slack:T1:C1:1.2", MONDAY, "KeyError at triage.decide:120")
        work.commit()
    storage.close()
    assert any("code-7" in finding.text and "triage.decide:120" in finding.text for finding in examine(settings, TODAY))


def test_an_unreachable_database_fails_without_its_password(tmp_path: Path, settings: Settings) -> None:
    """The finding says that the database is away, and nothing secret."""
    away = Settings.load(
        {"DESKBELL_DATABASE_URL": "postgresql://desk:hunter2@127.0.0.1:9/desk"}, config=settings.config
    )
    (found,) = [finding for finding in examine(away, TODAY) if finding.database]
    assert found.state is State.FAIL
    assert "hunter2" not in found.text


def test_an_error_in_the_desk_fails(settings: Settings) -> None:
    """The same lines as `check`."""
    settings.config.write_text("teams: 3\n")
    assert any(finding.state is State.FAIL and "desk.yaml:1" in finding.text for finding in examine(settings, TODAY))


def test_whoever_cannot_be_written_to_is_listed_by_name(settings: Settings) -> None:
    """An owner who never reads a ping: the admin finds who, and why."""
    migrate(settings.database)
    storage = SqlStorage(make_engine(settings.database))
    ping = Outgoing(key="p1", to=Direct(person="lee"), notice=Say(phrase="small_talk"), language=Language.EN)
    with storage.writing() as work:
        work.record(Decision(changes=(Meet(person=Person(id="lee", name="Lee Ho")),), outgoing=(ping,)), MONDAY)
        work.commit()
    (parcel,) = storage.outbox.lease(1)
    mark_sent(storage.outbox, parcel, None, missed="the person's account is deactivated")
    storage.close()
    assert any("Lee Ho: the person's account" in finding.text for finding in examine(settings, TODAY))


@pytest.mark.parametrize(
    ("problem", "state", "told"),
    [(None, State.OK, "articles: pulled"), ("no network", State.WARN, "2026-03-09 09:00Z: no network")],
)
def test_how_the_last_pull_of_the_articles_ended(
    settings: Settings, problem: str | None, state: State, told: str
) -> None:
    """A checkout that is not renewed any more is noticed."""
    settings.config.write_text(settings.config.read_text().replace("kb: kb/", "kb: {folder: kb/, pull: 15m}"))
    migrate(settings.database)
    storage = SqlStorage(make_engine(settings.database))
    storage.library.pulled(str(settings.config.parent / "kb"), MONDAY, problem)
    storage.close()
    (found,) = [finding for finding in examine(settings, TODAY) if finding.text.startswith("articles: ")]
    assert found.state is state
    assert told in found.text


def test_before_the_first_start_there_is_no_database_to_complain_of(tmp_path: Path, settings: Settings) -> None:
    """Nothing is broken, and looking makes nothing."""
    fresh = Settings.load({}, data=tmp_path / "none", config=settings.config)
    (found,) = [finding for finding in examine(fresh, TODAY) if finding.text.startswith("database")]
    assert (found.state, found.database) == (State.WARN, False)
    assert not (tmp_path / "none").exists()
