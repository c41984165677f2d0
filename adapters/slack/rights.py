"""What this adapter asks Slack for: each Web API method and event, with the bot scopes it needs.

manifest.yaml must list exactly these (a test compares them), and the fake Slack of the tests
refuses any method that is not covered. Nothing else reads this table.
"""

from __future__ import annotations

from types import MappingProxyType

HISTORY = frozenset({"channels:history", "groups:history", "im:history", "mpim:history"})

METHODS = MappingProxyType(
    {
        "auth.test": frozenset[str](),
        "bots.info": frozenset({"users:read"}),
        "users.info": frozenset({"users:read"}),
        "conversations.info": frozenset({"channels:read", "groups:read", "mpim:read"}),
        "conversations.open": frozenset({"im:write"}),
        "conversations.history": HISTORY,
        "conversations.replies": HISTORY,
        "chat.postMessage": frozenset({"chat:write"}),
        "chat.postEphemeral": frozenset({"chat:write"}),
        "chat.update": frozenset({"chat:write"}),
    }
)
"""`apps.connections.open` is missing on purpose: it takes the app-level token (`connections:write`)."""

EVENTS = MappingProxyType(
    {
        "app_mention": "app_mentions:read",
        "message.channels": "channels:history",
        "message.groups": "groups:history",
        "message.im": "im:history",
        "message.mpim": "mpim:history",
    }
)

SCOPES = frozenset[str]().union({"commands"}, EVENTS.values(), *METHODS.values())
