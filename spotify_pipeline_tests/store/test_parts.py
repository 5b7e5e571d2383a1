"""Tables of parts: there when asked for, and replaced with their shard."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from spotify_pipeline.dump.parts import PARTS
from spotify_pipeline.dump.staged_extract import reduce_shard
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.audio import append_extract, create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline_tests.documents import Document, make_documents, write_shard
from spotify_pipeline_tests.extracts import settings_of

DOCUMENTS = make_documents("0a", 3, duration=4.0)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_of(tmp_path)


@pytest.fixture
def database(home: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    create_audio_database(home.audio_database)
    with connect(home.audio_database) as connection:
        yield connection


def append(
    database: duckdb.DuckDBPyConnection, home: Settings, documents: list[Document], *parts: str
) -> None:
    source = write_shard(home.incoming, "0a", documents)
    append_extract(database, reduce_shard(source, "0a", home.staging, parts=parts), "run")


def tables(database: duckdb.DuckDBPyConnection) -> set[str]:
    return {
        name for (name,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    }


def test_no_parts_are_kept_unless_asked_for(
    database: duckdb.DuckDBPyConnection, home: Settings
) -> None:
    append(database, home, DOCUMENTS)
    assert not tables(database) & PARTS.keys()


def test_all_parts_are_kept_with_their_shard_and_track(
    database: duckdb.DuckDBPyConnection, home: Settings
) -> None:
    append(database, home, DOCUMENTS, *PARTS)
    assert tables(database) > PARTS.keys()
    for document in DOCUMENTS:
        rows = database.execute(
            "SELECT shard, position, start, duration, loudness_max, timbre FROM segments"
            " WHERE track_id = ? ORDER BY position",
            [document["meta"]["track_id"]],
        ).fetchall()
        assert [row[:5] for row in rows] == [
            ("0a", position, segment["start"], segment["duration"], segment["loudness_max"])
            for position, segment in enumerate(document["segments"])
        ]
        assert rows[0][5] == pytest.approx(document["segments"][0]["timbre"], abs=1e-5)


def test_a_shard_ingested_again_brings_the_parts_that_are_chosen_then(
    database: duckdb.DuckDBPyConnection, home: Settings
) -> None:
    append(database, home, DOCUMENTS, "beats", "bars")
    append(database, home, DOCUMENTS[:1], "bars")
    counts = {
        part: database.execute(f"SELECT count(*) FROM {part}").fetchall()[0][0]
        for part in ("beats", "bars")
    }
    assert counts == {"beats": 0, "bars": len(DOCUMENTS[0]["bars"])}
