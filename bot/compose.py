"""The one place that names concrete classes: a running desk from its parts.

`bot.cli` calls `serving`, `bot.demo` calls `demonstrating`; `bot.web` runs the result's life.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from starlette.routing import BaseRoute

from adapters.slack.adapter import SlackAdapter, SlackSettings
from adapters.teams.adapter import TeamsAdapter
from adapters.teams.credentials import AppType
from adapters.teams.credentials import Settings as TeamsSettings
from adapters.web.news import News
from adapters.web.port import WebPort
from bot.delivery import Delivery
from bot.knowing import Knowing
from bot.running import Adapter, Running, embedded
from bot.settings import Settings
from bot.turns import Runner, Turns
from storage.engine import make_engine
from storage.sql import SqlStorage
from triage.desk import Desk
from triage.knowledge import KnowledgeBase
from triage.model import Platform
from triage.phrases import language_of_locale, say
from triage.policy import Policy
from triage.ports import ChatPort, Now

THREADS = 8
"""For PostgreSQL; SQLite has one writer."""


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
) -> Running:
    """Desk, turns and delivery over one storage; ports may be added until it is started."""
    desk = Desk(storage, knowing, lambda: policy, now=now, new_id=new_id)
    run = Runner(1 if embedded(database) else THREADS)
    delivery = Delivery(storage.outbox, ports, run, now=now, told=desk.undelivered, missed=desk.missed)
    turns = Turns(desk, run, nudge=delivery.nudge, new_id=new_id)
    return Running(
        desk=desk,
        knowing=knowing,
        turns=turns,
        run=run,
        storage=storage,
        policy=policy,
        now=now,
        delivery=delivery,
        ports=ports,
        database=database,
    )


def serving(settings: Settings, kb: KnowledgeBase, policy: Policy) -> Running:
    """The real thing: each platform whose credentials are set."""
    ports: dict[Platform, ChatPort] = {}
    platforms = frozenset(p for p in (Platform.SLACK, Platform.TEAMS) if settings.why_off(p) is None)
    storage = SqlStorage(make_engine(settings.database), new_id=new_id)
    knowing = Knowing(kb, precision=policy.precision)
    running = composed(storage, settings.database, knowing, policy.only(platforms), ports)
    if Platform.SLACK in platforms:
        slack = SlackAdapter(_slack(settings), intake=running.turns, busy=_busy)
        _connect(running, Platform.SLACK, slack, slack.port, slack.routes)
    if Platform.TEAMS in platforms:
        teams = TeamsAdapter(_teams(settings), running.turns, retry_text=_busy, done_text=_done)
        _connect(running, Platform.TEAMS, teams, teams.port, teams.routes)
    return running


def demonstrating(database: str, kb: KnowledgeBase, policy: Policy, *, now: Now) -> tuple[Running, News]:
    """The desk behind the demo page: the web chat is its only platform."""
    news = News()
    ports: dict[Platform, ChatPort] = {}
    storage = SqlStorage(make_engine(database), new_id=new_id)
    knowing = Knowing(kb, precision=policy.precision)
    running = composed(storage, database, knowing, policy.only(frozenset({Platform.WEB})), ports, now=now)
    ports[Platform.WEB] = WebPort(storage.transcript, now=now, new_id=new_id, changed=news)
    running.sweep_seconds = 0.5
    return running, news


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


def _teams(settings: Settings) -> TeamsSettings:
    return TeamsSettings(
        app_id=settings.teams_app_id or "",
        app_password=settings.teams_app_password.get_secret_value() if settings.teams_app_password else "",
        app_type=AppType(settings.teams_app_type),
        tenant_id=settings.teams_tenant_id or "",
        unauthenticated=settings.teams_unauthenticated,
    )
