"""`POST /api/messages`: where Teams delivers, and what it is told.

A message is answered 200 only once it is stored; a turn that was not stored is a 503 and Teams sends
it again. A press of a button gets its answer at once. Built by `adapter`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from botbuilder.core import CloudAdapterBase, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from adapters.teams.auth import DeskAuthentication, KeysUnavailable, Refused
from adapters.teams.cards import spoken
from adapters.teams.connector import is_loopback, is_loopback_address
from adapters.teams.inbound import CARD_ACTION, Profile, command_of, tenant_of, to_message
from triage.errors import TurnError
from triage.model import Ignored, Message
from triage.ports import Intake, Receipt

log = logging.getLogger("deskbell.teams")

BODY_LIMIT = 1_000_000
"""Bytes; Teams' own limit for an activity is far below."""
BODY_SECONDS = 10
"""In which a body must have come: Teams itself waits fifteen for the answer."""
CARD_MESSAGE = "application/vnd.microsoft.activity.message"

Json = dict[str, Any]
Sentence = Callable[[str | None], str]
"""What to tell someone whose press was not stored, in the language of a locale such as `ko-KR`."""
People = Callable[[Json], Awaitable[dict[str, Profile]]]
"""Who the ids in an activity are; raises TurnError while that cannot be said."""


class DeskAdapter(CloudAdapterBase):  # type: ignore[misc]  # the SDK has no types
    """botbuilder's pipeline, with every failed authentication told apart from a failed turn."""

    def __init__(self, authentication: DeskAuthentication) -> None:
        super().__init__(authentication)

    async def receive(self, header: str, activity: Activity, turn: Callable[[TurnContext], Awaitable[None]]) -> Any:
        """The turn's InvokeResponse, if any. Raises Refused, KeysUnavailable, or what the turn raises."""
        result = await self.bot_framework_authentication.authenticate_request(activity, header)
        return await self.process_activity(result, activity, turn)


class Endpoint:
    """`handle` serves a Starlette route; `allows` says which tenants may speak to the desk at all."""

    def __init__(
        self,
        adapter: DeskAdapter,
        intake: Intake,
        *,
        people: People,
        retry_text: Sentence,
        done_text: Sentence,
        allows: Callable[[str], bool],
        unauthenticated: bool,
    ) -> None:
        self._adapter = adapter
        self._intake = intake
        self._people = people
        self._retry_text = retry_text
        self._done_text = done_text
        self._allows = allows
        self._unauthenticated = unauthenticated

    async def handle(self, request: Request) -> Response:
        payload = await _payload(request)
        activity = _envelope(payload)
        if payload is None or activity is None:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        if self._unauthenticated and not _is_local(request, activity):
            log.warning("refused: without authentication only local clients are served")
            return Response(status_code=HTTPStatus.FORBIDDEN)
        return await self._answer(request.headers.get("authorization", ""), activity, payload)

    async def _answer(self, header: str, activity: Activity, payload: Json) -> Response:
        async def turn(context: TurnContext) -> None:
            response = await self._turn(payload)
            if activity.type == ActivityTypes.invoke:
                await context.send_activity(Activity(type=ActivityTypes.invoke_response, value=response))
            elif response.status >= HTTPStatus.BAD_REQUEST:
                raise _Failed(response.status)

        try:
            response = await self._adapter.receive(header, activity, turn)
        except Refused as error:
            log.warning("refused: %s", error)
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        except KeysUnavailable as error:
            log.error("no keys to check requests with: %s", error)
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        except _Failed as failed:
            return Response(status_code=failed.status)
        return _http(response)

    async def _turn(self, payload: Json) -> InvokeResponse:
        """The answer to an invoke; of a message only its status counts."""
        if not self._allows(tenant_of(payload)):
            log.warning("refused: the tenant %r is not served", tenant_of(payload))
            return InvokeResponse(status=HTTPStatus.FORBIDDEN)
        if payload["type"] == ActivityTypes.invoke and command_of(payload) is None:
            return _unknown_invoke(payload)
        try:
            message = to_message(payload, await self._known(payload))
            if isinstance(message, Ignored):
                log.debug("ignored: %s", message.reason)
                return InvokeResponse(status=HTTPStatus.OK)
            return self._acknowledged(payload, await self._intake(message))
        except TurnError as error:
            log.warning("not stored: %s", error)
            return self._not_stored(payload)

    async def _known(self, payload: Json) -> dict[str, Profile]:
        relevant = isinstance(to_message(payload), Message) and not self._unauthenticated
        return await self._people(payload) if relevant else {}

    def _not_stored(self, payload: Json) -> InvokeResponse:
        if payload["type"] != ActivityTypes.invoke:
            return InvokeResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)
        return _card_message(self._retry_text(_locale(payload)))

    def _acknowledged(self, payload: Json, receipt: Receipt) -> InvokeResponse:
        """Clients show an empty bar for an answer without words; the card's update comes through the outbox."""
        return _card_message(spoken(receipt.ack) if receipt.ack else self._done_text(_locale(payload)))


class _Failed(Exception):
    """A message, other than an invoke, has no response of its own: only a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _locale(payload: Json) -> str | None:
    locale = payload.get("locale")
    return locale if isinstance(locale, str) else None


def _card_message(text: str) -> InvokeResponse:
    body = {"statusCode": int(HTTPStatus.OK), "type": CARD_MESSAGE, "value": text}
    return InvokeResponse(status=HTTPStatus.OK, body=body)


def _unknown_invoke(payload: Json) -> InvokeResponse:
    malformed = payload.get("name") == CARD_ACTION
    return InvokeResponse(status=HTTPStatus.BAD_REQUEST if malformed else HTTPStatus.NOT_IMPLEMENTED)


def _http(response: InvokeResponse | None) -> Response:
    if response is None:
        return Response(status_code=HTTPStatus.OK)
    if response.body is None:
        return Response(status_code=response.status)
    return JSONResponse(response.body, status_code=response.status)


# --- the request ---------------------------------------------------------------------------------
async def _payload(request: Request) -> Json | None:
    """The body as a JSON object, None when it is not one (or far too large)."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_LIMIT:
                    return None
        payload = json.loads(body)
    except (ValueError, RecursionError, ClientDisconnect, TimeoutError):
        return None
    return payload if isinstance(payload, dict) else None


def _envelope(payload: Json | None) -> Activity | None:
    """What botbuilder has to know of an activity; the rest is read from the JSON itself."""
    if payload is None:
        return None
    names = {"type": "type", "id": "id", "service_url": "serviceUrl", "channel_id": "channelId"}
    values = {name: payload.get(key) for name, key in names.items()}
    if not values["type"] or not all(value is None or isinstance(value, str) for value in values.values()):
        return None
    return Activity(**values)


PASSED_ON = frozenset({"forwarded", "origin", "via", "x-real-ip"})
"""Headers, besides X-Forwarded-*, of what a proxy passed on or a web page sent."""


def _is_local(request: Request, activity: Activity) -> bool:
    """Nothing between us and a client on this machine, and no web page behind it."""
    foreign = any(name in PASSED_ON or name.startswith("x-forwarded-") for name in request.headers)
    peer = request.client.host if request.client else ""
    return not foreign and is_loopback_address(peer) and is_loopback(activity.service_url or "")
