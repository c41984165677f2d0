"""The one place that names concrete classes: a running desk from its parts.

`bot.cli` calls `serving`, `bot.demo` calls `demonstrating`; `bot.web` runs the result's life.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from starlette.routing import BaseRoute

from adapters.slack.adapter import SlackAdapter, SlackSettings
from adapters.teams.adapter import TeamsAdapter
from adapters.teams.credentials import AppType
from adapters.teams.credentials import Settings as TeamsSettings
from adapters.web.news import News
from adapters.web.port import WebPort
from bot import encoders
from bot.delivery import Delivery
from bot.deskfile import Desk as DeskFile
from bot.knowing import Knowing, audiences_of
from bot.pacing import Pacing
from bot.running import Adapter, Running, embedded
from bot.settings import Settings
from bot.syncing import FolderSync
from bot.turns import Runner, Turns
from storage.engine import make_engine
from storage.sql import SqlStorage
from triage.desk import Desk
from triage.learning import labelled
from triage.matching import Encoder
from triage.model import Platform
from triage.phrases import language_of_locale, say
from triage.policy import Policy
from triage.ports import ChatPort, Now

LoadEncoder = Callable[[], Encoder] | None

THREADS = 2
"""That hear on PostgreSQL; one more writes, for turns and for delivery. SQLite has one that writes and one that hears.

One interpreter computes for one thread at a time: with more of them each takes longer, the event loop most of all.
"""

WAITING = 8
"""That hear where an address elsewhere makes the vectors: they mostly wait for it."""


def new_id() -> str:
    return uuid.uuid4().hex


def utc_now() -> datetime:
    return datetime.now(UTC)


def composed(
    storage: SqlStorage,
    database: str,
    knowing: Knowing,
    policy: Policy,
    ports: dict[Platform, ChatPort],
    *,
    now: Now = utc_now,
    hearing: int | None = None,
) -> Running:
    """Desk, turns and delivery over one storage; ports may be added until it is started.

    `hearing` is how many threads hear, unless as many as is usual.
    """
    desk = Desk(storage, knowing, lambda: policy, now=now, new_id=new_id)
    writing, usual = (1, 1) if embedded(database) else (THREADS + 1, THREADS)
    run, ears = Runner(writing), Runner(hearing or usual)
    delivery = Delivery(storage.outbox, ports, run, now=now, told=desk.undelivered, missed=desk.missed)
    pacing = Pacing(lambda: policy)
    turns = Turns(desk, run, hearing=ears, nudge=delivery.nudge, new_id=new_id, pacing=pacing)
    return Running(
        desk=desk,
        knowing=knowing,
        turns=turns,
        run=run,
        hearing=ears,
        storage=storage,
        policy=policy,
        now=now,
        delivery=delivery,
        ports=ports,
        database=database,
    )


def serving(settings: Settings, desk: DeskFile) -> Running:
    """The real thing: each platform whose credentials are set."""
    ports: dict[Platform, ChatPort] = {}
    platforms = frozenset(p for p in (Platform.SLACK, Platform.TEAMS) if settings.why_off(p) is None)
    storage = SqlStorage(make_engine(settings.database), new_id=new_id)
    policy = desk.policy.only(platforms)
    running = composed(
        storage,
        settings.database,
        knowing(desk.policy, storage, encoders.loader(settings)),
        policy,
        ports,
        hearing=WAITING if encoders.choice(settings).kind is encoders.Kind.ENDPOINT else None,
    )
    _keep_in_step(running, desk)
    if Platform.SLACK in platforms:
        turns = running.turns
        slack = SlackAdapter(
            _slack(settings), intake=turns, busy=_busy, full=turns.turns_away, overhears=turns.overhears
        )
        _connect(running, Platform.SLACK, slack, slack.port, slack.routes)
    if Platform.TEAMS in platforms:
        allows = tenants_served(settings, desk.policy)
        teams = TeamsAdapter(_teams(settings), running.turns, retry_text=_busy, done_text=_done, allows=allows)
        _connect(running, Platform.TEAMS, teams, teams.port, teams.routes)
    return running


def demonstrating(database: str, desk: DeskFile, *, now: Now, encoder: LoadEncoder = None) -> tuple[Running, News]:
    """The desk behind the demo page: the web chat is its only platform."""
    news = News()
    ports: dict[Platform, ChatPort] = {}
    storage = SqlStorage(make_engine(database), new_id=new_id)
    policy = desk.policy.only(frozenset({Platform.WEB}))
    running = composed(storage, database, knowing(desk.policy, storage, encoder), policy, ports, now=now)
    _keep_in_step(running, desk)
    ports[Platform.WEB] = WebPort(storage.transcript, now=now, new_id=new_id, changed=news)
    running.sweep_seconds = 0.5
    return running, news


def knowing(policy: Policy, storage: SqlStorage, encoder: LoadEncoder) -> Knowing:
    """Empty until it follows the library."""
    return Knowing(
        precision=policy.precision,
        audiences=audiences_of(policy),
        encoder=encoder,
        labelled=lambda audience: labelled(storage.cases(), audience),
    )


def _keep_in_step(running: Running, desk: DeskFile) -> None:
    """The folder that desk.yaml names fills the library; what it says is kept no longer goes."""
    running.folder = FolderSync(desk.kb, running.storage.library, policy=desk.policy, now=running.now)
    running.pull_seconds = desk.pull
    running.keep_tickets, running.keep_audit = desk.keep_tickets, desk.keep_audit


def _connect(
    running: Running, platform: Platform, adapter: Adapter, port: ChatPort, routes: Sequence[BaseRoute]
) -> None:
    running.adapters[platform] = adapter
    running.ports[platform] = port
    running.routes += routes


def _busy(locale: str | None) -> str:
    return say("error.busy", language_of_locale(locale))


def _done(locale: str | None) -> str:
    return say("ack.done", language_of_locale(locale))


def _slack(settings: Settings) -> SlackSettings:
    return SlackSettings(
        bot_token=settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else "",
        signing_secret=settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else None,
        app_token=settings.slack_app_token.get_secret_value() if settings.slack_app_token else None,
        base_url=settings.slack_api_url,
    )


def tenants_served(settings: Settings, policy: Policy) -> Callable[[str], bool]:
    """Whether a tenant's messages are taken at all: its own and those of desk.yaml.

    A multi-tenant bot hears others too, as strangers; so does one for local clients, who name what tenant they like.
    """
    if settings.teams_unauthenticated or settings.teams_app_type == "MultiTenant":
        return lambda tenant: True
    own = {place for platform, place in policy.places if platform is Platform.TEAMS} | {settings.teams_tenant_id}
    return lambda tenant: tenant in own


def _teams(settings: Settings) -> TeamsSettings:
    return TeamsSettings(
        app_id=settings.teams_app_id or "",
        app_password=settings.teams_app_password.get_secret_value() if settings.teams_app_password else "",
        app_type=AppType(settings.teams_app_type),
        tenant_id=settings.teams_tenant_id or "",
        unauthenticated=settings.teams_unauthenticated,
    )
