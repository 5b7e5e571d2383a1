"""Decoding in processes of its own, which may crash, hang or be killed.

Belongs here: starting, asking and ending these processes. Does not belong here: what they do
(`decoder`).
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.recording import RecordingError
from spotify_pipeline.serve.decoder import LENGTH, LONGEST_FRAME

__all__ = ["Decoder", "Decoders"]

START_SECONDS = 120.0
"""A process that is not ready by then is given up: the machine may be busy."""


class CrashedError(RecordingError):
    """The process ended in the middle of a recording."""


class Decoder:
    """A decoding process, and whether it can be asked again."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.usable = True

    @classmethod
    async def start(cls, memory: int) -> "Decoder":
        """Start a process that may take so many bytes."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "spotify_pipeline.serve.decoder", str(memory)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # what it starts is killed with it
        )
        decoder = cls(process)
        try:
            async with asyncio.timeout(START_SECONDS):
                await decoder._frame()
        except BaseException:
            await decoder.end()
            raise
        return decoder

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self._process.returncode is None

    async def blocks(self, path: Path, seconds: float, patience: float) -> AsyncGenerator[Float32s]:
        """Decode a file.

        Parameters
        ----------
        path
            The file; it is named nowhere in errors.
        seconds
            Longest recording that is taken.
        patience
            Seconds within which the next block has to come.

        Yields
        ------
        float32 of shape (samples,), at 11025 Hz.

        Raises
        ------
        RecordingError
            It can't be read, takes too long or too much memory, or the process crashed.
        """
        assert self._process.stdin is not None
        self.usable = False  # until all of the answer is read
        self._process.stdin.write(
            json.dumps({"path": str(path), "seconds": seconds}).encode() + b"\n"
        )
        while True:
            try:
                async with asyncio.timeout(patience):
                    content = await self._frame()
            except TimeoutError:
                raise RecordingError(f"decoding it takes longer than {patience:.0f} s") from None
            except (asyncio.IncompleteReadError, ConnectionError):
                raise CrashedError("it crashed the decoder: it is damaged") from None
            except RecordingError:
                self.usable = True
                raise
            if not content:
                self.usable = True
                return
            yield np.frombuffer(content, "<f4")

    async def end(self) -> None:
        """Kill the process and what it has started."""
        self.usable = False
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _frame(self) -> bytes:
        assert self._process.stdout is not None
        (length,) = LENGTH.unpack(await self._process.stdout.readexactly(LENGTH.size))
        if not -LONGEST_FRAME <= length <= LONGEST_FRAME:
            raise ConnectionError("the decoder sends what is no frame")
        content = await self._process.stdout.readexactly(abs(length))
        if length < 0:
            raise RecordingError(content.decode(errors="replace"))
        return content


class Decoders:
    """So many decoding processes, started when they are needed and kept for the next recording.

    Parameters
    ----------
    count
        Processes at a time.
    memory
        Bytes that each may take.
    """

    def __init__(self, count: int, memory: int) -> None:
        self._free = asyncio.Semaphore(count)
        self._memory = memory
        self._idle: list[Decoder] = []
        self.killed = 0

    @asynccontextmanager
    async def decoder(self) -> AsyncIterator[Decoder]:
        """Lend a process; it is killed if it is left in the middle of a recording."""
        async with self._free:
            decoder = self._waiting() or await Decoder.start(self._memory)
            try:
                yield decoder
            finally:
                if decoder.usable:
                    self._idle.append(decoder)
                else:
                    self.killed += 1
                    await decoder.end()

    def _waiting(self) -> Decoder | None:
        """Give a process that waits for a recording; one that has ended meanwhile is forgotten."""
        while self._idle:
            decoder = self._idle.pop()
            if decoder.lives:
                return decoder
        return None

    async def read(self, path: Path, seconds: float, patience: float) -> Float32s:
        """Decode a whole file within so many seconds; see `Decoder.blocks`."""
        try:
            return await self._read(path, seconds, patience)
        except CrashedError:  # if it was not the file's fault, another process can read it
            return await self._read(path, seconds, patience)

    async def _read(self, path: Path, seconds: float, patience: float) -> Float32s:
        async with self.decoder() as decoder:
            try:
                async with asyncio.timeout(patience):
                    blocks = [block async for block in decoder.blocks(path, seconds, patience)]
            except TimeoutError:
                raise RecordingError(f"decoding it takes longer than {patience:.0f} s") from None
        return np.concatenate([np.empty(0, np.float32), *blocks])

    async def warm_up(self) -> None:
        """Start a process before it is needed."""
        async with self.decoder():
            pass

    async def close(self) -> None:
        """End the processes that nobody uses."""
        while self._idle:
            await self._idle.pop().end()
