"""manifest.yaml against Slack's own manifest schema.

The schema is Slack's (github.com/slackapi/manifest-schema, schemas/manifest.schema.1.0.0.json) and is
not part of this repository: DESKBELL_SCHEMAS names a folder that holds it as
`slack-manifest.schema.json`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from tests.fakes.slack_rules import manifest

pytestmark = pytest.mark.conformance

SLACK = "slack-manifest.schema.json"
FOLDER = os.environ.get("DESKBELL_SCHEMAS")
"""Read on import: tests themselves run with a clean environment."""


def schema(name: str) -> Path:
    found = Path(FOLDER) / name if FOLDER else None
    if found is None or not found.is_file():
        pytest.skip(f"set DESKBELL_SCHEMAS to a folder that holds {name} (see this module's docstring)")
    return found


def test_slack_accepts_the_manifest() -> None:
    """Creating the app from it works at the first try."""
    rules = json.loads(schema(SLACK).read_text(encoding="utf-8"))
    errors = jsonschema.Draft7Validator(rules).iter_errors(manifest())
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
