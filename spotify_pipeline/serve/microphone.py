"""A client's microphone: messages of a WebSocket, made into what the fingerprint takes.

Belongs here: PCM, sample rates, how much may wait. Does not belong here: what is heard in it
(`listening`).
"""

import asyncio
import math
from typing import Any

import msgspec
import numpy as np
from fastapi import WebSocket

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.resampling import ANALYZER_RATE, analyzer_resampler
from spotify_pipeline.serve.problems import ClientGoneError, ProblemError

__all__ = ["Microphone", "level_of"]

QUIETEST_DB = -120.0
LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000

MOST_AHEAD = 120.0
"""Seconds of audio that may wait to be worked on; then no more is taken from the client."""


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
            self.ended = msgspec.json.decode(message.get("text") or "", type=_Control).end
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


def level_of(samples: Float32s) -> float:
    """Tell how loud the last second is, in dB of full scale."""
    last = samples[-ANALYZER_RATE:].astype(np.float64)
    power = float(np.mean(last**2)) if len(last) else 0.0
    return max(10 * math.log10(power), QUIETEST_DB) if power > 0 else QUIETEST_DB
