"""Look-ups in passing: remembered, limited in time, never in the way."""

from __future__ import annotations

import pytest

from adapters.slack.directory import Directory
from adapters.slack.port import web_client
from tests.fakes.slack_server import FakeSlack


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(slack: FakeSlack, clock: Clock) -> Directory:
    return Directory(web_client(slack.token, base_url=slack.url), clock=clock)


async def test_a_profile_is_kept_for_an_hour(slack: FakeSlack, directory: Directory, clock: Clock) -> None:
    """Then it is asked for again."""
    for seconds in (0, 3_599, 2):
        clock.seconds += seconds
        await directory.profile("U1")
    assert len(slack.called("users.info")) == 2


async def test_an_unknown_person_is_nobody(directory: Directory) -> None:
    """Slack's refusal is no error."""
    assert await directory.profile("UNOBODY") is None


async def test_a_failed_look_up_is_not_repeated_at_once(slack: FakeSlack, directory: Directory, clock: Clock) -> None:
    """A Slack in trouble is left alone for half a minute."""
    for seconds in (0, 29, 2):
        clock.seconds += seconds
        await directory.profile("UNOBODY")
    assert len([call for call in slack.calls if call.method == "users.info"]) == 2


async def test_an_old_profile_outlives_a_failed_look_up(slack: FakeSlack, directory: Directory, clock: Clock) -> None:
    """What was true an hour ago is better than nothing."""
    await directory.profile("U1")
    clock.seconds += 4_000
    slack.break_next(method="users.info")
    profile = await directory.profile("U1")
    assert profile is not None
    assert profile.name == "Ann"


async def test_a_slow_look_up_is_not_waited_for(slack: FakeSlack, directory: Directory) -> None:
    """After half a second the message goes on; the answer serves the next one."""
    slack.hold(method="users.info")
    first = await directory.profile("U1")
    slack.release()
    second = await directory.profile("U1")
    assert (first, second and second.name) == (None, "Ann")
