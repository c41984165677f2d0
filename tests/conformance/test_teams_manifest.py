"""Teams' own rules: the manifest by Microsoft's schema, cards by Microsoft's card engine.

Needs `npm install @microsoft/app-manifest@1.1.2 adaptivecards@3.0.5` in the checkout.
"""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from adapters.teams.cards import activity
from adapters.teams.package import manifest
from triage.document import (
    Button,
    Buttons,
    Document,
    Facts,
    Heading,
    Markdown,
    Mention,
    Plain,
    Quote,
    Small,
    When,
)

pytestmark = pytest.mark.conformance

MODULES = Path(__file__).parents[2] / "node_modules"
SCHEMA = MODULES / "@microsoft/app-manifest/build/json-schemas/teams/v1.29/MicrosoftTeams.schema.json"
PARSER = """
const AC = require("adaptivecards/dist/adaptivecards.js");
const context = new AC.SerializationContext(AC.Versions.v1_5);
const card = new AC.AdaptiveCard();
card.parse(JSON.parse(require("fs").readFileSync(0, "utf8")), context);
const events = card.validateProperties().validationEvents;
for (let i = 0; i < context.eventCount; i++) events.push(context.getEventAt(i));
console.log(JSON.stringify(events.map((event) => event.message)));
"""

EVERYTHING = Document(
    blocks=(
        Heading("Ticket 42"),
        Small((Plain("since "), When(datetime(2026, 11, 3, tzinfo=UTC), "noon"), Mention("aad-kim", "Kim"))),
        Markdown("# Title\n\n**bold**\n\n- one\n- two\n\n```\ncode\n```"),
        Quote("their words\nin two lines"),
        Facts((("Status", (Plain("open"),)),)),
        Buttons((Button("Claim", "claim 42", "primary"), Button("Close", "resolve 42", "danger"))),
    ),
    summary="Ticket 42",
    language="zh-Hant",
)


def complaints(card: object) -> list[str]:
    """What Microsoft's engine has to say about a card."""
    done = subprocess.run(
        ["node", "-e", PARSER], input=json.dumps(card), capture_output=True, text=True, check=True, cwd=MODULES.parent
    )
    found: list[str] = json.loads(done.stdout)
    return found


def test_the_manifest_follows_microsofts_schema() -> None:
    """No rule of the published schema is broken."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    made = manifest("22222222-2222-4222-8222-222222222222", "https://desk.example.com")
    assert [error.message for error in Draft4Validator(schema).iter_errors(made)] == []


def test_a_card_is_understood_whole() -> None:
    """Microsoft's engine knows every element and property of a card of ours."""
    assert complaints(activity(EVERYTHING, nonce="n")["attachments"][0]["content"]) == []


def test_the_engine_would_complain() -> None:
    """A misspelt element does not pass, so silence above means something."""
    assert complaints({"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlok"}]})
