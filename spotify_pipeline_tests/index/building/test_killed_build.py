"""An index update that is killed at any moment leaves an index that answers; the next goes on.

An index of an earlier format is there until the one that is made in its place is complete.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spotify_pipeline.dump.staged_extract import reduce_shard
from spotify_pipeline.index.format.manifest import read_manifest
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline.ingest.append import ingest_extract
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline_tests.documents import make_documents, make_track_id, write_shard

KILLS = 20
SHARDS = [f"0{letter}" for letter in "abcdefghijkl"]
TRACKS = 20

EARLIER = {
    "version": 2,
    "segments": [{"file": "segment-earlier.bin", "shards": dict.fromkeys([*SHARDS, "7Z"], "")}],
}

UPDATE_AND_BE_KILLED = """
import json, os, random, signal, sys, time
from pathlib import Path

from spotify_pipeline.index.building import merge
from spotify_pipeline.index.building.update import IndexSetting, update_index
from spotify_pipeline.index.errors import OutdatedIndexError
from spotify_pipeline.index.format.manifest import read_manifest
from spotify_pipeline.index.format.segment import Segment
from spotify_pipeline.settings import TrainsChoice
from spotify_pipeline.store.database import connect

merge.FAN_IN = 3
home, kills = Path(sys.argv[1]), int(sys.argv[2])
setting = IndexSetting(TrainsChoice.BOTH, 10**7)


def update(folder):
    with connect(home / "audio.duckdb", read_only=True) as connection:
        update_index(connection, folder, setting, lambda *_: None)


def run(folder, seconds=None):
    child = os.fork()
    if child == 0:
        update(folder)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def searched(folder):
    try:
        return read_manifest(folder)
    except OutdatedIndexError:
        return None


def is_the_earlier(folder):
    counts = folder / "manifest.json"
    return counts.exists() and json.loads(counts.read_bytes())["version"] == 2


started = time.monotonic()
assert run(home / "other") == 0
whole = time.monotonic() - started
chance = random.Random(3)
for kill in range(kills):
    status = run(home / "index", chance.uniform(0, 0.3 * whole))
    if is_the_earlier(home / "index"):
        assert (home / "index/segment-earlier.bin").read_bytes() == b"earlier"
    manifest = searched(home / "index")
    for entry in manifest.segments if manifest else []:
        Segment.open(home / "index" / entry.file).check_all()
    print(status, *sorted(manifest.shards if manifest else ()), flush=True)
print(run(home / "index"), flush=True)
"""


@pytest.mark.parametrize("rebuild", [False, True], ids=["new", "in place of an earlier one"])
def test_killed_updates_leave_whole_shards_and_the_last_completes_them(
    tmp_path: Path, rebuild: bool
) -> None:
    if rebuild:
        (tmp_path / "index").mkdir()
        (tmp_path / "index/manifest.json").write_text(json.dumps(EARLIER))
        (tmp_path / "index/segment-earlier.bin").write_bytes(b"earlier")
    create_audio_database(tmp_path / "audio.duckdb")
    with connect(tmp_path / "audio.duckdb") as connection:
        for shard in SHARDS:
            source = write_shard(tmp_path / "incoming", shard, make_documents(shard, TRACKS))
            ingest_extract(connection, reduce_shard(source, shard, tmp_path / "staging"), "run")
    command = [sys.executable, "-c", UPDATE_AND_BE_KILLED, str(tmp_path), str(KILLS)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert finished.returncode == 0, finished.stderr
    *moments, last = [line.split() for line in finished.stdout.splitlines()]
    assert last == ["0"]
    assert {status for status, *_ in moments} <= {"0", str(signal.SIGKILL.value)}, finished.stderr
    reached = [len(shards) for _, *shards in moments]
    assert reached == sorted(reached)
    assert any(count < len(SHARDS) for count in reached)
    index = Searcher.open(tmp_path / "index")
    assert sorted(map(index.track_id, range(len(index)))) == sorted(
        make_track_id(shard, number) for shard in SHARDS for number in range(TRACKS)
    )
    manifest = read_manifest(tmp_path / "index")
    assert manifest is not None
    left = {path.name for path in (tmp_path / "index").iterdir()}
    assert left == {"manifest.json", "index.lock", *(entry.file for entry in manifest.segments)}
