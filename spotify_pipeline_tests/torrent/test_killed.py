"""Fetches whose process, client or seeder is killed go on; few pieces come twice.

``TORRENT_TEST_KILLS`` says how often; with fifty, each of the tests takes minutes.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread

import pytest

from spotify_pipeline.settings import TORRENT_PASSWORD_VARIABLE, Settings
from spotify_pipeline.torrent.client import Client, StalledError
from spotify_pipeline.torrent.clients import open_client
from spotify_pipeline.torrent.contents import Torrent, TorrentFile
from spotify_pipeline.torrent.embedded import EmbeddedClient
from spotify_pipeline.torrent.fetch import Fetched, fetch_file
from spotify_pipeline_tests.torrent.conftest import Swarm
from spotify_pipeline_tests.torrent.programs import (
    PASSWORD,
    Program,
    free_port,
    qbittorrent,
    transmission,
)
from spotify_pipeline_tests.torrent.seeders import PIECE_BYTES, calling, seeding
from spotify_pipeline_tests.torrent.waiting import until

KILLS = int(os.environ.get("TORRENT_TEST_KILLS", "2"))
MANY = "set TORRENT_TEST_KILLS=50 to kill programs many times, which takes minutes"
LONGEST = 120.0 + 30.0 * KILLS

FETCH_AND_BE_KILLED = """
import os, random, signal, sys, time
from pathlib import Path

import libtorrent
from spotify_pipeline.settings import Settings
from spotify_pipeline.torrent.contents import read_torrent
from spotify_pipeline.torrent.embedded import EmbeddedClient
from spotify_pipeline.torrent.fetch import fetch_file

home, port, kills = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
torrent = read_torrent((home / "dump.torrent").read_bytes(), "made")
chance = random.Random(5)
for kill in range(kills):
    child = os.fork()
    if child == 0:
        client = EmbeddedClient((("127.0.0.1", port),))
        for file in torrent.shards().values():
            fetch_file(Settings(home, home / "incoming"), torrent, file, client, limited=False)
        os._exit(0)
    time.sleep(chance.uniform(0, 4))
    os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""

SEED = """
import sys, time
from pathlib import Path

from spotify_pipeline_tests.torrent.seeders import seeding

torrent, folder, port, sent = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
with seeding(torrent.read_bytes(), folder, upload_limit=300_000, port=port) as seeder:
    while True:
        Path(sent).write_text(str(seeder.uploaded))
        time.sleep(0.05)
"""


@dataclass
class Fetching:
    """Fetches shards again and again until it is to end; deletes each, as an ingest does.

    A try that ends by `StalledError` is followed by another, as Dagster does after minutes.
    """

    settings: Settings
    swarm: Swarm
    client: Client
    ended: Event = field(default_factory=Event)
    received: list[int] = field(default_factory=list)
    stalls: list[str] = field(default_factory=list)

    def __enter__(self) -> "Fetching":
        self.thread = Thread(target=self._fetch)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join(LONGEST)
        assert not self.thread.is_alive()
        assert self.received, self.stalls

    def _fetch(self) -> None:
        while not self.ended.is_set():
            for shard, file in self.swarm.torrent.shards().items():
                fetched = self._patiently(file)
                assert fetched.path.read_bytes() == self.swarm.content(shard)
                fetched.path.unlink()
                self.received.append(fetched.received)

    def _patiently(self, file: TorrentFile) -> Fetched:
        while True:
            try:
                return fetch_file(self.settings, self.swarm.torrent, file, self.client)
            except StalledError as error:
                self.stalls.append(str(error))
                time.sleep(0.5)


def wanted(torrent: Torrent) -> int:
    """Count the bytes of the shards, each with the rest of the pieces at its borders."""
    total, start, length = 0, 0, sum(file.size for file in torrent.files)
    for file in torrent.files:
        first, end = start // PIECE_BYTES, -(-(start + file.size) // PIECE_BYTES)
        if file in torrent.shards().values():
            total += min(end * PIECE_BYTES, length) - first * PIECE_BYTES
        start += file.size
    return total


def test_a_process_that_is_killed_is_followed_by_one_that_goes_on(
    settings: Settings, dump: tuple[Path, Torrent]
) -> None:
    folder, torrent = dump
    (settings.home / "dump.torrent").write_bytes(torrent.data)
    with seeding(torrent.data, folder, upload_limit=max(4_000_000 // KILLS, 100_000)) as slow:
        command = [sys.executable, "-c", FETCH_AND_BE_KILLED, str(settings.home)]
        killed = subprocess.run(
            [*command, str(slow.peer[1]), str(KILLS)],
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        assert killed.returncode == 0, killed.stderr
        kills = killed.stdout.split().count(str(int(signal.SIGKILL)))
        slow.handle.set_upload_limit(0)
        client = EmbeddedClient((slow.peer,))
        for shard, file in torrent.shards().items():
            fetched = fetch_file(settings, torrent, file, client, limited=False)
            assert fetched.path.read_bytes() == (folder / "dump" / file.name).read_bytes(), shard
        sent = slow.uploaded
    assert kills >= KILLS // 2
    assert not settings.downloads.exists()
    print(f"{kills} kills of the process: {sent:,} bytes came of {wanted(torrent):,}")
    # whole pieces were kept; those that were on their way at each kill come again
    assert sent <= wanted(torrent) + kills * 2 * PIECE_BYTES


def test_a_fetch_goes_on_by_itself_when_its_seeder_was_killed(
    settings: Settings, dump: tuple[Path, Torrent], swarm: Swarm
) -> None:
    folder, torrent = dump
    (settings.home / "dump.torrent").write_bytes(torrent.data)
    port, chance, sent = free_port(), random.Random(6), 0
    command = [sys.executable, "-c", SEED, str(settings.home / "dump.torrent"), str(folder)]
    told = settings.home / "sent"
    patient = replace(settings, torrent_stall_minutes=10)
    with Fetching(patient, swarm, EmbeddedClient((("127.0.0.1", port),))) as fetching:
        for _ in range(KILLS):
            told.unlink(missing_ok=True)
            with subprocess.Popen([*command, str(port), str(told)]) as seeder:
                until(told.exists)
                time.sleep(chance.uniform(0, 3))
                seeder.kill()
            sent += int(told.read_text() or 0)
        fetching.ended.set()
        with seeding(torrent.data, folder, port=port) as seeder_that_stays:
            fetching.thread.join(LONGEST)
            sent += seeder_that_stays.uploaded
    rounds = len(fetching.received) // len(torrent.shards())
    print(f"{KILLS} kills of the seeder: {sent:,} bytes came of {rounds * wanted(torrent):,}")
    assert fetching.stalls == []
    assert sent <= rounds * wanted(torrent) + KILLS * 2 * PIECE_BYTES


@pytest.mark.skipif("TORRENT_TEST_KILLS" not in os.environ, reason=MANY)
@pytest.mark.parametrize(
    ("run", "scheme", "alive"),
    [(qbittorrent, "http", 6.0), (transmission, "transmission+http", 16.0)],
)
def test_fetches_go_on_by_themselves_when_their_client_was_killed(
    settings: Settings,
    swarm: Swarm,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[[Path], AbstractContextManager[Program]],
    scheme: str,
    alive: float,
) -> None:
    monkeypatch.setenv(TORRENT_PASSWORD_VARIABLE, PASSWORD)
    chance = random.Random(7)
    profile = settings.home / "profile"
    profile.mkdir()
    with run(profile) as program, calling(swarm.seeder, program.port):
        named = replace(
            settings,
            torrent_client=f"{scheme}://admin@127.0.0.1:{program.web}",
            torrent_peers=(swarm.seeder.address,),
        )
        swarm.seeder.handle.set_upload_limit(300_000)
        with Fetching(settings, swarm, open_client(named)) as fetching:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0, alive))
                program.kill()
                time.sleep(chance.uniform(0, 1))
                program.start_again()
            swarm.seeder.handle.set_upload_limit(0)
        assert not list(program.own.rglob("*"))
    rounds, sent = len(fetching.received) // len(swarm.torrent.shards()), swarm.seeder.uploaded
    print(f"{KILLS} kills of {scheme}: {sent:,} bytes came of {rounds * wanted(swarm.torrent):,}")
    for stall in sorted(set(fetching.stalls)):
        print(f"{fetching.stalls.count(stall)} tries: {stall}")
    assert not settings.downloads.exists()
    # it may not have noted or written what came in its last seconds: a file at the most
    largest = max(file.size for file in swarm.torrent.files)
    assert sent <= rounds * wanted(swarm.torrent) + KILLS * (largest + 2 * PIECE_BYTES)
