"""A cookie says whose browser it is, for as long as its session lasts and to nobody but its maker."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest
from itsdangerous import URLSafeSerializer

from adapters.web.sessions import IDLE, LONGEST, REMEMBERED, RENEWED, Session, Sessions

KEY, OLDER = "k" * 32, "o" * 32


@dataclass
class Hours:
    """A clock that the test moves on."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hours() -> Hours:
    return Hours()


def _value(sessions: Sessions, session: Session) -> str:
    return sessions.header(session, 3000).partition("=")[2].partition(";")[0]


def test_a_cookie_is_read_as_it_was_written(hours: Hours) -> None:
    """The same session, from a second process with the same key too."""
    sessions = Sessions([KEY], now=hours)
    session = sessions.begin()
    assert Sessions([KEY], now=hours).read(_value(sessions, session)) == session


def test_every_session_is_another(hours: Hours) -> None:
    """And cannot be guessed from the time it began."""
    sessions = Sessions([KEY], now=hours)
    assert len({sessions.begin().id for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize("at", range(0, 100, 7))
def test_a_changed_cookie_is_none(hours: Hours, at: int) -> None:
    """Whichever character was changed."""
    sessions = Sessions([KEY], now=hours)
    cookie = _value(sessions, sessions.begin())
    at %= len(cookie)
    changed = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
    assert sessions.read(changed) is None


@pytest.mark.parametrize(
    "cookie", ["", ".", "x", "null", "..", "a.b", "\x00", "é", "W10.x", "." * 5_000, "W10.AAAAAAAAAAAAAAAAAAAAAAAAAAA"]
)
def test_what_is_no_cookie_of_ours_is_none(hours: Hours, cookie: str) -> None:
    """And raises nothing."""
    assert Sessions([KEY], now=hours).read(cookie) is None


def test_another_installations_cookie_is_none(hours: Hours) -> None:
    """Signed well, with another key."""
    foreign = Sessions([OLDER], now=hours)
    assert Sessions([KEY], now=hours).read(_value(foreign, foreign.begin())) is None


@pytest.mark.parametrize("said", [[], ["id"], ["id", "1", "2"], {"id": 1}, "id", 7, None, ["id", 1, 2, 3]])
def test_a_signed_value_of_another_form_is_none(hours: Hours, said: object) -> None:
    """Of an older or newer release."""
    foreign = URLSafeSerializer(KEY, salt="deskbell.session", signer_kwargs={"digest_method": hashlib.sha256})
    cookie = foreign.dumps(said)
    assert Sessions([KEY], now=hours).read(str(cookie)) is None


def test_a_key_can_be_changed_without_ending_sessions(hours: Hours) -> None:
    """The newest signs, the others are still believed, and what was taken off the list is not."""
    older = Sessions([OLDER], now=hours)
    session = older.begin()
    both = Sessions([KEY, OLDER], now=hours)
    assert both.read(_value(older, session)) == session
    assert Sessions([KEY], now=hours).read(_value(both, session)) == session
    assert Sessions([KEY], now=hours).read(_value(older, session)) is None


def test_a_session_ends_for_want_of_use(hours: Hours) -> None:
    """Eight hours after it was last in use."""
    sessions = Sessions([KEY], now=hours)
    cookie = _value(sessions, sessions.begin())
    hours.now += IDLE - 1
    assert sessions.read(cookie)
    hours.now += 1
    assert sessions.read(cookie) is None


def test_an_open_page_is_use(hours: Hours) -> None:
    """Though no cookie could be written meanwhile."""
    sessions = Sessions([KEY], now=hours)
    session = sessions.begin()
    cookie = _value(sessions, session)
    for _ in range(20):
        hours.now += IDLE / 2
        assert sessions.lasts(session)
        sessions.use(session)
    assert sessions.read(cookie)


def test_a_session_ends_however_much_it_is_used(hours: Hours) -> None:
    """A week after it began; whoever took the cookie cannot keep it alive."""
    sessions = Sessions([KEY], now=hours)
    session = sessions.begin()
    while hours.now < session.began + LONGEST:
        assert sessions.lasts(session)
        session = sessions.renewed(session) or session
        hours.now += IDLE / 2
    assert sessions.read(_value(sessions, session)) is None


def test_a_session_from_the_future_is_none(hours: Hours) -> None:
    """A clock that was set back does not make sessions last longer."""
    sessions = Sessions([KEY], now=hours)
    cookie = _value(sessions, sessions.begin())
    hours.now -= 3_600
    assert sessions.read(cookie) is None


def test_the_cookie_is_written_anew_once_a_minute(hours: Hours) -> None:
    """Not with every page."""
    sessions = Sessions([KEY], now=hours)
    session = sessions.begin()
    hours.now += RENEWED
    assert sessions.renewed(session) is None
    hours.now += 1
    renewed = sessions.renewed(session)
    assert renewed is not None
    assert (renewed.id, renewed.began, renewed.seen) == (session.id, session.began, int(hours.now))


def test_scripts_and_other_sites_cannot_have_the_cookie(hours: Hours) -> None:
    """HttpOnly, SameSite, for this host alone; by https it is bound to it by its name too."""
    plain, secure = Sessions([KEY], now=hours), Sessions([KEY], secure=True, now=hours)
    session = plain.begin()
    assert plain.header(session, 3000).startswith("deskbell-3000=")
    assert plain.header(session, 3000).endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert secure.header(session, 3000).startswith("__Host-deskbell=")
    assert secure.header(session, 3000).endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")


def test_memory_is_bounded(hours: Hours) -> None:
    """Whoever opens pages all day."""
    sessions = Sessions([KEY], now=hours)
    for _ in range(REMEMBERED + 10):
        sessions.use(sessions.begin())
    assert len(sessions._used) == REMEMBERED
