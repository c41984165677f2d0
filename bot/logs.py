"""Structured logs: one line an event, with the turn's correlation id, no secrets and nobody's words.

`bot.cli` calls `configure` once; `bot.turns` keeps of a failed turn what `place_of` tells. The platforms' SDKs
log through the standard library; their lines go through the same processors, so a token in an SDK's message is
redacted too. Of an exception the type and the way through the code are told; its text is not, unless it is one
of ours: `KeyError`, `ValueError` and the errors of libraries like to quote what they were given.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from triage.errors import DeskError

_TOKEN = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|(?<=Bearer )[\w.~+/-]+=*|eyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|https://hooks\.slack\.com/\S+"
)
REDACTED = "[redacted]"


class Redact:
    """Puts `[redacted]` in place of tokens, passwords in addresses, and the secrets it was given."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: object) -> object:
        if not isinstance(value, str):
            return value
        for secret in self._secrets:
            value = value.replace(secret, REDACTED)
        return _TOKEN.sub(REDACTED, value)


def tell_exception(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """`exc_info` as text without what the exceptions quote, and the event without it too."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if given is True:
        error = sys.exc_info()[1]
    if error is None:
        return event
    chain = tuple(_chain(error))
    for each in chain:
        event = {key: _without(value, each) for key, value in event.items()}
    event["exception"] = "\n".join(_told(each) for each in reversed(chain))
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what led to it, newest first."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _told(error: BaseException) -> str:
    way = "".join(traceback.format_tb(error.__traceback__))
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return f"{way}{name}: {error}" if isinstance(error, DeskError) else f"{way}{name}"


OURS = ("bot", "adapters", "triage", "storage")


def place_of(error: BaseException) -> str:
    """Type of an error and where in our code it happened, without what it quotes: `KeyError at triage.decide:120`."""
    name = type(error).__name__
    found = [
        f"{module}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if (module := frame.f_globals.get("__name__", "")).partition(".")[0] in OURS
    ]
    return f"{name} at {found[-1]}" if found else name


def _without(value: object, error: BaseException) -> object:
    if not isinstance(value, str) or isinstance(error, DeskError):
        return value
    for quoted in (repr(error), str(error)):
        if quoted:
            value = value.replace(quoted, type(error).__name__)
    return value


QUIET = (
    *("slack_bolt", "slack_sdk", "httpx", "httpcore", "alembic", "aiohttp", "sqlalchemy", "asyncio", "engineio"),
    *("socketio", "nicegui", "urllib3", "msal", "multipart", "markdown_it", "botbuilder", "botframework"),
)
"""Libraries that tell of every request, some with its body: heard from WARNING on."""


def configure(format: Literal["text", "json"], *, secrets: Iterable[str] = (), level: int = logging.INFO) -> None:
    """Log to stderr, as text for people or JSON for machines."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Processor] = [tell_exception, Redact(secrets)]
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for noisy in QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
