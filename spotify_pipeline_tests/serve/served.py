"""A real server on a data home that is made in a second, and recordings to ask it for."""

import asyncio
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import anyio
import httpx
import numpy as np
import soundfile
import uvicorn

from spotify_pipeline.fingerprint import Fingerprint, fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.resampling import analyzer_samples
from spotify_pipeline.serve.access import Access
from spotify_pipeline.serve.application import create_application
from spotify_pipeline.serve.limits import Limits
from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.catalogue_made import make_home, track_id
from spotify_pipeline_tests.serve.waiting import PATIENCE
from spotify_pipeline_tests.tracks import Track, publish_tracks

__all__ = ["KNOWN", "RATE", "Served", "made_home", "music", "publish_known", "serving", "wav"]

# pytest rewrites anyio as it is imported, and Python 3.11 fails if two threads compile at a time:
# what a server's thread would import is imported here
LOADED = anyio.open_file, anyio.create_memory_object_stream
anyio.run(anyio.sleep, 0)

RATE = 22_050

KNOWN = track_id(2)
"""The track that the index knows and the catalogue calls Yesterday."""

SECONDS = 40.0


def music(seed: int, seconds: float = SECONDS, start: float = 0.0) -> Float32s:
    """Make bursts of noise at uneven distances, at `RATE`: a rhythm that no other seed has."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, 0.001, round(SECONDS * RATE))
    for first in np.cumsum(rng.uniform(0.12, 0.5, 80) * RATE).astype(int):
        burst = samples[first : first + RATE // 8]
        burst += rng.normal(0, 0.2, len(burst)) * np.exp(-np.arange(len(burst)) / 400)
    begin = round(start * RATE)
    return samples[begin : begin + round(seconds * RATE)].astype(np.float32)


def wav(samples: Float32s, rate: int = RATE) -> bytes:
    """Give the bytes of an audio file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV")
    return file.getvalue()


def publish_known(index: Path, seed: int = 1, name: str = "segment-0.bin") -> None:
    """Publish an index of one segment that knows the music of a seed as `KNOWN`."""
    found = _fingerprint(seed)
    publish_tracks(index, [Track(KNOWN, SECONDS, found.rhythm, found.echoprint)], name)


@cache
def _fingerprint(seed: int) -> Fingerprint:
    return fingerprint(analyzer_samples(music(seed), RATE))


def made_home(folder: Path) -> Settings:
    """Make a data home with a small catalogue, and an index that knows one track of it."""
    settings = make_home(folder)
    publish_known(settings.index)
    return settings


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    settings: Settings
    url: str
    port: int

    def client(self, **options: object) -> httpx.Client:
        """Give a client that is patient."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE, **options)  # type: ignore[arg-type]


@contextmanager
def serving(
    settings: Settings, access: Access | None = None, limits: Limits | None = None, port: int = 0
) -> Iterator[Served]:
    """Serve a data home over HTTP for the length of a ``with`` block."""
    listening = socket.create_server(("127.0.0.1", port))
    port = listening.getsockname()[1]
    config = uvicorn.Config(
        create_application(settings, access, limits),
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield Served(settings, f"http://127.0.0.1:{port}", port)
    finally:
        server.should_exit = True
        thread.join()
