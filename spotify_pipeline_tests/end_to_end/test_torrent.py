"""From a torrent to rows by a backfill in real Dagster processes, on the disk of a file or two."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import psutil
import pytest

from spotify_pipeline.defs.dead_runs import ALIVE, PROCESS_TAG
from spotify_pipeline.defs.fetching import TORRENT_POOL
from spotify_pipeline.defs.partitions import PARTITION_TAG
from spotify_pipeline.defs.shards import AUDIO_POOL
from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.settings import (
    DOWNLOADS,
    TORRENT_CLIENT_VARIABLE,
    TORRENT_FILES_VARIABLE,
    TORRENT_PASSWORD_VARIABLE,
    TORRENT_PEERS_VARIABLE,
)
from spotify_pipeline.shards import SHARDS
from spotify_pipeline.store.database import connect
from spotify_pipeline.torrent.interrupted import interrupted_shards
from spotify_pipeline_tests.end_to_end.backfill import BORDER_PIECE_BYTES, Backfill
from spotify_pipeline_tests.torrent.programs import PASSWORD, qbittorrent, transmission
from spotify_pipeline_tests.torrent.seeders import Seeder, calling, seeding
from spotify_pipeline_tests.torrent.waiting import until

FEW, MANY = 2, int(os.environ.get("TORRENT_TEST_SHARDS", "24"))
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
    ("client", "count", "files"),
    [
        ("embedded", FEW, 1),
        *(
            pytest.param(client, MANY, 2, marks=pytest.mark.long)
            for client in ("embedded", "qbittorrent", "transmission")
        ),
    ],
)
def test_a_backfill_fetches_ingests_and_deletes_shard_after_shard(
    client: str, count: int, files: int, tmp_path: Path
) -> None:
    backfill = Backfill.make(tmp_path, SHARDS[:count])
    began, peak = time.monotonic(), 0
    with (
        seeding(backfill.torrent, backfill.seeded) as seeder,
        program(client, tmp_path / client, seeder) as variables,
    ):
        backfill.launch({**variables, TORRENT_FILES_VARIABLE: f"{files}"})
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
    largest = max(backfill.sizes) + 2 * BORDER_PIECE_BYTES
    assert 0 < peak <= files * (largest + 8 * BLOCK)


def at_work(backfill: Backfill, phase: str) -> set[str]:
    """Name the shards that are being fetched, or that lie there and are being ingested."""
    if phase == "fetched":
        return set(interrupted_shards(backfill.home / "incoming" / DOWNLOADS))
    return set(find_shards(backfill.home / "incoming"))


def end_a_run(backfill: Backfill, instance: dg.DagsterInstance, phase: str) -> bool:
    """Kill the process of a run whose shard is in a phase; tell whether there was one."""
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        tag = run.tags.get(PROCESS_TAG)
        if tag is not None and run.tags[PARTITION_TAG] in at_work(backfill, phase):
            with suppress(psutil.NoSuchProcess):
                psutil.Process(int(tag.split()[1])).kill()
                return True
    return False


@pytest.mark.long
def test_a_backfill_goes_on_by_itself_when_its_runs_are_killed_and_after_a_power_cut(
    tmp_path: Path,
) -> None:
    backfill = Backfill.make(tmp_path, SHARDS[:4])
    longest = LONGEST * (1 + len(backfill.shards))
    chance, killed = random.Random(8), []
    phases = ["fetched", "ingested", "fetched"]
    with seeding(backfill.torrent, backfill.seeded, upload_limit=20_000) as seeder:
        backfill.launch({TORRENT_PEERS_VARIABLE: seeder.address})
        with backfill.daemon() as daemon, backfill.instance() as instance:
            for _ in backfill.looks(daemon, longest):
                if phases and end_a_run(backfill, instance, phases[0]):
                    killed.append(phases.pop(0))
                    time.sleep(chance.uniform(0, 10))
                elif not phases:
                    break
        # that was the power cut
        with backfill.daemon() as daemon, backfill.instance() as instance:
            for _ in backfill.looks(daemon, longest):
                pass
            until(lambda: not instance.get_runs(dg.RunsFilter(statuses=ALIVE)), LONGEST)
            for pool in (TORRENT_POOL, AUDIO_POOL):
                info = instance.event_log_storage.get_concurrency_info(pool)
                assert (info.active_slot_count, info.pending_step_count) == (0, 0)
        sent = seeder.uploaded
    assert not phases, f"only {killed} were killed"
    with connect(backfill.home / "audio.duckdb", read_only=True) as connection:
        ids = connection.execute("SELECT track_id FROM tracks ORDER BY 1").fetchall()
    assert ids == [(track_id,) for track_id in backfill.ids]
    print(f"{killed} were killed: {sent:,} bytes came of {sum(backfill.sizes):,}")
    # whole pieces were kept; those that were on their way at each kill come again
    again = (len(killed) + 1) * 2 * BORDER_PIECE_BYTES
    assert sent <= sum(backfill.sizes) + 2 * BORDER_PIECE_BYTES * len(backfill.shards) + again
