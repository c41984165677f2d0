"""The one web server: platform endpoints, health, metrics, and the pages. Run by `bot.cli`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.routing import Route

from adapters.web.guard import Guard
from adapters.web.sessions import Sessions
from bot.running import Running
from triage.errors import Unavailable

MONITORS = ("/healthz", "/readyz", "/metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Web pages: what mounts them, last, since they take `/`; and what guards them."""

    mount: Callable[[FastAPI], None]
    sessions: Sessions
    public: str | None = None
    """The URL that people use; None where only this machine does."""


def application(running: Running, *, pages: Pages | None = None) -> FastAPI:
    """The ASGI app whose life is the desk's, with `pages` if there are any."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await running.start()
        try:
            yield
        finally:
            await running.stop()

    app = FastAPI(
        title="Deskbell", lifespan=lifespan, redirect_slashes=False, docs_url=None, redoc_url=None, openapi_url=None
    )

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process lives."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        """200 when messages can be taken; else 503 and why not."""
        reasons = list(running.not_ready) or await _database_problem(running)
        return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app.router.routes.extend(running.routes)
    if pages:
        machines = {*MONITORS, *(route.path for route in running.routes if isinstance(route, Route))}
        app.add_middleware(Guard, sessions=pages.sessions, public=pages.public, machines=machines)
        pages.mount(app)
    return app


async def _database_problem(running: Running) -> list[str]:
    try:
        await running.run(running.storage.ping)
    except Unavailable as error:
        return [f"database: {error}"]
    return []
