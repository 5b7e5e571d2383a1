"""Real torrent programs on this machine's loopback, started for a test and ended with it.

Belongs here: starting them. Does not belong here: what is asked of them.
"""

import json
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["PASSWORD", "Program", "free_port", "qbittorrent", "transmission"]

_QBITTORRENT = """\
[LegalNotice]
Accepted=true
[BitTorrent]
Session\\DHTEnabled=false
Session\\LSDEnabled=false
Session\\PeXEnabled=false
Session\\InterfaceAddress=127.0.0.1
Session\\Port={port}
Session\\BTProtocol=TCP
Session\\DefaultSavePath={own}
[Network]
PortForwardingEnabled=false
[Preferences]
WebUI\\Address=127.0.0.1
WebUI\\Port={web}
WebUI\\UseUPnP=false
Connection\\ResolvePeerCountries=false
"""


PASSWORD = "adminadmin"

_TRANSMISSION = {
    "bind-address-ipv4": "127.0.0.1",
    "dht-enabled": False,
    "lpd-enabled": False,
    "pex-enabled": False,
    "port-forwarding-enabled": False,
    "rpc-authentication-required": True,
    "rpc-bind-address": "127.0.0.1",
    "rpc-password": PASSWORD,
    "rpc-username": "admin",
    "utp-enabled": False,
}


@dataclass
class Program:
    """A program that runs, and how to reach and start it: by people, and by peers.

    Its own folder for downloads is to stay empty.
    """

    command: list[str]
    web: int
    port: int
    own: Path
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.web}"

    def kill(self) -> None:
        """End it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def start_again(self) -> None:
        """Start it with what it has kept."""
        self.process = _started(self.command, self.web)


@contextmanager
def qbittorrent(profile: Path) -> Iterator[Program]:
    """Run qBittorrent; its user is admin, the password adminadmin."""
    found = shutil.which("qbittorrent-nox")
    if found is None:
        pytest.skip("qbittorrent-nox is not installed; apt-get install qbittorrent-nox")
    port, web = free_port(), free_port()
    own, folder = profile / "own", profile / "qBittorrent" / "config"
    folder.mkdir(parents=True)
    (folder / "qBittorrent.conf").write_text(_QBITTORRENT.format(port=port, web=web, own=own))
    with _running([found, f"--profile={profile}"], web, port, own) as program:
        yield program


@contextmanager
def transmission(folder: Path) -> Iterator[Program]:
    """Run Transmission; its user is admin, the password adminadmin."""
    found = shutil.which("transmission-daemon")
    if found is None:
        pytest.skip("transmission-daemon is not installed; apt-get install transmission-daemon")
    port, web = free_port(), free_port()
    own = folder / "own"
    more = {"rpc-port": web, "peer-port": port, "download-dir": str(own)}
    (folder / "settings.json").write_text(json.dumps(_TRANSMISSION | more))
    command = [found, "--foreground", "--config-dir", str(folder)]
    with _running(command, web, port, own) as program:
        yield program


@contextmanager
def _running(command: list[str], web: int, port: int, own: Path) -> Iterator[Program]:
    program = Program(command, web, port, own, _started(command, web))
    try:
        yield program
    finally:
        program.kill()


def _started(command: list[str], web: int) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", web), timeout=1).close()
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return process


def free_port() -> int:
    """Give a port that nobody listens at, nor gets for a connection while a program is away.

    A client that calls again and again at one of those would some day be connected to itself.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
