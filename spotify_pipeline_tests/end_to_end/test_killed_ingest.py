"""An ingest that is killed at any moment loses nothing: the next one completes it."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline_tests.documents import make_documents, write_shard
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE, environment, run

KILLS = 3
TRACKS = 150
SHARDS = ("0a", "0A")


def start(home: Path) -> subprocess.Popen[bytes]:
    """Start an ingest."""
    return subprocess.Popen(
        [SPOTIFY_PIPELINE, "ingest"],
        env=environment(home),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def wait_for_a_shard_to_begin(process: subprocess.Popen[bytes], home: Path) -> None:
    """Wait until something appears in staging, or the process ends."""
    staging = home / "staging"
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if staging.exists() and any(staging.iterdir()):
            return
        time.sleep(0.005)


def kill_at_a_random_moment(home: Path, rng: random.Random) -> None:
    """Start an ingest and kill it some time after its first shard has begun."""
    process = start(home)
    wait_for_a_shard_to_begin(process, home)
    time.sleep(rng.uniform(0, 1.0))
    process.send_signal(signal.SIGKILL)
    process.communicate()


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


INGEST_AND_BE_KILLED = """
import os, random, signal, sys, time
from functools import partial
from pathlib import Path

from spotify_pipeline.dump.document import parse_document
from spotify_pipeline.dump.readiness import survey_incoming
from spotify_pipeline.ingest.due import Seen, due
from spotify_pipeline.ingest.shard import append_shard, finish_shard, stage_shard
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline_tests.documents import json_line, make_documents

home, kills = Path(sys.argv[1]), int(sys.argv[2])
settings = Settings(home, home / "incoming")
settings.create_folders()
parse_document(json_line(make_documents("0a", 1)[0]))  # kernels are loaded before the forks


def ingest():
    survey = survey_incoming(settings.incoming)
    ledger = read_ledger(settings.audio_database)
    found = due(Seen(survey, ledger))
    for shard in found.finished:
        finish_shard(settings, ledger[shard], survey.ready[shard])
    for shard in found.shards:
        stage_shard(settings, shard)
        append_shard(settings, shard, "run", partial(connect, settings.audio_database))


def killed_after(child, seconds):
    # gives how it ended, by itself if it was done before
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


chance = random.Random(7)
for kill in range(kills + 1):
    child = os.fork()
    if child == 0:
        ingest()
        os._exit(0)
    status = killed_after(child, chance.uniform(0, 0.3) if kill < kills else float("inf"))
    rows = read_ledger(settings.audio_database)
    waiting = survey_incoming(settings.incoming).states
    print(status, *sorted(rows), "|", *sorted(waiting), flush=True)
"""


def test_a_hundred_kills_leave_every_track_once_and_nothing_else(tmp_path: Path) -> None:
    shards = [f"0{letter}" for letter in "abcdefghijklmno"]
    expected = []
    for shard in shards:
        documents = make_documents(shard, 20)
        expected += [document["meta"]["track_id"] for document in documents]
        write_shard(tmp_path / "incoming", shard, documents)
    command = [sys.executable, "-c", INGEST_AND_BE_KILLED, str(tmp_path), "100"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stderr
    moments = finished.stdout.splitlines()
    for moment in moments:
        status, *names = moment.split()
        assert status in {"0", str(signal.SIGKILL.value)}, finished.stderr
        assert set(shards) <= set(names)
    killed = [moment for moment in moments if not moment.startswith("0 ")]
    assert len(killed) > 30  # of them many while shards were on their way
    with connect(tmp_path / "audio.duckdb", read_only=True) as connection:
        ids = connection.execute("SELECT track_id FROM tracks ORDER BY 1").fetchall()
    assert ids == [(track_id,) for track_id in sorted(expected)]
    assert find_shards(tmp_path / "incoming") == {}
    assert list((tmp_path / "staging").iterdir()) == []


def test_an_interrupt_stops_the_ingest_and_not_just_one_shard(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shards = ("0a", "0b", "0c", "0d")
    for shard in shards:
        write_shard(home / "incoming", shard, make_documents(shard, TRACKS))
    process = start(home)
    wait_for_a_shard_to_begin(process, home)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert b"Aborted" in output
    assert len(find_shards(home / "incoming")) >= len(shards) - 1
    finished = run(home, SPOTIFY_PIPELINE, "ingest")
    assert finished.returncode == 0, finished.stderr
    assert read_ledger(home / "audio.duckdb").keys() == set(shards)


def test_a_second_ingest_at_the_same_time_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_shard(home / "incoming", "0a", make_documents("0a", TRACKS))
    first = start(home)
    wait_for_a_shard_to_begin(first, home)
    first.send_signal(signal.SIGSTOP)  # so that it is at work for as long as the second runs
    second = run(home, SPOTIFY_PIPELINE, "ingest")
    first.send_signal(signal.SIGCONT)
    output, _ = first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 1), output
    assert "another ingest is running" in second.stderr
    assert read_ledger(home / "audio.duckdb")["0a"].tracks == TRACKS
