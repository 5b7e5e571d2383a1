"""The command ``serve`` as a process, which can be killed.

Belongs here: starting it and waiting for it. Does not belong here: servers within the process of
the tests (`served`).
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from spotify_pipeline_tests.processes import environment
from spotify_pipeline_tests.serve.waiting import PATIENCE, wait_until

__all__ = ["ended_with_its_children", "free_port", "server_process"]


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
        wait_until(lambda: _answers(address.partition("?")[0]))
        yield process, address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        said = httpx.get(f"{address}health", timeout=PATIENCE, verify=False).json()
    except httpx.TransportError:
        return False
    assert said["status"] == "ok"
    return True


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
