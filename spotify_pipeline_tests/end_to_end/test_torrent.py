"""From a torrent to rows by a backfill in real Dagster processes, on the disk of two files."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.settings import TORRENT_PEERS_VARIABLE, TORRENT_VARIABLE
from spotify_pipeline.shards import SHARDS
from spotify_pipeline.store.database import DatabaseBusyError, connect
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline_tests.documents import make_documents, write_shard
from spotify_pipeline_tests.processes import DAGSTER, environment
from spotify_pipeline_tests.torrent.seeders import made_torrent, seeding

COUNT = int(os.environ.get("TORRENT_TEST_SHARDS", "3"))
"""Of shards. Starting a run's processes takes longer than all else: ten seconds of a core each."""

TRACKS = 20
PIECE_BYTES = 1 << 16
LONGEST = 300.0 + 300.0 * COUNT
MODULE = "spotify_pipeline.definitions"


@contextmanager
def daemon(variables: dict[str, str], home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run Dagster's daemon, which starts what is queued."""
    subprocess.run(
        [DAGSTER, "instance", "info"], env=variables, cwd=home, check=True, capture_output=True
    )
    with (home / "daemon.log").open("wb") as log:
        process = subprocess.Popen(
            [f"{DAGSTER}-daemon", "run", "-m", MODULE],
            env=variables,
            cwd=home,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def committed(home: Path) -> int:
    """Count the shards of the ledger; 0 while a run has it."""
    try:
        return len(read_ledger(home / "audio.duckdb"))
    except DatabaseBusyError:
        return 0


def taken(folder: Path) -> int:
    """Count the bytes that the files below a folder take on the disk."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def test_a_backfill_fetches_ingests_and_deletes_shard_after_shard(tmp_path: Path) -> None:
    home, seeded = tmp_path / "home", tmp_path / "seeded"
    shards = SHARDS[:COUNT]
    expected = []
    for shard in shards:
        documents = make_documents(shard, TRACKS)
        expected += [document["meta"]["track_id"] for document in documents]
        write_shard(seeded / "dump", shard, documents)
    largest = max(path.stat().st_size for path in (seeded / "dump").iterdir())
    torrent = made_torrent(seeded / "dump", PIECE_BYTES)
    (tmp_path / "dump.torrent").write_bytes(torrent)
    peak = 0
    with seeding(torrent, seeded) as seeder:
        variables = environment(home) | {
            TORRENT_VARIABLE: str(tmp_path / "dump.torrent"),
            TORRENT_PEERS_VARIABLE: seeder.address,
            "PYTHONWARNINGS": "ignore",
        }
        with daemon(variables, home) as process:
            backfill = ["job", "backfill", "-m", MODULE, "-j", "download", "--noprompt"]
            launched = subprocess.run(
                [DAGSTER, *backfill, "--partitions", ",".join(shards)],
                env=variables,
                cwd=home,
                capture_output=True,
                text=True,
                check=False,
            )
            assert launched.returncode == 0, launched.stderr
            deadline = time.monotonic() + LONGEST
            looked = 0.0
            while True:
                peak = max(peak, taken(home / "incoming"))
                if time.monotonic() - looked > 5:
                    looked = time.monotonic()
                    done = committed(home)
                    print(f"{done} of {COUNT} shards, peak so far {peak:,} bytes", flush=True)
                    if done == COUNT and not find_shards(home / "incoming"):
                        break
                assert process.poll() is None
                assert looked < deadline, (home / "daemon.log").read_text()[-5000:]
                time.sleep(0.05)
        sent = seeder.uploaded
    with connect(home / "audio.duckdb", read_only=True) as connection:
        ids = connection.execute("SELECT track_id FROM tracks ORDER BY 1").fetchall()
    assert ids == [(track_id,) for track_id in sorted(expected)]
    whole = sum(path.stat().st_size for path in (seeded / "dump").iterdir())
    assert whole <= sent <= whole + 2 * PIECE_BYTES * COUNT
    block = 4096  # of the disk: the last of each file, notes, and the part file's list
    assert 0 < peak <= 2 * (largest + 2 * PIECE_BYTES) + 16 * block
    print(f"{COUNT} shards of up to {largest:,} bytes, peak {peak:,} bytes")
