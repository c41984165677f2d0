"""A knowledge base that changes while questions are answered: built aside, swapped whole, nothing built twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from bot.knowing import EMPLOYEE, OUTSIDER, Knowing
from bot.tiers import EncoderWatch, TieredMatcher
from storage.memory import MemoryStorage
from triage.errors import Unavailable
from triage.knowledge import Article, KnowledgeBase
from triage.matching import Encoder, EncoderFailed, Match, Verdict
from triage.model import Language

AT = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
HR = EMPLOYEE | {"team:hr"}
LIMIT = 10.0
VPN = Article(id="vpn", title="VPN")
PHONE = Article(id="phone", title="Phone")
SALARY = Article(id="salary", title="Salary", audience="team:hr")


@dataclass
class Built:
    """A matcher that tells what it was built of and by which tier."""

    articles: tuple[str, ...]
    tier: str
    fails: bool = False

    def match(self, text: str) -> Match:
        if self.fails:
            raise EncoderFailed("no answer")
        return Match(verdict=Verdict.TICKET, language=Language.EN, reasons=(self.tier, *self.articles))


@dataclass
class Builder:
    """Stands for `build_matcher`: notes what it builds, and waits until the test lets it go on.

    `broken` is the title of an article that it cannot take.
    """

    builds: list[tuple[str, ...]] = field(default_factory=list)
    going: Event = field(default_factory=Event)
    begun: Event = field(default_factory=Event)
    broken: str | None = None

    def __call__(self, kb: KnowledgeBase, *, encoder: Encoder | None = None, **_: Any) -> Built:
        articles = tuple(article.title for article in kb.articles)
        tier = "semantic" if encoder else "lexical"
        self.builds.append((tier, *articles))
        self.begun.set()
        assert self.going.wait(LIMIT)
        if self.broken in articles:
            raise ValueError("a bug")
        return Built(articles, tier)


class Vectors:
    """An encoder whose vectors nobody looks at."""

    name = "vectors-1"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.zeros((len(texts), 1), dtype=np.float32)

    def remember(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode(texts)


@pytest.fixture
def builder() -> Builder:
    builder = Builder()
    builder.going.set()
    return builder


@pytest.fixture
def make(builder: Builder) -> Iterator[Callable[..., Knowing]]:
    made: list[Knowing] = []

    def make(*articles: Article, **options: Any) -> Knowing:
        known: dict[str, Any] = {"precision": 0.95, "audiences": (EMPLOYEE, HR), "build": builder}
        kb = KnowledgeBase.of(articles) if articles else None
        made.append(Knowing(kb, **(known | options)))
        return made[-1]

    yield make
    builder.going.set()
    for each in made:
        each.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait for what the background thread is about to do."""
    waiting, deadline = Event(), 1_000
    while not holds():
        deadline -= 1
        assert deadline, "it did not happen"
        waiting.wait(LIMIT / 1_000)


def known(desk: Knowing, audience: frozenset[str] = EMPLOYEE) -> tuple[str, ...]:
    """Tier and articles that an answer comes from."""
    return desk.matcher(audience).match("?").reasons


def test_before_anything_is_in_force_nothing_is_decided(make: Callable[..., Knowing]) -> None:
    """A question that comes too early is asked again by its platform, not turned into a ticket."""
    desk = make()
    assert not desk.ready
    with pytest.raises(Unavailable, match="still being read"):
        desk.matcher(EMPLOYEE)
    with pytest.raises(Unavailable):
        desk.base(EMPLOYEE)


def test_the_first_matcher_makes_it_ready(make: Callable[..., Knowing]) -> None:
    """Also when there is no article at all."""
    desk = make()
    desk.replace(KnowledgeBase())
    assert desk.wait(LIMIT)
    assert known(desk) == ("lexical",)


def test_answers_come_from_the_old_matcher_while_the_new_one_is_built(
    make: Callable[..., Knowing], builder: Builder
) -> None:
    """And from the new one, with its articles, as soon as it is there."""
    desk = make(VPN)
    desk.warm()
    builder.going.clear()
    builder.begun.clear()
    desk.replace(KnowledgeBase.of([VPN, PHONE]))
    assert builder.begun.wait(LIMIT)
    assert known(desk) == ("lexical", "VPN")
    assert desk.base(EMPLOYEE).articles == (VPN,)
    builder.going.set()
    until(lambda: known(desk) == ("lexical", "VPN", "Phone"))
    assert desk.base(EMPLOYEE).articles == (VPN, PHONE)


def test_each_audience_is_swapped_as_soon_as_its_own_matcher_is_there(
    make: Callable[..., Knowing], builder: Builder
) -> None:
    """Most people need not wait for a team's; that team keeps its old articles and matcher until then."""
    building_hr, go_on = Event(), Event()

    def build(kb: KnowledgeBase, **options: Any) -> Built:
        if len(kb.articles) > 2:
            building_hr.set()
            assert go_on.wait(LIMIT)
        return builder(kb, **options)

    desk = make(VPN, SALARY, build=build)
    desk.warm()
    desk.replace(KnowledgeBase.of([VPN, PHONE, SALARY]))
    assert building_hr.wait(LIMIT)
    assert (known(desk), known(desk, HR)) == (("lexical", "VPN", "Phone"), ("lexical", "VPN", "Salary"))
    assert [len(desk.base(audience).articles) for audience in (EMPLOYEE, HR)] == [2, 2]
    go_on.set()
    until(lambda: known(desk, HR) == ("lexical", "VPN", "Phone", "Salary"))
    assert len(desk.base(HR).articles) == 3


def test_of_two_changes_during_a_build_only_the_newest_is_built(make: Callable[..., Knowing], builder: Builder) -> None:
    """Whoever saves ten times in a minute does not wait for ten builds."""
    desk = make(VPN, audiences=(EMPLOYEE,))
    desk.warm()
    builder.going.clear()
    builder.begun.clear()
    desk.replace(KnowledgeBase.of([PHONE]))
    assert builder.begun.wait(LIMIT)
    desk.replace(KnowledgeBase.of([SALARY, VPN]))
    desk.replace(KnowledgeBase.of([PHONE, VPN]))
    builder.going.set()
    until(lambda: known(desk) == ("lexical", "Phone", "VPN"))
    assert builder.builds == [("lexical", "VPN"), ("lexical", "Phone"), ("lexical", "Phone", "VPN")]


def test_an_audience_whose_articles_did_not_change_keeps_its_matcher(
    make: Callable[..., Knowing], builder: Builder
) -> None:
    """A restricted article comes in: only those who may read it get a new matcher."""
    desk = make(VPN)
    desk.warm()
    before = desk.matcher(EMPLOYEE)
    desk.replace(KnowledgeBase.of([VPN, SALARY]))
    until(lambda: known(desk, HR) == ("lexical", "VPN", "Salary"))
    assert desk.matcher(EMPLOYEE) is before
    assert builder.builds == [("lexical", "VPN"), ("lexical", "VPN", "Salary")]


def test_a_retired_restricted_article_is_gone_with_the_swap(make: Callable[..., Knowing]) -> None:
    """Neither `base` nor a matcher knows it any more; nothing had to be built for that."""
    desk = make(VPN, SALARY)
    desk.warm()
    desk.replace(KnowledgeBase.of([VPN]))
    until(lambda: desk.base(HR).articles == (VPN,))
    assert known(desk, HR) == ("lexical", "VPN")


def test_an_audience_that_nobody_foresaw_is_renewed_too(make: Callable[..., Knowing], builder: Builder) -> None:
    """Its second question after a change waits for no build either."""
    desk = make(VPN, Article(id="map", title="Map", audience="public"), audiences=(EMPLOYEE,))
    desk.warm()
    assert known(desk, OUTSIDER) == ("lexical", "Map")
    desk.replace(KnowledgeBase.of([VPN, Article(id="map", title="New map", audience="public")]))
    until(lambda: ("lexical", "New map") in builder.builds)
    until(lambda: known(desk, OUTSIDER) == ("lexical", "New map"))
    assert builder.builds.count(("lexical", "New map")) == 1


def test_it_follows_the_library(make: Callable[..., Knowing]) -> None:
    """It reads the articles when the revision moved, and only then."""
    library, desk = MemoryStorage().library, make()
    assert desk.follow(library)
    library.replace("folder", [VPN], AT)
    assert desk.follow(library)
    until(lambda: desk.ready and known(desk) == ("lexical", "VPN"))
    assert not desk.follow(library)


def test_a_build_that_fails_leaves_the_old_one(make: Callable[..., Knowing], builder: Builder) -> None:
    """The failure is logged, and the next change is tried."""
    desk = make(VPN, audiences=(EMPLOYEE,))
    desk.warm()
    builder.broken = "Phone"
    with capture_logs() as logs:
        desk.replace(KnowledgeBase.of([PHONE]))
        until(lambda: any(entry["log_level"] == "error" for entry in logs))
    assert known(desk) == ("lexical", "VPN")
    builder.broken = None
    desk.replace(KnowledgeBase.of([PHONE]))
    until(lambda: known(desk) == ("lexical", "Phone"))


# --- the semantic tier ---------------------------------------------------------------------------
def test_the_lexical_tier_answers_until_the_encoder_is_loaded(make: Callable[..., Knowing]) -> None:
    """Loading takes seconds, in the background."""
    loaded = Event()

    def load() -> Vectors:
        assert loaded.wait(LIMIT)
        return Vectors()

    desk = make(encoder=load)
    desk.replace(KnowledgeBase.of([VPN]))
    assert desk.wait(LIMIT)
    assert known(desk) == ("lexical", "VPN")
    loaded.set()
    until(lambda: known(desk) == ("semantic", "VPN"))


def test_a_change_is_in_force_before_its_semantic_matcher_is(make: Callable[..., Knowing], builder: Builder) -> None:
    """Encoding may take minutes; a lexical build meanwhile does not wait for it."""
    loaded = Event()

    def load() -> Vectors:
        assert loaded.wait(LIMIT)
        return Vectors()

    desk = make(encoder=load, audiences=(EMPLOYEE,))
    desk.replace(KnowledgeBase.of([VPN]))
    assert desk.wait(LIMIT)
    desk.replace(KnowledgeBase.of([PHONE]))
    until(lambda: known(desk) == ("lexical", "Phone"))
    loaded.set()
    until(lambda: known(desk) == ("semantic", "Phone"))
    assert ("semantic", "VPN") not in builder.builds


def test_an_encoder_that_cannot_be_loaded_is_tried_again(
    make: Callable[..., Knowing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that is away at the start is found when it is back."""
    monkeypatch.setattr("bot.knowing.RETRY_SECONDS", 0.01)
    answers: list[Exception | Vectors] = [EncoderFailed("away"), EncoderFailed("away"), Vectors()]

    def load() -> Vectors:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    desk = make(encoder=load)
    desk.replace(KnowledgeBase.of([VPN]))
    until(lambda: desk.ready and known(desk) == ("semantic", "VPN"))


def test_a_failing_encoder_is_answered_for_and_told_once_a_minute() -> None:
    """Every question is answered, by the lexical tier; the log is not flooded."""
    time = [0.0]
    watch = EncoderWatch(tick=lambda: time[0])
    tiered = TieredMatcher(KnowledgeBase(), Built((), "lexical"), watch)
    tiered.semantic = Built((), "semantic", fails=True)
    with capture_logs() as logs:
        for seconds in (0.0, 30.0, 50.0, 61.0):
            time[0] = seconds
            assert tiered.match("?").reasons == ("lexical",)
    assert len(logs) == 2


def test_an_encoder_that_failed_is_left_alone_for_a_moment() -> None:
    """Questions do not each wait for a server that is away; when it is back it is used again."""
    time = [0.0]
    semantic = Built((), "semantic", fails=True)
    tiered = TieredMatcher(KnowledgeBase(), Built((), "lexical"), EncoderWatch(tick=lambda: time[0]))
    tiered.semantic = semantic
    tiered.match("?")
    semantic.fails = False
    assert tiered.match("?").reasons == ("lexical",)
    time[0] = 6.0
    assert tiered.match("?").reasons == ("semantic",)
