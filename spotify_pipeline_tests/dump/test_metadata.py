"""Reading the metadata file: nothing guessed, nothing half."""

import gc
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import zstandard

from spotify_pipeline.dump.compression import CompressionError
from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.metadata import (
    UNPACKED_RATIO,
    _count_rows,
    discard_unpacked,
    inspect_table,
    read_table,
    unpack,
    unpacked_size,
)
from spotify_pipeline.dump.tables import TABLES
from spotify_pipeline.space import SpaceError
from spotify_pipeline_tests.disks import fill
from spotify_pipeline_tests.metadata_file import NULLABLE, ROWS, SCHEMA, Row, pack, write_metadata


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return write_metadata(tmp_path / "spotify_clean.sqlite3")


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    path = tmp_path / "noise"
    path.write_bytes(os.urandom(300_000) + bytes(300_000))
    return path


def rows_of(database: Path, table: str, batch_rows: int = 2) -> list[Row]:
    return [
        tuple(row.values())
        for batch in read_table(database, table, batch_rows=batch_rows)
        for row in batch.to_pylist()
    ]


def test_definitions_are_the_declared_columns_in_their_order(database: Path) -> None:
    for name, table in TABLES.items():
        with closing(sqlite3.connect(database)) as connection:
            declared = connection.execute(f"PRAGMA table_info({name})").fetchall()
        assert [(c.name, c.declared_type) for c in table.columns] == [
            (column, kind.upper()) for _, column, kind, *_ in declared
        ]
        assert {c.name for c in table.columns if c.nullable} == NULLABLE.get(name, set())


def test_tables_are_listed_in_the_agreed_order() -> None:
    assert list(TABLES) == [
        "album_images",
        "artist_genres",
        "available_markets",
        "albums",
        "artist_images",
        "track_artists",
        "artist_albums",
        "artists",
        "tracks",
    ]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_read_row_for_row_in_source_order(database: Path, table: str) -> None:
    assert rows_of(database, table) == ROWS[table]


def test_batches_have_the_asked_size_and_the_schema_of_the_definition(database: Path) -> None:
    batches = list(read_table(database, "track_artists", batch_rows=2))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert all(batch.schema == TABLES["track_artists"].schema for batch in batches)


def test_an_empty_table_gives_no_batches(tmp_path: Path) -> None:
    database = write_metadata(tmp_path / "empty.sqlite3", {})
    assert list(read_table(database, "tracks")) == []
    assert inspect_table(database, "tracks").rows == 0


def test_a_path_with_marks_that_an_address_gives_meaning_to_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "50% off? #1 ö"
    folder.mkdir()
    assert rows_of(write_metadata(folder / "a b.sqlite3"), "artists") == ROWS["artists"]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("tracks", "popularity", "much"),
        ("tracks", "popularity", 1.5),
        ("albums", "label", b"bytes"),
        ("artist_albums", "index_in_album", ""),
    ],
)
def test_a_value_of_another_type_is_named(
    database: Path, table: str, column: str, value: object
) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = 2", (value,))
        connection.commit()
    with pytest.raises(MetadataError) as caught:
        list(read_table(database, table, batch_rows=1))
    for part in (str(database), f"table {table}, column {column}, row 2", repr(value)):
        assert part in str(caught.value)


UNTYPED = "CREATE TABLE artist_genres (artist_rowid, genre);"
"""Without declared types SQLite keeps every value as it comes."""


@pytest.mark.parametrize("row", [1, 2, 5])
@pytest.mark.parametrize("batch_rows", [1, 2, 100])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("artist_rowid", 2.0),
        ("artist_rowid", -1e300),
        ("artist_rowid", float("inf")),
        ("artist_rowid", "5"),
        ("artist_rowid", ""),
        ("artist_rowid", b"5"),
        ("genre", 0),
        ("genre", 2.5),
        ("genre", b""),
        ("genre", b"jazz"),
    ],
)
def test_a_value_that_could_be_taken_for_its_columns_type_is_none(
    tmp_path: Path, column: str, value: object, batch_rows: int, row: int
) -> None:
    rows: list[Row] = [(1, "a"), (None, None), (None, "b"), (2, None), (3, "c")]
    number, genre = rows[row - 1]
    rows[row - 1] = (value, genre) if column == "artist_rowid" else (number, value)
    database = write_metadata(tmp_path / "untyped.sqlite3", {"artist_genres": rows}, UNTYPED)
    read: list[Row] = []
    with pytest.raises(MetadataError) as caught:
        for batch in read_table(database, "artist_genres", batch_rows=batch_rows):
            read += [tuple(values.values()) for values in batch.to_pylist()]
    position = f"table artist_genres, column {column}, row {row}: {value!r} where "
    assert position in str(caught.value)
    assert read == rows[: (row - 1) // batch_rows * batch_rows]


def test_of_several_wrong_values_the_first_is_named(tmp_path: Path) -> None:
    rows: list[Row] = [(1, "a"), (2, 3), ("x", b"")]
    database = write_metadata(tmp_path / "untyped.sqlite3", {"artist_genres": rows}, UNTYPED)
    with pytest.raises(MetadataError, match="column genre, row 2: 3 where TEXT belongs"):
        rows_of(database, "artist_genres", batch_rows=100)


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 4, 5, 100])
def test_rows_that_tell_no_type_are_read_with_the_declared_one(
    tmp_path: Path, batch_rows: int
) -> None:
    rows: list[Row] = [(None, None)] * 3 + [(2**63 - 1, "1"), (-(2**63), "")]
    database = write_metadata(tmp_path / "untyped.sqlite3", {"artist_genres": rows}, UNTYPED)
    assert rows_of(database, "artist_genres", batch_rows) == rows
    for batch in read_table(database, "artist_genres", batch_rows=batch_rows):
        assert batch.schema == TABLES["artist_genres"].schema


@pytest.mark.parametrize("batch_rows", [1, 3, 64, 1000])
def test_rows_come_in_the_order_of_their_rowids(tmp_path: Path, batch_rows: int) -> None:
    numbers = [number * 7919 % 1009 - 500 for number in range(1000)]
    database = write_metadata(tmp_path / "mixed.sqlite3", {})
    with closing(sqlite3.connect(database)) as connection:
        connection.executemany(
            "INSERT INTO artist_genres (_rowid_, artist_rowid, genre) VALUES (?, ?, ?)",
            [(number, -number, f"{number}") for number in numbers],
        )
        connection.execute("ANALYZE")
        connection.commit()
    expected = [(-number, f"{number}") for number in sorted(numbers)]
    assert rows_of(database, "artist_genres", batch_rows) == expected


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_text_arrives_whatever_its_encoding(tmp_path: Path, encoding: str) -> None:
    texts = ["\x00", "a\x00b", "\ufeff", "\U0010ffff", "é" * 70_000, "'", '"', "\n"]
    rows: list[Row] = list(enumerate(texts))
    schema = f"PRAGMA encoding = '{encoding}'; {UNTYPED}"
    database = write_metadata(tmp_path / "texts.sqlite3", {"artist_genres": rows}, schema)
    assert rows_of(database, "artist_genres") == rows


@pytest.mark.parametrize("row", [1, 3])
@pytest.mark.parametrize(
    "text", [b"\xffA", b"ab\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"]
)
def test_text_that_is_not_utf8_is_named(database: Path, text: bytes, row: int) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE tracks SET name = CAST(? AS TEXT) WHERE rowid = ?", (text, row))
        connection.commit()
    with pytest.raises(MetadataError) as caught:
        rows_of(database, "tracks")
    assert f"{database}: table tracks, column name, row {row}: {text!r}" in str(caught.value)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    database = write_metadata(tmp_path / "other.sqlite3", {}, "CREATE TABLE shows (id text);")
    with pytest.raises(MetadataError, match=r"other\.sqlite3.*no table albums"):
        inspect_table(database, "albums")


def test_a_missing_table_is_named_by_the_reader_too(tmp_path: Path) -> None:
    database = write_metadata(tmp_path / "other.sqlite3", {}, "CREATE TABLE shows (id text);")
    with pytest.raises(MetadataError, match=r"other\.sqlite3.*no such table.* albums"):
        list(read_table(database, "albums"))


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 'rock' FROM n"


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE VIEW artist_genres (artist_rowid, genre) AS {ENDLESS}",
        f"CREATE VIEW Artist_Genres (artist_rowid, genre) AS {ENDLESS}",
        "CREATE VIRTUAL TABLE artist_genres USING fts5 (artist_rowid, genre)",
    ],
)
def test_what_is_computed_is_no_table(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(f"DROP TABLE artist_genres; {statement};")
    with pytest.raises(MetadataError, match="artist_genres is a view or a virtual table"):
        inspect_table(database, "artist_genres")


def test_counting_can_be_interrupted() -> None:
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
        connection.execute(f"CREATE VIEW endless AS {ENDLESS}")
        interrupt = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            _count_rows(connection, "endless")


READ_IN_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.metadata import read_table
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    for batch in read_table(Path(sys.argv[1]), sys.argv[2]):
        pass
except MetadataError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("column", ["name", "preview_url"])
def test_a_value_of_hundreds_of_megabytes_is_named_and_not_read(
    database: Path, column: str
) -> None:
    with closing(sqlite3.connect(database)) as connection:
        long = "replace(hex(zeroblob(75000000)), '00', 'la')"
        connection.execute(f"UPDATE tracks SET {column} = {long} WHERE rowid = 3")
        connection.commit()
    command = [sys.executable, "-c", READ_IN_LITTLE_MEMORY, str(database), "tracks"]
    message, kilobytes = subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert message == (
        f"{database}: table tracks, column {column}, row 3: 150,000,000 bytes where at most "
        "262,144 belong: fetch the file again"
    )
    assert int(kilobytes) < 100_000


def test_missing_columns_are_named(tmp_path: Path) -> None:
    schema = "CREATE TABLE artists (rowid integer PRIMARY KEY, name text, popularity integer);"
    database = write_metadata(tmp_path / "old.sqlite3", {}, schema)
    with pytest.raises(MetadataError, match=r"table artists lacks .*id, fetched_at, followers"):
        inspect_table(database, "artists")


def test_a_column_is_not_mistaken_for_a_text_of_its_name(tmp_path: Path) -> None:
    schema = (
        "CREATE TABLE artist_genres (artist_rowid integer); INSERT INTO artist_genres VALUES (1);"
    )
    database = write_metadata(tmp_path / "old.sqlite3", {}, schema)
    with pytest.raises(MetadataError, match="genre"):
        list(read_table(database, "artist_genres"))


def test_an_extra_column_is_reported_and_left_out(tmp_path: Path) -> None:
    schema = SCHEMA.replace("(artist_rowid integer NOT NULL, g", "(mood text, artist_rowid, g")
    rows: list[Row] = [("sad", 2, "x"), ("glad", 1, "y")]
    database = write_metadata(tmp_path / "new.sqlite3", {"artist_genres": rows}, schema)
    found = inspect_table(database, "artist_genres")
    assert (found.rows, found.extra_columns) == (2, ("mood",))
    assert rows_of(database, "artist_genres") == [(2, "x"), (1, "y")]


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_a_truncated_database_is_an_error(database: Path, fraction: float) -> None:
    os.truncate(database, int(database.stat().st_size * fraction))
    for read in (inspect_table, rows_of):
        with pytest.raises(
            MetadataError, match=r"spotify_clean\.sqlite3: incomplete: has [\d,]+ of"
        ):
            read(database, "tracks")


def test_an_encrypted_database_is_reported(database: Path) -> None:
    database.write_bytes(os.urandom(database.stat().st_size))
    for read in (inspect_table, rows_of):
        with pytest.raises(MetadataError, match="not a SQLite database, or an encrypted one"):
            read(database, "tracks")


def test_a_folder_in_its_place_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "spotify_clean.sqlite3"
    folder.mkdir()
    for read in (inspect_table, rows_of):
        with pytest.raises(MetadataError, match="spotify_clean"):
            read(folder, "tracks")


def test_a_database_that_another_program_has_locked_is_refused(database: Path) -> None:
    with writer(database, "BEGIN EXCLUSIVE"):
        for read in (inspect_table, rows_of):
            with pytest.raises(MetadataError, match="locked by another program"):
                read(database, "tracks")
    assert rows_of(database, "tracks") == ROWS["tracks"]


def test_changes_that_a_killed_program_left_half_done_are_not_read(database: Path) -> None:
    changes = "PRAGMA cache_size = 1; BEGIN; DELETE FROM tracks; DELETE FROM artists"
    changes += "; DELETE FROM albums; CREATE TABLE more AS SELECT zeroblob(100000)"
    with writer(database, changes) as process:
        process.kill()
        process.wait()
        with pytest.raises(MetadataError, match=r"sqlite3-journal beside it holds changes"):
            rows_of(database, "tracks")
    with closing(sqlite3.connect(database)) as connection:  # as the error says
        connection.execute("SELECT count(*) FROM tracks").fetchone()
    assert rows_of(database, "tracks") == ROWS["tracks"]


def test_a_journal_that_was_never_needed_does_not_matter(database: Path) -> None:
    with writer(database, "BEGIN IMMEDIATE; DELETE FROM tracks") as process:
        process.kill()
        process.wait()
    assert database.with_name(f"{database.name}-journal").exists()
    assert rows_of(database, "tracks") == ROWS["tracks"]


def test_rows_that_a_killed_program_left_in_a_wal_are_not_passed_over(database: Path) -> None:
    changes = "PRAGMA journal_mode = wal; DELETE FROM tracks"
    with writer(database, changes) as process:
        process.kill()
        process.wait()
        with pytest.raises(MetadataError, match=r"sqlite3-wal beside it holds changes"):
            rows_of(database, "tracks")
    with closing(sqlite3.connect(database)) as connection:  # as the error says
        connection.execute("SELECT count(*) FROM tracks").fetchone()
    assert rows_of(database, "tracks") == []


@contextmanager
def writer(database: Path, statements: str) -> Iterator["subprocess.Popen[str]"]:
    """Let another process do something to a database, and keep it open."""
    script = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "for statement in sys.argv[2].split(';'):\n"
        "    connection.execute(statement).fetchall()\n"
        "connection.execute('PRAGMA cache_spill = 1')\n"
        "print('done', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(database), statements],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        yield process
        process.kill()


@pytest.fixture
def long_table(tmp_path: Path) -> Path:
    rows: list[Row] = [(number, f"genre {number}") for number in range(5000)]
    return write_metadata(tmp_path / "long.sqlite3", {"artist_genres": rows})


def test_a_page_that_is_damaged_is_an_error_and_rows_before_it_are_right(long_table: Path) -> None:
    content = bytearray(long_table.read_bytes())
    page = content.index(b"genre 2500") & -4096
    content[page : page + 4096] = b"\xff" * 4096
    long_table.write_bytes(content)
    read: list[Row] = []
    with pytest.raises(MetadataError, match=r"long\.sqlite3: damaged, .*malformed"):
        for batch in read_table(long_table, "artist_genres", batch_rows=100):
            read += [tuple(row.values()) for row in batch.to_pylist()]
    assert 2000 < len(read) < 2500
    assert read == [(number, f"genre {number}") for number in range(len(read))]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_damaged_nothing_but_a_metadata_error_comes_of_it(
    long_table: Path, seed: int
) -> None:
    rng = random.Random(seed)
    content = bytearray(long_table.read_bytes())
    for _ in range(rng.choice([1, 10, 1000])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    long_table.write_bytes(content)
    with suppress(MetadataError):
        rows_of(long_table, "artist_genres", batch_rows=100)


def open_files(path: Path) -> int:
    return sum(Path(file.path) == path for file in psutil.Process().open_files())


def test_the_file_is_closed_with_the_last_batch(long_table: Path) -> None:
    batches = read_table(long_table, "artist_genres", batch_rows=4000)
    assert open_files(long_table) == 0
    kept = [next(batches)]
    assert open_files(long_table) > 0
    kept += batches
    assert open_files(long_table) == 0
    assert sum(batch.num_rows for batch in kept) == 5000
    kept[0].validate(full=True)


def test_the_file_is_closed_when_reading_is_given_up(long_table: Path) -> None:
    batches = read_table(long_table, "artist_genres", batch_rows=100)
    kept = [next(batches), next(batches)]
    del batches
    gc.collect()
    assert open_files(long_table) == 0
    assert kept[1].to_pylist()[-1] == {"artist_rowid": 199, "genre": "genre 199"}


def test_the_file_is_closed_after_an_error(tmp_path: Path) -> None:
    rows: list[Row] = [(1, "a"), ("b", 2)]
    database = write_metadata(tmp_path / "untyped.sqlite3", {"artist_genres": rows}, UNTYPED)
    with pytest.raises(MetadataError):
        rows_of(database, "artist_genres")
    assert open_files(database) == 0


def test_each_batch_may_be_pulled_by_another_thread(long_table: Path) -> None:
    batches = read_table(long_table, "artist_genres", batch_rows=1000)
    read: list[int] = []
    for _ in range(6):
        with ThreadPoolExecutor(1) as thread:
            batch = thread.submit(next, batches, None).result()
            read += batch["artist_rowid"].to_pylist() if batch else []
    assert read == list(range(5000))


@pytest.mark.parametrize("content", [b"hello" * 2000, bytes(65536), b""])
def test_a_file_that_is_no_database_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.sqlite3"
    path.write_bytes(content)
    for read in (inspect_table, rows_of):
        with pytest.raises(MetadataError, match=r"bad\.sqlite3"):
            read(path, "tracks")


def test_a_missing_database_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"none\.sqlite3"):
        list(read_table(tmp_path / "none.sqlite3", "tracks"))


def test_a_database_with_changes_beside_it_is_refused(database: Path) -> None:
    database.with_name(f"{database.name}-wal").write_bytes(b"changes")
    for read in (inspect_table, rows_of):
        with pytest.raises(MetadataError, match=r"sqlite3-wal beside it"):
            read(database, "tracks")


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_reading_makes_no_files_beside_the_database(database: Path, journal: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
    before = database.read_bytes()
    batches = read_table(database, "tracks", batch_rows=1)
    next(batches)
    assert list(database.parent.iterdir()) == [database]
    assert [batch.num_rows for batch in batches] == [1, 1]
    assert list(database.parent.iterdir()) == [database]
    assert database.read_bytes() == before


def test_unpacking_gives_the_same_bytes_and_reports_all_of_them(
    tmp_path: Path, noise: Path
) -> None:
    source = pack(noise, tmp_path / "noise.zst")
    seen: list[tuple[int, int, str]] = []
    unpack(source, tmp_path / "target", lambda *step: seen.append(step))
    size = source.stat().st_size
    assert (tmp_path / "target").read_bytes() == noise.read_bytes()
    assert seen[-1] == (size, size, "noise.zst")
    assert seen == sorted(seen)
    assert not list(tmp_path.glob("*.part"))


def test_several_frames_and_frames_without_a_size_are_unpacked(tmp_path: Path) -> None:
    frame = zstandard.ZstdCompressor(write_content_size=False).compress(b"one")
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip"
    source = tmp_path / "frames.zst"
    source.write_bytes(frame + skippable + frame)
    unpack(source, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"oneone"


def test_a_frame_with_a_window_of_two_gibibytes_is_unpacked(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=31, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    source = tmp_path / "long.zst"
    source.write_bytes(compressor.compress(b"long") + compressor.flush())
    unpack(source, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"long"


@pytest.mark.parametrize("kept", [0, 3, 10, 1000, 200_000, -5, -1])
def test_a_truncated_source_is_an_error_and_leaves_nothing(
    tmp_path: Path, noise: Path, kept: int
) -> None:
    source = pack(noise, tmp_path / "noise.zst")
    source.write_bytes(source.read_bytes()[:kept])
    with pytest.raises(CompressionError, match=r"noise\.zst"):
        unpack(source, tmp_path / "target")
    assert sorted(tmp_path.iterdir()) == [noise, source]


def pad(packed: bytes) -> bytes:
    return packed[:150_000] + bytes(len(packed) - 150_000)


def flip(packed: bytes) -> bytes:
    return packed[:1000] + bytes([packed[1000] ^ 1]) + packed[1001:]


@pytest.mark.parametrize("damage", [pad, flip, lambda packed: b"SQLite" + packed])
def test_a_damaged_source_is_an_error_and_leaves_nothing(
    tmp_path: Path, noise: Path, damage: Callable[[bytes], bytes]
) -> None:
    source = pack(noise, tmp_path / "noise.zst")
    source.write_bytes(damage(source.read_bytes()))
    with pytest.raises(CompressionError, match=r"noise\.zst"):
        unpack(source, tmp_path / "target")
    assert sorted(tmp_path.iterdir()) == [noise, source]


def test_a_full_disk_is_named_and_half_a_file_is_not_left(
    tmp_path: Path, noise: Path, small_disk: Path
) -> None:
    source = pack(noise, tmp_path / "noise.zst")
    filler = fill(small_disk, 400_000)
    with pytest.raises(SpaceError, match="small disk: the disk is full"):
        unpack(source, small_disk / "target")
    assert list(small_disk.iterdir()) == [filler]
    filler.unlink()
    unpack(source, small_disk / "target")
    assert (small_disk / "target").read_bytes() == noise.read_bytes()


def test_the_unpacked_size_is_the_announced_one(tmp_path: Path, noise: Path) -> None:
    assert unpacked_size(pack(noise, tmp_path / "noise.zst")) == noise.stat().st_size


@pytest.mark.parametrize("announces", [True, False])
def test_the_unpacked_size_of_several_frames_and_of_silent_ones_is_estimated(
    tmp_path: Path, announces: bool
) -> None:
    frame = zstandard.ZstdCompressor(write_content_size=announces).compress(b"content")
    source = tmp_path / "frames.zst"
    source.write_bytes(frame * 10)
    assert unpacked_size(source) == round(UNPACKED_RATIO * len(frame) * 10)


def test_what_is_unpacked_is_discarded_half_of_it_too(tmp_path: Path) -> None:
    for name in ("target", "target.part", "other"):
        (tmp_path / name).touch()
    discard_unpacked(tmp_path / "target")
    discard_unpacked(tmp_path / "target")
    assert list(tmp_path.iterdir()) == [tmp_path / "other"]
