"""A service that is down is left alone, and one caller finds out when it is back."""

from __future__ import annotations

from adapters.encoders.breaker import FAILURES, REST_SECONDS, CircuitBreaker
from tests.unit.encoders.clock import Clock


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(tick=clock.tick)
    for _ in range(FAILURES):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_only_one_tries_after_the_rest() -> None:
    """The others do not wait for a service that may still be down."""
    clock = Clock()
    breaker = opened(clock)
    clock.seconds += REST_SECONDS
    assert [breaker.admits(), breaker.admits()] == [True, False]


def test_another_failure_is_another_rest() -> None:
    """It is not given three more tries."""
    clock = Clock()
    breaker = opened(clock)
    clock.seconds += REST_SECONDS
    assert breaker.admits()
    breaker.failed()
    clock.seconds += REST_SECONDS - 1
    assert not breaker.admits()


def test_a_success_forgives() -> None:
    """Failures count when they follow each other."""
    breaker = CircuitBreaker(tick=Clock().tick)
    for _ in range(FAILURES * 2):
        breaker.failed()
        breaker.worked()
    assert breaker.admits()
