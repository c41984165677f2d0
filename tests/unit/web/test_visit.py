"""Who a visitor is when the page opens: from its address, else from the browser's languages."""

from __future__ import annotations

import pytest

from adapters.web.desk import DemoDesk, direct_channel
from adapters.web.news import News
from adapters.web.visit import DIRECT, Visit
from storage.memory import MemoryStorage
from tests.unit.web.desk import CHEN, DANA, HR, IT, LEE, MINJI, PARK, YIJUN, Desk, demo_desk
from triage.model import Language


@pytest.fixture
def desk() -> DemoDesk:
    return demo_desk(Desk(), MemoryStorage().transcript, News())


@pytest.mark.parametrize(
    ("accepted", "language", "requester"),
    [
        ("en-GB,en;q=0.9", Language.EN, DANA),
        ("ko-KR,ko;q=0.9,en;q=0.8", Language.KO, MINJI),
        ("zh-TW,zh;q=0.9", Language.ZH_HANT, YIJUN),
        ("zh-HK", Language.ZH_HANT, YIJUN),
        ("fr-FR,fr;q=0.9,ko;q=0.5", Language.KO, MINJI),
        ("zh-CN", Language.EN, DANA),
        ("", Language.EN, DANA),
    ],
)
def test_a_newcomer_is_greeted_in_the_browsers_language(
    desk: DemoDesk, accepted: str, language: Language, requester: object
) -> None:
    """And starts as a requester who speaks it."""
    visit = Visit.of(desk, {}, accepted)
    assert (visit.language, visit.requester) == (language, requester)


def test_the_address_says_who_one_is(desk: DemoDesk) -> None:
    """A reload or a second tab starts the same."""
    visit = Visit.of(desk, {"me": "minji", "agent": "chen", "tab": "it", "lang": "zh-Hant"}, "en")
    assert visit == Visit(language=Language.ZH_HANT, requester=MINJI, agent=CHEN, tab="it")
    assert Visit.of(desk, visit.query(), "") == visit


def test_an_unknown_name_in_the_address_is_passed_over(desk: DemoDesk) -> None:
    """The page opens all the same."""
    visit = Visit.of(desk, {"me": "nobody", "agent": "nobody", "tab": "nowhere", "lang": "tlh"}, "")
    assert visit == Visit(language=Language.EN, requester=DANA, agent=LEE, tab="it")


def test_an_agent_starts_with_their_own_team(desk: DemoDesk) -> None:
    """Park works for HR."""
    assert Visit.of(desk, {"agent": "park"}, "").tab == "hr"


def test_a_private_channel_is_open_to_its_own_agents_alone(desk: DemoDesk) -> None:
    """Lee sees that there is one, and nothing in it."""
    visit = Visit.of(desk, {"agent": "lee", "tab": "hr"}, "")
    assert (visit.channel(desk), visit.but(agent=PARK).channel(desk)) == (None, HR.channel)


def test_other_teams_channels_are_open(desk: DemoDesk) -> None:
    """Park may look at IT's tickets."""
    assert Visit.of(desk, {"agent": "park", "tab": "it"}, "").channel(desk) == IT.channel


def test_direct_messages_are_the_agents_own(desk: DemoDesk) -> None:
    """Whoever one is, one reads one's own."""
    visit = Visit.of(desk, {"agent": "lee", "tab": DIRECT}, "")
    assert visit.channel(desk) == direct_channel("lee")
