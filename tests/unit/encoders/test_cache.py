"""Vectors on disk: articles are encoded once, messages are never written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from adapters.encoders.cache import BETWEEN_WRITES, DAY_SECONDS, KEPT_DAYS, CachedEncoder, file_for
from tests.fakes.embeddings_server import vector
from tests.unit.encoders.clock import Clock
from triage.matching import Encoder, EncoderFailed
from triage.model import Language


@dataclass(slots=True)
class Hashing:
    """An encoder that notes what it had to encode; fails at `poison`."""

    name: str = "hashing 1"
    dimensions: int = 4
    asked: list[str] = field(default_factory=list)
    specialists: Mapping[Language, Encoder] = field(default_factory=dict)
    poison: str | None = None

    def remember(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode(texts)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.poison in texts:
            raise EncoderFailed("poisoned")
        self.asked += texts
        rows = np.array([vector(text, self.dimensions) for text in texts]).reshape(len(texts), self.dimensions)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return file_for(tmp_path, "hashing 1")


def remembering(file: Path, inner: Hashing, clock: Clock | None = None) -> CachedEncoder:
    return CachedEncoder(inner, file, now=(clock or Clock()).tick)


def test_after_a_restart_nothing_is_encoded_again(file: Path) -> None:
    """The same vectors, to the last bit, in the order asked for."""
    first = remembering(file, Hashing()).remember(["a", "b"])
    inner = Hashing()
    again = remembering(file, inner).remember(["b", "a", "b"])
    assert inner.asked == []
    assert np.array_equal(again, first[[1, 0, 1]])


def test_only_what_is_new_is_encoded(file: Path) -> None:
    """An edited article costs its own phrasings."""
    inner = Hashing()
    cached = remembering(file, inner)
    cached.remember(["a", "b"])
    cached.remember(["a", "b", "c"])
    assert inner.asked == ["a", "b", "c"]


def test_what_a_specialist_made_is_kept_apart(tmp_path: Path) -> None:
    """In a file of its own, which the next process reads."""
    file = file_for(tmp_path, "hashing 1")
    for _ in range(2):
        english = Hashing(name="english 1", dimensions=6)
        cached = remembering(file, Hashing(specialists={Language.EN: english}))
        assert cached.specialists[Language.EN].remember(["a"]).shape == (1, 6)
    assert english.asked == []
    assert file_for(tmp_path, "english 1").exists()


def test_a_message_is_never_written(file: Path) -> None:
    """Neither it nor its hash: what people ask stays out of the file, even when articles are stored later."""
    cached = remembering(file, Hashing())
    cached.encode(["my salary is wrong"])
    cached.remember(["a"])
    with np.load(file, allow_pickle=False) as held:
        assert len(held["keys"]) == 1
    inner = Hashing()
    remembering(file, inner).encode(["my salary is wrong"])
    assert inner.asked == ["my salary is wrong"]


def test_a_message_that_is_a_phrasing_is_looked_up(file: Path) -> None:
    """The encoder's milliseconds are spared."""
    inner = Hashing()
    cached = remembering(file, inner)
    row = cached.remember(["a"])
    assert np.array_equal(cached.encode(["a"]), row)
    assert inner.asked == ["a"]


def test_another_encoder_does_not_get_these_vectors(tmp_path: Path) -> None:
    """Vectors of different models cannot be compared; each has its file."""
    remembering(file_for(tmp_path, "hashing 1"), Hashing()).remember(["a"])
    inner = Hashing(name="hashing 2")
    remembering(file_for(tmp_path, inner.name), inner).remember(["a"])
    assert inner.asked == ["a"]


def test_a_file_of_another_encoder_is_not_used(file: Path) -> None:
    """Though it stands where ours is expected."""
    remembering(file, Hashing(name="other")).remember(["a"])
    inner = Hashing()
    remembering(file, inner).remember(["a"])
    assert inner.asked == ["a"]


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "zeros", "pickle"])
def test_a_damaged_file_is_made_anew(file: Path, damage: str) -> None:
    """With a logged sentence, and no trouble for anybody."""
    remembering(file, Hashing()).remember(["a", "b"])
    whole = file.read_bytes()
    if damage == "pickle":
        np.savez(file, allow_pickle=True, keys=np.array([{}]))
    else:
        broken = {"empty": b"", "cut": whole[: len(whole) // 2], "text": b"hello"}
        file.write_bytes(broken.get(damage, bytes(len(whole))))
    inner = Hashing()
    with capture_logs() as logs:
        cached = remembering(file, inner)
    cached.remember(["a", "b"])
    assert inner.asked == ["a", "b"]
    assert "made anew" in logs[0]["event"]
    fresh = Hashing()
    remembering(file, fresh).remember(["a", "b"])
    assert fresh.asked == []


def test_flipped_bytes_never_reach_a_matcher(file: Path) -> None:
    """A vector that is none is worse than one that is missing."""
    remembering(file, Hashing()).remember(["a", "b"])
    whole = file.read_bytes()
    for place in range(0, len(whole), 7):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        rows = remembering(file, Hashing()).encode(["a", "b"])
        assert np.allclose(rows, Hashing().encode(["a", "b"]))


def test_what_was_not_used_for_three_months_is_dropped(file: Path) -> None:
    """Retired articles do not stay for ever; what is looked up by a build stays."""
    clock = Clock()
    cached = remembering(file, Hashing(), clock)
    cached.remember(["old", "used"])
    for _ in range(2):
        clock.seconds += KEPT_DAYS * DAY_SECONDS * 0.7
        cached.remember(["used"])
    inner = Hashing()
    remembering(file, inner, clock).encode(["old", "used"])
    assert inner.asked == ["old"]


def test_a_days_builds_write_once(file: Path) -> None:
    """Nothing new is nothing to write."""
    cached = remembering(file, Hashing())
    cached.remember(["a"])
    before = file.stat().st_ino, file.stat().st_mtime_ns
    cached.remember(["a"])
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before


def test_files_nobody_uses_go(file: Path) -> None:
    """Of encoders of long ago, and of processes killed while writing."""
    clock = Clock(seconds=200 * DAY_SECONDS)
    for name, day in (("vectors-old.npz", 1), ("vectors-xy.tmp", 1), ("vectors-new.npz", 199), ("desk.db", 1)):
        (file.parent / name).write_bytes(b"")
        os.utime(file.parent / name, (day * DAY_SECONDS, day * DAY_SECONDS))
    remembering(file, Hashing(), clock).remember(["a"])
    assert {path.name for path in file.parent.iterdir()} == {file.name, "vectors-new.npz", "desk.db"}


def test_two_processes_share_what_they_encode(file: Path) -> None:
    """One looks again before it encodes, and adds to what the other wrote."""
    mine, theirs = Hashing(), Hashing()
    one, other = remembering(file, mine), remembering(file, theirs)
    one.remember(["a"])
    other.remember(["a", "b"])
    one.remember(["a", "b", "c"])
    assert (mine.asked, theirs.asked) == (["a", "c"], ["b"])
    fresh = Hashing()
    remembering(file, fresh).remember(["a", "b", "c"])
    assert fresh.asked == []


def write_many(file: Path, who: int) -> None:
    for number in range(20):
        CachedEncoder(Hashing(), file).remember([f"{who} {number}", "shared"])


def test_processes_that_write_at_once_leave_a_sound_file(file: Path) -> None:
    """Whoever writes last may drop another's newest vectors, never the file."""
    processes = [get_context("spawn").Process(target=write_many, args=(file, who)) for who in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    with capture_logs() as logs:
        rows = remembering(file, Hashing()).encode(["shared"])
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert np.array_equal(rows, Hashing().encode(["shared"]))
    assert logs == []
    assert list(file.parent.iterdir()) == [file]


def test_threads_may_build_and_ask_at_once(file: Path) -> None:
    """Two audiences' matchers are built while questions come."""
    cached = remembering(file, Hashing())
    with ThreadPoolExecutor(4) as pool:
        builds = [pool.submit(cached.remember, [f"{who} {n}" for n in range(50)]) for who in range(4)]
        asks = [pool.submit(cached.encode, [f"{who} 1"]) for who in range(4) for _ in range(20)]
        assert all(build.result().shape == (50, 4) for build in builds)
        assert all(np.array_equal(ask.result(), Hashing().encode([f"{i // 20} 1"])) for i, ask in enumerate(asks))


def test_what_was_encoded_before_a_failure_is_kept(file: Path) -> None:
    """An address that fails half-way: the next try goes on from there."""
    texts = [str(number) for number in range(200)]
    with pytest.raises(EncoderFailed):
        remembering(file, Hashing(poison="150")).remember(texts)
    inner = Hashing()
    remembering(file, inner).remember(texts)
    assert 0 < len(inner.asked) < 200


def test_a_killed_process_loses_little(file: Path) -> None:
    """During a long build the file is written now and then."""
    clock = Clock()
    seen: list[bool] = []

    class Slow(Hashing):
        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            seen.append(file.exists())
            clock.seconds += BETWEEN_WRITES
            return Hashing.encode(self, texts)

    remembering(file, Slow(), clock).remember([str(number) for number in range(200)])
    assert seen == [False, True, True, True]


def test_vectors_of_another_size_are_forgotten(file: Path) -> None:
    """The model behind an address changed: one failure, then all is made anew."""
    remembering(file, Hashing()).remember(["a"])
    cached = remembering(file, Hashing(dimensions=6))
    with pytest.raises(EncoderFailed, match="another size"):
        cached.remember(["a", "b"])
    assert cached.remember(["a", "b"]).shape == (2, 6)


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    """Answers do not depend on the disk."""
    (tmp_path / "file").write_text("no folder")
    cached = remembering(tmp_path / "file" / "vectors-x.npz", Hashing())
    assert cached.remember(["a"]).shape == (1, 4)


def test_odd_texts_and_none(file: Path) -> None:
    """Half a surrogate pair has a hash too, and no text has no row."""
    cached = remembering(file, Hashing())
    assert cached.encode([]).shape == (0, 4)
    assert cached.remember([]).shape == (0, 4)


def test_only_the_owner_reads_the_file(file: Path) -> None:
    """From a vector one may guess at its text, and some articles are restricted."""
    remembering(file, Hashing()).remember(["a"])
    assert file.stat().st_mode & 0o077 == 0
