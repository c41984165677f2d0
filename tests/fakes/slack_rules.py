"""What Slack refuses: arguments it does not know, blocks beyond its limits, methods without a scope.

Used by `slack_methods`. The tables are written from Slack's reference, not from our adapter, so that
the adapter cannot agree with itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

MANIFEST = Path(__file__).parents[2] / "manifest.yaml"

SEND = {"channel", "text", "blocks", "attachments", "thread_ts", "as_user", "icon_emoji", "icon_url", "link_names"}
SEND |= {"username", "parse", "markdown_text"}
PAGE = {"channel", "cursor", "inclusive", "include_all_metadata", "latest", "limit", "oldest"}

ARGUMENTS: Mapping[str, set[str]] = {
    "auth.test": set(),
    "apps.connections.open": set(),
    "bots.info": {"bot", "team_id"},
    "users.info": {"user", "include_locale"},
    "conversations.info": {"channel", "include_locale", "include_num_members"},
    "conversations.open": {"channel", "users", "return_im", "prevent_creation"},
    "conversations.history": PAGE,
    "conversations.replies": PAGE | {"ts"},
    "chat.postMessage": SEND | {"metadata", "mrkdwn", "reply_broadcast", "unfurl_links", "unfurl_media"},
    "chat.postEphemeral": SEND | {"user"},
    "chat.update": (SEND | {"ts", "metadata", "file_ids", "reply_broadcast"}) - {"thread_ts", "username"},
    "chat.delete": {"channel", "ts", "as_user"},
    "chat.getPermalink": {"channel", "message_ts"},
}

SCOPES: Mapping[str, str] = {
    "bots.info": "users:read",
    "users.info": "users:read",
    "conversations.open": "im:write",
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
}
BY_CHANNEL: Mapping[str, str] = {
    "conversations.info": "read",
    "conversations.history": "history",
    "conversations.replies": "history",
}
"""Methods whose scope depends on the kind of channel: `channels:read`, `im:history` …"""
FAMILY = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}

KNOWN_BLOCKS = {"actions", "context", "divider", "header", "image", "markdown", "rich_text", "section"}
BLOCKS, CHARACTERS, TEXT, FIELD = 50, 13_200, 40_000, 2_000


def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(MANIFEST.read_text(encoding="utf-8"))
    return loaded


def granted() -> frozenset[str]:
    """The bot scopes of manifest.yaml."""
    return frozenset(manifest()["oauth_config"]["scopes"]["bot"])


def needed(method: str, kind: str | None) -> str | None:
    """The scope a call needs; `kind` is that of its channel, if it names one."""
    if method in BY_CHANNEL and kind:
        return f"{FAMILY[kind]}:{BY_CHANNEL[method]}"
    return SCOPES.get(method)


def refuse_content(text: str | None, blocks: list[dict[str, Any]] | None) -> str | None:
    """Slack's error for a message's text and blocks, or None."""
    if not text and not blocks:
        return "no_text"
    if text and len(text) > TEXT:
        return "msg_too_long"
    return refuse_blocks(blocks) if blocks else None


def refuse_blocks(blocks: list[dict[str, Any]]) -> str | None:
    if len(json.dumps(blocks, ensure_ascii=False)) > CHARACTERS:
        return "msg_blocks_too_long"
    if len(blocks) > BLOCKS or any(block.get("type") not in KNOWN_BLOCKS for block in blocks):
        return "invalid_blocks"
    try:
        for block in Block.parse_all(blocks):
            block.validate_json()
    except SlackObjectFormationError:
        return "invalid_blocks"
    return "invalid_blocks" if any(map(_malformed, blocks)) or _doubled(blocks) else None


def _malformed(block: dict[str, Any]) -> bool:
    """What the SDK's models let through and Slack does not."""
    texts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
    for text in (text for text in texts if isinstance(text, dict) and text.get("type") in ("mrkdwn", "plain_text")):
        limit = FIELD if text in block.get("fields", []) else 3_000
        if not 1 <= len(text.get("text", "")) <= limit or ("emoji" in text and text["type"] == "mrkdwn"):
            return True
    buttons = [element for element in block.get("elements", []) if element.get("type") == "button"]
    return (block["type"] in ("actions", "context") and not block.get("elements")) or any(map(_bad_button, buttons))


def _bad_button(button: dict[str, Any]) -> bool:
    label = button.get("text", {})
    return label.get("type") != "plain_text" or not label.get("text") or button.get("style") == "default"


def _doubled(blocks: list[dict[str, Any]]) -> bool:
    ids = [
        element.get("action_id") for block in blocks for element in block.get("elements", []) if "action_id" in element
    ]
    return len(ids) != len(set(ids))
