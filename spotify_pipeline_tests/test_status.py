"""Where an installation stands: from nothing at all to one that another process is working on."""

import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from spotify_pipeline.catalog import build_text_index
from spotify_pipeline.dump.failure import failures, noting_failure
from spotify_pipeline.dump.staged_extract import StagedExtract
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.index.building.update import IndexSetting, update_index
from spotify_pipeline.ingest.append import ingest_extract
from spotify_pipeline.settings import Settings, TrainsChoice
from spotify_pipeline.shards import DUMP_SHARDS
from spotify_pipeline.status import gather_status
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.documents import json_line, make_documents
from spotify_pipeline_tests.extracts import reduce_documents, reduce_lines, settings_of
from spotify_pipeline_tests.metadata_file import pack, write_metadata
from spotify_pipeline_tests.processes import held_open_by_another_process

SETTING = IndexSetting(TrainsChoice.RHYTHM, 10**8)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "home")


def ingest(home: Settings, extract: StagedExtract) -> None:
    create_audio_database(home.audio_database)
    with connect(home.audio_database) as connection:
        ingest_extract(connection, extract, "run")


def ingest_documents(home: Settings, shard: str, count: int) -> None:
    ingest(home, reduce_documents(home, shard, make_documents(shard, count, duration=10.0)))


def fail(home: Settings, shard: str, reason: str) -> None:
    with pytest.raises(PipelineError), noting_failure(home.staging, shard):
        raise PipelineError(reason)


def put_metadata(home: Settings) -> Path:
    plain = write_metadata(home.staging / "plain.sqlite3")
    packed = pack(plain, home.incoming / "spotify_clean.sqlite3.zst")
    plain.unlink()
    return packed


def test_a_home_that_is_not_there_has_nothing_and_is_not_created(tmp_path: Path) -> None:
    home = Settings(tmp_path / "home", tmp_path / "home" / "incoming")
    status = gather_status(home)
    assert status.home == str(tmp_path / "home")
    assert msgspec.to_builtins(status.shards) == {
        "ingested": 0,
        "waiting": 0,
        "failed": 0,
        "of_the_dump": len(DUMP_SHARDS),
    }
    assert (status.waiting, status.failed, status.busy) == ([], {}, [])
    assert (status.tracks, status.rejects, status.indexed_tracks) == (0, 0, 0)
    assert (status.metadata_tables, status.metadata_waiting) == (0, False)
    assert set(msgspec.to_builtins(status.sizes).values()) == {0}
    assert list(tmp_path.iterdir()) == []


def test_an_empty_home_differs_from_a_missing_one_in_its_name_alone(
    tmp_path: Path, home: Settings
) -> None:
    missing = gather_status(Settings(tmp_path / "no", tmp_path / "no" / "incoming"))
    assert gather_status(home) == msgspec.structs.replace(missing, home=str(home.home))


def test_waiting_shards_are_named_in_partition_order(home: Settings) -> None:
    for name in ("0A", "7z", "0a"):
        (home.incoming / f"{name}.jsonl.zst").write_bytes(b"12345")
    status = gather_status(home)
    assert status.waiting == ["0a", "0A", "7z"]
    assert status.shards.waiting == 3
    assert status.sizes.incoming == 15


def test_ingested_shards_are_counted(home: Settings) -> None:
    ingest_documents(home, "0a", 3)
    ingest(home, reduce_lines(home, "0A", [b"broken\n", json_line(make_documents("0A", 1)[0])]))
    status = gather_status(home)
    assert (status.shards.ingested, status.tracks, status.rejects) == (2, 4, 1)
    assert status.tracks_with_harmony == 4
    assert status.waiting == ["0A"]  # its rejects keep the file
    assert status.sizes.audio_database == home.audio_database.stat().st_size > 0
    assert status.sizes.staging == 0
    assert status.busy == []


def test_an_incoming_folder_that_is_mistyped_is_an_error(home: Settings, tmp_path: Path) -> None:
    mistyped = replace(home, incoming=tmp_path / "torents")
    with pytest.raises(PipelineError, match=r"torents: no such .*SPOTIFY_PIPELINE_INCOMING"):
        gather_status(mistyped)


def test_what_is_passed_over_is_reported(home: Settings) -> None:
    for name in ("0a.jsonl", "0b.jsonl.zst.part"):
        (home.incoming / name).write_bytes(b"x")
    assert list(gather_status(home).passed_over) == [str(home.incoming / "0a.jsonl")]


def test_a_staged_extract_in_staging_has_a_size(home: Settings) -> None:
    extract = reduce_documents(home, "0a", make_documents("0a", 1))
    files = [path.stat().st_size for path in extract.folder.iterdir()]
    assert gather_status(home).sizes.staging == sum(files) > 0


def test_failed_shards_are_reported_with_their_last_error(home: Settings) -> None:
    for shard in ("0a", "0A"):
        (home.incoming / f"{shard}.jsonl.zst").write_bytes(b"x")
    fail(home, "0a", "first")
    fail(home, "0a", "0a.jsonl.zst is cut off")
    fail(home, "0A", "0A.jsonl.zst is damaged")
    status = gather_status(home)
    assert status.failed == {"0a": "0a.jsonl.zst is cut off", "0A": "0A.jsonl.zst is damaged"}
    assert (status.shards.failed, status.shards.waiting, status.waiting) == (2, 0, [])


def test_a_failure_is_forgotten_once_its_file_is_gone(home: Settings) -> None:
    fail(home, "0a", "0a.jsonl.zst is damaged")
    assert gather_status(home).failed == {}


def test_the_index_is_current_until_another_shard_is_ingested(home: Settings) -> None:
    ingest_documents(home, "0a", 2)
    assert not gather_status(home).index_is_current
    with connect(home.audio_database) as connection:
        update_index(connection, home.index, SETTING, lambda *_: None)
    status = gather_status(home)
    assert status.index_is_current
    assert status.indexed_tracks == 2
    assert status.sizes.index > 0
    ingest_documents(home, "0b", 1)
    status = gather_status(home)
    assert not status.index_is_current
    assert (status.tracks, status.indexed_tracks) == (3, 2)


def test_the_index_is_not_current_once_a_shard_has_other_content(home: Settings) -> None:
    ingest_documents(home, "0a", 2)
    with connect(home.audio_database) as connection:
        update_index(connection, home.index, SETTING, lambda *_: None)
    ingest_documents(home, "0a", 3)
    assert not gather_status(home).index_is_current


def test_metadata_waits_until_just_that_file_is_loaded(home: Settings) -> None:
    packed = put_metadata(home)
    status = gather_status(home)
    assert (status.metadata_tables, status.metadata_waiting) == (0, True)
    build_metadata(packed, home.staging, home.metadata_database)
    status = gather_status(home)
    assert (status.metadata_tables, status.metadata_waiting) == (9, False)
    assert status.sizes.metadata_database == home.metadata_database.stat().st_size
    packed.write_bytes(packed.read_bytes() + packed.read_bytes())
    assert gather_status(home).metadata_waiting


def test_a_database_that_another_process_holds_is_busy_and_the_rest_is_reported(
    home: Settings,
) -> None:
    ingest_documents(home, "0a", 2)
    fail(home, "0c", "damaged")
    (home.incoming / "0c.jsonl.zst").write_bytes(b"12345")
    with held_open_by_another_process(home.audio_database):
        status = gather_status(home)
    assert status.busy == ["audio.duckdb"]
    assert (status.tracks, status.rejects, status.shards.ingested) == (None, None, None)
    assert status.index_is_current is None
    assert (status.metadata_tables, status.metadata_waiting) == (0, False)
    assert (status.waiting, status.failed) == ([], {"0c": "damaged"})
    assert status.sizes.audio_database > 0
    status = gather_status(home)
    assert (status.busy, status.tracks) == ([], 2)


def test_both_databases_may_be_busy(home: Settings) -> None:
    ingest_documents(home, "0a", 1)
    build_metadata(put_metadata(home), home.staging, home.metadata_database)
    with (
        held_open_by_another_process(home.audio_database),
        held_open_by_another_process(home.metadata_database),
    ):
        status = gather_status(replace(home, sources="keep"))
    assert status.busy == ["audio.duckdb", "meta.duckdb"]
    assert (status.waiting, status.shards.waiting) == (None, None)
    assert (status.metadata_tables, status.metadata_extras) == (None, None)
    assert (status.metadata_waiting, status.extras_waiting) == (None, None)
    assert status.text_index_is_current is None


def damage_audio(home: Settings) -> None:
    home.audio_database.write_bytes(b"x" * 50_000)


def damage_metadata(home: Settings) -> None:
    home.metadata_database.write_bytes(b"x" * 50_000)


def damage_index(home: Settings) -> None:
    (home.index / "manifest.json").write_bytes(b"{")


def damage_note(home: Settings) -> None:
    fail(home, "0a", "cut off")
    (note,) = home.staging.iterdir()
    note.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (damage_audio, r"audio\.duckdb"),
        (damage_metadata, r"meta\.duckdb"),
        (damage_index, r"manifest\.json"),
        (damage_note, r"staging"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_it(
    home: Settings, damage: Callable[[Settings], None], named: str
) -> None:
    damage(home)
    with pytest.raises(PipelineError, match=named):
        gather_status(home)


def test_a_status_survives_json(home: Settings) -> None:
    fail(home, "0a", "cut off")
    status = gather_status(home)
    assert msgspec.json.decode(msgspec.json.encode(status), type=type(status)) == status


@contextmanager
def runs_at_work(home: Settings) -> Iterator[None]:
    """Let files, folders and notes come and go in the staging folder."""
    done = threading.Event()

    def work() -> None:
        for number in itertools.count():
            if done.is_set():
                return
            folder = home.staging / f"shard-{number % 3}.partial"
            folder.mkdir()
            (folder / "tracks.parquet").write_bytes(b"PAR1")
            with pytest.raises(PipelineError), noting_failure(home.staging, "0a"):
                raise PipelineError("cut off")
            with noting_failure(home.staging, "0a"):
                shutil.rmtree(folder)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join()


def test_runs_at_work_do_not_disturb_the_status(home: Settings) -> None:
    with runs_at_work(home):
        seen = [gather_status(home) for _ in range(300)]
    assert {tuple(status.failed.items()) for status in seen} <= {(), (("0a", "cut off"),)}
    assert failures(home.staging) == {}
    assert gather_status(home).sizes.staging == 0


def test_a_shard_that_lies_there_twice_is_not_ready_and_the_others_are(home: Settings) -> None:
    for path in ("0a.jsonl.zst", "copy/0a.jsonl.zst", "0b.jsonl.zst"):
        (home.incoming / path).parent.mkdir(exist_ok=True)
        (home.incoming / path).write_bytes(b"x")
    status = gather_status(home)
    assert status.waiting == ["0a", "0b"]
    assert list(status.not_ready) == ["0a"]
    assert str(home.incoming / "copy" / "0a.jsonl.zst") in status.not_ready["0a"]


def test_the_text_index_is_due_after_metadata_was_loaded_until_it_is_made(home: Settings) -> None:
    status = gather_status(home)
    assert (status.text_tracks, status.text_index_is_current) == (0, True)
    build_metadata(put_metadata(home), home.staging, home.metadata_database)
    assert not gather_status(home).text_index_is_current
    build_text_index(home.metadata_database, home.text_index)
    status = gather_status(home)
    assert (status.text_tracks, status.text_index_is_current) == (3, True)
    assert status.sizes.text_index > 0


def test_metadata_of_which_a_table_is_missing_waits(home: Settings) -> None:
    source = put_metadata(home)
    build_metadata(source, home.staging, home.metadata_database, tables=["tracks"])
    assert gather_status(home).metadata_waiting
    build_metadata(source, home.staging, home.metadata_database)
    assert not gather_status(home).metadata_waiting
