"""The command ``serve`` as a process, which can be killed.

Belongs here: starting it and waiting for it. Does not belong here: servers within the process of
the tests (`served`).
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from spotify_pipeline_tests.processes import environment

__all__ = ["ended_with_its_children", "free_port", "server_process"]

PATIENCE = 120.0
"""Seconds within which a server answers, on a machine that is busy."""


@contextmanager
def server_process(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``serve`` on a data home until it answers; gives it, and the address that it shows."""
    process = subprocess.Popen(
        [sys.executable, "-m", "spotify_pipeline.cli", "serve", *options],
        env={**environment(home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("open "))
        address = line.removeprefix("open ").strip()
        _wait_for(address.partition("?")[0])
        yield process, address
    finally:
        process.kill()
        process.wait()


def _wait_for(address: str) -> None:
    ended = time.monotonic() + PATIENCE
    while True:
        try:
            said = httpx.get(f"{address}health", timeout=PATIENCE, verify=False).json()
            assert said["status"] == "ok"
            return
        except httpx.TransportError:
            assert time.monotonic() < ended
            time.sleep(0.1)


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def ended_with_its_children(process: subprocess.Popen[str], ending: int) -> None:
    """Send a signal to a server, and wait for its decoders to be gone, too."""
    children = psutil.Process(process.pid).children()
    assert children
    process.send_signal(ending)
    process.wait(30)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
