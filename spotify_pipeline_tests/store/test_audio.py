"""``audio.duckdb``: a shard's rows arrive together, once, and can be read back."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from spotify_pipeline.dump.document import parse_document
from spotify_pipeline.dump.staged_extract import TRACKS_SCHEMA, StagedExtract
from spotify_pipeline.fingerprint import EchoprintForm, encode_echoprint
from spotify_pipeline.fingerprint.codes import EchoprintCodes
from spotify_pipeline.settings import Settings, TrainsChoice
from spotify_pipeline.store.audio import (
    append_extract,
    count_rejects,
    create_audio_database,
    shard_fingerprints,
)
from spotify_pipeline.store.database import DatabaseError, connect
from spotify_pipeline.store.ledger import ledger
from spotify_pipeline_tests.documents import (
    Document,
    json_line,
    make_document,
    make_documents,
    make_track_id,
)
from spotify_pipeline_tests.extracts import (
    read_database,
    reduce_documents,
    reduce_lines,
    settings_of,
)

Connection = duckdb.DuckDBPyConnection

DOCUMENTS = make_documents("0a", 3, duration=4.0)
OTHERS = make_documents("0A", 2, duration=4.0)
TRACK_IDS = [make_track_id("0a", number) for number in range(3)]
EMPTY: dict[str, list[tuple[object, ...]]] = {
    "tracks": [],
    "shards": [],
    "rejects": [],
    "checks": [],
}
"""What a database has that was just made."""

REJECTED = [b"broken\n", b'{"meta":{}}\n', b'{"meta":null}\n']


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "home")


@pytest.fixture
def database(home: Settings) -> Iterator[Connection]:
    create_audio_database(home.audio_database)
    with connect(home.audio_database) as connection:
        yield connection


def append(database: Connection, home: Settings, shard: str, documents: list[Document]) -> None:
    append_extract(database, reduce_documents(home, shard, documents), "run")


def track_ids(database: Connection, shard: str) -> list[str]:
    rows = database.execute(
        "SELECT track_id FROM tracks WHERE shard = ? ORDER BY track_id", [shard]
    ).fetchall()
    return [track_id for (track_id,) in rows]


def test_the_database_is_created_with_its_folder_and_tables_and_then_left_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "new" / "home" / "audio.duckdb"
    create_audio_database(path)
    with connect(path) as connection:
        assert read_database(connection) == EMPTY
        connection.execute("CREATE TABLE mark AS SELECT 7")
    create_audio_database(path)
    with connect(path) as connection:
        assert read_database(connection) == EMPTY | {"mark": [(7,)]}


def test_before_the_first_append_the_ledger_is_empty(database: Connection) -> None:
    assert ledger(database) == {}


def test_rows_hold_the_fields_of_their_documents(database: Connection, home: Settings) -> None:
    append(database, home, "0a", DOCUMENTS)
    columns = [column[0] for column in database.execute("FROM tracks").description or ()]
    assert sorted(columns) == sorted([*TRACKS_SCHEMA.names, "shard"])
    rows = database.execute("FROM tracks ORDER BY track_id").fetchall()
    for values, document in zip(rows, DOCUMENTS, strict=True):
        row, fields = dict(zip(columns, values, strict=True)), parse_document(json_line(document))
        assert row.pop("shard") == "0a"
        assert row | {"without_harmony": None} == asdict(fields)
        assert fields.harmony


def test_the_columns_of_tracks_are_those_that_others_rely_on(
    database: Connection, home: Settings
) -> None:
    append(database, home, "0a", DOCUMENTS)
    columns = database.execute(
        "SELECT column_name, data_type, is_nullable FROM duckdb_columns()"
        " WHERE table_name = 'tracks' ORDER BY column_index"
    ).fetchall()
    required = {"track_id", "shard", "echoprint_form", "echoprint", "rhythm"}
    assert columns == [
        (name, kind, name not in required)
        for kind, name in (
            line.split()
            for line in """\
            VARCHAR track_id
            VARCHAR shard
            DOUBLE duration
            DOUBLE tempo
            DOUBLE tempo_confidence
            INTEGER key
            DOUBLE key_confidence
            INTEGER mode
            DOUBLE mode_confidence
            INTEGER time_signature
            DOUBLE time_signature_confidence
            DOUBLE loudness
            DOUBLE end_of_fade_in
            DOUBLE start_of_fade_out
            VARCHAR analyzer_version
            DOUBLE echoprint_version
            DOUBLE rhythm_version
            VARCHAR echoprint_form
            BLOB echoprint
            BLOB rhythm
            BLOB harmony""".splitlines()
        )
    ]


def test_the_ledger_tells_what_was_appended(database: Connection, home: Settings) -> None:
    lines = [*map(json_line, DOCUMENTS), *REJECTED, json_line(DOCUMENTS[0])]
    extract = reduce_lines(home, "0a", lines)
    before = datetime.now(UTC).replace(tzinfo=None)
    row = append_extract(database, extract, "run 7")
    summary = extract.summary()
    assert ledger(database) == {"0a": row}
    assert (row.shard, row.run_id) == ("0a", "run 7")
    assert (row.lines, row.tracks, row.rejects, row.duplicates) == (7, 3, 3, 1)
    assert (row.source, row.source_bytes, row.source_modified_ns, row.checksum) == (
        summary.source,
        summary.source_bytes,
        summary.source_modified_ns,
        summary.checksum,
    )
    assert timedelta(0) <= row.ingested_at - before < timedelta(minutes=1)


def test_the_ledger_counts_harmony(database: Connection, home: Settings) -> None:
    without = {**DOCUMENTS[1], "segments": []}
    extract = reduce_documents(home, "0a", [DOCUMENTS[0], without, DOCUMENTS[2]])
    row = append_extract(database, extract, "run")
    assert (row.tracks, row.with_harmony) == (3, 2)
    kept = database.execute("SELECT harmony IS NOT NULL FROM tracks ORDER BY track_id").fetchall()
    assert kept == [(True,), (False,), (True,)]


def test_a_database_of_before_harmony_works_and_gets_its_columns_at_the_next_append(
    database: Connection, home: Settings
) -> None:
    append(database, home, "0A", OTHERS)
    database.execute("ALTER TABLE tracks DROP COLUMN harmony")
    database.execute("ALTER TABLE shards DROP COLUMN with_harmony")
    assert [row.with_harmony for row in ledger(database).values()] == [0]
    assert [len(batch) for batch in shard_fingerprints(database, "0A", TrainsChoice.BOTH)] == [2]
    append(database, home, "0a", DOCUMENTS)
    assert {shard: row.with_harmony for shard, row in ledger(database).items()} == {
        "0A": 0,
        "0a": 3,
    }
    columns = dict(database.execute("SELECT track_id, harmony FROM tracks").fetchall())
    assert {track_id[:2] for track_id, harmony in columns.items() if harmony} == {"0a"}
    append(database, home, "0A", OTHERS)
    assert sum(row.with_harmony for row in ledger(database).values()) == 5


def test_a_staged_extract_of_before_harmony_is_appended(
    database: Connection, home: Settings
) -> None:
    extract = reduce_documents(home, "0a", DOCUMENTS)
    pq.write_table(pq.read_table(extract.tracks).drop(["harmony"]), extract.tracks)
    summary = extract.folder / "summary.json"
    fields = msgspec.json.decode(summary.read_bytes())
    del fields["with_harmony"], fields["without_harmony"]
    summary.write_bytes(msgspec.json.encode(fields))
    row = append_extract(database, extract, "run")
    assert (row.tracks, row.with_harmony, row.failed_checks) == (3, 0, ())


def test_the_ledger_stands_in_the_order_of_ingestion(database: Connection, home: Settings) -> None:
    for shard in ("7z", "0A", "0a"):
        append(database, home, shard, make_documents(shard, 1, duration=1.0))
    assert list(ledger(database)) == ["7z", "0A", "0a"]


def test_rejects_are_kept_and_counted_by_reason(database: Connection, home: Settings) -> None:
    append_extract(database, reduce_lines(home, "0a", REJECTED), "run")
    append_extract(database, reduce_lines(home, "0b", [b"[]\n"]), "run")
    rows = database.execute(
        "SELECT line, excerpt FROM rejects WHERE shard = '0a' ORDER BY line"
    ).fetchall()
    assert rows == [(line, reject.rstrip()) for line, reject in enumerate(REJECTED, 1)]
    counts = count_rejects(database, "0a")
    assert next(iter(counts.items())) == ("meta.track_id is missing", 2)
    assert sum(counts.values()) == 3
    assert count_rejects(database, "0c") == {}


def test_of_many_rejects_the_first_are_kept_and_all_are_counted(
    database: Connection, home: Settings
) -> None:
    extract = reduce_lines(home, "0a", [json_line(DOCUMENTS[0]), *[b"{}\n"] * 10_123])
    row = append_extract(database, extract, "run")
    (kept,) = database.execute("SELECT count(*), max(line) FROM rejects").fetchall()
    assert (row.lines, row.tracks, row.rejects) == (10_124, 1, 10_123)
    assert kept == (10_000, 10_001)
    assert count_rejects(database, "0a") == {
        "meta.track_id is missing": 10_000,
        "not kept: further lines": 123,
    }


def test_appending_again_changes_nothing_but_the_ledgers_run(
    database: Connection, home: Settings
) -> None:
    append(database, home, "0A", OTHERS)
    extract = reduce_lines(home, "0a", [*map(json_line, DOCUMENTS), *REJECTED])
    first = append_extract(database, extract, "run")
    before = read_database(database)
    second = append_extract(database, extract, "again")
    after = read_database(database)
    assert after.keys() == {"tracks", "rejects", "shards", "checks"}
    assert [after[name] for name in ("tracks", "rejects")] == [
        before[name] for name in ("tracks", "rejects")
    ]
    assert len(after["tracks"]) == 5
    assert second.run_id == "again"
    assert (second.tracks, second.checksum) == (3, first.checksum)


def test_other_content_replaces_a_shards_rows_and_no_others(
    database: Connection, home: Settings
) -> None:
    append(database, home, "0A", OTHERS)
    append_extract(database, reduce_lines(home, "0b", REJECTED), "run")
    append_extract(
        database, reduce_lines(home, "0a", [*map(json_line, DOCUMENTS), *REJECTED]), "run"
    )
    new = [make_document(TRACK_IDS[1], 9.0), make_document(make_track_id("0a", 50), 9.0)]
    append(database, home, "0a", new)
    assert database.execute(
        "SELECT track_id, duration FROM tracks WHERE shard = '0a' ORDER BY 1"
    ).fetchall() == [(document["meta"]["track_id"], 9.0) for document in new]
    assert track_ids(database, "0A") == [make_track_id("0A", number) for number in range(2)]
    assert count_rejects(database, "0a") == {}
    assert sum(count_rejects(database, "0b").values()) == 3
    assert {shard: row.tracks for shard, row in ledger(database).items()} == {
        "0A": 2,
        "0b": 0,
        "0a": 2,
    }


def test_an_empty_shard_is_in_the_ledger(database: Connection, home: Settings) -> None:
    row = append_extract(database, reduce_lines(home, "0a", []), "run")
    assert (row.lines, row.tracks, row.rejects) == (0, 0, 0)
    assert list(ledger(database)) == ["0a"]


def corrupt_tracks(extract: StagedExtract) -> None:
    extract.tracks.write_bytes(b"PAR1 not really PAR1")


def cut_tracks(extract: StagedExtract) -> None:
    extract.tracks.write_bytes(extract.tracks.read_bytes()[:-20])


def corrupt_rejects(extract: StagedExtract) -> None:
    """Fail when the tracks are in the table already."""
    extract.rejects.write_bytes(b"PAR1 not really PAR1")


def lose_rejects(extract: StagedExtract) -> None:
    extract.rejects.unlink()


def drop_a_column(extract: StagedExtract) -> None:
    pq.write_table(pq.read_table(extract.tracks).drop(["rhythm"]), extract.tracks)


@pytest.mark.parametrize(
    "spoil", [corrupt_tracks, cut_tracks, corrupt_rejects, lose_rejects, drop_a_column]
)
def test_an_append_that_fails_leaves_the_database_as_it_was(
    database: Connection, home: Settings, spoil: Callable[[StagedExtract], None]
) -> None:
    append(database, home, "0A", OTHERS)
    append_extract(
        database, reduce_lines(home, "0a", [*map(json_line, DOCUMENTS), *REJECTED]), "run"
    )
    before = read_database(database)
    new = [make_document(make_track_id("0a", 50), 9.0)]
    extract = reduce_documents(home, "0a", new)
    spoil(extract)
    with pytest.raises(DatabaseError, match="can't be appended"):
        append_extract(database, extract, "failing")
    assert read_database(database) == before
    append(database, home, "0a", new)
    assert track_ids(database, "0a") == [make_track_id("0a", 50)]


def test_an_append_that_fails_outside_the_database_is_rolled_back(
    database: Connection, home: Settings
) -> None:
    append(database, home, "0a", DOCUMENTS)
    before = read_database(database)
    no_text: Any = object()
    with pytest.raises(DatabaseError, match="can't be appended"):
        append_extract(database, reduce_documents(home, "0a", OTHERS), no_text)
    assert read_database(database) == before
    append(database, home, "0A", OTHERS)
    assert track_ids(database, "0a") == TRACK_IDS


def test_what_a_failed_append_wrote_is_not_there_after_opening_the_file_again(
    home: Settings,
) -> None:
    create_audio_database(home.audio_database)
    extract = reduce_documents(home, "0a", DOCUMENTS)
    corrupt_rejects(extract)
    with (
        pytest.raises(DatabaseError, match="can't be appended"),
        connect(home.audio_database) as connection,
    ):
        append_extract(connection, extract, "failing")
    with connect(home.audio_database) as connection:
        assert read_database(connection) == EMPTY


def lose_a_track(extract: StagedExtract) -> None:
    pq.write_table(pq.read_table(extract.tracks).slice(1), extract.tracks)


def lose_a_reject(extract: StagedExtract) -> None:
    pq.write_table(pq.read_table(extract.rejects).slice(1), extract.rejects)


@pytest.mark.parametrize("lose", [lose_a_track, lose_a_reject])
def test_rows_that_were_read_but_did_not_arrive_are_an_error(
    database: Connection, home: Settings, lose: Callable[[StagedExtract], None]
) -> None:
    extract = reduce_lines(home, "0a", [*map(json_line, DOCUMENTS), *REJECTED])
    lose(extract)
    with pytest.raises(DatabaseError, match=r"shard 0a: read .* but the database has"):
        append_extract(database, extract, "run")


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [("rhythm", {"rhythm"}), ("echoprint", {"echoprint"}), ("both", {"rhythm", "echoprint"})],
)
def test_a_shards_chosen_trains_come_ordered_by_track(
    database: Connection, home: Settings, choice: str, chosen: set[str]
) -> None:
    append(database, home, "0b", make_documents("0b", 2, duration=4.0))
    append(database, home, "0a", DOCUMENTS[::-1])
    batches = shard_fingerprints(database, "0a", TrainsChoice(choice))
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["track_id"] for row in rows] == list(TRACK_IDS)
    fields = parse_document(json_line(DOCUMENTS[0]))
    assert rows[0] == {
        "track_id": fields.track_id,
        "duration": fields.duration,
        "echoprint": fields.echoprint if "echoprint" in chosen else b"",
        "rhythm": fields.rhythm if "rhythm" in chosen else b"",
        "harmony": fields.harmony,
    }


def test_a_shard_of_a_database_from_before_harmony_is_read_without(
    database: Connection, home: Settings
) -> None:
    append(database, home, "0a", DOCUMENTS)
    database.execute("ALTER TABLE tracks DROP COLUMN harmony")
    batches = shard_fingerprints(database, "0a", TrainsChoice.BOTH)
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["track_id"] for row in rows] == list(TRACK_IDS)
    assert {row["harmony"] for row in rows} == {b""}


@pytest.mark.parametrize(
    ("choice", "kept"),
    [("rhythm", {"rhythm"}), ("echoprint", {"echoprint"}), ("both", {"rhythm", "echoprint"})],
)
def test_only_the_fingerprints_to_be_kept_come_into_the_database(
    database: Connection, home: Settings, choice: str, kept: set[str]
) -> None:
    extract = reduce_documents(home, "0a", DOCUMENTS)
    append_extract(database, extract, "run", TrainsChoice(choice))
    fields = parse_document(json_line(DOCUMENTS[0]))
    [row] = database.execute(
        "SELECT echoprint_form, echoprint, rhythm FROM tracks WHERE track_id = ?",
        [fields.track_id],
    ).fetchall()
    assert row == (
        EchoprintForm.TRAINS,
        fields.echoprint if "echoprint" in kept else b"",
        fields.rhythm if "rhythm" in kept else b"",
    )


def test_a_tracks_only_usable_fingerprint_is_kept_whatever_is_chosen(
    database: Connection, home: Settings
) -> None:
    documents = make_documents("0a", 3, duration=4.0)
    del documents[0]["track"]["rhythmstring"], documents[1]["track"]["echoprintstring"]
    foreign = EchoprintCodes(np.arange(40, dtype=np.uint32), np.arange(40, dtype=np.uint32))
    documents[2]["track"]["echoprintstring"] = encode_echoprint(foreign)
    expected = {
        TrainsChoice.RHYTHM: [(False, True), (True, False), (True, False)],
        TrainsChoice.ECHOPRINT: [(False, True), (True, False), (True, True)],
    }
    for choice, kept in expected.items():
        append_extract(database, reduce_documents(home, "0a", documents), "run", choice)
        rows = database.execute("SELECT rhythm, echoprint FROM tracks ORDER BY track_id").fetchall()
        assert [(bool(rhythm), bool(echoprint)) for rhythm, echoprint in rows] == kept


@pytest.mark.parametrize("choice", list(TrainsChoice))
def test_trains_that_are_not_chosen_stand_in_where_there_are_no_others(
    database: Connection, home: Settings, choice: TrainsChoice
) -> None:
    documents = make_documents("0a", 2, duration=4.0)
    del documents[0]["track"]["rhythmstring"], documents[1]["track"]["echoprintstring"]
    append(database, home, "0a", documents)
    batches = shard_fingerprints(database, "0a", choice)
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [(bool(r["rhythm"]), bool(r["echoprint"])) for r in rows] == [
        (False, True),
        (True, False),
    ]
