"""What Slack sends to an app, built as Slack builds it: Events API bodies, slash commands, button presses.

Used by `slack_server`. Shapes are those of Slack's reference and of recorded payloads.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One request to the app. `kind` is the Socket Mode envelope's type of the same thing."""

    kind: str
    payload: Payload
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The app's answer. `status` is None where Slack got none: no acknowledgement on the socket."""

    status: int | None
    body: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 200


def signature(secret: str, timestamp: int, body: bytes) -> dict[str, str]:
    digest = hmac.new(secret.encode(), b"v0:%d:" % timestamp + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": str(timestamp), "x-slack-signature": f"v0={digest}"}


def as_json(payload: Payload) -> tuple[bytes, str]:
    return json.dumps(payload).encode(), "application/json"


def as_form(payload: Payload) -> tuple[bytes, str]:
    return urlencode(payload).encode(), "application/x-www-form-urlencoded"


def callback(event: Payload, *, team: str, app: str, bot: str, id: str, at: int) -> Payload:
    return {
        "token": "deprecated",
        "team_id": team,
        "context_team_id": team,
        "api_app_id": app,
        "type": "event_callback",
        "event_id": id,
        "event_time": at,
        "is_ext_shared_channel": False,
        "authorizations": [
            {"enterprise_id": None, "team_id": team, "user_id": bot, "is_bot": True, "is_enterprise_install": False}
        ],
        "event": event,
    }


def message(post: Payload, *, channel: str, channel_type: str) -> Payload:
    return {**post, "channel": channel, "channel_type": channel_type, "event_ts": post["ts"]}


def app_mention(post: Payload, *, channel: str) -> Payload:
    """Without the channel's type, as Slack sends it."""
    return {**post, "type": "app_mention", "channel": channel, "event_ts": post["ts"]}


def message_changed(now: Payload, before: Payload, *, channel: str, channel_type: str, ts: str) -> Payload:
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": channel,
        "channel_type": channel_type,
        "ts": ts,
        "event_ts": ts,
        "message": now,
        "previous_message": before,
    }


def message_deleted(before: Payload, *, channel: str, channel_type: str, ts: str) -> Payload:
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "channel": channel,
        "channel_type": channel_type,
        "ts": ts,
        "event_ts": ts,
        "deleted_ts": before["ts"],
        "previous_message": before,
    }


def slash_command(
    text: str,
    *,
    user: str,
    user_name: str,
    channel: str,
    channel_name: str,
    team: str,
    app: str,
    trigger: str,
    url: str,
) -> Payload:
    return {
        "token": "deprecated",
        "team_id": team,
        "team_domain": "acme",
        "channel_id": channel,
        "channel_name": channel_name,
        "user_id": user,
        "user_name": user_name,
        "command": "/desk",
        "text": text,
        "api_app_id": app,
        "is_enterprise_install": "false",
        "response_url": url,
        "trigger_id": trigger,
    }


def block_actions(
    button: Payload,
    shown: Payload,
    *,
    user: Payload,
    channel: str,
    channel_name: str,
    team: str,
    app: str,
    trigger: str,
    url: str,
) -> Payload:
    ephemeral = bool(shown.get("is_ephemeral"))
    container = {"type": "message", "message_ts": shown["ts"], "channel_id": channel, "is_ephemeral": ephemeral}
    if "thread_ts" in shown:
        container["thread_ts"] = shown["thread_ts"]
    return {
        "type": "block_actions",
        "user": user,
        "api_app_id": app,
        "token": "deprecated",
        "container": container,
        "trigger_id": trigger,
        "team": {"id": team, "domain": "acme"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel, "name": channel_name},
        **({} if ephemeral else {"message": shown}),
        "state": {"values": {}},
        "response_url": url,
        "actions": [{**button, "block_id": "b1", "action_ts": shown["ts"]}],
    }
