"""Who a `29:…` id is: the Entra object id that desk.yaml knows, and whether they are a guest.

Activities leave out both more often than not, and a guest taken for an employee would read what is
not theirs; so a sender is looked up once a day. Called by `endpoint` before a message is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.teams.connector import Connector
from adapters.teams.inbound import Profile, conversation_of, people_in, tenant_of
from triage.errors import GiveUp, TryLater, Unavailable

Json = Mapping[str, Any]

MEMORY = 24 * 3600
"""Seconds for which a person is remembered."""
MOST = 20_000
"""People remembered at most."""


class Roster:
    def __init__(self, connector: Connector, clock: Callable[[], float]) -> None:
        self._connector = connector
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Profile]] = {}

    async def people(self, activity: Json) -> dict[str, Profile]:
        """The people an activity speaks of, by their `29:…` id.

        Raises Unavailable while Teams cannot say: taking the message anyway would guess at rights.
        """
        return {id: await self._profile(activity, id) for id in dict.fromkeys(people_in(activity))}

    async def _profile(self, activity: Json, id: str) -> Profile:
        place = tenant_of(activity)
        since, profile = self._known.get((place, id), (float("-inf"), None))
        if profile is None or self._clock() - since > MEMORY:
            profile = await self._fetch(activity, place, id)
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[place, id] = (self._clock(), profile)
        return profile

    async def _fetch(self, activity: Json, place: str, id: str) -> Profile:
        path = ("conversations", conversation_of(activity), "members", id)
        try:
            member = await self._connector.call("GET", str(activity.get("serviceUrl")), *path)
        except TryLater as error:
            raise Unavailable(f"the roster cannot be read: {error}") from error
        except GiveUp:
            return Profile(user=id, guest=True)
        return _profile(member if isinstance(member, Mapping) else {}, place, id)


def _profile(member: Json, place: str, id: str) -> Profile:
    """A member of the conversation; one who is of no tenant, or another one, is a guest too."""
    user = member.get("aadObjectId") or member.get("objectId")
    tenant = member.get("tenantId") or place
    guest = member.get("userRole") in ("guest", "anonymous") or tenant != place or not user
    return Profile(user=str(user or id), guest=guest)
