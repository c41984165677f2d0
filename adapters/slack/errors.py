"""The Slack SDK's errors as the desk's own, by table. The only place that reads Slack's error strings.

Called by `adapters.slack.port` around every call. What is not in a table is given up: repeating a
call that Slack refuses for a reason of its own does not help.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from triage.errors import CannotWhisper, DeliveryError, GiveUp, TryLater

SDK_ERRORS = (SlackClientError, aiohttp.ClientError, OSError, ValueError, AttributeError)
"""All that the SDK raises for a failed call: OSError holds timeouts, the last two are answers it cannot read."""

SOON, LATER = timedelta(seconds=2), timedelta(seconds=30)

WAIT: Mapping[str, timedelta] = {
    "internal_error": SOON,
    "fatal_error": SOON,
    "service_unavailable": SOON,
    "request_timeout": SOON,
    "external_channel_migrating": LATER,
    "team_added_to_org": LATER,
    "org_login_required": LATER,
}
"""Slack's own trouble: it passes."""

LIMITS = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})

REPAIRS: Mapping[str, str] = {
    "invalid_auth": "Slack refuses the bot token",
    "not_authed": "no bot token was sent",
    "account_inactive": "the app was removed from the workspace or its bot user is deactivated",
    "token_revoked": "the bot token was revoked",
    "token_expired": "the bot token has expired",
    "missing_scope": "the app lacks a scope; install it again from manifest.yaml",
    "no_permission": "the app lacks a permission; install it again from manifest.yaml",
    "ekm_access_denied": "the workspace's administrators have suspended posting",
}
"""An admin can repair it without touching the message, so it waits."""

REFUSALS: Mapping[str, str] = {
    "channel_not_found": "there is no such channel, or it is private and the bot is not in it",
    "not_in_channel": "the bot is not in the channel; invite it",
    "is_archived": "the channel is archived",
    "restricted_action": "the workspace does not let the bot post in this channel",
    "restricted_action_read_only_channel": "the channel is read-only",
    "restricted_action_thread_locked": "the thread is locked",
    "restricted_action_thread_only_channel": "the channel takes replies in threads only",
    "restricted_action_non_threadable_channel": "the channel takes no replies in threads",
    "thread_not_found": "the thread was deleted",
    "message_not_found": "the message was deleted",
    "cant_update_message": "the message is not the bot's own",
    "edit_window_closed": "the workspace does not allow edits after this time",
    "user_not_found": "there is no such person in the workspace",
    "user_not_in_channel": "the person is not in the channel",
    "user_not_visible": "the bot may not see this person",
    "user_disabled": "the person's account is deactivated",
    "users_not_found": "there is no such person in the workspace",
    "cannot_dm_bot": "the account is a bot",
    "messages_tab_disabled": "the app's Messages tab is off; switch it on as in manifest.yaml",
    "access_denied": "Slack denies the bot access",
    "team_access_not_granted": "the app is not granted access to this workspace",
    "invalid_blocks": "Slack refuses the message's blocks",
    "invalid_blocks_format": "Slack refuses the message's blocks",
    "msg_too_long": "the message is too long",
    "msg_blocks_too_long": "the message is too long",
    "no_text": "the message is empty",
    "metadata_too_large": "the message's metadata is too large",
}

NOT_IN_PLACE = frozenset(
    {
        "user_not_in_channel",
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "user_not_found",
        "user_not_visible",
        "messages_tab_disabled",
        "restricted_action",
        "restricted_action_read_only_channel",
        "thread_not_found",
    }
)
"""Why a private message cannot be shown here, though a direct one may still arrive."""


def translate(error: Exception, *, whisper: bool = False) -> DeliveryError:
    """The error to raise instead; with `whisper`, what only this place forbids is `CannotWhisper`."""
    if not isinstance(error, SlackApiError):
        return TryLater(f"Slack cannot be reached ({type(error).__name__})", delay=SOON)
    status, code = _status(error.response), _code(error.response)
    if status == 429 or code in LIMITS:
        return TryLater("Slack asks to slow down", delay=retry_after(error.response.headers), bucket_wide=True)
    if code in WAIT or not code or status >= 500:
        return TryLater(f"Slack has trouble ({code or status})", delay=WAIT.get(code, SOON))
    if code in REPAIRS:
        return TryLater(f"{REPAIRS[code]} ({code})", delay=LATER)
    refusal = CannotWhisper if whisper and code in NOT_IN_PLACE else GiveUp
    return refusal(f"{REFUSALS.get(code, 'Slack refuses the call')} ({code})")


def retry_after(headers: Mapping[str, str]) -> timedelta:
    """The wait that a 429 asks for, at least a second."""
    value = headers.get("Retry-After", "")
    return timedelta(seconds=max(int(value), 1) if value.isdecimal() else 1)


def _status(response: Any) -> int:
    """The SDK gives its own response, or aiohttp's when it could not read the body."""
    return int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)


def _code(response: Any) -> str:
    data = getattr(response, "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""
