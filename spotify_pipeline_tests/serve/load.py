"""Clients that ask again and again while something happens to the server.

Belongs here: asking, and what became of each request. Does not belong here: what happens meanwhile.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

import httpx

from spotify_pipeline_tests.serve.served import KNOWN, music, wav
from spotify_pipeline_tests.serve.waiting import PATIENCE, wait_until

__all__ = ["EXCERPT", "Asked", "Load", "Outcome", "under_load"]

EXCERPT = wav(music(1, 8, start=4))

PAUSE = 0.02
"""Seconds after which a client that was refused asks again."""


class Outcome(Enum):
    """What a client gets."""

    RIGHT = auto()
    WRONG = auto()
    REFUSED = auto()
    """The connection was not accepted."""
    CUT = auto()
    """The connection ended before the answer."""


@dataclass(frozen=True)
class Asked:
    """A request: when it was sent and settled, by the monotonic clock, and what came of it."""

    sent: float
    settled: float
    outcome: Outcome
    said: str


class Load:
    """Clients, and the requests of them all.

    Parameters
    ----------
    url
        The server's.
    token
        That it asks for, if it does.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.asked: list[Asked] = []
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()

    def of(self, outcome: Outcome) -> list[Asked]:
        """Give the requests that came out so."""
        return [one for one in list(self.asked) if one.outcome is outcome]

    def right_since(self, moment: float) -> int:
        """Count the requests that were sent since and answered rightly."""
        return sum(one.sent >= moment for one in self.of(Outcome.RIGHT))

    def start(self, clients: int) -> None:
        """Have so many clients ask, each one request after the other."""
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Have no client ask again, and wait for the answers that are under way."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        with httpx.Client(
            base_url=self._url, headers=self._headers, timeout=PATIENCE, verify=False
        ) as client:
            while not self._stopped.is_set():
                self._ask(client, "POST", "/api/identify", f'"track_id":"{KNOWN}"', EXCERPT)
                self._ask(client, "GET", f"/v1/tracks/{KNOWN}", '"name":"Yesterday"')

    def _ask(
        self, client: httpx.Client, method: str, path: str, wanted: str, body: bytes = b""
    ) -> None:
        sent = time.monotonic()
        said = ""
        try:
            answer = client.request(method, path, content=body)
            said = answer.text
            right = answer.status_code == 200 and wanted in said
            outcome = Outcome.RIGHT if right else Outcome.WRONG
        except httpx.ConnectError:
            outcome = Outcome.REFUSED
            self._stopped.wait(PAUSE)
        except httpx.TransportError:
            outcome = Outcome.CUT
        self.asked.append(Asked(sent, time.monotonic(), outcome, said))


@contextmanager
def under_load(url: str, clients: int, token: str = "") -> Iterator[Load]:
    """Have clients ask for the length of a ``with`` block, which begins when it is well under way.

    Parameters
    ----------
    url, token
        As of `Load`.
    clients
        At a time.
    """
    load = Load(url, token)
    load.start(clients)
    try:
        wait_until(lambda: load.right_since(0.0) >= 2 * clients or load.of(Outcome.WRONG) != [])
        yield load
    finally:
        load.stop()
