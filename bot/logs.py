"""Structured logs: one line an event, with the turn's correlation id, and no secrets.

`bot.cli` calls `configure` once. The platforms' SDKs log through the standard library; their lines go
through the same processors, so a token in an SDK's message is redacted too.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

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


def configure(format: Literal["text", "json"], *, secrets: Iterable[str] = (), level: int = logging.INFO) -> None:
    """Log to stderr, as text for people or JSON for machines."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Processor] = [structlog.processors.format_exc_info, Redact(secrets)]
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
    for noisy in ("slack_bolt", "httpx", "alembic", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
