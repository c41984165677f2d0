"""Whoever waits is next."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from adapters.encoders.turnstile import Turnstile


def test_a_question_gets_in_between_two_texts_of_a_long_build() -> None:
    """Though the build is back at the door at once."""
    turn = Turnstile()
    order: list[str] = []

    def ask() -> None:
        with turn():
            order.append("question")

    thread = Thread(target=ask)
    with turn():
        thread.start()
        while not turn._next.locked():
            pass  # until the question stands at the door
    with turn():
        order.append("build")
    thread.join()
    assert order == ["question", "build"]


def test_one_at_a_time_and_free_after_a_failure() -> None:
    """What fails inside leaves the door open."""
    turn, start = Turnstile(), Barrier(4)
    there: list[int] = []
    most: list[int] = []

    def work() -> None:
        start.wait(10)
        for _ in range(200):
            with turn():
                there.append(1)
                most.append(len(there))
                there.pop()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    with pytest.raises(RuntimeError), turn():
        raise RuntimeError
    with turn():
        pass
