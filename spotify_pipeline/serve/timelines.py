"""``/api/timeline``: what plays when in a long recording, told as it becomes known.

Belongs here: growing a timeline on threads that are shared. Does not belong here: what plays when
(`identify.growing_timeline`), microphones (`listening`).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TypeVar

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.growing_timeline import GrowingTimeline
from spotify_pipeline.identify.timeline import TimelineEntry, named_stretches
from spotify_pipeline.recording import RecordingError
from spotify_pipeline.serve.descriptions import AUDIO_BODY, described
from spotify_pipeline.serve.installation import Snapshot
from spotify_pipeline.serve.problems import ProblemError, problem_of
from spotify_pipeline.serve.service import Service, client_of, service_of, while_connected
from spotify_pipeline.serve.uploads import Upload

__all__ = ["SharedTimeline", "router"]

router = APIRouter(prefix="/api", tags=["identification"])

_Result = TypeVar("_Result")


class SharedTimeline:
    """A timeline whose pieces of work take their turns among those of others.

    It stays with the index that was the newest when it began.
    """

    def __init__(self, service: Service, client: str, snapshot: Snapshot) -> None:
        self._service, self._client, self._snapshot = service, client, snapshot
        self._timeline = GrowingTimeline()

    @classmethod
    @asynccontextmanager
    async def begun(cls, service: Service, client: str) -> AsyncIterator["SharedTimeline"]:
        """Begin one.

        Raises
        ------
        FeatureIndexError
            There is no index.
        BusyError
            There are too many.
        """
        with service.timeline_places.taken(), service.installation.snapshot() as snapshot:
            _ = snapshot.index  # raises if there is none
            yield cls(service, client, snapshot)

    async def push(self, samples: Float32s) -> tuple[TimelineEntry, ...]:
        """Take samples, mono at 11025 Hz; gives the parts that are settled by them."""
        if not await self._work(lambda: self._timeline.push(samples)):
            return ()
        return await self._settled()

    async def end(self) -> tuple[TimelineEntry, ...]:
        """Give the rest."""
        await self._work(self._timeline.end)
        return await self._settled()

    @property
    def seconds(self) -> float:
        """How much has been told from."""
        return self._timeline.known

    async def _settled(self) -> tuple[TimelineEntry, ...]:
        while await self._work(self._vote):
            pass
        return await self._work(self._named)

    def _vote(self) -> bool:
        with self._snapshot.detector() as detector:
            return self._timeline.vote(detector.identifier)

    def _named(self) -> tuple[TimelineEntry, ...]:
        with self._snapshot.detector() as detector:
            return named_stretches(self._timeline.settled(detector.index), detector)

    async def _work(self, work: Callable[[], _Result]) -> _Result:
        return await self._service.turns.run(self._client, work)


@router.post(
    "/timeline",
    summary="Tell what plays when",
    responses=described(
        TimelineEntry,
        "Parts of the recording without gaps, from its start to its end, one a line.",
        "application/x-ndjson",
    ),
    openapi_extra=AUDIO_BODY,
)
async def timeline(request: Request) -> Response:
    """Tell what plays when in a long recording, such as a radio hour or a DJ set.

    The body is an audio file, as it is or as the field `file` of a form. A part is sent as soon as
    it is known. If the recording turns out to be damaged half-way, the last line is a problem.
    """
    started = time.perf_counter()
    stack = AsyncExitStack()
    try:
        service = service_of(request)
        upload = await stack.enter_async_context(service.uploads.receive(request))
        if upload.is_document:
            raise ProblemError(422, "a timeline is made of audio, not of a document")
        shared = await stack.enter_async_context(SharedTimeline.begun(service, client_of(request)))
        parts = _Parts(service, upload, shared)
        stack.push_async_callback(parts.stop)
        await while_connected(request, parts.begin())
    except BaseException:
        await stack.aclose()
        raise
    return StreamingResponse(
        _lines(parts, shared, stack, started), media_type="application/x-ndjson"
    )


class _Parts:
    """Parts of an upload's timeline, found whether or not the client reads them."""

    def __init__(self, service: Service, upload: Upload, shared: SharedTimeline) -> None:
        self._service, self._upload, self._shared = service, upload, shared
        self._found: asyncio.Queue[tuple[TimelineEntry, ...] | Exception | None] = asyncio.Queue()
        self._begun = asyncio.Event()
        self._failed_early: Exception | None = None
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Start, and wait until some of it is decoded.

        Raises
        ------
        RecordingError
            It can't be read.
        """
        self._task = asyncio.create_task(self._find())
        await self._begun.wait()
        if self._failed_early is not None:
            raise self._failed_early

    async def stop(self) -> None:
        """End the work, whether or not it is done."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def found(self) -> AsyncIterator[tuple[TimelineEntry, ...]]:
        """Give parts as they become known.

        Raises
        ------
        RecordingError
            The recording is damaged after what was given.
        """
        while (found := await self._found.get()) is not None:
            if isinstance(found, Exception):
                raise found
            yield found

    async def _find(self) -> None:
        limits = self._service.limits
        try:
            async with (
                self._service.stream_decoders.decoder() as decoder,
                aclosing(
                    decoder.blocks(
                        self._upload.path, limits.timeline_seconds, limits.decode_seconds
                    )
                ) as blocks,
            ):
                async for block in blocks:
                    self._begun.set()
                    if parts := await self._shared.push(block):
                        self._found.put_nowait(parts)
            self._found.put_nowait(await self._shared.end())
            self._found.put_nowait(None)
        except RecordingError as error:
            self._fail(RecordingError(f"{self._upload.name}: {error}"))
        except Exception as error:  # whoever reads the parts raises it
            self._fail(error)
        finally:
            self._begun.set()

    def _fail(self, error: Exception) -> None:
        if self._begun.is_set():
            self._found.put_nowait(error)
        else:
            self._failed_early = error


async def _lines(
    parts: _Parts, shared: SharedTimeline, stack: AsyncExitStack, started: float
) -> AsyncIterator[bytes]:
    try:
        async for found in parts.found():
            yield b"".join(msgspec.json.encode(part) + b"\n" for part in found)
        elapsed = round(time.perf_counter() - started, 3)
        yield (
            msgspec.json.encode({"duration": round(shared.seconds, 3), "elapsed": elapsed}) + b"\n"
        )
    except Exception as error:  # it is too late for a status
        yield msgspec.json.encode(problem_of(error).content) + b"\n"
    finally:
        await stack.aclose()
