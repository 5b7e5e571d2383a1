"""The ASGI application.

Belongs here: putting routes, guards and files together. Does not belong here: any of them, and what
runs the application (`running`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from spotify_pipeline import __version__
from spotify_pipeline.serve import (
    identification,
    listening,
    lookups,
    operation,
    plots,
    timelines,
    web_api,
)
from spotify_pipeline.serve.access import Access, Guard
from spotify_pipeline.serve.limits import Limits
from spotify_pipeline.serve.metrics import Measured
from spotify_pipeline.serve.problems import handle_problems
from spotify_pipeline.serve.service import Service
from spotify_pipeline.settings import Settings

__all__ = ["create_application"]

PAGE = Path(__file__).parent / "page"

DESCRIPTION = """Song detection and look-up over a dump of Spotify's catalogue.

`/api` identifies recordings; `/v1` has the shape of Spotify's Web API for the catalogue. Errors are
`application/problem+json`."""


ASKED_AGAIN = {"Cache-Control": "no-cache"}
"""A browser asks whether a file has changed before it takes its own copy."""


class _Page(StaticFiles):
    """The page's files."""

    def file_response(self, *args: Any, **options: Any) -> Response:  # noqa: ANN401  # as there
        response = super().file_response(*args, **options)
        response.headers.update(ASKED_AGAIN)
        return response


def create_application(
    settings: Settings, access: Access | None = None, limits: Limits | None = None
) -> ASGIApp:
    """Make the application of an installation; files are opened now, once.

    Parameters
    ----------
    settings
        The installation.
    access
        Who may ask; programs on this machine unless said otherwise.
    limits
        What requests may take.

    Raises
    ------
    DatabaseError
        The catalogue is damaged, or was made by an earlier version.
    """
    access = access or Access()
    service = Service(settings, limits or Limits())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work) for work in (service.warm_up(), service.keep_current())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await service.close()

    application = FastAPI(
        title="spotify-pipeline",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # it would load scripts from another host
        redoc_url=None,
    )
    application.state.service = service
    for module in (identification, plots, timelines, listening, web_api, lookups, operation):
        application.include_router(module.router)
    handle_problems(application)

    @application.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers=ASKED_AGAIN)

    application.mount("/page", _Page(directory=PAGE))
    guarded: ASGIApp = Guard(Measured(application, service.metrics), access)
    if access.origins:
        guarded = CORSMiddleware(
            guarded, allow_origins=access.origins, allow_methods=["*"], allow_headers=["*"]
        )
    return guarded
