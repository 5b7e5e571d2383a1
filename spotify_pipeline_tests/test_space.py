"""Work waits for space, says so, and a disk that is full all the same loses nothing."""

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotify_pipeline import space
from spotify_pipeline.dump.reduction import reduce_shard
from spotify_pipeline.settings import Settings
from spotify_pipeline.space import SpaceError, SpaceGuard
from spotify_pipeline.store.audio import create_audio_database, ledger
from spotify_pipeline.store.database import DatabaseError, connect
from spotify_pipeline.store.ingestion import ingest_reduction
from spotify_pipeline_tests.documents import make_documents, write_shard

MEGABYTE = 10**6


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LOOK_SECONDS", 0.02)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk takes a privilege that is not given here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, left: int) -> Path:
    """Write a file that leaves so many bytes free."""
    path = folder / "filler"
    path.write_bytes(bytes(space._free(folder) - left))
    return path


def test_space_that_is_there_is_not_waited_for(tmp_path: Path) -> None:
    SpaceGuard(0, pytest.fail).wait_for(tmp_path / "not" / "there" / "yet", 1, "work")


def test_work_waits_until_space_is_there_and_says_so_once(small_disk: Path) -> None:
    filler = fill(small_disk, MEGABYTE)
    told: list[str] = []
    guard = SpaceGuard(MEGABYTE, told.append)
    threading.Timer(0.3, filler.unlink).start()
    started = time.monotonic()
    guard.wait_for(small_disk, 2 * MEGABYTE, "reducing shard 0a")
    assert time.monotonic() - started > 0.25
    assert len(told) == 1
    assert told[0].startswith("reducing shard 0a waits for space: it needs")
    assert str(small_disk) in told[0]


def test_patience_ends_with_an_error_that_says_what_to_do(small_disk: Path) -> None:
    fill(small_disk, MEGABYTE)
    told: list[str] = []
    with pytest.raises(SpaceError, match=r"0a waits for space.*make room, then run it again"):
        SpaceGuard(0, told.append, patience=0.1).wait_for(small_disk, 2 * MEGABYTE, "0a")
    assert len(told) == 1


def test_running_work_waits_when_the_rest_of_its_space_is_gone(small_disk: Path) -> None:
    told: list[str] = []
    reports: list[int] = []
    guard = SpaceGuard(0, told.append, patience=0.1)
    report = guard.watching(
        small_disk, 4 * MEGABYTE, "0a", lambda done, total, what: reports.append(done)
    )
    fill(small_disk, 3 * MEGABYTE)
    time.sleep(0.03)
    report(1, 2, "half")  # 2 MB to come, and 3 MB free
    time.sleep(0.03)
    with pytest.raises(SpaceError):
        report(0, 2, "start")
    assert reports == [1]
    assert len(told) == 1


@pytest.fixture
def home(small_disk: Path) -> Settings:
    settings = Settings(small_disk, small_disk.parent / "incoming")
    settings.create_folders()
    write_shard(settings.incoming, "0a", make_documents("0a", 400, duration=20.0))
    return settings


def ingest(home: Settings) -> int:
    """Ingest the shard; gives the tracks that are there then."""
    reduction = reduce_shard(home.incoming / "0a.jsonl.zst", "0a", home.staging)
    create_audio_database(home.audio_database)
    with connect(home.audio_database) as connection:
        ingest_reduction(connection, reduction, "run")
        return ledger(connection)["0a"].tracks


def test_a_disk_that_fills_up_in_a_reduction_leaves_nothing_half_done(home: Settings) -> None:
    filler = fill(home.home, 100_000)
    with pytest.raises(SpaceError, match=r"staging: the disk is full; nothing is lost"):
        reduce_shard(home.incoming / "0a.jsonl.zst", "0a", home.staging)
    assert list(home.staging.iterdir()) == []
    assert (home.incoming / "0a.jsonl.zst").exists()
    filler.unlink()
    assert ingest(home) == 400


def test_a_disk_that_fills_up_in_an_append_leaves_the_database_as_it_was(home: Settings) -> None:
    create_audio_database(home.audio_database)
    with connect(home.audio_database) as connection:
        assert ledger(connection) == {}
    reduction = reduce_shard(home.incoming / "0a.jsonl.zst", "0a", home.staging)
    filler = fill(home.home, 50_000)
    with pytest.raises(DatabaseError), connect(home.audio_database) as connection:
        ingest_reduction(connection, reduction, "run")
    assert (home.incoming / "0a.jsonl.zst").exists()
    filler.unlink()
    with connect(home.audio_database) as connection:
        assert ledger(connection) == {}
        assert ingest_reduction(connection, reduction, "again").row.tracks == 400
    assert not (home.incoming / "0a.jsonl.zst").exists()
