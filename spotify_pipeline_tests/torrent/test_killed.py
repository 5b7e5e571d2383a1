"""A fetch that is killed, or whose seeder is, goes on; few pieces come twice."""

import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.settings import Settings
from spotify_pipeline.torrent.contents import Torrent
from spotify_pipeline.torrent.embedded import EmbeddedClient
from spotify_pipeline.torrent.fetch import Fetched, fetch_file
from spotify_pipeline_tests.torrent.conftest import Swarm
from spotify_pipeline_tests.torrent.seeders import PIECE_BYTES, seeding

KILLS = 4

FETCH_AND_BE_KILLED = """
import os, random, signal, sys, time
from pathlib import Path

import libtorrent
from spotify_pipeline.settings import Settings
from spotify_pipeline.torrent.contents import read_torrent
from spotify_pipeline.torrent.embedded import EmbeddedClient
from spotify_pipeline.torrent.fetch import fetch_file

home, port, shard, kills = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
torrent = read_torrent((home / "dump.torrent").read_bytes(), "made")
chance = random.Random(5)
for kill in range(kills):
    child = os.fork()
    if child == 0:
        client = EmbeddedClient((("127.0.0.1", port),))
        fetch_file(Settings(home, home / "incoming"), torrent, torrent.shards()[shard], client)
        os._exit(0)
    time.sleep(chance.uniform(1.5, 2.5))
    os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def test_fetches_that_are_killed_are_gone_on_with_and_few_pieces_come_twice(
    settings: Settings, swarm: Swarm
) -> None:
    (settings.home / "dump.torrent").write_bytes(swarm.torrent.data)
    file = swarm.torrent.shards()["0A"]
    with seeding(swarm.torrent.data, swarm.folder, upload_limit=250_000) as slow:
        port = str(slow.peer[1])
        command = [sys.executable, "-c", FETCH_AND_BE_KILLED, str(settings.home), port, "0A"]
        killed = subprocess.run(
            [*command, str(KILLS)], capture_output=True, text=True, timeout=300, check=False
        )
        assert killed.returncode == 0, killed.stderr
        sent = slow.uploaded
    assert killed.stdout.split().count("9") >= KILLS // 2
    client = EmbeddedClient((swarm.seeder.peer,))
    fetched = fetch_file(settings, swarm.torrent, file, client)
    assert fetched.path.read_bytes() == swarm.content("0A")
    assert [found.name for found in settings.incoming.iterdir()] == ["0A.jsonl.zst"]
    wanted = (file.size // PIECE_BYTES + 1) * PIECE_BYTES
    # whole pieces were kept; those that were on their way at each kill come again
    assert fetched.received <= wanted - PIECE_BYTES
    assert sent + fetched.received <= wanted + KILLS * 2 * PIECE_BYTES


def test_a_fetch_goes_on_by_itself_when_its_seeder_is_back(
    settings: Settings, dump: tuple[Path, Torrent]
) -> None:
    folder, torrent = dump
    file = torrent.shards()["0b"]
    fetched: list[Fetched] = []
    with seeding(torrent.data, folder, lacks=range(1000)) as seeder:
        _, port = seeder.peer
        client = EmbeddedClient((seeder.peer,))
        fetching = Thread(
            target=lambda: fetched.append(fetch_file(settings, torrent, file, client))
        )
        fetching.start()
        while seeder.handle.status().num_peers == 0:
            time.sleep(0.02)
    del seeder  # its session ends
    assert find_shards(settings.incoming) == {}
    with seeding(torrent.data, folder, port=port):
        fetching.join(60)
    assert [each.path.name for each in fetched] == [file.name]
    assert fetched[0].path.read_bytes() == (folder / "dump" / file.name).read_bytes()
