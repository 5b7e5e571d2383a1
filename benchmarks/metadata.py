"""Rows a second from the metadata's SQLite file into DuckDB, beside other ways to get them there.

    python benchmarks/metadata.py [--rows 1000000] [--runs 3]

Makes a SQLite file with so many rows of ``tracks`` and twice as many of ``track_artists``, the
dump's two long tables, and loads both. Ways: ours; ADBC alone, which ours reads with, but here with
types that it guesses and cells that it converts; connectorx, where it is installed (``pip install
connectorx``); ``executemany``, on a hundredth of the rows. All of them are of the same process and
take turns; rows are compared. DuckDB's own ``sqlite`` extension is missing here: it needs a
download from DuckDB's server.
"""

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
from adbc_driver_sqlite import dbapi

from spotify_pipeline.dump.tables import TABLES
from spotify_pipeline.shards import BASE62
from spotify_pipeline.store.metadata import build_metadata

LONG = ("tracks", "track_artists")
FEW = 100
"""The slow way takes one of so many rows."""


def track(number: int, rng: random.Random) -> tuple[Any, ...]:
    """Make up a row of ``tracks`` with lengths as in the dump."""
    name = " ".join(rng.choices(["Love", "the", "Nacht", "Été", "夜", "Remix", "of", "you"], k=3))
    return (
        number,
        "".join(rng.choices(BASE62, k=22)),
        1_690_000_000_000 + number,
        name,
        f"https://p.scdn.co/mp3-preview/{rng.randbytes(20).hex()}" if number % 3 == 0 else None,
        number // 9,
        number % 9 + 1,
        f"US{rng.randrange(10**10):010d}",
        None,
        None,
        rng.randrange(100),
        number % 997,
        1,
        rng.randrange(30_000, 400_000),
        number % 10 == 0,
    )


def write_source(path: Path, rows: int) -> None:
    """Write a SQLite file with the nine tables, two of them filled."""
    rng = random.Random(1)
    with closing(sqlite3.connect(path)) as database:
        for table in TABLES.values():
            columns = ", ".join(f'"{c.name}" {c.declared_type}' for c in table.columns)
            database.execute(f'CREATE TABLE "{table.name}" ({columns})')
        marks = ", ".join("?" * len(TABLES["tracks"].columns))
        database.executemany(
            f"INSERT INTO tracks VALUES ({marks})", (track(n, rng) for n in range(rows))
        )
        pairs = ((n // 2, rng.randrange(rows)) for n in range(2 * rows))
        database.executemany("INSERT INTO track_artists VALUES (?, ?)", pairs)
        database.commit()


def ours(source: Path, target: Path) -> None:
    """Load all nine tables, checked and swapped in."""
    build_metadata(source, target.parent, target)


def empty(target: Path) -> duckdb.DuckDBPyConnection:
    """Make a database with the two tables."""
    connection = duckdb.connect(target)
    types = {"INTEGER": "BIGINT", "TEXT": "VARCHAR"}
    for name in LONG:
        columns = ", ".join(f"{c.name} {types[c.declared_type]}" for c in TABLES[name].columns)
        connection.execute(f"CREATE TABLE {name} ({columns})")
    return connection


def adbc(source: Path, target: Path) -> None:
    """Let ADBC guess the types of each column from the first rows."""
    with dbapi.connect(f"file:{source}?mode=ro") as database, empty(target) as connection:
        for name in LONG:
            with database.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {name}")
                batches = cursor.fetch_record_batch()  # noqa: F841  # DuckDB sees it by its name
                connection.execute(f"INSERT INTO {name} FROM batches")


def connectorx(source: Path, target: Path) -> None:
    """Let connectorx read by the declared types."""
    import connectorx as cx

    with empty(target) as connection:
        for name in LONG:
            whole = cx.read_sql(f"sqlite://{source}", f"SELECT * FROM {name}", return_type="arrow")
            connection.register("whole", whole)
            connection.execute(f"INSERT INTO {name} FROM whole")


def executemany(source: Path, target: Path) -> None:
    """Insert row by row, a part of the rows."""
    with closing(sqlite3.connect(source)) as database, empty(target) as connection:
        for name in LONG:
            rows = database.execute(f"SELECT * FROM {name} WHERE rowid % {FEW} = 0").fetchall()
            marks = ", ".join("?" * len(TABLES[name].columns))
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)


def ways() -> Iterator[tuple[str, Callable[[Path, Path], None], int]]:
    """Give the ways that can be taken here: name, function, one of how many rows."""
    yield "ours", ours, 1
    yield "adbc", adbc, 1
    if find_spec("connectorx"):
        yield "connectorx", connectorx, 1
    yield "executemany", executemany, FEW


def content(target: Path) -> list[Any]:
    """Digest each table's rows in their order."""
    with duckdb.connect(target, read_only=True) as connection:
        return [
            connection.execute(
                f"SELECT count(*), bit_xor(hash(columns(*), rowid)) FROM {name}"
            ).fetchall()
            for name in LONG
        ]


def main() -> None:
    """Make the file, take turns, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "spotify_clean.sqlite3")
        write_source(source, arguments.rows)
        print(f"{3 * arguments.rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB of SQLite")
        seconds: dict[str, list[float]] = {}
        expected: list[Any] = []
        for _ in range(arguments.runs):
            for name, way, part in ways():
                target = Path(folder, f"{name}.duckdb")
                target.unlink(missing_ok=True)
                started = time.perf_counter()
                way(source, target)
                seconds.setdefault(name, []).append(part * (time.perf_counter() - started))
                expected = expected or content(target)
                if part == 1 and content(target) != expected:
                    raise SystemExit(f"{name}: its rows differ")
    print(f"{'way':>12} {'thousand rows/s':>16} {'ratio':>6}")
    for name, taken in seconds.items():
        ratio = statistics.median(
            own / our for own, our in zip(taken, seconds["ours"], strict=True)
        )
        rate = 3 * arguments.rows / statistics.median(taken) / 1e3
        print(f"{name:>12} {rate:16,.1f} {ratio:6.2f}")
    print("rows: the same in all that load all")


if __name__ == "__main__":
    main()
