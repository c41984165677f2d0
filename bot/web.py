"""The one web server: platform endpoints, health, metrics, and the pages. Run by `bot.cli`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.web.guard import Guard
from adapters.web.sessions import Sessions
from bot.running import Running
from triage.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Web pages: what mounts them, last, since they take `/`; and what guards them."""

    mount: Callable[[FastAPI], None]
    sessions: Sessions
    public: str | None = None
    """The URL that people use; None where only this machine does."""


def application(running: Running, *, pages: Pages | None = None) -> Starlette:
    """The ASGI app whose life is the desk's, with `pages` if there are any."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await running.start()
        try:
            yield
        finally:
            await running.stop()

    routes = [*running.routes, *_monitors(running)]  # tried in this order, and most of what comes are messages
    if pages is None:
        app = Starlette(routes=routes, lifespan=lifespan)
        app.router.redirect_slashes = False
        return app
    machines = {route.path for route in routes if isinstance(route, Route)}
    paged = FastAPI(title="Deskbell", lifespan=lifespan, redirect_slashes=False, openapi_url=None)
    paged.router.routes.extend(routes)
    paged.add_middleware(Guard, sessions=pages.sessions, public=pages.public, machines=machines)
    pages.mount(paged)
    return paged


def _monitors(running: Running) -> list[Route]:
    """For whatever watches the process: alive, ready, figures."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        """200 when messages can be taken; else 503 and why not."""
        reasons = list(running.not_ready) or await _database_problem(running)
        return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


async def _database_problem(running: Running) -> list[str]:
    try:
        await running.run(running.storage.ping)
    except Unavailable as error:
        return [f"database: {error}"]
    return []
