"""Whether a request really comes from Teams: the check of its token, in place of botbuilder's own.

botbuilder 4.17 answers 500 to most forged tokens, takes tokens that never expire, fetches keys on
the event loop and loses its way when Microsoft rotates them; so this module takes its place behind
the SDK's own interface. Called by `endpoint`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
from botbuilder.schema import Activity
from botframework.connector.auth import (
    AuthenticateRequestResult,
    BotFrameworkAuthentication,
    ClaimsIdentity,
    ConnectorFactory,
)

from adapters.teams.credentials import Settings

CHANNEL = "msteams"
LEEWAY = 300
"""Seconds that the clocks of Microsoft and of this machine may differ."""
KEYS_AGE = 24 * 3600
"""Seconds after which the signing keys are fetched anew."""
KEYS_PAUSE = 60
"""Seconds between two fetches at least, whatever key ids strangers invent."""
FIRST_PAUSE = 5
"""The same while there are no keys at all."""
KEYS_TIMEOUT = aiohttp.ClientTimeout(total=5)

Clock = Callable[[], float]
"""Seconds of a monotonic clock."""


class Refused(Exception):
    """The request is not proven to come from Teams."""


class KeysUnavailable(Exception):
    """There is no key to check any token with."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`endorsements` are the channels whose requests this key may sign; none means any."""

    key: jwt.PyJWK
    endorsements: tuple[str, ...] = ()


class KeyRing:
    """The signing keys published under an OpenID metadata URL, by key id."""

    def __init__(self, url: str, session: Callable[[], aiohttp.ClientSession], clock: Clock) -> None:
        self._url = url
        self._session = session
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def loaded(self) -> bool:
        return bool(self._keys)

    async def find(self, id: str) -> SigningKey:
        """Raises Refused for an unknown key, KeysUnavailable while nobody can say what is known.

        That is before the first fetch, and for an unknown key after one that failed: it may be new.
        """
        if id not in self._keys or self._clock() - self._fetched_at > KEYS_AGE:
            async with self._lock:
                if id not in self._keys or self._clock() - self._fetched_at > KEYS_AGE:
                    await self.refresh()
        if not self._keys or (id not in self._keys and self._tried_at > self._fetched_at):
            raise KeysUnavailable(self._url)
        if id not in self._keys:
            raise Refused(f"signed with the unknown key {id!r}")
        return self._keys[id]

    async def refresh(self) -> None:
        """Fetch the keys unless that was just tried; when it fails, the old ones stay."""
        if self._clock() - self._tried_at < (KEYS_PAUSE if self._keys else FIRST_PAUSE):
            return
        self._tried_at = self._clock()
        try:
            metadata = await self._get(self._url)
            published = (await self._get(metadata["jwks_uri"]))["keys"]
            self._keys = {key["kid"]: _signing_key(key) for key in published if key.get("kty") == "RSA"}
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError):
            return
        self._fetched_at = self._tried_at

    async def _get(self, url: str) -> Any:
        async with self._session().get(url, timeout=KEYS_TIMEOUT, raise_for_status=True) as answer:
            return json.loads(await answer.read())


def _signing_key(key: dict[str, Any]) -> SigningKey:
    return SigningKey(jwt.PyJWK(key, algorithm="RS256"), tuple(key.get("endorsements") or ()))


class DeskAuthentication(BotFrameworkAuthentication):  # type: ignore[misc]  # the SDK has no types
    """Checks signature, issuer, audience, expiry, channel and service URL of a request's token."""

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self._settings = settings
        self._keys = keys

    async def authenticate_request(self, activity: Activity, auth_header: str) -> AuthenticateRequestResult:
        """Raises Refused or KeysUnavailable, nothing else."""
        result = AuthenticateRequestResult()
        result.connector_factory = _Silence()
        if self._settings.unauthenticated:
            result.claims_identity = ClaimsIdentity({}, True, "anonymous")
            return result
        try:
            claims = await self._claims(auth_header)
        except (Refused, KeysUnavailable):
            raise
        except Exception as error:  # whatever a token makes the libraries raise, it is refused
            raise Refused(repr(error)) from error
        _check_origin(activity, claims)
        result.claims_identity = ClaimsIdentity(claims, True)
        return result

    async def _claims(self, header: str) -> dict[str, Any]:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused("no bearer token")
        key = await self._keys.find(str(jwt.get_unverified_header(token).get("kid", "")))
        if key.endorsements and CHANNEL not in key.endorsements:
            raise Refused("the key may not sign for Teams")
        return jwt.decode(
            token,
            key.key,
            algorithms=["RS256"],
            audience=self._settings.app_id,
            issuer=self._settings.issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud"]},
        )

    async def authenticate_streaming_request(self, auth_header: str, channel_id_header: str) -> Any:
        raise Refused("streaming is not spoken here")

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:
        return _Silence()

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        """No one signs in through the bot, so a turn gets no such client."""


def _check_origin(activity: Activity, claims: dict[str, Any]) -> None:
    """Other channels (Web Chat, Direct Line) let the caller name himself: only Teams vouches for people."""
    if activity.channel_id != CHANNEL:
        raise Refused(f"from the channel {activity.channel_id!r}")
    if not activity.service_url or claims.get("serviceurl") != activity.service_url:
        raise Refused("the token names another service URL")


class _Silence(ConnectorFactory):  # type: ignore[misc]  # the SDK has no types
    """A turn says nothing by itself: replies go through the outbox, so it gets no client that could speak."""

    async def create(self, service_url: str, audience: str | None = None) -> object:
        return object()
