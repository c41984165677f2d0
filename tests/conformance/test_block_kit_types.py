"""Everything the desk can say, in every language, as Slack's own types would have it.

The types know what Slack's SDK for Python lets pass: unknown blocks, misspelt keys, missing parts.
Lengths and counts, which they do not know, are tested with the adapter.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest

from adapters.slack.blocks import SlackBlock, to_blocks
from tests.conformance.programs import MODULES, module
from triage.document import Mention
from triage.layout import render
from triage.model import Language, Priority, Status
from triage.outgoing import (
    Answer,
    At,
    Card,
    Choice,
    ClockNote,
    Help,
    HistoryLine,
    Notice,
    Reasons,
    Say,
    Suggestions,
    Term,
    TicketLine,
    TicketList,
    TicketView,
    Value,
    Who,
)
from triage.phrases import catalogue
from triage.policy import Metric
from triage.reading import AGENTS, EVERYONE

pytestmark = pytest.mark.conformance

LEE, DANA = Who(person="lee", name="Lee"), Who(person="dana", name="Dana <3 & co")
NOON = At(at=datetime(2026, 3, 9, 12, tzinfo=UTC), zone="Europe/London")
VALUES: dict[str, Value] = {"number": 42, "due": NOON, "owner": LEE, "who": LEE, "status": Term(term="status.open")}
BODY = (
    "# Title\n\nDo *this*, **then** [that](https://x.example/?a=1&b=2):\n\n1. one\n2. `two`\n\n```\ncode\n```\n\n> said"
)
RUNNING = ClockNote(phrase="state.running", instants={"due": NOON}, seconds={"left": 3_600, "over": 0})
CHOICES = (
    Choice(label="card.claim", command="claim 42", style="primary"),
    Choice(label="card.why", command="why 42"),
    Choice(label="error.did_you_mean_yes", command="claim 42", style="danger", values={"command": "claim 42"}),
)
OPTIONS = ["--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "bundler", "--module", "esnext"]


def card(status: Status, priority: Priority, owner: Who | None) -> Card:
    return Card(
        number=42,
        subject="The projector bulb exploded",
        text="The projector bulb exploded\nin <room> 4 & 5",
        requester=DANA,
        team="IT",
        status=status,
        priority=priority,
        owner=owner,
        opened=NOON,
        clocks=((Metric.FIRST_RESPONSE, RUNNING), (Metric.RESOLUTION, RUNNING)),
    )


def sentences() -> Iterator[Say]:
    """One for each sentence of the catalogue, with all its placeholders filled."""
    for key, text in catalogue(Language.EN).items():
        names = [name for _, name, _, _ in Formatter().parse(text) if name]
        values = {name: VALUES.get(name, "a word") for name in names}
        yield Say(phrase=key, values=values, quote="their\nwords", choices=CHOICES)


def notices() -> Iterator[Notice]:
    yield from sentences()
    yield Answer(article="vpn", title="VPN keeps dropping", body=BODY, team="IT")
    yield Answer(article="vpn", title="VPN keeps dropping", body=BODY, team="IT", confirm=False)
    yield Suggestions(articles=(("vpn", "VPN keeps dropping"), ("wifi", "Office wifi")))
    cards = [card(status, priority, owner) for status in Status for priority in Priority for owner in (LEE, None)]
    yield from cards
    row = TicketLine(
        number=42, subject="Bulb", status=Status.NEW, priority=Priority.LOW, requester="Dana", owner=None, due=None
    )
    late = TicketLine(
        number=43, subject="Bulb", status=Status.OPEN, priority=Priority.HIGH, requester="Dana", owner="Lee", due=NOON
    )
    yield TicketList(phrase="queue.title", empty="queue.empty", values={"teams": "IT"}, rows=(row, late), more=3)
    yield TicketList(phrase="mine.title", empty="mine.empty", values={}, rows=())
    kinds = ("entry.message", "entry.reply", "entry.note", "entry.event")
    history = tuple(
        HistoryLine(at=NOON, author=who, what=what, text="words") for what in kinds for who in ("Lee", None)
    )
    yield TicketView(card=cards[0], history=history)
    yield Reasons(phrase="why.ticket", values={"number": 42}, reasons=("one", "two"))
    yield Help(verbs=tuple(map(str, (*EVERYONE, *AGENTS))))


def complaints(folder: Path, messages: Sequence[Sequence[object]]) -> str:
    """What the TypeScript compiler says about these messages as literals of Slack's types."""
    literals = [
        f"export const message{index}: KnownBlock[] = {json.dumps(blocks, ensure_ascii=False)};"
        for index, blocks in enumerate(messages)
    ]
    source = folder / "messages.ts"
    source.write_text("\n".join(['import type { KnownBlock } from "@slack/types";', *literals]), encoding="utf-8")
    module("@slack/types/package.json")
    (folder / "node_modules").symlink_to(MODULES.resolve())
    compiler = ["node", str(module("typescript/bin/tsc")), *OPTIONS, "--types", "", str(source)]
    return subprocess.run(compiler, cwd=folder, capture_output=True, text=True, check=False).stdout


def shown(notice: Notice, language: Language) -> list[SlackBlock]:
    return to_blocks(render(notice, language, lambda who: Mention(f"U0{who.person.upper()}", who.name)))


def test_slacks_types_accept_everything_the_desk_can_say(tmp_path: Path) -> None:
    """Every notice, every sentence of the catalogue, in every language."""
    messages = [shown(notice, language) for language in Language for notice in notices()]
    assert len(messages) > 3 * len(catalogue(Language.EN))
    assert complaints(tmp_path, messages) == ""


def test_slacks_types_would_complain(tmp_path: Path) -> None:
    """A misspelt key does not pass, so silence above means something."""
    said = complaints(tmp_path, [[{"type": "section", "text": {"type": "mrkdwn", "txt": "words"}}]])
    assert "txt" in said
