"""Slack's error strings become what to do next."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.errors import translate
from triage.errors import CannotWhisper, GiveUp, TryLater


def refused(error: str, *, status: int = 200, headers: dict[str, str] | None = None) -> SlackApiError:
    response = AsyncSlackResponse(
        client=AsyncWebClient(token="xoxb-1"),
        http_verb="POST",
        api_url="https://slack.com/api/chat.postMessage",
        req_args={},
        data={"ok": False, "error": error} if error else {},
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError("refused", response)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "error", ["channel_not_found", "is_archived", "msg_too_long", "invalid_blocks", "brand_new_error"]
)
def test_what_slack_refuses_for_good_is_given_up(error: str) -> None:
    """The error's name is in the reason, for whoever looks it up."""
    found = translate(refused(error))
    assert (type(found), error in str(found)) == (GiveUp, True)


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "service_unavailable", "request_timeout"])
def test_slacks_own_trouble_is_waited_out(error: str) -> None:
    """It is nobody's fault here."""
    assert isinstance(translate(refused(error)), TryLater)


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "missing_scope", "account_inactive"])
def test_what_an_admin_can_repair_waits_for_the_repair(error: str) -> None:
    """The message itself is fine, so it is kept."""
    assert isinstance(translate(refused(error)), TryLater)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("0", 1), ("soon", 1), (None, 1)])
def test_a_429_says_how_long_to_wait(header: str | None, seconds: int) -> None:
    """For the whole bucket; at least a second."""
    headers = {} if header is None else {"Retry-After": header}
    found = translate(refused("ratelimited", status=429, headers=headers))
    assert isinstance(found, TryLater)
    assert (found.delay, found.bucket_wide) == (timedelta(seconds=seconds), True)


def test_only_a_429_slows_the_whole_bucket() -> None:
    """Other trouble concerns one message."""
    found = translate(refused("internal_error"))
    assert isinstance(found, TryLater)
    assert not found.bucket_wide


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failing_server_is_tried_later(status: int) -> None:
    """Whatever the body says."""
    assert isinstance(translate(refused("", status=status)), TryLater)


@pytest.mark.parametrize(
    "error", [TimeoutError(), aiohttp.ServerDisconnectedError(), ConnectionResetError(), ValueError()]
)
def test_the_networks_errors_are_tried_later(error: Exception) -> None:
    """Nothing is known about the message then."""
    assert isinstance(translate(error), TryLater)


@pytest.mark.parametrize("error", ["user_not_in_channel", "channel_not_found", "not_in_channel"])
def test_where_nothing_can_be_private_a_direct_message_may(error: str) -> None:
    """Only this place forbids it."""
    assert isinstance(translate(refused(error), whisper=True), CannotWhisper)


def test_a_private_message_that_is_itself_wrong_is_given_up() -> None:
    """A direct message would be refused as well."""
    assert type(translate(refused("invalid_blocks"), whisper=True)) is GiveUp
