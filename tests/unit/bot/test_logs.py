"""Logs: structured, correlated, and without secrets."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from bot import logs

pytestmark = pytest.mark.usefixtures("restored_logs")


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1234-abcd",
        "xapp-1-A1-99-ff",
        "Bearer abc.def-ghi",
        "eyJhbGciOi.eyJzdWIi.sig_-nature",
        "postgresql://desk:hunter2@db/desk",
        "https://hooks.slack.com/commands/T1/2/3",
    ],
)
def test_tokens_never_reach_the_log(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever looks like a credential is replaced, wherever in a line it stands."""
    logs.configure("json")
    structlog.get_logger("x").warning(f"calling with {secret} now")
    line = capsys.readouterr().err
    assert logs.REDACTED in line
    assert secret.removeprefix("Bearer ") not in line


def test_the_secrets_of_this_installation_never_reach_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """A signing secret looks like nothing special; it is known, so it is replaced too."""
    logs.configure("json", secrets=["8f742231b10e8888abcd99yyyzzz85a5"])
    logging.getLogger("slack_sdk").error("secret 8f742231b10e8888abcd99yyyzzz85a5 is wrong")
    assert "8f742231b10e8888abcd99yyyzzz85a5" not in capsys.readouterr().err


def test_json_lines_carry_the_turn_they_belong_to(capsys: pytest.CaptureFixture[str]) -> None:
    """What is logged inside a turn carries its id, also from the standard library."""
    logs.configure("json")
    with structlog.contextvars.bound_contextvars(turn="t-1"):
        structlog.get_logger("desk").info("turn", kind="post")
    event = json.loads(capsys.readouterr().err)
    assert (event["turn"], event["event"], event["kind"]) == ("t-1", "turn", "post")


def test_a_trace_back_is_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A token inside an exception's text does not slip through."""
    logs.configure("text")
    try:
        raise RuntimeError("token xoxb-12-34")
    except RuntimeError:
        structlog.get_logger("desk").exception("turn failed")
    text = capsys.readouterr().err
    assert "RuntimeError" in text
    assert "xoxb-12-34" not in text
