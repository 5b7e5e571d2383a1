"""Work waits for space, says so, and a disk that is full all the same loses nothing."""

import errno
import os
import re
import threading
import time
from pathlib import Path

import pytest

from spotify_pipeline import space
from spotify_pipeline.dump.staged_extract import reduce_shard
from spotify_pipeline.ingest.append import ingest_extract
from spotify_pipeline.settings import Settings
from spotify_pipeline.space import AT_ONCE, SpaceError, SpaceGuard, naming_a_full_disk
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import DatabaseError, connect
from spotify_pipeline.store.ledger import ledger
from spotify_pipeline_tests.disks import fill
from spotify_pipeline_tests.documents import make_documents, write_shard

MEGABYTE = 10**6


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LOOK_SECONDS", 0.02)


def test_space_that_is_there_is_not_waited_for(tmp_path: Path) -> None:
    SpaceGuard(0, pytest.fail).wait_for(tmp_path / "not" / "there" / "yet", 1, "work")


def test_work_waits_until_space_is_there_and_says_so_once(small_disk: Path) -> None:
    filler = fill(small_disk, MEGABYTE)
    reported: list[str] = []
    guard = SpaceGuard(MEGABYTE, reported.append)
    threading.Timer(0.3, filler.unlink).start()
    started = time.monotonic()
    guard.wait_for(small_disk, 2 * MEGABYTE, "reducing shard 0a")
    assert time.monotonic() - started > 0.25
    assert len(reported) == 1
    assert reported[0].startswith("reducing shard 0a waits for space: it needs")
    assert str(small_disk) in reported[0]


def test_patience_ends_with_an_error_that_says_what_to_do(small_disk: Path) -> None:
    fill(small_disk, MEGABYTE)
    reported: list[str] = []
    with pytest.raises(SpaceError, match=r"0a waits for space.*make room, then run it again"):
        SpaceGuard(0, reported.append, patience=0.1).wait_for(small_disk, 2 * MEGABYTE, "0a")
    assert len(reported) == 1


def test_running_work_waits_when_the_rest_of_its_space_is_gone(small_disk: Path) -> None:
    reported: list[str] = []
    reports: list[int] = []
    guard = SpaceGuard(0, reported.append, patience=0.1)
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
    assert len(reported) == 1


def test_whoever_makes_room_bit_by_bit_is_waited_for(small_disk: Path) -> None:
    filler = fill(small_disk, MEGABYTE)
    ended = threading.Event()

    def make_room() -> None:
        while filler.stat().st_size > MEGABYTE and not ended.wait(0.1):
            os.truncate(filler, filler.stat().st_size - MEGABYTE // 2)

    making_room = threading.Thread(target=make_room)
    making_room.start()
    started = time.monotonic()
    SpaceGuard(0, lambda _: None, patience=0.4).wait_for(small_disk, 5 * MEGABYTE, "0a")
    assert time.monotonic() - started > 0.4
    ended.set()
    making_room.join()


def test_amounts_are_reported_in_units_that_fit_them() -> None:
    guard = SpaceGuard(3_000_000, lambda _: None, patience=0)
    needed = 10**18
    with pytest.raises(SpaceError, match=r"needs 1\.0 EB and leaves 3\.0 MB free; / lacks"):
        guard.wait_for(Path("/"), needed, "everything")


def test_nothing_lacks_space_at_once_but_what_does() -> None:
    AT_ONCE.wait_for(Path("/"), 0, "nothing")
    with pytest.raises(SpaceError):
        AT_ONCE.wait_for(Path("/"), 10**18, "everything")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named(tmp_path: Path, number: int) -> None:
    message = f"{tmp_path}: the disk is full; nothing is lost"
    with pytest.raises(SpaceError, match=re.escape(message)), naming_a_full_disk(tmp_path):
        raise OSError(number, "no room")


def test_another_error_of_the_disk_passes_through(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), naming_a_full_disk(tmp_path):
        raise PermissionError(errno.EACCES, "not yours")


@pytest.fixture
def home(small_disk: Path) -> Settings:
    settings = Settings(small_disk, small_disk.parent / "incoming")
    settings.incoming.mkdir()
    settings.create_folders()
    write_shard(settings.incoming, "0a", make_documents("0a", 400, duration=20.0))
    return settings


def ingest(home: Settings) -> int:
    """Ingest the shard; gives the tracks that are there then."""
    extract = reduce_shard(home.incoming / "0a.jsonl.zst", "0a", home.staging)
    create_audio_database(home.audio_database)
    with connect(home.audio_database) as connection:
        ingest_extract(connection, extract, "run")
        return ledger(connection)["0a"].tracks


def test_a_disk_that_fills_up_in_a_staged_extract_leaves_nothing_half_done(home: Settings) -> None:
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
    extract = reduce_shard(home.incoming / "0a.jsonl.zst", "0a", home.staging)
    filler = fill(home.home, 50_000)
    with pytest.raises(DatabaseError), connect(home.audio_database) as connection:
        ingest_extract(connection, extract, "run")
    assert (home.incoming / "0a.jsonl.zst").exists()
    filler.unlink()
    with connect(home.audio_database) as connection:
        assert ledger(connection) == {}
        assert ingest_extract(connection, extract, "again").row.tracks == 400
    assert not (home.incoming / "0a.jsonl.zst").exists()
