"""The catalogue of made-up tracks: how fast it is loaded, how large it is, how fast it is asked.

    python benchmarks/catalogue.py [--tracks 1000000 10000000] [--seed 1] [--questions 300] [--text]

Makes the SQLite file of `synthetic_catalogue`, without indexes, and loads it as users do: every
cell checked, every table and key table in its order. Then keys drawn at random are looked up, one a
question and twenty at a time: median and 99 % of milliseconds. For *cold* ones nothing of the
database is in the page cache, and it is opened anew each time. --text goes on with the text index
(`catalogue_text`). Other ways to load are compared in `metadata`.
"""

import argparse
import gc
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import catalogue_text
import numpy as np
from synthetic_catalogue import Catalogue, write_sqlite

from spotify_pipeline.catalog import Catalog
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata import build_metadata

COLD_QUESTIONS = 20
TOGETHER = 20

Asked = Callable[[Catalog, list[Any]], object]


def kinds() -> Iterator[tuple[str, str, Asked]]:
    """Give each kind of question: name, where its keys are drawn, and how it is asked."""
    yield "track by id", "tracks.id", lambda c, keys: c.tracks(keys)
    yield "track by rowid", "tracks.rowid", lambda c, keys: c.tracks_at(keys)
    yield "ISRC", "tracks.external_id_isrc", lambda c, keys: c.tracks_of_isrcs(keys)
    yield "UPC", "albums.external_id_upc", lambda c, keys: c.tracks_of_upcs(keys)
    yield "album by id", "albums.id", lambda c, keys: c.albums(keys)
    yield "artist by id", "artists.id", lambda c, keys: c.artists(keys)
    yield "tracks of album", "albums.id", lambda c, keys: c.tracks_of_albums(keys)
    yield "tracks of artist", "artists.id", lambda c, keys: c.tracks_of_artists(keys, limit=20)


def load(tracks: int, seed: int, folder: Path) -> Path:
    """Make the source, load it, print rates and sizes, and delete it."""
    source, database = folder / "catalogue.sqlite3", folder / "meta.duckdb"
    write_sqlite(Catalogue(tracks, seed), source)
    made = build_metadata(source, folder / "staging", database)
    rows, size = sum(made.rows.values()), source.stat().st_size
    print(
        f"\n{tracks:,} tracks: {rows:,} rows of nine tables at {rows / made.seconds:,.0f} a second,"
        f" key tables included; SQLite {size / tracks:.0f} bytes a track,"
        f" DuckDB {made.database_bytes / tracks:.0f}"
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
        descriptor = os.open(database, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
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
        twenty = [rng.sample(keys, min(TOGETHER, len(keys))) for _ in range(50)]
        times = [
            warm(database, ask, one),
            warm(database, ask, twenty),
            cold(database, ask, one),
        ]
        shown = [f"{np.median(t):7.1f} {np.percentile(t, 99):7.1f}" for t in times]
        print(f"{name:>20} {shown[0]}  {shown[1]} {shown[2]}")


def main() -> None:
    """Make catalogues and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--text", action="store_true", help="measure the text index too")
    arguments = parser.parse_args()
    for tracks in arguments.tracks:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            database = load(tracks, arguments.seed, folder)
            judge(database, arguments.questions, arguments.seed)
            if arguments.text:
                catalogue_text.measure(database, folder, arguments.questions, arguments.seed)


if __name__ == "__main__":
    main()
