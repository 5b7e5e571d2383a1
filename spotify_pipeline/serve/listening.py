"""``/api/listen``: audio that is identified while it is played.

Belongs here: what the server says, and when an answer is tried. Does not belong here: what it hears
(`microphone`), recordings that are whole (`identification`).
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Literal, TypeVar

import msgspec
import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.identify.passes import PASSES, WINDOW_PASSES, Pass
from spotify_pipeline.identify.timeline import TimelineEntry
from spotify_pipeline.resampling import ANALYZER_RATE
from spotify_pipeline.serve.identification import LEAST_CONFIDENCE, Patience, judged, query_of
from spotify_pipeline.serve.installation import Snapshot
from spotify_pipeline.serve.microphone import Microphone, level_of
from spotify_pipeline.serve.problems import ClientGoneError, problem_of
from spotify_pipeline.serve.service import Service, client_of, service_of
from spotify_pipeline.serve.timelines import SharedTimeline

__all__ = ["TRY_SECONDS", "router"]

router = APIRouter(prefix="/api", tags=["identification"])

_Result = TypeVar("_Result")

TRY_SECONDS = (3.0, 5.0, 8.0, 12.0, 16.0, 20.0, 30.0)
"""After so many seconds of audio an answer is tried; the last one is given whatever it is."""

THOROUGH_SECONDS = 12.0
"""Before, other speeds are not tried: that takes longer than it takes to hear more."""

SILENCE_DB = -60.0
"""A second that is no louder is silent, in dB of full scale. Set by hand."""

STEP_SECONDS, PLAYING_SECONDS = 5.0, 15.0
"""So often is looked, and in so much of the last audio, for what plays while a tracklist grows."""

DELAY = 0.1
"""Seconds of audio that resampling may hold back."""

_PLAYING_SAMPLES = round(PLAYING_SECONDS * ANALYZER_RATE)


@router.websocket("/listen")
async def listen(socket: WebSocket, mode: Literal["track", "tracklist"] = "track") -> None:
    """Identify what is played, and answer as soon as that is sure.

    The client sends a message of text, `{"sample_rate": 48000}`, then binary ones: 16-bit
    little-endian PCM of one channel; `{"end": true}` if nothing more comes. The server answers with
    messages of text whose `type` is `progress`, `answer`, `part`, `done` or `problem`.
    """
    await socket.accept()
    try:
        service = service_of(socket)
        if mode == "tracklist":
            await _listen_for_tracklist(socket, service)
        else:
            with service.listener_places.taken():
                await _listen_for_track(socket, service)
    except (ClientGoneError, WebSocketDisconnect):
        return
    except Exception as error:  # whatever it is, the client is told
        problem = problem_of(error)
        await _send(socket, "problem", **problem.content)
    await socket.close()


async def _listen_for_track(socket: WebSocket, service: Service) -> None:
    """Try to answer now and then, until it is sure or no more is worth hearing."""
    patience = service.limits.idle_seconds
    microphone = await Microphone.opened(socket, TRY_SECONDS[-1], patience)
    receiving = asyncio.create_task(microphone.receive())
    try:
        tried = 0.0
        while True:
            following = next(seconds for seconds in TRY_SECONDS if seconds > tried)
            await _while(receiving, microphone.until(following))
            tried = microphone.seconds
            last = microphone.ended or tried >= TRY_SECONDS[-1]
            samples = microphone.samples
            passes = PASSES if last or tried >= THOROUGH_SECONDS else PASSES[:-1]
            answer = await _while(receiving, _tried(socket, service, samples, passes))
            kind = "answer" if last or answer.identified else "progress"
            await _send_answer(socket, kind, tried, samples, answer)
            if kind == "answer":
                return
    finally:
        receiving.cancel()


async def _listen_for_tracklist(socket: WebSocket, service: Service) -> None:
    """Tell what plays now, and each part of the timeline once it is settled, until the end."""
    limits = service.limits
    async with SharedTimeline.begun(service, client_of(socket)) as timeline:
        microphone = await Microphone.opened(socket, limits.timeline_seconds, limits.idle_seconds)
        receiving = asyncio.create_task(microphone.receive())
        recent = np.empty(0, np.float32)
        try:
            while not microphone.ended and microphone.seconds < limits.timeline_seconds:
                await _while(receiving, microphone.until(microphone.seconds + STEP_SECONDS - DELAY))
                heard, samples = microphone.seconds, await microphone.take()
                recent = np.concatenate((recent, samples))[-_PLAYING_SAMPLES:]
                answer = await _while(receiving, _tried(socket, service, recent, WINDOW_PASSES))
                await _send_answer(socket, "progress", heard, recent, answer)
                await _send_parts(socket, await _while(receiving, timeline.push(samples)))
            await timeline.push(await microphone.take())
            await _send_parts(socket, await timeline.end())
            await _send(socket, "done")
        finally:
            receiving.cancel()


async def _tried(
    socket: WebSocket, service: Service, samples: Float32s, passes: Sequence[Pass]
) -> Answer:
    """Identify what has come so far; matches that are not sure are given too."""
    patience = Patience(service.limits.deadline)

    def work(snapshot: Snapshot) -> Answer:
        with snapshot.detector() as detector:
            return detector.identify(
                query_of(samples, "microphone"),
                threshold=LEAST_CONFIDENCE,
                deadline=patience,
                passes=passes,
            )

    try:
        return judged(await service.identify(client_of(socket), work))
    finally:
        patience.gone = True


async def _while(receiving: "asyncio.Task[None]", work: Awaitable[_Result]) -> _Result:
    """Wait for something while audio comes; what is wrong with the audio is raised at once."""
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.wait({doing, receiving}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            receiving.result()  # raises what went wrong; an end is none
        return await doing
    finally:
        doing.cancel()


async def _send_answer(
    socket: WebSocket, kind: str, seconds: float, samples: Float32s, answer: Answer
) -> None:
    level = level_of(samples)
    await _send(
        socket,
        kind,
        seconds=round(seconds, 2),
        level_db=round(level, 1),
        silent=level <= SILENCE_DB,
        answer=answer,
    )


async def _send_parts(socket: WebSocket, parts: Sequence[TimelineEntry]) -> None:
    for part in parts:
        await _send(socket, "part", part=part)


async def _send(socket: WebSocket, kind: str, **content: object) -> None:
    # "type" of a problem is RFC 9457's; here the message's own comes first
    await socket.send_text(msgspec.json.encode({**content, "type": kind}).decode())
