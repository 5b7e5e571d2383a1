"""``/api/listen``: audio that is identified while it is played.

Belongs here: the messages of the WebSocket, and when an answer is tried. Does not belong here:
recordings that are whole (`identification`).
"""

import asyncio
import math
from collections.abc import Awaitable, Sequence
from typing import Any, Literal, TypeVar

import msgspec
import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.identify.passes import PASSES, WINDOW_PASSES, Pass
from spotify_pipeline.identify.timeline import TimelineEntry
from spotify_pipeline.resampling import ANALYZER_RATE, analyzer_resampler
from spotify_pipeline.serve.identification import LEAST_CONFIDENCE, Patience, judged, query_of
from spotify_pipeline.serve.installation import Snapshot
from spotify_pipeline.serve.problems import ProblemError, problem_of
from spotify_pipeline.serve.service import ClientGoneError, Service, client_of, service_of
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

QUIETEST_DB = -120.0
LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000

MOST_AHEAD = 120.0
"""Seconds of audio that may wait to be worked on; then no more is taken from the client."""

STEP_SECONDS, PLAYING_SECONDS = 5.0, 15.0
"""So often is looked, and in so much of the last audio, for what plays while a tracklist grows."""

DELAY = 0.1
"""Seconds of audio that resampling may hold back."""

_PLAYING_SAMPLES = round(PLAYING_SECONDS * ANALYZER_RATE)


class _Begin(msgspec.Struct):
    sample_rate: float


class _Control(msgspec.Struct):
    end: bool = False


class Microphone:
    """What a client sends: PCM of its own sample rate, made into what the fingerprint takes.

    Attributes
    ----------
    ended
        Nothing more comes.
    """

    def __init__(self, socket: WebSocket, sample_rate: float, most: float, patience: float) -> None:
        self._socket = socket
        self._kept, self._most_kept = 0, round(MOST_AHEAD * ANALYZER_RATE)
        self._resampler = analyzer_resampler(sample_rate)
        self._most, self._patience = round(most * ANALYZER_RATE), patience
        self._blocks: list[Float32s] = []
        self._count = 0
        self._odd = b""
        self._more = asyncio.Condition()
        self.ended = False

    @classmethod
    async def opened(cls, socket: WebSocket, most: float, patience: float) -> "Microphone":
        """Wait for the message that says how many samples a second there are.

        Parameters
        ----------
        most
            Seconds of audio that are kept; what comes after is passed over.
        patience
            Seconds without a message after which the client is given up.

        Raises
        ------
        ProblemError
            It is no such message, or none comes.
        """
        try:
            async with asyncio.timeout(patience):
                text = await socket.receive_text()
            rate = msgspec.json.decode(text, type=_Begin).sample_rate
        except TimeoutError:
            raise ProblemError(408, "nothing came") from None
        except (KeyError, msgspec.MsgspecError):
            raise ProblemError(
                422, 'the first message must be text, such as {"sample_rate": 48000}'
            ) from None
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise ProblemError(
                422, f"sample_rate must be from {LOWEST_RATE} to {HIGHEST_RATE}, not {rate:g}"
            )
        return cls(socket, rate, most, patience)

    @property
    def seconds(self) -> float:
        """How much has come."""
        return self._count / ANALYZER_RATE

    @property
    def samples(self) -> Float32s:
        """What is kept of it, float32 of shape (samples,), at 11025 Hz."""
        return np.concatenate([np.empty(0, np.float32), *self._blocks])

    async def take(self) -> Float32s:
        """Give what has come since, and keep it no longer."""
        samples = self.samples
        self._blocks.clear()
        async with self._more:
            self._kept = 0
            self._more.notify_all()
        return samples

    @staticmethod
    def level_of(samples: Float32s) -> float:
        """Tell how loud the last second is, in dB of full scale."""
        last = samples[-ANALYZER_RATE:].astype(np.float64)
        power = float(np.mean(last**2)) if len(last) else 0.0
        return max(10 * math.log10(power), QUIETEST_DB) if power > 0 else QUIETEST_DB

    async def receive(self) -> None:
        """Take messages until the client says that it ends.

        Raises
        ------
        ClientGoneError
            It is gone.
        ProblemError
            A message can't be understood, or none comes.
        """
        while not self.ended:
            async with self._more:
                await self._more.wait_for(lambda: self._kept < self._most_kept)
            try:
                async with asyncio.timeout(self._patience):
                    message = await self._socket.receive()
            except TimeoutError:
                raise ProblemError(408, "no audio came") from None
            if message["type"] == "websocket.disconnect":
                raise ClientGoneError
            self._take(message)
            async with self._more:
                self._more.notify_all()

    async def until(self, seconds: float) -> None:
        """Wait for so much audio, or its end."""
        async with self._more:
            await self._more.wait_for(lambda: self.ended or self.seconds >= seconds)

    def _take(self, message: Any) -> None:  # noqa: ANN401  # of ASGI
        content: bytes | None = message.get("bytes")
        if content is not None:
            self._push(content)
            return
        try:
            self.ended = msgspec.json.decode(message["text"], type=_Control).end
        except msgspec.MsgspecError:
            raise ProblemError(422, 'a message of text must be {"end": true}') from None
        if self.ended:
            self._keep(self._resampler.push(np.empty(0, np.float32), last=True))

    def _push(self, content: bytes) -> None:
        content = self._odd + content
        even = len(content) // 2 * 2
        self._odd = content[even:]
        samples = np.frombuffer(content[:even], "<i2").astype(np.float32) / np.float32(32768)
        self._keep(self._resampler.push(samples))

    def _keep(self, block: Float32s) -> None:
        block = block[: max(self._most - self._count, 0)]
        if len(block):
            self._blocks.append(block)
            self._count += len(block)
            self._kept += len(block)


@router.websocket("/listen")
async def listen(socket: WebSocket, mode: Literal["track", "tracklist"] = "track") -> None:
    """Identify what is played, and answer as soon as that is sure.

    The client sends a message of text, `{"sample_rate": 48000}`, then binary ones: 16-bit
    little-endian PCM of one channel; `{"end": true}` if nothing more comes. The server answers with
    messages of text whose `type` is `progress`, `answer`, `part`, `done` or `problem`.
    """
    await socket.accept()
    try:
        await _MODES[mode](socket, service_of(socket))
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


_MODES = {"track": _listen_for_track, "tracklist": _listen_for_tracklist}


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
    level = Microphone.level_of(samples)
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
