"""Who computes next: few threads, many clients, one piece of work of each in turn.

Belongs here: waiting, and refusing when too many wait. Does not belong here: the work.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from spotify_pipeline.errors import PipelineError

__all__ = ["RETRY_AFTER", "BusyError", "Places", "Turns"]

_Result = TypeVar("_Result")

USUAL_SECONDS = 1.0
"""What a piece of work is taken for before any was done."""

RETRY_AFTER = 5.0
"""Seconds after which whoever found no place may try again."""

SMOOTHING = 0.1
"""Weight of the last piece of work in the mean."""


class BusyError(PipelineError):
    """Too much waits already.

    Attributes
    ----------
    retry_after
        Seconds after which there is probably room again.
    """

    def __init__(self, retry_after: float) -> None:
        super().__init__("too much waits already")
        self.retry_after = max(retry_after, 1.0)


class Places:
    """So many of something at a time.

    Parameters
    ----------
    count
        Places.
    """

    def __init__(self, count: int) -> None:
        self._free = count

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take a place as long as the context lasts.

        Raises
        ------
        BusyError
            There is none.
        """
        if not self._free:
            raise BusyError(RETRY_AFTER)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class Turns:
    """Threads for the work of an event loop, which clients use in turn.

    A client with a hundred pieces of work does not hold up another with one: whenever a thread is
    free, it takes the oldest piece of the client whose turn is longest ago.

    Parameters
    ----------
    threads
        Pieces of work at a time.
    waiting
        Pieces that may wait, of all clients.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, "turn")
        self._threads, self._free, self._most = threads, threads, waiting
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._mean = USUAL_SECONDS

    @property
    def waiting(self) -> int:
        """Pieces of work that wait for a thread."""
        return sum(map(len, self._lines.values()))

    @property
    def running(self) -> int:
        """Pieces of work that are being done."""
        return self._threads - self._free

    async def run(self, client: str, work: Callable[[], _Result]) -> _Result:
        """Do a piece of work on a thread when it is the client's turn.

        Whoever cancels this while it waits gives up the place; work that has begun is done to its
        end, and keeps its thread until then.

        Raises
        ------
        BusyError
            Too many wait.
        """
        await self._turn(client)
        started = time.monotonic()
        done = asyncio.get_running_loop().run_in_executor(self._executor, work)

        def finished(_: object) -> None:
            self._mean += SMOOTHING * (time.monotonic() - started - self._mean)
            self._pass_on()

        done.add_done_callback(finished)
        return await asyncio.shield(done)

    def close(self) -> None:
        """End the threads once their work is done."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, client: str) -> None:
        if self._free:
            self._free -= 1
            return
        if self.waiting >= self._most:
            raise BusyError(self.waiting * self._mean / self._threads)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(client, deque())
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._leave(client, turn)
            else:
                self._pass_on()  # the turn came just now
            raise

    def _leave(self, client: str, turn: asyncio.Future[None]) -> None:
        line = self._lines.get(client)
        if line is not None and turn in line:
            line.remove(turn)
            if not line:
                del self._lines[client]

    def _pass_on(self) -> None:
        """Give a thread that is free to whoever's turn it is."""
        while self._lines:
            client, line = self._lines.popitem(last=False)
            turn = line.popleft()
            if line:
                self._lines[client] = line  # at the end
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
