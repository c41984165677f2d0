"""The company of the simulation: who is where, what it promises, and what it knows.

A Slack workspace and a Teams tenant. Ann, Bob, Dan and Eve ask, Max is a guest. Kim and Lee are IT (cards on
Slack), Park is HR (restricted), Chen is Finance (cards on Teams, welcomes guests).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time

from tests.builders import LONDON, ByTitle
from triage.calendars import ALWAYS, Window
from triage.chain import Chain, Notify, Raise, Reassign, Repeat, Wait, Whom
from triage.knowledge import Article, KnowledgeBase
from triage.model import Account, Channel, ChannelKind, Language, Platform, Priority
from triage.policy import Member, Metric, Policy, Quiet, Targets, Team, Terms, When
from triage.policy import Rule as PolicyRule
from triage.rota import Rota

HOUR = 3_600
PLACES = {Platform.SLACK: "T1", Platform.TEAMS: "tenant"}
HOMES = {
    "ann": (Platform.SLACK,),
    "bob": (Platform.SLACK,),
    "max": (Platform.SLACK,),
    "kim": (Platform.SLACK,),
    "lee": (Platform.SLACK, Platform.TEAMS),
    "park": (Platform.SLACK,),
    "ada": (Platform.SLACK,),
    "dan": (Platform.TEAMS,),
    "eve": (Platform.TEAMS, Platform.SLACK),
    "chen": (Platform.TEAMS,),
}
GUESTS = frozenset({"max"})
STAFF = {"it": frozenset({"kim", "lee"}), "hr": frozenset({"park"}), "finance": frozenset({"chen"})}
SERVING = frozenset().union(*STAFF.values()) | {"ada"}


def _channel(platform: Platform, id: str) -> Channel:
    return Channel(platform=platform, place=PLACES[platform], id=id)


HELP = _channel(Platform.SLACK, "C-help")
HR_HELP = _channel(Platform.SLACK, "C-hr-help")
IT_TRIAGE = _channel(Platform.SLACK, "C-it")
HR_TRIAGE = _channel(Platform.SLACK, "C-hr")
TEAMS_HELP = _channel(Platform.TEAMS, "19:help")
FINANCE_TRIAGE = _channel(Platform.TEAMS, "19:finance")
LOBBY = _channel(Platform.SLACK, "C-lobby")
"""Nobody asks there, unless they mention the bot."""
HELP_CHANNELS = {Platform.SLACK: (HELP, HR_HELP), Platform.TEAMS: (TEAMS_HELP,)}
TRIAGE = {IT_TRIAGE.key: "it", HR_TRIAGE.key: "hr", FINANCE_TRIAGE.key: "finance"}
TRIAGE_CHANNELS = (IT_TRIAGE, HR_TRIAGE, FINANCE_TRIAGE)
EVERYBODY = frozenset(HOMES)


def account(person: str, platform: Platform) -> Account:
    return Account(platform=platform, place=PLACES[platform], user=f"U-{person}")


def direct_chat(person: str, platform: Platform) -> Channel:
    return Channel(platform=platform, place=PLACES[platform], id=f"D-{person}", kind=ChannelKind.DM)


def readers(channel: Channel) -> frozenset[str]:
    """Who can read what is posted there."""
    if channel.kind is ChannelKind.DM:
        return frozenset({channel.id.removeprefix("D-")})
    team = TRIAGE.get(channel.key)
    return STAFF[team] if team else frozenset(p for p in EVERYBODY - GUESTS if channel.platform in HOMES[p])


# --- promises ----------------------------------------------------------------------------------
def _targets(scale: float, **more: bool) -> Targets:
    hours = {
        Metric.FIRST_RESPONSE: 1,
        Metric.NEXT_REPLY: 2,
        Metric.PERIODIC_UPDATE: 4,
        Metric.REQUESTER_WAIT: 6,
        Metric.AGENT_WORK: 5,
        Metric.RESOLUTION: 8,
        Metric.OWNERSHIP: 0.5,
    }
    kept = {metric: int(count * scale * HOUR) for metric, count in hours.items()}
    return Targets(seconds=kept, hours="calendar" if more.get("around") else "business", pause_on_hold=scale < 1)


TERMS = Terms(
    calendar=LONDON,
    targets={
        Priority.URGENT: _targets(0.25, around=True),
        Priority.HIGH: _targets(0.5),
        Priority.NORMAL: _targets(1),
        Priority.LOW: Targets(seconds={Metric.FIRST_RESPONSE: 8 * HOUR}),
    },
    warn=("50%", "-30m"),
    overdue=2 * HOUR,
    chain=Chain(
        steps=(
            Notify(whom=Whom.OWNER),
            Wait(seconds=600),
            Notify(whom=Whom.LEAD),
            Wait(seconds=600),
            Notify(whom=Whom.ON_CALL),
            Raise(priority=Priority.HIGH),
            Wait(seconds=600),
            Notify(whom=Whom.TEAM),
        ),
        ack=HOUR,
    ),
)
SHORT = replace(
    TERMS,
    policy="visitors",
    calendar=ALWAYS,
    warn=("-15m",),
    overdue=None,
    chain=Chain(
        steps=(Notify(whom=Whom.ON_CALL), Wait(seconds=900), Reassign(whom=Whom.LEAD), Repeat(times=1)), ack=1_800
    ),
)
ROTA = Rota(people=("kim", "lee"), start=date(2026, 1, 5), at=time(9), timezone="Europe/London")


def _base() -> Policy:
    teams = (
        Team(
            id="it",
            name="IT",
            agents=("kim", "lee"),
            lead="lee",
            terms=TERMS,
            rules=(
                PolicyRule(when=When(words=("burning",)), terms=TERMS, priority=Priority.URGENT),
                PolicyRule(when=When(requesters=frozenset({"eve"})), terms=SHORT, priority=Priority.HIGH),
            ),
            rota=ROTA,
            help=(HELP, TEAMS_HELP),
            triage={Platform.SLACK: IT_TRIAGE},
        ),
        Team(
            id="hr",
            name="HR",
            agents=("park",),
            lead="park",
            language=Language.KO,
            restricted=True,
            terms=replace(TERMS, overdue=None),
            help=(HR_HELP,),
            triage={Platform.SLACK: HR_TRIAGE},
        ),
        Team(
            id="finance",
            name="Finance",
            agents=("chen",),
            lead="chen",
            allow_guests=True,
            terms=SHORT,
            triage={Platform.TEAMS: FINANCE_TRIAGE},
        ),
    )
    return Policy(
        teams={team.id: team for team in teams},
        people={id: _member(id) for id in ("kim", "lee", "park", "chen", "ada")},
        places=frozenset((platform, place) for platform, place in PLACES.items()),
        pings_an_hour=6,
    )


def _member(id: str) -> Member:
    accounts = tuple(account(id, platform) for platform in HOMES[id])
    return Member(id=id, name=id.title(), accounts=accounts, admin=id == "ada")


BASE = _base()
NIGHTS = Quiet(
    hours=replace(LONDON, windows=tuple(Window(day=day, opens=14 * HOUR, closes=24 * HOUR) for day in range(7))),
    zoned=True,
)


def _with_team(policy: Policy, id: str, **what: object) -> Policy:
    return replace(policy, teams={**policy.teams, id: replace(policy.teams[id], **what)})  # type: ignore[arg-type]


def _quiet(policy: Policy) -> Policy:
    return replace(policy, people={**policy.people, "kim": replace(policy.people["kim"], quiet=NIGHTS)})


def _capped(policy: Policy) -> Policy:
    return replace(policy, pings_an_hour=1)


def _hurried(policy: Policy) -> Policy:
    return _with_team(policy, "it", terms=replace(TERMS, targets={**TERMS.targets, Priority.NORMAL: _targets(0.3)}))


def _chained(policy: Policy) -> Policy:
    steps = (Notify(channel=IT_TRIAGE), Wait(seconds=300), Notify(person="lee"), Wait(seconds=300), Repeat(times=2))
    return _with_team(policy, "it", terms=replace(TERMS, chain=Chain(steps=steps, ack=1_200)))


def _on_leave(policy: Policy) -> Policy:
    return _with_team(policy, "it", agents=("lee",), rota=replace(ROTA, people=("lee",)))


def _other_rota(policy: Policy) -> Policy:
    return _with_team(policy, "it", rota=replace(ROTA, people=("lee", "kim")))


def _as_it_was(policy: Policy) -> Policy:
    return BASE


EDITS: tuple[Callable[[Policy], Policy], ...] = (
    _quiet,
    _capped,
    _hurried,
    _chained,
    _on_leave,
    _other_rota,
    _as_it_was,
)

# --- knowledge ---------------------------------------------------------------------------------
VPN = Article(id="vpn", title="VPN drops", body="Restart the client.", team="it", audience="public")
MAIL = Article(id="mail", title="Mail on the phone", body="company-only: install the app.", team="it")
LEAVE = Article(id="leave", title="Parental leave", body="company-only: ask early.", team="hr")
BANDS = Article(id="bands", title="Salary bands", body="hr-only: band 3.", team="hr", audience="team:hr")
ARTICLES = (VPN, MAIL, LEAVE, BANDS)
SHELVES = (ARTICLES, (VPN, BANDS), (replace(VPN, body="Reboot twice.", version=2), MAIL, BANDS), ())


class Knowing:
    """Implements `triage.desk.Knowing`; the shelf is swapped whole."""

    def __init__(self) -> None:
        self._kb = KnowledgeBase.of(ARTICLES)

    def put(self, articles: tuple[Article, ...]) -> None:
        self._kb = KnowledgeBase.of(articles)

    def base(self, audience: frozenset[str]) -> KnowledgeBase:
        return self._kb.for_audience(audience)

    def matcher(self, audience: frozenset[str]) -> ByTitle:
        return ByTitle(self.base(audience))
