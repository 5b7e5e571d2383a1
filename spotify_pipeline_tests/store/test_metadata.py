"""Building meta.duckdb: everything arrives, and readers never see half."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from spotify_pipeline import space
from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.metadata import (
    PACKED_NAME,
    UNPACKED_NAME,
    read_table,
)
from spotify_pipeline.dump.tables import TABLES
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.progress import Report
from spotify_pipeline.space import AT_ONCE, SpaceError, SpaceGuard
from spotify_pipeline.store import metadata
from spotify_pipeline.store.database import DatabaseBusyError, DatabaseError, connect
from spotify_pipeline.store.metadata import MetadataLoad, build_metadata
from spotify_pipeline.store.metadata_layout import KEY_SCHEMA, KEY_TABLES, LINK_KEYS
from spotify_pipeline.store.metadata_ledger import LEDGER, SourceFile, loaded_source
from spotify_pipeline.store.metadata_types import SOURCE_SCHEMA
from spotify_pipeline_tests.disks import fill
from spotify_pipeline_tests.metadata_file import ROWS, SCHEMA, Row, pack, write_metadata

ONE_ARTIST: Mapping[str, list[Row]] = {"artists": [(1, "new", 0, "New", 0, 0)]}


def laid_out(rows: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """Give rows as they lie: those of link tables sorted by their first column alone."""
    return {
        table: sorted(lying, key=lambda row: row[0]) if table in LINK_KEYS else list(lying)  # type: ignore[arg-type, return-value]
        for table, lying in rows.items()
    }


class Home:
    """The files of one build: a source, a staging folder, a database."""

    def __init__(self, folder: Path, incoming: Path | None = None) -> None:
        self.folder = folder
        self.staging = folder / "staging"
        self.target = folder / "meta.duckdb"
        self.unpacked = (incoming or folder) / "unpacked.sqlite3"
        self.source = (incoming or folder) / PACKED_NAME
        self.write_source()

    def write_source(self, rows: Mapping[str, Sequence[Row]] = ROWS, schema: str = SCHEMA) -> None:
        """Write the source anew."""
        pack(write_metadata(self.unpacked, rows, schema), self.source)

    def build(
        self,
        tables: Sequence[str] = tuple(TABLES),
        progress: Report | None = None,
        guard: SpaceGuard = AT_ONCE,
    ) -> MetadataLoad:
        """Build the database from the source."""
        return build_metadata(
            self.source, self.staging, self.target, tables=tables, progress=progress, guard=guard
        )

    def rows(self, table: str) -> list[Row]:
        """Give the rows of a table of the database in their order, with the source's types."""
        schema = "main" if table == LEDGER else SOURCE_SCHEMA
        with connect(self.target, read_only=True) as connection:
            return connection.execute(f'FROM {schema}."{table}"').fetchall()

    def files(self) -> list[str]:
        """Name the files that a build has left."""
        return sorted(
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_file() and path not in (self.unpacked, self.source)
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_every_table_arrives_row_for_row_links_sorted_by_their_key(home: Home) -> None:
    load = home.build()
    assert {table: home.rows(table) for table in TABLES} == laid_out(ROWS)
    assert list(load.rows.items()) == [(table, len(ROWS[table])) for table in TABLES]
    assert load.database_bytes == home.target.stat().st_size
    assert (load.source, load.nulls, load.extra_columns) == (SourceFile.of(home.source), {}, ())
    assert home.files() == ["meta.duckdb"]


def test_a_source_that_lies_in_the_staging_folder_is_not_taken_for_a_leftover(home: Home) -> None:
    home.staging.mkdir()
    source = home.unpacked.rename(home.staging / UNPACKED_NAME)
    build_metadata(source, home.staging, home.target)
    assert home.rows("artists") == ROWS["artists"]
    assert source.exists()


def test_columns_have_the_names_order_and_types_that_are_declared(home: Home) -> None:
    home.build()
    types = {"INTEGER": "BIGINT", "TEXT": "VARCHAR"}
    with (
        connect(home.target, read_only=True) as connection,
        closing(sqlite3.connect(home.unpacked)) as source,
    ):
        for table in TABLES:
            declared = source.execute(f"PRAGMA table_info({table})").fetchall()
            found = connection.execute(f'DESCRIBE {SOURCE_SCHEMA}."{table}"').fetchall()
            assert [row[:2] for row in found] == [(c[1], types[c[2].upper()]) for c in declared]


def test_an_unpacked_source_is_loaded_and_left_alone(home: Home) -> None:
    before = home.unpacked.read_bytes()
    build_metadata(home.unpacked, home.staging, home.target)
    assert home.rows("tracks") == ROWS["tracks"]
    assert home.unpacked.read_bytes() == before


def test_rows_of_one_key_keep_the_order_of_the_source(home: Home) -> None:
    pairs: list[Row] = [((number * 7919) % 50_001, number) for number in range(150_000)]
    home.write_source({"track_artists": pairs})
    home.build()
    assert home.rows("track_artists") == laid_out({"track_artists": pairs})["track_artists"]
    home.build(["artists"])
    assert home.rows("track_artists") == laid_out({"track_artists": pairs})["track_artists"]


def test_the_ledger_tells_where_each_table_came_from(home: Home) -> None:
    assert loaded_source(home.target) == {}
    home.build()
    first = SourceFile.of(home.source)
    assert loaded_source(home.target) == dict.fromkeys(TABLES, first)
    home.write_source(ONE_ARTIST)
    home.build(["artists"])
    second = SourceFile.of(home.source)
    assert loaded_source(home.target) == dict.fromkeys(TABLES, first) | {"artists": second}
    counts = {row[0]: row[4] for row in home.rows(LEDGER)}
    assert counts == {table: len(ROWS[table]) for table in TABLES} | {"artists": 1}


def test_tables_that_are_not_named_are_kept(home: Home) -> None:
    home.build()
    home.write_source(ONE_ARTIST)
    load = home.build(["artists"])
    assert load.rows == {"artists": 1}
    assert {table: home.rows(table) for table in TABLES} == laid_out({**ROWS, **ONE_ARTIST})


def test_a_first_load_of_some_tables_leaves_the_others_empty_and_unlisted(home: Home) -> None:
    home.build(["tracks"])
    assert home.rows("tracks") == ROWS["tracks"]
    assert home.rows("artists") == []
    assert list(loaded_source(home.target)) == ["tracks"]


def test_an_unknown_table_is_named(home: Home) -> None:
    with pytest.raises(MetadataError, match="no such tables: playlists"):
        home.build(["tracks", "playlists"])


def test_nulls_where_none_are_promised_are_loaded_and_counted(home: Home) -> None:
    rows: list[Row] = [(1, None), (2, None), (None, "a")]
    home.write_source({"artist_genres": rows}, SCHEMA.replace("NOT NULL", ""))
    load = home.build()
    assert home.rows("artist_genres") == rows
    assert load.nulls == {"artist_genres.artist_rowid": 1, "artist_genres.genre": 2}


def test_extra_columns_are_reported(home: Home) -> None:
    schema = SCHEMA.replace("(artist_rowid integer NOT NULL, genre", "(artist_rowid, mood, genre")
    home.write_source({"artist_genres": [(1, "sad", "x")]}, schema)
    assert home.build().extra_columns == ("artist_genres.mood",)
    assert home.rows("artist_genres") == [(1, "x")]


def test_progress_goes_through_unpacking_and_every_table(home: Home) -> None:
    seen: list[tuple[int, int, str]] = []
    build_metadata(home.source, home.staging, home.target, progress=lambda *s: seen.append(s))
    keys = [f"{KEY_SCHEMA}.{name}" for name in KEY_TABLES]
    assert list(dict.fromkeys(name for _, _, name in seen)) == [home.source.name, *TABLES, *keys]
    assert {name: done for done, _, name in seen} == {name: total for _, total, name in seen}


def break_text(home: Home) -> None:
    home.write_source({**ROWS, "track_artists": [(1, 1), (2, "Bob")]})


def break_table(home: Home) -> None:
    home.write_source(
        {},
        SCHEMA.replace("CREATE TABLE album_images", "CREATE TABLE pictures").replace(
            "ON album_images", "ON pictures"
        ),
    )


def break_end(home: Home) -> None:
    os.truncate(home.source, home.source.stat().st_size - 10)


def break_database(home: Home) -> None:
    os.truncate(home.unpacked, home.unpacked.stat().st_size // 2)
    pack(home.unpacked, home.source)


def encrypt_database(home: Home) -> None:
    home.unpacked.write_bytes(os.urandom(home.unpacked.stat().st_size))
    pack(home.unpacked, home.source)


def break_all(home: Home) -> None:
    home.source.write_bytes(bytes(5000))


def remove(home: Home) -> None:
    home.source.unlink()


BREAKS = [
    (break_text, "track_artists, column artist_rowid, row 2: 'Bob'"),
    (break_table, "no table album_images"),
    (break_end, "incomplete"),
    (break_database, "incomplete: has"),
    (encrypt_database, "not a SQLite database, or an encrypted one"),
    (break_all, "not a zstd file"),
    (remove, "cannot be read"),
]


@pytest.mark.parametrize(("damage", "message"), BREAKS)
def test_a_failed_load_keeps_the_previous_database_and_leaves_nothing_behind(
    home: Home, damage: Callable[[Home], None], message: str
) -> None:
    home.build()
    before = home.target.read_bytes()
    damage(home)
    with pytest.raises(PipelineError, match=message):
        home.build()
    assert home.target.read_bytes() == before
    assert home.files() == ["meta.duckdb"]


class OtherInterrupt(BaseException):
    """An interrupt as a framework may raise it."""


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, OtherInterrupt])
def test_an_interrupt_stops_the_load(home: Home, interrupt: type[BaseException]) -> None:
    def stop(done: int, total: int, name: str) -> None:
        if name == "tracks":
            raise interrupt

    with pytest.raises(interrupt):
        build_metadata(home.source, home.staging, home.target, progress=stop)
    assert home.files() == []


def test_a_table_that_gives_fewer_rows_than_it_counts_is_an_error(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "read_table", lambda *_: iter(()))
    with pytest.raises(MetadataError, match="album_images counts 2 rows and gave 0"):
        home.build()


def test_a_table_that_never_ends_is_an_error(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def circle(database: Path, table: str) -> Iterator[pa.RecordBatch]:
        while True:
            yield from read_table(database, table)

    monkeypatch.setattr(metadata, "read_table", circle)
    with pytest.raises(MetadataError, match="album_images counts 2 rows and gave 4 so far"):
        home.build(["album_images"])


def test_a_source_that_changes_meanwhile_is_an_error(home: Home) -> None:
    def touch(done: int, total: int, name: str) -> None:
        os.utime(home.source, ns=(1, 1))

    with pytest.raises(MetadataError, match="changed while it was read"):
        build_metadata(home.source, home.staging, home.target, progress=touch)
    assert home.files() == []


def test_a_reader_keeps_the_file_that_it_has_open(home: Home) -> None:
    home.build()
    reading = (
        "import duckdb, sys\n"
        "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
        "print(connection.execute('SELECT count(*), min(name) FROM artists').fetchone())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", reading, str(home.target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        home.write_source(ONE_ARTIST)
        home.build()
        assert reader.communicate()[0] == "(3, '')\n"
    assert home.rows("artists") == ONE_ARTIST["artists"]


def test_a_killed_build_keeps_the_previous_database_and_its_leftovers_do_not_matter(
    home: Home,
) -> None:
    home.build(["artists"])
    killed = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from spotify_pipeline.store.metadata import build_metadata\n"
        "def kill(done, total, name):\n"
        "    if name == 'tracks':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "build_metadata(*map(Path, sys.argv[1:]), progress=kill)\n"
    )
    arguments = [sys.executable, "-c", killed, *map(str, (home.source, home.staging, home.target))]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    assert {"meta.duckdb.new", "staging/spotify_clean.sqlite3"} < set(home.files())
    assert (home.rows("artists"), home.rows("albums")) == (ROWS["artists"], [])
    home.build()
    assert {table: home.rows(table) for table in TABLES} == laid_out(ROWS)
    assert home.files() == ["meta.duckdb"]


@pytest.mark.parametrize("half", [b"", b"half", b"half" * 10_000])
def test_half_written_leftovers_do_not_matter(home: Home, half: bytes) -> None:
    home.staging.mkdir()
    for left in (
        "meta.duckdb.new",
        "meta.duckdb.new.wal",
        "staging/spotify_clean.sqlite3",
        "staging/spotify_clean.sqlite3.part",
    ):
        (home.folder / left).write_bytes(half)
    home.build()
    assert home.rows("tracks") == ROWS["tracks"]
    assert home.files() == ["meta.duckdb"]


def test_a_second_build_at_the_same_time_is_refused(home: Home) -> None:
    other = (
        "import sys\n"
        "from pathlib import Path\n"
        "from spotify_pipeline.store.metadata import build_metadata\n"
        "def hold(done, total, name):\n"
        "    if name == 'tracks':\n"
        "        print('building', flush=True)\n"
        "        sys.stdin.read()\n"
        "build_metadata(*map(Path, sys.argv[1:]), progress=hold)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", other, home.source, home.staging, home.target],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"building\n"
        with pytest.raises(DatabaseBusyError, match=r"meta\.duckdb\.new"):
            home.build()
        first.communicate()
    assert first.returncode == 0
    assert home.rows("tracks") == ROWS["tracks"]


def test_a_damaged_database_stops_a_partial_load_and_not_a_full_one(home: Home) -> None:
    home.target.write_bytes(b"x" * 50_000)
    with pytest.raises(DatabaseError, match="damaged"):
        home.build(["tracks"])
    assert home.files() == ["meta.duckdb"]
    home.build()
    assert home.rows("tracks") == ROWS["tracks"]


MANY_ARTISTS: Mapping[str, list[Row]] = {
    "artists": [(k, f"artist{k}", 0, f"Name {k * 7919 % 20_011}", k, 0) for k in range(20_000)]
}


@pytest.fixture
def small_home(small_disk: Path, tmp_path: Path) -> Home:
    """Give a build on a disk of 16 MB, of which it takes half; the source lies elsewhere."""
    home = Home(small_disk, tmp_path)
    home.build()
    home.write_source(MANY_ARTISTS)
    return home


def test_a_build_waits_for_all_its_space_and_says_so(
    small_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "LOOK_SECONDS", 0.02)
    unpacked = small_home.unpacked.stat().st_size
    filler = fill(small_home.folder, round(1.2 * unpacked))  # for the unpacked file alone
    reported: list[str] = []

    def make_room(message: str) -> None:
        reported.append(message)
        assert small_home.files() == ["filler", "meta.duckdb"]
        filler.unlink()

    small_home.build(guard=SpaceGuard(0, make_room))
    (message,) = reported
    assert message.startswith(f"unpacking {small_home.source} waits for space")
    assert len(small_home.rows("artists")) == 20_000


def test_a_build_pauses_while_the_disk_is_short(
    small_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "LOOK_SECONDS", 0.0)
    filler = small_home.folder / "filler"
    reported: list[str] = []

    def make_room(message: str) -> None:
        reported.append(message)
        filler.unlink()

    def take_room(done: int, total: int, name: str) -> None:
        if not reported:
            fill(small_home.folder, 50_000)

    small_home.build(guard=SpaceGuard(0, make_room), progress=take_room)
    assert len(reported) == 1
    assert len(small_home.rows("artists")) == 20_000


@pytest.mark.parametrize("left", [0, 20_000, 300_000])
@pytest.mark.parametrize("when", [PACKED_NAME, "artists"])
def test_a_disk_that_fills_up_is_reported_and_the_next_build_goes_through(
    small_home: Home, when: str, left: int
) -> None:
    def take_room(done: int, total: int, name: str) -> None:
        if name == when and not (small_home.folder / "filler").exists():
            fill(small_home.folder, left)

    with pytest.raises(PipelineError, match="disk is full"):
        small_home.build(progress=take_room)
    assert small_home.files() == ["filler", "meta.duckdb"]
    assert small_home.rows("artists") == ROWS["artists"]
    (small_home.folder / "filler").unlink()
    small_home.build()
    assert small_home.rows("artists") == MANY_ARTISTS["artists"]
    assert small_home.files() == ["meta.duckdb"]


@pytest.mark.parametrize(
    "left", ["staging/spotify_clean.sqlite3", "staging/spotify_clean.sqlite3.part"]
)
def test_what_a_killed_build_left_does_not_take_the_room(small_home: Home, left: str) -> None:
    fill(small_home.folder, 50_000).rename(small_home.folder / left)
    small_home.build()
    assert small_home.files() == ["meta.duckdb"]


def test_tables_that_are_kept_need_room_too(small_home: Home) -> None:
    small_home.build()
    small_home.write_source(ONE_ARTIST)
    unpacked = small_home.unpacked.stat().st_size
    filler = fill(small_home.folder, 2 * unpacked)
    with pytest.raises(SpaceError, match="waits for space"):
        small_home.build(["albums"])
    filler.unlink()
    small_home.build(["albums"])
    assert len(small_home.rows("artists")) == 20_000
