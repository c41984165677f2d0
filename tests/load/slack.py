"""A Slack that never tires: every call of its Web API succeeds at once, and arrivals are timed.

Limits, rights and faults are those of `tests.fakes.slack_server`; here only the desk's own speed counts.
Used by `tests.load.driver`.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from tests.fakes.slack_server import FakeSlack
from triage.model import Language
from triage.phrases import say

BUSY = say("error.busy", Language.EN)

Arrived = Callable[[str, float], None]
"""Told the outbox key of a post, or the inbox key whose response_url was used, and when (monotonic seconds)."""
Busy = Callable[[str], None]
"""Told the inbox key of a button or command whose author reads that nothing was saved."""
Posted = Callable[[str, str, bytes], None]
"""Told channel, time stamp and body of a post."""

_AUTH = {
    "ok": True,
    "team_id": FakeSlack.team,
    "team": "Acme",
    "user_id": FakeSlack.bot,
    "bot_id": FakeSlack.bot_id,
    "app_id": FakeSlack.app_id,
    "user": "deskbell",
}


class Slack:
    def __init__(self, arrived: Arrived, posted: Posted, busy: Busy) -> None:
        self._arrived = arrived
        self._busy = busy
        self._posted = posted
        self._stamps = itertools.count(1)
        self.calls: dict[str, int] = {}

    def __call__(self, path: str, body: bytes) -> bytes:
        method = path.partition("?")[0].rpartition("/")[2]
        name = "response_url" if path.startswith("/actions/") else method
        self.calls[name] = self.calls.get(name, 0) + 1
        if path.startswith("/actions/"):
            key = f"slack:{FakeSlack.team}:trigger:{method}"
            if BUSY in json.loads(body).get("text", ""):
                self._busy(key)
            else:
                self._arrived(key, time.monotonic())
            return b"ok"
        return json.dumps({"ok": True} | self._result(method, body, path)).encode()

    def _result(self, method: str, body: bytes, path: str) -> dict[str, object]:
        match method:
            case "auth.test":
                return _AUTH
            case "bots.info":
                return {"bot": {"id": FakeSlack.bot_id, "app_id": FakeSlack.app_id}}
            case "chat.postMessage":
                args = _arguments(body)
                metadata = args.get("metadata") or "{}"
                event = json.loads(metadata) if isinstance(metadata, str) else metadata
                self._arrived((event.get("event_payload") or {}).get("key", ""), time.monotonic())
                ts = f"1700000000.{next(self._stamps):06d}"
                self._posted(args["channel"], ts, body)
                return {"ts": ts, "channel": args["channel"]}
            case "chat.postEphemeral":
                return {"message_ts": f"1700000001.{next(self._stamps):06d}"}
            case "conversations.open":
                user = _arguments(body)["users"].strip('[]" ')
                return {"channel": {"id": f"D{user}"}}
            case "conversations.info":
                return {"channel": {"id": _arguments(body or _query(path)).get("channel", ""), "is_channel": True}}
            case "users.info":
                user = _arguments(body or _query(path)).get("user", "")
                names = {"display_name": f"Person {user}", "real_name": f"Person {user}"}
                return {"user": {"id": user, "name": user, "locale": "en-US", "tz": "Europe/London", "profile": names}}
            case _:
                return {}


def _query(path: str) -> bytes:
    return path.partition("?")[2].encode()


def _arguments(body: bytes) -> dict[str, str]:
    """Of a form or of JSON, as slack_sdk sends either."""
    if body.startswith(b"{"):
        found: dict[str, str] = json.loads(body)
        return found
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}
