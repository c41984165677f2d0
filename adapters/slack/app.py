"""Slack's inbound side: Bolt's app with our listeners, over HTTP and over Socket Mode.

Built by `adapters.slack.adapter`. The one rule of this module: nothing is acknowledged that was not
committed. Bolt breaks it in several ways of its own, each closed here:

- it acknowledges events before the listener ran, unless `process_before_response`;
- it calls `auth.test` while Slack waits, and on failure answers 200 "please reinstall": we bring our
  own authorisation, and answer 503 until it is known;
- `SLACK_CLIENT_ID` and `SLACK_CLIENT_SECRET` in the environment switch it to OAuth: it is built blind;
- it answers 404 to events nobody listens to, and Slack disables endpoints that fail: there is a
  catch-all;
- it parses before it verifies, and answers malformed bodies and headers with 500: the signature is
  checked here, over the raw bytes, before anything reads them;
- a header from outside (`X-Slack-Bolt-Lazy-Only`) skips the listener: only Slack's own are let in.

Events over HTTP, which are nearly all that comes, are read without Bolt's dispatch: of its authorisation, contexts and
clients they need nothing, and it takes as long as all the rest of their way to the desk. What they mean is said once,
in `_event`, for HTTP and for Bolt's listener, which hears them over Socket Mode.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import slack_bolt.app.async_app as bolt_module
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.slack import inbound
from adapters.slack.directory import Directory
from adapters.slack.identity import Bot
from adapters.slack.port import respond
from triage.errors import DeliveryError, TurnError
from triage.model import Ignored, Message
from triage.ports import Intake

LARGEST_BODY = 1_000_000
"""Bytes; Slack's own payloads are far smaller."""
BODY_SECONDS = 10
"""In which a body must have come: Slack itself waits three seconds for the answer."""

APOLOGY_SECONDS = 0.8
"""For the apology to a button: with the turn's two seconds it fits into Slack's three."""

SLACK_HEADERS = frozenset(
    {
        "content-type",
        "x-slack-signature",
        "x-slack-request-timestamp",
        "x-slack-retry-num",
        "x-slack-retry-reason",
    }
)

Busy = Callable[[str | None], str]
"""The sentence for "nothing was saved, try again", for a locale such as `ko-KR`."""

Full = Callable[[], bool]
"""Whether the desk has more to do than it can, so that what asks, and comes again, is turned away until later."""

Overhears = Callable[[Message], bool]
"""Whether a message is surely talk of people among themselves, of which nothing is to be done."""

_Read = Callable[[inbound.Known], Message | Ignored]
_logger = logging.getLogger("deskbell.slack")


class SlackApp:
    """`bot` answers None until Slack has told who the bot is; until then nothing is accepted."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        signing_secret: str | None,
        bot: Callable[[], Bot | None],
        directory: Directory,
        intake: Intake,
        busy: Busy,
        full: Full = lambda: False,
        overhears: Overhears = lambda _: False,
    ) -> None:
        self._client = client
        self._bot = bot
        self._directory = directory
        self._intake = intake
        self._busy = busy
        self._full = full
        self._overhears = overhears
        self._verifier = SignatureVerifier(signing_secret) if signing_secret else None
        self.bolt = _build(self._authorize)
        self._listen()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The address as an ASGI application."""
        answer = await self.handle(Request(scope, receive))
        await answer(scope, receive, send)

    async def handle(self, request: Request) -> Response:
        """`POST /slack/events`: 200 once committed, 4xx for what Slack did not send so, 503 to be asked again."""
        if self._bot() is None or (_comes_again(request) and self._full()):
            return Response(status_code=503)
        try:
            body = await _body(request)
        except (ClientDisconnect, TimeoutError):
            return Response(status_code=408)
        if body is None:
            return Response(status_code=413)
        headers = {name: value for name, value in request.headers.items() if name in SLACK_HEADERS}
        try:
            text = body.decode()
            if not self._is_genuine(text, headers):
                return Response(status_code=401)
            parsed = _callback(text) or AsyncBoltRequest(body=text, headers=dict(headers))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return Response(status_code=400)
        if isinstance(parsed, dict):
            return Response(status_code=await self._heard(parsed, _retry(headers.get("x-slack-retry-num", ""))))
        try:
            answer = await self.bolt.async_dispatch(parsed)
        except Exception as error:  # Bolt outside our listeners, on a payload of a form it does not know
            _logger.exception("a payload cannot be read: %s", type(error).__name__)
            return Response(status_code=503)
        return Response(answer.body, status_code=answer.status, headers=answer.first_headers_without_set_cookie())

    async def close(self) -> None:
        """Ask nothing more about people and channels."""
        await self._directory.close()

    def _is_genuine(self, body: str, headers: dict[str, str]) -> bool:
        """Whether Slack signed this in the last five minutes; the check fails on what is not ASCII."""
        timestamp, signature = (headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature"))
        if self._verifier is None or not re.fullmatch(r"[0-9]{1,15}", timestamp) or not signature.isascii():
            return False
        return self._verifier.is_valid(body, timestamp, signature)

    async def _heard(self, event: dict[str, Any], retry: int) -> int:
        """The HTTP status for an event."""
        try:
            await self._event(event, retry)
        except Exception as error:  # noqa: BLE001 - a turn that failed, or a payload of a form that is not known
            return (await self._failed(error, event)).status
        return 200

    async def _event(self, body: dict[str, Any], retry: int) -> None:
        await self._take(body, lambda known: inbound.from_event(body, self._known_bot, known, retry=retry))

    def _listen(self) -> None:
        """Bolt injects by parameter name, so the listeners are plain functions."""

        async def event(body: dict[str, Any], request: AsyncBoltRequest, ack: AsyncAck) -> None:
            await self._event(body, _retry(request.headers.get("x-slack-retry-num", [""])[0]))
            await ack()

        async def command(body: dict[str, Any], ack: AsyncAck) -> None:
            await self._take(body, lambda known: inbound.from_command(body, self._known_bot, known))
            await ack()

        async def action(body: dict[str, Any], ack: AsyncAck) -> None:
            await self._take(body, lambda known: inbound.from_action(body, self._known_bot, known))
            await ack()

        async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
            return await self._failed(error, body)

        anything = re.compile("")
        self.bolt.event(anything)(event)
        self.bolt.command(anything)(command)
        self.bolt.action(anything)(action)
        self.bolt.error(failed)

    async def _take(self, body: dict[str, Any], read: _Read) -> None:
        """Returns once the message is committed or known to be none of ours."""
        draft = read(inbound.NOTHING)
        if isinstance(draft, Message) and self._overhears(draft):
            return
        message = draft if isinstance(draft, Ignored) else await self._complete(draft, body, read)
        if isinstance(message, Ignored):
            _logger.debug("ignored: %s", message.reason)
        else:
            await self._intake(message)

    async def _complete(self, draft: Message, body: dict[str, Any], read: _Read) -> Message | Ignored:
        """The message again, with what Slack tells about its people and channel."""
        mentioned = [account.user for account in draft.mentions]
        user = draft.sender.account.user
        kind = None if _kind_is_told(body) else self._directory.kind(draft.channel.id)
        profiles, found = await asyncio.gather(
            asyncio.gather(*map(self._directory.profile, dict.fromkeys([user, *mentioned]))), kind or _nothing()
        )
        known = dict(zip(dict.fromkeys([user, *mentioned]), profiles, strict=True))
        names = {user: profile.name for user, profile in known.items() if profile and profile.name}
        message = read(inbound.Known(names=names, kind=found)) if mentioned or found else draft
        profile = known[user]
        if isinstance(message, Ignored) or profile is None:
            return message
        sender = replace(
            message.sender,
            name=profile.name or message.sender.name,
            locale=profile.locale,
            timezone=profile.timezone,
            guest=message.sender.guest or profile.guest,
        )
        return replace(message, sender=sender)

    async def _failed(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Nothing was stored. Events are not acknowledged, so Slack sends them again; people are told first."""
        if isinstance(error, BoltUnhandledRequestError) and error.last_global_middleware_name is None:
            _logger.info("nothing listens to a payload of type %s", body.get("type"))
            return BoltResponse(status=200)
        if not isinstance(error, TurnError):  # those were told of where they were refused
            _logger.warning("a turn failed: %s", type(error).__name__, exc_info=error)
        if "command" in body:
            return BoltResponse(status=200, body=self._apology(body.get("user_id")))
        if body.get("type") == "block_actions" and body.get("response_url"):
            told = await self._apologise(body["response_url"], (body.get("user") or {}).get("id"))
            return BoltResponse(status=200 if told else 503)
        return BoltResponse(status=503)

    def _apology(self, user: str | None) -> dict[str, Any]:
        profile = self._directory.known(user) if user else None
        text = self._busy(profile.locale if profile else None)
        return {"response_type": "ephemeral", "replace_original": False, "text": text}

    async def _apologise(self, url: str, user: str | None) -> bool:
        """Slack shows no text in answer to a button, so it goes to the button's response_url; whether it arrived.

        Without it the button is not acknowledged, and Slack itself shows that it did not work.
        """
        try:
            async with asyncio.timeout(APOLOGY_SECONDS):
                status, _ = await respond(self._client, url, self._apology(user))
        except (DeliveryError, TimeoutError) as error:
            _logger.warning("could not say that a button did not work: %s", error)
            return False
        return status == 200

    def _authorize(self) -> AuthorizeResult:
        bot = self._known_bot
        return AuthorizeResult(
            enterprise_id=None, team_id=bot.team, bot_user_id=bot.user, bot_id=bot.id, bot_token=self._client.token
        )

    @property
    def _known_bot(self) -> Bot:
        bot = self._bot()
        if bot is None:
            raise TurnError("Slack has not told yet who the bot is")
        return bot


def _build(authorize: Callable[[], AuthorizeResult]) -> AsyncApp:
    """Without Bolt's own check of the signature: `handle` made it, and a socket needs none."""

    async def authorized() -> AuthorizeResult:
        return authorize()

    with _blind():
        return AsyncApp(
            name="deskbell",
            logger=_logger,
            authorize=authorized,
            signing_secret="",
            request_verification_enabled=False,
            process_before_response=True,
            raise_error_for_unhandled_request=True,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )


@contextmanager
def _blind() -> Iterator[None]:
    """Bolt's constructor looks into the environment whatever it is given; no argument prevents it."""
    module = vars(bolt_module)
    real = module["os"]
    module["os"] = SimpleNamespace(environ={})
    try:
        yield
    finally:
        module["os"] = real


async def _body(request: Request) -> bytes | None:
    """None when it is too large; raises TimeoutError or ClientDisconnect when it does not come."""
    body = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                return None
    return bytes(body)


def _callback(text: str) -> dict[str, Any] | None:
    """The payload, where it is an event."""
    body = json.loads(text) if text.startswith("{") else None
    return body if body and body.get("type") == "event_callback" else None


def _comes_again(request: Request) -> bool:
    """An event that Slack has not brought for the last time. Whoever pressed or commanded something is told instead."""
    is_event = request.headers.get("content-type", "").startswith("application/json")
    return is_event and _retry(request.headers.get("x-slack-retry-num", "")) < inbound.LAST_RETRY


def _retry(number: str) -> int:
    """Slack's count of retries so far, from its header."""
    return int(number) if number.isdecimal() else 0


def _kind_is_told(body: dict[str, Any]) -> bool:
    """Only an `app_mention` leaves open what kind of channel it came from."""
    event = body.get("event") or {}
    return event.get("type") != "app_mention" or "channel_type" in event


async def _nothing() -> None:
    return None
