"""The end of a shard's way: its file goes only once its rows are there, and for good reasons."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from spotify_pipeline.dump.incoming import SourcePolicy
from spotify_pipeline.dump.staged_extract import StagedExtract
from spotify_pipeline.ingest.append import ingest_extract, retire_ingested
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import DatabaseError, connect
from spotify_pipeline.store.ledger import ledger
from spotify_pipeline_tests.documents import json_line, make_documents
from spotify_pipeline_tests.extracts import (
    read_database,
    reduce_documents,
    reduce_lines,
    settings_of,
)

Connection = duckdb.DuckDBPyConnection

DOCUMENTS = make_documents("0a", 3, duration=10.0)
LINES = [json_line(document) for document in DOCUMENTS]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "home")


@pytest.fixture
def source(home: Settings) -> Path:
    return home.incoming / "0a.jsonl.zst"


@pytest.fixture
def database(home: Settings) -> Iterator[Connection]:
    create_audio_database(home.audio_database)
    with connect(home.audio_database) as connection:
        yield connection


def staged(home: Settings) -> list[Path]:
    return list(home.staging.iterdir())


def test_an_ingested_shards_file_and_staged_extract_are_deleted(
    database: Connection, home: Settings, source: Path
) -> None:
    ingestion = ingest_extract(database, reduce_documents(home, "0a", DOCUMENTS), "run 7")
    assert ingestion.kept_because is None
    assert ingestion.kept_because is None
    assert not source.exists()
    assert staged(home) == []
    assert ledger(database) == {"0a": ingestion.row}
    assert (ingestion.row.tracks, ingestion.row.run_id) == (3, "run 7")


def test_the_rows_are_committed_when_the_file_goes(
    home: Settings, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies while it deletes the file has the rows on disk."""

    def die(_: Path) -> None:
        raise KeyboardInterrupt

    create_audio_database(home.audio_database)
    extract = reduce_documents(home, "0a", DOCUMENTS)
    with connect(home.audio_database) as connection:
        monkeypatch.setattr(Path, "unlink", die)
        with pytest.raises(KeyboardInterrupt):
            ingest_extract(connection, extract, "run")
    with connect(home.audio_database, read_only=True) as connection:
        assert len(read_database(connection)["tracks"]) == 3
    assert source.exists()


def test_ingesting_the_same_file_again_changes_no_track(
    database: Connection, home: Settings, source: Path
) -> None:
    ingest_extract(database, reduce_documents(home, "0a", DOCUMENTS), "run")
    before = read_database(database)["tracks"]
    again = ingest_extract(database, reduce_documents(home, "0a", DOCUMENTS), "again")
    assert again.kept_because is None
    assert not source.exists()
    assert read_database(database)["tracks"] == before
    assert [row.run_id for row in ledger(database).values()] == ["again"]


@pytest.mark.parametrize("lines", [[], [b"broken\n"]], ids=["no lines", "rejects alone"])
def test_a_shard_of_which_nothing_was_taken_is_kept(
    database: Connection, home: Settings, source: Path, lines: list[bytes]
) -> None:
    extract = reduce_lines(home, "0a", lines)
    ingestion = ingest_extract(database, extract, "run", reject_limit=1.0)
    assert ingestion.kept_because is not None
    assert ingestion.kept_because == "none of its lines was taken"
    assert source.exists()
    assert ledger(database)["0a"].rejects == len(lines)


@pytest.mark.parametrize(
    ("rejects", "limit", "kept"), [(1, 0.25, False), (2, 0.25, True), (1, 0.0, True)]
)
def test_a_shard_with_more_rejects_than_the_limit_is_kept(
    database: Connection, home: Settings, source: Path, rejects: int, limit: float, kept: bool
) -> None:
    extract = reduce_lines(home, "0a", LINES + rejects * [b"broken\n"])
    ingestion = ingest_extract(database, extract, "run", reject_limit=limit)
    assert source.exists() == kept
    assert (ingestion.kept_because is not None) == kept
    assert (ingestion.row.tracks, ingestion.row.rejects) == (3, rejects)
    if kept:
        assert f"{rejects} of {3 + rejects} lines were rejected" in str(ingestion.kept_because)


def test_a_few_rejects_are_within_the_usual_limit(
    database: Connection, home: Settings, source: Path
) -> None:
    assert 0 < Settings.reject_limit <= 0.05
    count = round(1 / Settings.reject_limit)
    bare = [json_line(document) for document in make_documents("0a", count, duration=10.0)]
    within = ingest_extract(database, reduce_lines(home, "0a", [*bare, b"broken\n"]), "run")
    assert within.kept_because is None
    more = ingest_extract(database, reduce_lines(home, "0a", [*bare, *[b"broken\n"] * 2]), "run")
    assert "were rejected" in str(more.kept_because)


def test_a_shard_that_fails_a_check_is_kept_until_a_sound_one_takes_its_place(
    database: Connection, home: Settings, source: Path
) -> None:
    nothing = {"rhythmstring": "", "echoprintstring": ""}
    silent = [{**document, "track": document["track"] | nothing} for document in DOCUMENTS]
    ingestion = ingest_extract(database, reduce_documents(home, "0a", silent), "run")
    failed = "fingerprints_present (tracks 3, echoprint 0, rhythm 0)"
    assert ingestion.kept_because == f"its rows fail {failed}"
    assert source.exists()
    other = ingest_extract(database, reduce_documents(home, "0b", make_documents("0b", 2)), "run")
    assert other.kept_because is None
    assert {shard: row.failed_checks for shard, row in ledger(database).items()} == {
        "0a": (failed,),
        "0b": (),
    }
    assert retire_ingested(ledger(database)["0a"], source, SourcePolicy()) is not None
    assert source.exists()
    sound = ingest_extract(database, reduce_documents(home, "0a", DOCUMENTS), "run")
    assert (sound.kept_because, sound.row.failed_checks) == (None, ())
    assert not source.exists()


def test_the_ledger_of_a_database_without_findings_has_no_failed_checks(
    database: Connection, home: Settings
) -> None:
    ingest_extract(database, reduce_documents(home, "0a", DOCUMENTS), "run")
    database.execute("DROP TABLE checks")
    assert ledger(database)["0a"].failed_checks == ()


def grow(source: Path) -> None:
    with source.open("ab") as file:
        file.write(b"more")


def touch(source: Path) -> None:
    modified_ns = source.stat().st_mtime_ns + 1
    os.utime(source, ns=(modified_ns, modified_ns))


@pytest.mark.parametrize("change", [grow, touch])
def test_a_file_that_has_changed_since_it_was_read_is_kept(
    database: Connection, home: Settings, source: Path, change: Callable[[Path], None]
) -> None:
    extract = reduce_documents(home, "0a", DOCUMENTS)
    change(source)
    ingestion = ingest_extract(database, extract, "run")
    assert source.exists()
    assert ingestion.kept_because == "it has changed since it was read"
    assert ledger(database)["0a"].tracks == 3


def test_a_file_that_is_gone_does_not_hinder_the_ingestion(
    database: Connection, home: Settings, source: Path
) -> None:
    extract = reduce_documents(home, "0a", DOCUMENTS)
    source.unlink()
    ingestion = ingest_extract(database, extract, "run")
    assert ingestion.kept_because is not None
    assert ingestion.row.tracks == 3
    assert staged(home) == []


def corrupt_tracks(extract: StagedExtract) -> None:
    extract.tracks.write_bytes(b"PAR1 not really PAR1")


def corrupt_rejects(extract: StagedExtract) -> None:
    extract.rejects.write_bytes(b"PAR1 not really PAR1")


@pytest.mark.parametrize("spoil", [corrupt_tracks, corrupt_rejects])
def test_an_ingestion_that_fails_changes_nothing(
    database: Connection, home: Settings, source: Path, spoil: Callable[[StagedExtract], None]
) -> None:
    ingest_extract(database, reduce_documents(home, "0a", DOCUMENTS[:2]), "run")
    before = read_database(database)
    extract = reduce_documents(home, "0a", DOCUMENTS)
    content = source.read_bytes()
    spoil(extract)
    with pytest.raises(DatabaseError, match="can't be appended"):
        ingest_extract(database, extract, "failing")
    assert read_database(database) == before
    assert source.read_bytes() == content
    assert staged(home) == [extract.folder]


def test_a_commit_that_is_not_what_was_read_keeps_file_and_staged_extract(
    database: Connection, home: Settings, source: Path
) -> None:
    import pyarrow.parquet as pq

    extract = reduce_documents(home, "0a", DOCUMENTS)
    pq.write_table(pq.read_table(extract.tracks).slice(1), extract.tracks)
    with pytest.raises(DatabaseError, match="the source file stays where it is"):
        ingest_extract(database, extract, "run")
    assert ledger(database) == {}  # else the next ingest would take the file for done
    assert source.exists()
    assert staged(home) == [extract.folder]
