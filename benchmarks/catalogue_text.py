"""The text index of a synthetic catalogue: how fast it is built, how large it is, how fast it is.

    python -m benchmarks.catalogue_text [--tracks 1000000 10000000] [--seed 1] [--questions 500]

Builds ``meta.duckdb`` of `synthetic_catalogue` through SQLite as users do, then the text index, and
asks questions of each kind, made of tracks drawn at random: median and 99 % of milliseconds. For
*cold* ones nothing of the index is in the page cache, and it is opened anew each time. *Answered*
is the fraction of questions with the track that they were made of among the first twenty, or, where
the kind does not aim at one track, with any answer.

Beside it, of at most a million tracks in the same run: the engine alone, given terms that are made
already, and SQLite's FTS5 given the same, sorted by popularity as it needs for "the most popular
first".
"""

import gc
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tantivy

from benchmarks.command import command_line, print_machine
from benchmarks.page_cache import drop_from_cache
from benchmarks.synthetic_catalogue import Catalogue, add_catalogue, write_sqlite
from spotify_pipeline.catalog import Filters, TextSearch, build_text_index
from spotify_pipeline.catalog.text_index import engine_schema
from spotify_pipeline.catalog.text_manifest import TextManifest
from spotify_pipeline.catalog.text_tracks import track_terms
from spotify_pipeline.catalog.words import query_words
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata import build_metadata

LIMIT = 20
COMPARED = 1_000_000
"""Tracks that the engines are compared on, at the most."""

COLD_QUESTIONS = 20
COMMON = ["the", "love", "you the", "love the you", "of night"]


class Drawn(NamedTuple):
    """A track that questions are made of."""

    rowid: int
    title: str
    artist: str
    year: int
    seconds: int


class Question(NamedTuple):
    """Words and filters, and the track that is meant; 0 is any."""

    text: str
    filters: Filters
    meant: int


def draw(database: Path, count: int, seed: int) -> list[Drawn]:
    """Draw tracks; questions need a word in the title."""
    with connect(database, read_only=True) as connection:
        (last,) = connection.execute("SELECT max(rowid) FROM tracks").fetchone() or (0,)
        rows = random.Random(seed).sample(range(1, last + 1), count)
        found = connection.execute(
            "SELECT tracks.rowid, tracks.name, artists.name,"
            " CAST(left(release_date, 4) AS INTEGER), duration_ms // 1000"
            " FROM tracks JOIN albums ON albums.rowid = album_rowid"
            " JOIN (SELECT track_rowid, arg_min(artist_rowid, rowid) AS artist_rowid"
            "       FROM track_artists GROUP BY track_rowid) ON track_rowid = tracks.rowid"
            " JOIN artists ON artists.rowid = artist_rowid"
            " WHERE tracks.rowid IN (SELECT unnest($rows::BIGINT[])) ORDER BY hash(tracks.rowid)",
            {"rows": rows},
        ).fetchall()
    return [Drawn(*row) for row in found if query_words(row[1])]


def mistyped(text: str, rng: random.Random) -> str:
    """Change a letter of the longest word; not the first."""
    words = text.split()
    position = max(range(len(words)), key=lambda k: len(words[k]))
    word = words[position]
    at = rng.randrange(1, len(word)) if len(word) > 1 else 0
    words[position] = word[:at] + rng.choice(["", word[at] * 2, "x"]) + word[at + 1 :]
    return " ".join(words)


def questions(drawn: Sequence[Drawn], seed: int) -> Iterator[tuple[str, list[Question]]]:
    """Make the questions of each kind."""
    rng = random.Random(seed)
    none = Filters()
    yield "title", [Question(d.title, none, d.rowid) for d in drawn]
    both = [Question(f"{d.artist} {d.title}", none, d.rowid) for d in drawn]
    yield "artist and title", both
    yield "frequent words", [Question(text, none, 0) for text in COMMON for _ in range(20)]
    cut = [f"{d.artist} {d.title}" for d in drawn]
    cut = [text[: max(len(text) - rng.randrange(1, 4), 2)] for text in cut]
    yield "prefix", [Question(t, none, d.rowid) for t, d in zip(cut, drawn, strict=True)]
    yield "one letter", [Question(letter, none, 0) for letter in "abcdefghijklmnopqrstuvwxyz"]
    long = [d for d in drawn if max(map(len, f"{d.artist} {d.title}".split())) > 4]
    wrong = [mistyped(f"{d.artist} {d.title}", rng) for d in long]
    yield "typo", [Question(t, none, d.rowid) for t, d in zip(wrong, long, strict=True)]
    unspaced = [d for d in drawn if "\u3040" <= d.title[0] <= "\u9fff"]
    yield "Chinese, Japanese", [Question(d.title, none, d.rowid) for d in unspaced]
    yield (
        "filters",
        [
            Question("", Filters(artist=d.artist, years=(d.year - 5, d.year + 5)), 0)
            for d in drawn
            if query_words(d.artist)
        ],
    )
    yield (
        "wide filters",
        [
            Question("", Filters(years=(1990, 1999), seconds=(d.seconds - 5, d.seconds + 5)), 0)
            for d in drawn
        ],
    )
    yield (
        "words and filters",
        [
            Question(
                d.title,
                Filters(years=(d.year - 5, d.year + 5), seconds=(d.seconds - 1, d.seconds + 1)),
                d.rowid,
            )
            for d in drawn
        ],
    )


def cold(folder: Path, asked: Sequence[Question]) -> list[float]:
    """Take the milliseconds of questions to an index that nobody has read."""
    taken = []
    for question in asked:
        gc.collect()
        drop_from_cache(filter(Path.is_file, folder.rglob("*")))
        started = time.perf_counter()
        TextSearch.open(folder).search(question.text, question.filters, LIMIT)
        taken.append(1e3 * (time.perf_counter() - started))
    return taken


def judge(database: Path, folder: Path, count: int, seed: int) -> None:
    """Print the latencies of each kind of question."""
    drawn = draw(database, count, seed)
    print(f"{'milliseconds':>20} {'median':>7} {'99 %':>7} {'cold':>7} {'99 %':>7} {'answered':>9}")
    for kind, asked in questions(drawn, seed):
        if not asked:
            continue
        search = TextSearch.open(folder)
        taken, answered = [], 0
        for question in asked:
            started = time.perf_counter()
            rows = search.search(question.text, question.filters, LIMIT)
            taken.append(1e3 * (time.perf_counter() - started))
            answered += question.meant in rows if question.meant else bool(rows)
        del search
        few = cold(folder, random.Random(seed).sample(asked, min(COLD_QUESTIONS, len(asked))))
        print(
            f"{kind:>20} {np.median(taken):7.1f} {np.percentile(taken, 99):7.1f}"
            f" {np.median(few):7.1f} {np.percentile(few, 99):7.1f} {answered / len(asked):9.1%}"
        )


def build(database: Path, folder: Path) -> TextManifest:
    """Build the index and print how fast."""
    before = time.process_time()
    made = build_text_index(database, folder)
    seconds = time.process_time() - before
    print(
        f"\n{made.tracks:,} tracks indexed at {made.tracks / made.seconds:,.0f} a second,"
        f" {1e6 * seconds / made.tracks:.1f} microseconds of CPU each;"
        f" {made.size / made.tracks:.1f} bytes a track"
    )
    return made


def compare_engines(database: Path, folder: Path, count: int) -> None:
    """Print the rates and sizes of both engines alone."""
    with connect(database, read_only=True) as connection:
        rows = list(islice(chain.from_iterable(track_terms(connection)), count))
    rows.sort(key=lambda row: -row[1])
    rate, size = _tantivy(rows, folder / "tantivy")
    print(f"engines alone, {len(rows):,} tracks with their terms made already:")
    print(f"{'tantivy':>10} {rate:9,.0f} tracks/s {size:6.1f} bytes a track")
    rate, size = _fts5(rows, folder / "fts5.sqlite3")
    print(f"{'FTS5':>10} {rate:9,.0f} tracks/s {size:6.1f} bytes a track")


def _tantivy(rows: Sequence[tuple[int, int, str]], target: Path) -> tuple[float, float]:
    target.mkdir()
    started = time.perf_counter()
    writer = tantivy.Index(engine_schema(), str(target)).writer(400_000_000, num_threads=1)
    for rowid, popularity, terms in rows:
        document = tantivy.Document()
        document.add_unsigned("rowid", rowid)
        document.add_unsigned("popularity", popularity)
        document.add_text("terms", terms)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    seconds = time.perf_counter() - started
    return len(rows) / seconds, sum(f.stat().st_size for f in target.iterdir()) / len(rows)


def _fts5(rows: Sequence[tuple[int, int, str]], target: Path) -> tuple[float, float]:
    with closing(sqlite3.connect(target, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute(
            "CREATE VIRTUAL TABLE words USING fts5(terms, content='', detail=none, columnsize=0,"
            " tokenize=\"unicode61 remove_diacritics 0 tokenchars ':=_!'\")"
        )
        started = time.perf_counter()
        database.execute("BEGIN")
        numbered = ((number, terms) for number, (_, _, terms) in enumerate(rows, 1))
        database.executemany("INSERT INTO words(rowid, terms) VALUES (?, ?)", numbered)
        database.execute("COMMIT")
        database.execute("INSERT INTO words(words) VALUES ('optimize')")
        seconds = time.perf_counter() - started
    return len(rows) / seconds, target.stat().st_size / len(rows)


def measure(database: Path, folder: Path, count: int = 500, seed: int = 1) -> None:
    """Measure all of it on a catalogue that is loaded, in a folder that is empty."""
    made = build(database, folder / "text")
    compare_engines(database, folder, min(COMPARED, made.tracks))
    judge(database, folder / "text", count, seed)


def main(words: Sequence[str] | None = None) -> None:
    """Make catalogues and measure."""
    parser = command_line(__doc__)
    add_catalogue(parser, questions=500)
    arguments = parser.parse_args(words)
    print_machine()
    for tracks in arguments.tracks:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source, database = folder / "catalogue.sqlite3", folder / "meta.duckdb"
            write_sqlite(Catalogue(tracks, arguments.seed), source)
            build_metadata(source, folder / "staging", database)
            source.unlink()
            measure(database, folder, arguments.questions, arguments.seed)


if __name__ == "__main__":
    main()
