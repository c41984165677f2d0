"""Domain values survive the database."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from storage import rows, rows_knowledge
from storage.codec import Instant, dump_document, load_document
from tests.contract.storages import Bench, load, record, ticket
from triage.changes import Count, OpenTicket
from triage.clocks import Clock
from triage.document import Document, Heading
from triage.learning import Case, Proposal
from triage.model import Conversation, Entry, Ticket
from triage.outgoing import Outgoing, Ping
from triage.rota import Override
from triage.timeline import Event
from triage.transcripts import WebPost

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (Ticket, rows.tickets),
        (Clock, rows.clocks),
        (Event, rows.ticket_events),
        (Ping, rows.pings),
        (Override, rows.swaps),
        (Conversation, rows.conversations),
        (Entry, rows.entries),
        (Outgoing, rows.outbox),
        (WebPost, rows.web_posts),
        (Case, rows_knowledge.cases),
        (Proposal, rows_knowledge.proposals),
        (Count, rows_knowledge.kb_events),
    ],
)
def test_every_field_has_a_column(kind: Any, table: Table) -> None:
    """A field added to a domain value needs a column, and this says so first."""
    missing = {field.name for field in fields(kind) if field.init} - {column.name for column in table.columns}
    assert missing == set()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_instants_come_back_in_utc(kind: str, request: pytest.FixtureRequest) -> None:
    """An instant given in another zone is the same instant in UTC afterwards."""
    bench: Bench = request.getfixturevalue(f"{kind}_bench")
    record(bench.storage, OpenTicket(ticket=ticket(opened_at=NOON.astimezone(ZoneInfo("Asia/Seoul")))))
    found = load(bench.storage, number=1).ticket
    assert found is not None
    assert (found.opened_at, found.opened_at.tzinfo) == (NOON, UTC)


def test_an_instant_without_a_zone_is_refused() -> None:
    """Nobody can say which instant it was."""
    with pytest.raises(ValueError, match="no time zone"):
        Instant().process_bind_param(NOON.replace(tzinfo=None), sqlite.dialect())


def test_a_document_is_readable_json() -> None:
    """Backups and people can read it; text is not escaped."""
    text = dump_document(Document(blocks=(Heading("안녕"),), summary="안녕"))
    assert '{"part": "Heading", "text": "안녕"}' in text


def test_a_part_of_a_document_is_no_document() -> None:
    """Reading back something else fails loudly."""
    with pytest.raises(ValueError, match="not a document"):
        load_document('{"part": "Plain", "text": "x"}')
