"""What goes wrong with peers and disks is said alike by every client, and nothing is held or lost.

Belongs here: troubles that each client meets. Does not belong here: those of one client alone.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.settings import Settings
from spotify_pipeline.space import SpaceError
from spotify_pipeline.torrent.client import StalledError
from spotify_pipeline.torrent.fetch import fetch_file
from spotify_pipeline.torrent.notes import notes
from spotify_pipeline_tests.disks import fill
from spotify_pipeline_tests.torrent.conftest import Swarm, Way
from spotify_pipeline_tests.torrent.seeders import PIECE_BYTES, seeding
from spotify_pipeline_tests.torrent.waiting import until

PATIENCE = {"libtorrent": 2.0, "qBittorrent": 30.0, "Transmission": 30.0}
"""Seconds without a byte until a download stalls: programs take some until they begin."""


def impatient(way: Way) -> Settings:
    return replace(way.settings, torrent_stall_minutes=PATIENCE[way.name] / 60)


def test_a_seeder_that_lies_gives_no_file_and_a_true_one_does_at_the_next_try(
    way: Way, swarm: Swarm, tmp_path: Path
) -> None:
    lies = tmp_path / "lies" / "dump"
    lies.mkdir(parents=True)
    for other in swarm.torrent.files:
        (lies / other.name).write_bytes(os.urandom(other.size))
    file = swarm.torrent.shards()["0a"]
    with (
        seeding(swarm.torrent.data, lies.parent) as liar,
        way.from_seeder(liar) as client,
        pytest.raises(StalledError, match=r"^0a\.jsonl\.zst stalls at .* came corrupt"),
    ):
        fetch_file(impatient(way), swarm.torrent, file, client)
    assert find_shards(way.settings.incoming) == {}
    with way.from_seeder(swarm.seeder) as client:
        fetched = fetch_file(way.settings, swarm.torrent, file, client)
    assert fetched.path.read_bytes() == swarm.content("0a")


def test_a_fetch_that_stalls_before_its_last_piece_gives_its_turn_on_and_goes_on_from_there(
    way: Way, swarm: Swarm
) -> None:
    files = swarm.torrent.shards()
    file, other = files["0b"], files["7z"]
    end = sum(each.size for each in swarm.torrent.files[: file.index + 1])
    lacks = {end // PIECE_BYTES}
    with (
        seeding(swarm.torrent.data, swarm.folder, lacks=lacks) as seeder,
        way.from_seeder(seeder) as client,
        pytest.raises(StalledError, match=r"^0b\.jsonl\.zst stalls at .*, 1 peers"),
    ):
        fetch_file(impatient(way), swarm.torrent, file, client)
    note = notes(way.settings.downloads)["0b"]
    assert note.says is not None
    with way.from_seeder(swarm.seeder) as client:
        for turn in (other, file):
            fetched = fetch_file(way.settings, swarm.torrent, turn, client)
    assert fetched.path.read_bytes() == swarm.content("0b")
    assert 0 < fetched.received <= 2 * PIECE_BYTES


def test_a_full_disk_is_said_and_the_fetch_goes_on_once_there_is_room(
    way: Way, swarm: Swarm, small_disk: Path
) -> None:
    settings = replace(way.settings, incoming=small_disk)
    file, folder = swarm.torrent.shards()["0a"], settings.downloads / "0a"
    folder.mkdir(parents=True)
    filler = fill(small_disk, 2 * PIECE_BYTES)  # something else takes the room meanwhile
    full = pytest.raises(SpaceError, match=f"{folder}.*: the disk is full")
    with way.from_seeder(swarm.seeder) as client:
        with full, client.downloading(swarm.torrent, file, folder) as download:
            until(lambda: download.progress().complete, 30)
        filler.unlink()
        fetched = fetch_file(settings, swarm.torrent, file, client)
    assert fetched.path.read_bytes() == swarm.content("0a")
