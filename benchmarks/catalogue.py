"""The catalogue of synthetic tracks: how fast it is loaded, how large it is, how fast it is asked.

    python -m benchmarks.catalogue [--tracks 1000000 10000000] [--seed 1] [--questions 300] [--text]

Makes the SQLite file of `synthetic_catalogue` and loads it, all ways in one run:

- ours, as users do: every value checked and typed, every table and key table in its order; *tables*
  is the part of it until the nine tables are there;
- ADBC, which ours reads with, but here with types that it guesses and values that it converts;
- connectorx, where it is installed (``pip install connectorx``);
- ``executemany``, of a thousand rows.

What they loaded is compared, column by column. DuckDB's own ``sqlite`` extension is missing here:
it needs a download from DuckDB's server.

Then keys drawn at random are looked up, one a question and twenty at a time: median and 99 % of
milliseconds. For *cold* ones nothing of the database is in the page cache, and it is opened anew
each time. --text goes on with the text index (`catalogue_text`).
"""

import gc
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from adbc_driver_sqlite import dbapi

from benchmarks import catalogue_text
from benchmarks.command import command_line, print_machine
from benchmarks.page_cache import drop_from_cache
from benchmarks.synthetic_catalogue import Catalogue, add_catalogue, write_sqlite
from spotify_pipeline.catalog import Catalog
from spotify_pipeline.dump.tables import TABLES
from spotify_pipeline.sample_dump.catalogue_writer import SCHEMA
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline.store.metadata_types import SOURCE_SCHEMA

COLD_QUESTIONS = 20
TOGETHER = 20
FEW = 1_000
"""Rows that the slow way loads, about."""

Asked = Callable[[Catalog, list[Any]], object]


def kinds() -> Iterator[tuple[str, str, Asked]]:
    """Give each kind of question: name, where its keys are drawn, and how it is asked."""
    yield "names of tracks", "tracks.id", lambda c, keys: c.names(keys)
    yield "track by id", "tracks.id", lambda c, keys: c.tracks(keys)
    yield "track by rowid", "tracks.rowid", lambda c, keys: c.tracks_at(keys)
    yield "ISRC", "tracks.external_id_isrc", lambda c, keys: c.tracks_of_isrcs(keys)
    yield "UPC", "albums.external_id_upc", lambda c, keys: c.tracks_of_upcs(keys)
    yield "album by id", "albums.id", lambda c, keys: c.albums(keys)
    yield "artist by id", "artists.id", lambda c, keys: c.artists(keys)
    yield "tracks of album", "albums.id", lambda c, keys: c.tracks_of_albums(keys)
    yield "tracks of artist", "artists.id", lambda c, keys: c.tracks_of_artists(keys, limit=20)


def ours(source: Path, target: Path) -> float:
    """Load as users do; give the seconds until the tables were there."""
    started = last = time.perf_counter()

    def tell(_done: int, _total: int, what: str) -> None:
        nonlocal last
        if what in TABLES:
            last = time.perf_counter()

    build_metadata(source, target.parent / "staging", target, progress=tell)
    return last - started


def empty(target: Path) -> duckdb.DuckDBPyConnection:
    """Make a database with the nine tables as they are declared."""
    connection = duckdb.connect(target)
    types = {"INTEGER": "BIGINT", "TEXT": "VARCHAR", "REAL": "DOUBLE"}
    for table in TABLES.values():
        columns = ", ".join(f'"{c.name}" {types[c.declared_type]}' for c in table.columns)
        connection.execute(f"CREATE TABLE {table.name} ({columns})")
    return connection


def adbc(source: Path, target: Path) -> None:
    """Let ADBC guess the types of each column from the first rows."""
    with dbapi.connect(f"file:{source}?mode=ro") as database, empty(target) as connection:
        for name in TABLES:
            with database.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {name}")
                batches = cursor.fetch_record_batch()  # noqa: F841  # DuckDB sees it by its name
                connection.execute(f"INSERT INTO {name} FROM batches")


def connectorx(source: Path, target: Path) -> None:
    """Let connectorx read by the declared types, a table at a time in memory."""
    import connectorx as cx

    with empty(target) as connection:
        for name in TABLES:
            whole = cx.read_sql(f"sqlite://{source}", f"SELECT * FROM {name}", return_type="arrow")
            connection.register("whole", whole)
            connection.execute(f"INSERT INTO {name} FROM whole")
            connection.unregister("whole")


def executemany(source: Path, target: Path, part: int) -> None:
    """Insert row by row, one of so many rows."""
    with closing(sqlite3.connect(source)) as database, empty(target) as connection:
        for name in TABLES:
            rows = database.execute(f"SELECT * FROM {name} WHERE rowid % {part} = 0").fetchall()
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)


def content(target: Path, schema: str = "main") -> list[Any]:
    """Digest the rows of each table, in any order."""
    with duckdb.connect(target, read_only=True) as connection:
        return [
            connection.execute(
                f"SELECT count(*), bit_xor(hash(columns(*))) FROM {schema}.{name}"
            ).fetchall()
            for name in TABLES
        ]


def compare_loads(source: Path, folder: Path, rows: int, tracks: int) -> Path:
    """Load in all ways, print a table, and give our database."""
    print(f"{'way':>12} {'seconds':>8} {'rows/s':>9} {'to ours':>8} {'bytes a track':>14}")
    database = folder / "meta.duckdb"
    started = time.perf_counter()
    of_tables = ours(source, database)
    taken = time.perf_counter() - started

    def show(name: str, seconds: float, size: str) -> None:
        rate, ratio = rows / seconds, taken / seconds
        print(f"{name:>12} {seconds:8.1f} {rate:9,.0f} {ratio:8.3g} {size:>14}", flush=True)

    show("ours", taken, f"{database.stat().st_size / tracks:.0f}")
    show("its tables", of_tables, "")
    expected = content(database, SOURCE_SCHEMA)
    part = max(1, rows // FEW)
    ways: dict[str, Callable[[Path, Path], None]] = {"adbc": adbc}
    if find_spec("connectorx"):
        ways["connectorx"] = connectorx
    for name, way in ways.items():
        target = folder / f"{name}.duckdb"
        started = time.perf_counter()
        way(source, target)
        show(name, time.perf_counter() - started, f"{target.stat().st_size / tracks:.0f}")
        if content(target) != expected:
            raise SystemExit(f"{name}: its rows differ")
        target.unlink()
    target = folder / "executemany.duckdb"
    started = time.perf_counter()
    executemany(source, target, part)
    show("executemany", part * (time.perf_counter() - started), "")
    target.unlink()
    print("rows: the same in all that load all")
    return database


def sizes_of_sqlite(source: Path) -> tuple[int, int]:
    """Give the size of the file without indexes, and with those of the dump, which it then has."""
    bare = source.stat().st_size
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        for statement in map(str.strip, SCHEMA.split(";")):
            if statement.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")):
                connection.execute(statement)
    return bare, source.stat().st_size


def load(tracks: int, seed: int, folder: Path) -> Path:
    """Make the source, load it, print rates and sizes, and delete it."""
    source = folder / "catalogue.sqlite3"
    write_sqlite(Catalogue(tracks, seed), source)
    with closing(sqlite3.connect(source)) as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in TABLES]
    rows = sum(counts)
    print(f"\n{tracks:,} tracks, {rows:,} rows of nine tables from SQLite to DuckDB:", flush=True)
    database = compare_loads(source, folder, rows, tracks)
    bare, indexed = sizes_of_sqlite(source)
    print(
        f"SQLite: {bare / tracks:.0f} bytes a track, {indexed / tracks:.0f} with the dump's indexes"
    )
    source.unlink()
    return database


def draw(database: Path, column: str, count: int, rng: random.Random) -> list[Any]:
    """Draw keys of rows that are drawn at random."""
    table, name = column.split(".")
    with connect(database, read_only=True) as connection:
        (last,) = connection.execute(f'SELECT max("rowid") FROM {table}').fetchone() or (0,)
        rows = [rng.randint(1, last) for _ in range(3 * count)]
        found = connection.execute(
            f'SELECT DISTINCT "{name}" FROM {table} WHERE "rowid" IN (SELECT unnest(?::BIGINT[]))'
            f' AND "{name}" IS NOT NULL',
            [rows],
        ).fetchall()
    keys = sorted(key for (key,) in found)
    rng.shuffle(keys)
    return keys[:count]


def warm(database: Path, ask: Asked, questions: Sequence[list[Any]]) -> list[float]:
    """Take the milliseconds of questions to one open catalogue."""
    taken = []
    with Catalog(database) as catalog:
        ask(catalog, questions[0])
        for keys in questions:
            started = time.perf_counter()
            ask(catalog, keys)
            taken.append(1e3 * (time.perf_counter() - started))
    return taken


def cold(database: Path, ask: Asked, questions: Sequence[list[Any]]) -> list[float]:
    """Take the milliseconds of questions to a catalogue that nobody has read, opening it too."""
    taken = []
    for keys in questions[:COLD_QUESTIONS]:
        gc.collect()
        drop_from_cache([database])
        started = time.perf_counter()
        with Catalog(database) as catalog:
            ask(catalog, keys)
        taken.append(1e3 * (time.perf_counter() - started))
    return taken


def judge(database: Path, count: int, seed: int) -> None:
    """Print the latencies of each kind of question."""
    rng = random.Random(seed)
    print(
        f"{'milliseconds':>20} {'median':>7} {'99 %':>7} {'20 keys':>8} {'99 %':>7}"
        f" {'cold':>7} {'99 %':>7}"
    )
    for name, column, ask in kinds():
        keys = draw(database, column, count, rng)
        one = [[key] for key in keys]
        twenty = [rng.sample(keys, min(TOGETHER, len(keys))) for _ in range(min(50, count))]
        times = [
            warm(database, ask, one),
            warm(database, ask, twenty),
            cold(database, ask, one),
        ]
        shown = [f"{np.median(t):7.1f} {np.percentile(t, 99):7.1f}" for t in times]
        print(f"{name:>20} {shown[0]}  {shown[1]} {shown[2]}")


def main(words: Sequence[str] | None = None) -> None:
    """Make catalogues and measure."""
    parser = command_line(__doc__)
    add_catalogue(parser, questions=300)
    parser.add_argument("--text", action="store_true", help="measure the text index too")
    arguments = parser.parse_args(words)
    print_machine()
    for tracks in arguments.tracks:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            database = load(tracks, arguments.seed, folder)
            judge(database, arguments.questions, arguments.seed)
            if arguments.text:
                catalogue_text.measure(database, folder, arguments.questions, arguments.seed)


if __name__ == "__main__":
    main()
