"""From a torrent to rows by a backfill in real Dagster processes, on the disk of two files."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spotify_pipeline.settings import (
    TORRENT_CLIENT_VARIABLE,
    TORRENT_PASSWORD_VARIABLE,
    TORRENT_PEERS_VARIABLE,
)
from spotify_pipeline.shards import SHARDS
from spotify_pipeline.store.database import connect
from spotify_pipeline_tests.end_to_end.backfill import BORDER_PIECE_BYTES, Backfill
from spotify_pipeline_tests.torrent.programs import PASSWORD, qbittorrent, transmission
from spotify_pipeline_tests.torrent.seeders import Seeder, calling, seeding

FEW, MANY = 3, 24
"""Of shards. Starting a run's processes takes longer than all else: ten seconds of a core each."""

LONGEST = 300.0
"""Seconds for a shard, and as many for the start, on a machine that is busy."""

BLOCK = 4096
"""Of the disk: the last of each file, notes, and the part file's list."""


@contextmanager
def program(client: str, folder: Path, seeder: Seeder) -> Iterator[dict[str, str]]:
    """Run a client that is a program, if it is one; gives the variables that name it."""
    named = {TORRENT_PEERS_VARIABLE: seeder.address}
    if client == "embedded":
        yield named
        return
    run, scheme = {
        "qbittorrent": (qbittorrent, "http"),
        "transmission": (transmission, "transmission+http"),
    }[client]
    folder.mkdir()
    with run(folder) as running, calling(seeder, running.port):
        address = f"{scheme}://admin@127.0.0.1:{running.web}"
        yield named | {TORRENT_CLIENT_VARIABLE: address, TORRENT_PASSWORD_VARIABLE: PASSWORD}


@pytest.mark.parametrize(
    ("client", "count"),
    [
        ("embedded", FEW),
        *(
            pytest.param(client, MANY, marks=pytest.mark.long)
            for client in ("embedded", "qbittorrent", "transmission")
        ),
    ],
)
def test_a_backfill_fetches_ingests_and_deletes_shard_after_shard(
    client: str, count: int, tmp_path: Path
) -> None:
    backfill = Backfill.make(tmp_path, SHARDS[:count])
    began, peak = time.monotonic(), 0
    with (
        seeding(backfill.torrent, backfill.seeded) as seeder,
        program(client, tmp_path / client, seeder) as variables,
    ):
        backfill.launch(variables)
        with backfill.daemon() as daemon:
            for _ in backfill.looks(daemon, LONGEST * (1 + count)):
                peak = max(peak, backfill.taken())
        sent = seeder.uploaded
    with connect(backfill.home / "audio.duckdb", read_only=True) as connection:
        ids = connection.execute("SELECT track_id FROM tracks ORDER BY 1").fetchall()
    assert ids == [(track_id,) for track_id in backfill.ids]
    seconds = time.monotonic() - began
    print(
        f"{count} shards in {seconds:.0f} s, peak {peak:,} bytes, largest {max(backfill.sizes):,}"
    )
    assert sum(backfill.sizes) <= sent <= sum(backfill.sizes) + 2 * BORDER_PIECE_BYTES * count
    assert 0 < peak <= 2 * (max(backfill.sizes) + 2 * BORDER_PIECE_BYTES) + 16 * BLOCK
