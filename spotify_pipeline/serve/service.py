"""The parts of the server that routes use together.

Belongs here: putting them together, and how work gets onto a thread. Does not belong here: routes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
from fastapi import Request
from starlette.requests import HTTPConnection

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.identify.query import Query
from spotify_pipeline.serve.decoding import Decoders
from spotify_pipeline.serve.installation import Installation, Snapshot
from spotify_pipeline.serve.limits import Limits
from spotify_pipeline.serve.metrics import Metrics
from spotify_pipeline.serve.problems import ClientGoneError
from spotify_pipeline.serve.turns import Places, Turns
from spotify_pipeline.serve.uploads import Uploads
from spotify_pipeline.settings import Settings

__all__ = ["Service", "client_of", "service_of", "while_connected"]

_Result = TypeVar("_Result")

LOOK_AGAIN = 1.0
"""Seconds between two looks for a newer index or catalogue."""

WARM_UP_SAMPLES = 55_125
"""Five seconds."""

LOOKUP_THREADS = 2
"""Look-ups take milliseconds and do not wait behind identifications."""


class Service:
    """What one application answers with.

    Parameters
    ----------
    settings
        The installation.
    limits
        Of requests.
    """

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self.settings, self.limits = settings, limits
        self.installation = Installation(settings)
        self.turns = Turns(limits.threads, limits.waiting)
        self.lookups = Turns(LOOKUP_THREADS, limits.waiting)
        self.decoders = Decoders(limits.decoders, limits.decode_memory)
        self.stream_decoders = Decoders(limits.timelines, limits.decode_memory)
        self.timeline_places = Places(limits.timelines)
        self.listener_places = Places(limits.listeners)
        self.uploads = Uploads(limits)
        self.metrics = Metrics(self.installation, self.turns, self.decoders, self.uploads)

    async def identify(self, client: str, work: Callable[[Snapshot], _Result]) -> _Result:
        """Do work that takes long, on the newest snapshot, when it is the client's turn."""
        return await self.turns.run(client, lambda: self._on_snapshot(work))

    async def look_up(self, client: str, work: Callable[[Snapshot], _Result]) -> _Result:
        """Do work that takes milliseconds."""
        return await self.lookups.run(client, lambda: self._on_snapshot(work))

    async def keep_current(self) -> None:
        """Open newer indexes as they are published, until this is cancelled."""
        while True:
            await asyncio.sleep(LOOK_AGAIN)
            await asyncio.to_thread(self.installation.refresh)

    async def warm_up(self) -> None:
        """Do once what answers take, so that the first client need not wait for it."""
        await self.decoders.warm_up()
        with suppress(PipelineError):  # such as that there is no index yet
            await self.identify("", _identify_noise)

    async def close(self) -> None:
        """Give everything back."""
        self.turns.close()
        self.lookups.close()
        await self.decoders.close()
        await self.stream_decoders.close()
        self.installation.close()

    def _on_snapshot(self, work: Callable[[Snapshot], _Result]) -> _Result:
        with self.installation.snapshot() as snapshot:
            return work(snapshot)


def _identify_noise(snapshot: Snapshot) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, WARM_UP_SAMPLES).astype(np.float32)
    with snapshot.detector() as detector:
        detector.identify(Query("noise", fingerprint(samples), None, samples))


def service_of(connection: HTTPConnection) -> Service:
    """Give the service of the application that a connection is to."""
    found: Service = connection.app.state.service
    return found


def client_of(connection: HTTPConnection) -> str:
    """Tell clients apart that share the threads: by their address."""
    return connection.client.host if connection.client else ""


async def while_connected(request: Request, work: Coroutine[Any, Any, _Result]) -> _Result:
    """Wait for an answer as long as the client does.

    Raises
    ------
    ClientGoneError
        The client is gone; the work was cancelled.
    """
    doing = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientGoneError
        return doing.result()
    finally:
        gone.cancel()
        doing.cancel()


async def _gone(request: Request) -> None:
    """Return once the client is gone; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
