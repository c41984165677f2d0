"""Whose browser this is: a signed cookie that ends, on its own or for want of use.

`adapters.web.guard` reads and writes it; a page asks `session_of` its request. Nothing is stored but in
the cookie, save when a session with an open page was last in use. Whatever was not signed here, has ended
or was meant for another installation is no error: its browser begins a new session.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

IDLE = 8 * 3_600
"""Seconds after which a session without a request and without an open page has ended."""
LONGEST = 7 * 24 * 3_600
"""Seconds after which a session has ended, however much it is used."""
RENEWED = 60
"""Seconds of use after which the cookie is written anew."""
REMEMBERED = 10_000
"""Sessions of which is known when a page of theirs was last open."""
SCOPE = "deskbell.session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`began` and `seen` (last in use) are seconds since 1970."""

    id: str
    began: int
    seen: int


class Sessions:
    """`keys` sign, the newest first; with the others older cookies are still read, so that a key can be changed.

    `secure`: people reach the pages by https, and the cookie travels no other way.
    """

    def __init__(self, keys: Sequence[str], *, secure: bool = False, now: Callable[[], float] = time.time) -> None:
        self._serializer = URLSafeSerializer(
            list(reversed(keys)), salt="deskbell.session", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._secure = secure
        self._now = now
        self._used: OrderedDict[str, int] = OrderedDict()

    def name(self, port: int | None) -> str:
        """Of the cookie; by port, since browsers give every port of this machine the same cookies."""
        return "__Host-deskbell" if self._secure else f"deskbell-{port or 0}"

    def begin(self) -> Session:
        now = int(self._now())
        return Session(id=secrets.token_urlsafe(18), began=now, seen=now)

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None unless it was signed here and lasts still."""
        try:
            written = self._serializer.loads(cookie)
        except BadData:
            return None
        match written:
            case [str(id), int(began), int(seen)]:
                session = Session(id=id, began=began, seen=max(seen, self._used.get(id, 0)))
                return session if self.lasts(session) else None
            case _:
                return None

    def lasts(self, session: Session) -> bool:
        """Whether it has not ended; one from the future has."""
        now = self._now()
        seen = max(session.seen, self._used.get(session.id, 0))
        return 0 <= now - session.began < LONGEST and now - seen < IDLE

    def use(self, session: Session) -> None:
        """It is in use now, though no cookie can be written."""
        self._used[session.id] = int(self._now())
        self._used.move_to_end(session.id)
        if len(self._used) > REMEMBERED:
            self._used.popitem(last=False)

    def renewed(self, session: Session) -> Session | None:
        """The session as the cookie should tell it from now on; None while the cookie is fresh enough."""
        now = int(self._now())
        return replace(session, seen=now) if now - session.seen > RENEWED else None

    def header(self, session: Session, port: int | None) -> str:
        """The value of `Set-Cookie`. The browser forgets it when it is closed; when it ends is said by us alone."""
        value = self._serializer.dumps([session.id, session.began, session.seen])
        text = value if isinstance(value, str) else value.decode()
        secure = "; Secure" if self._secure else ""
        return f"{self.name(port)}={text}; Path=/; HttpOnly; SameSite=Lax{secure}"


def session_of(scope: Mapping[str, Any]) -> Session | None:
    """The session that a guarded request or socket belongs to."""
    found = scope.get(SCOPE)
    return found if isinstance(found, Session) else None
