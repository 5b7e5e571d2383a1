"""An ingest that is killed at any moment loses nothing: the next one completes it."""

import random
import signal
import subprocess
import time
from pathlib import Path

from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.status import read_ledger
from spotify_pipeline.store.database import connect
from spotify_pipeline_tests.documents import make_documents, write_shard
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE, environment, run

KILLS = 6
TRACKS = 400
SHARDS = ("0a", "0A")


def kill_at_a_random_moment(home: Path, rng: random.Random) -> None:
    """Start an ingest and kill it some time after its first shard has begun."""
    process = subprocess.Popen(
        [SPOTIFY_PIPELINE, "ingest"],
        env=environment(home),
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    staging = home / "staging"
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if staging.exists() and any(staging.iterdir()):
            time.sleep(rng.uniform(0, 1.0))
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed_ingests_leave_the_source_until_its_rows_are_committed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    expected = set()
    for shard in SHARDS:
        documents = make_documents(shard, TRACKS)
        expected |= {document["meta"]["track_id"] for document in documents}
        write_shard(home / "incoming", shard, documents)
    rng = random.Random(4)
    for _ in range(KILLS):
        kill_at_a_random_moment(home, rng)
        committed = read_ledger(home / "audio.duckdb")
        waiting = find_shards(home / "incoming")
        assert set(SHARDS) <= committed.keys() | waiting.keys()
        assert all(row.tracks == TRACKS for row in committed.values())
    finished = run(home, SPOTIFY_PIPELINE, "ingest")
    assert finished.returncode == 0, finished.stderr
    with connect(home / "audio.duckdb", read_only=True) as connection:
        ids = [row[0] for row in connection.execute("SELECT track_id FROM tracks").fetchall()]
    assert len(ids) == len(expected)
    assert set(ids) == expected
    assert find_shards(home / "incoming") == {}
    assert not list((home / "staging").iterdir())
