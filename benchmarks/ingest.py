"""From a shard to committed rows: wall time beside ``zstd -t`` and other ways, rows compared.

    python -m benchmarks.ingest --documents documents.jsonl.zst [--lines 4960] [--runs 5]
    python -m benchmarks.ingest --documents DIR --strings DIR [--megabytes 2000]
    python -m benchmarks.ingest --shard 0a.jsonl.zst

The first makes a shard of whole real documents, again and again under other track ids; the second
one of perturbed parts of them.

Ways: ours, with harmony and without; DuckDB's read_json with explicit columns; the plain script
that unpacks to disk, reads whole documents and inserts rows one by one. Each runs in a process of
its own, timed from its first byte read to its commit (imports are not counted, loading compiled
kernels is). All give the same rows, or this ends with an error. ``zstd -t`` runs before each of
ours; ratios are of neighbours, of the whole way and of the staged extract alone. CPU seconds are
those of both processes.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import xxhash

from benchmarks.command import ROOT, command_line, print_machine
from benchmarks.shards import Generator, repeat_documents, write_shard
from spotify_pipeline.dump.incoming import SourcePolicy
from spotify_pipeline.dump.staged_extract import reduce_shard
from spotify_pipeline.fingerprint import (
    EchoprintCodes,
    OnsetTrains,
    decode_echoprint,
    decode_rhythm,
    unpack_codes,
    unpack_trains,
)
from spotify_pipeline.ingest.append import ingest_extract
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import connect

SHARD = "0a"
NUMBERS = ["duration", "tempo", "key", "mode", "time_signature", "loudness", "end_of_fade_in"]
STRINGS = ["echoprintstring", "rhythmstring"]
COLUMNS = ", ".join([*(f"{name} DOUBLE" for name in NUMBERS), *(f"{s} VARCHAR" for s in STRINGS)])
Row = tuple[Any, ...]


def ours(shard: Path, folder: Path) -> float:
    """Reduce, append, commit, count; gives when it was reduced."""
    return ingest(shard, folder, with_harmony=True)


def without_harmony(shard: Path, folder: Path) -> float:
    """Do the same without harmony."""
    return ingest(shard, folder, with_harmony=False)


def ingest(shard: Path, folder: Path, with_harmony: bool) -> float:
    """Reduce, append, commit, count; gives when it was reduced."""
    settings = Settings(folder, shard.parent)
    settings.create_folders()
    extract = reduce_shard(shard, SHARD, settings.staging, with_harmony=with_harmony)
    reduced = time.perf_counter()
    create_audio_database(settings.audio_database)
    with connect(settings.audio_database) as connection:
        ingest_extract(connection, extract, "benchmark", policy=SourcePolicy.parse("keep"))
    return reduced


def read_json(shard: Path, folder: Path) -> None:
    """Let DuckDB read just the columns."""
    with duckdb.connect(folder / "audio.duckdb") as connection:
        connection.execute(
            f"""
            CREATE TABLE tracks AS
            SELECT meta.track_id AS track_id, {", ".join(f"track.{n}" for n in NUMBERS + STRINGS)}
            FROM read_json(?, format = 'newline_delimited', maximum_object_size = 33554432,
                columns = {{meta: 'STRUCT(track_id VARCHAR)', track: 'STRUCT({COLUMNS})'}})
            """,
            [str(shard)],
        )


def script(shard: Path, folder: Path) -> None:
    """Unpack, load, insert: what one writes first."""
    unpacked = folder / "shard.jsonl"
    subprocess.run(["zstd", "-dqf", str(shard), "-o", str(unpacked)], check=True)
    with duckdb.connect(folder / "audio.duckdb") as connection, unpacked.open() as lines:
        connection.execute(f"CREATE TABLE tracks (track_id VARCHAR, {COLUMNS})")
        marks = ", ".join("?" * (1 + len(NUMBERS + STRINGS)))
        for line in lines:
            document = json.loads(line)
            values = [document["track"][name] for name in NUMBERS + STRINGS]
            connection.execute(
                f"INSERT INTO tracks VALUES ({marks})", [document["meta"]["track_id"], *values]
            )


WAYS: dict[str, Callable[[Path, Path], float | None]] = {
    "ours": ours,
    "no_harmony": without_harmony,
    "read_json": read_json,
    "script": script,
}


OURS = ["ours", "no_harmony"]


def digest_of(codes: EchoprintCodes, trains: OnsetTrains) -> str:
    """Digest both fingerprints as they were in the document."""
    digest = xxhash.xxh3_128(codes.times.tobytes() + codes.codes.tobytes())
    digest.update(trains.frames.tobytes() + trains.bounds.tobytes())
    return digest.hexdigest()


def rows_of(way: str, folder: Path) -> list[Row]:
    """Read what a way has committed, the fingerprints as digests of what they hold."""
    packed = ["echoprint_form", "echoprint", "rhythm"] if way in OURS else STRINGS
    names = ", ".join(["track_id", *NUMBERS, *packed])
    with duckdb.connect(folder / "audio.duckdb", read_only=True) as connection:
        rows = connection.execute(f"SELECT {names} FROM tracks ORDER BY track_id").fetchall()
    return [(*row[: -len(packed)], _digest(row[-len(packed) :])) for row in rows]


def _digest(fingerprints: Row) -> str:
    if len(fingerprints) == 3:
        form, echoprint, rhythm = fingerprints
        return digest_of(unpack_codes(form, echoprint), unpack_trains(rhythm))
    echoprint, rhythm = fingerprints
    return digest_of(decode_echoprint(echoprint), decode_rhythm(rhythm))


def run_way(way: str, shard: Path, folder: Path) -> dict[str, float]:
    """Run one way in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--shard", str(shard.absolute())]
    command += ["--way", way, "--into", str(folder.absolute())]
    finished = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(finished.stdout)
    return measured


def run_here(way: str, shard: Path, folder: Path) -> None:
    """Run one way in this process and print what it took."""
    started, cpu = time.perf_counter(), time.process_time()
    reduced = WAYS[way](shard, folder)
    ended = time.perf_counter()
    # of both processes at their peaks, for the other one unpacks
    own, other = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    measured = {
        "seconds": ended - started,
        "extract": (reduced or ended) - started,
        "cpu": time.process_time() - cpu + other.ru_utime + other.ru_stime,
        "megabytes": (own.ru_maxrss + other.ru_maxrss) * 1024 / 1e6,
    }
    sys.stdout.write(json.dumps(measured))


def time_zstd(shard: Path) -> float:
    """Time ``zstd -t``, in seconds."""
    started = time.perf_counter()
    subprocess.run(["zstd", "-tq", str(shard)], check=True)
    return time.perf_counter() - started


def compare(shard: Path, ways: Iterable[str], runs: int) -> None:
    """Print a line a way: medians of seconds, ratios to ``zstd -t`` just before, memory."""
    time_zstd(shard)  # the file is in the page cache from here on
    expected: list[Row] | None = None
    print(
        f"{'way':>10} {'zstd -t':>8} {'seconds':>8} {'ratio':>6} {'extract':>9} {'ratio':>6}"
        f"  {'ratios of all runs':24} {'CPU s':>6} {'MB':>5}"
    )
    for way in ways:
        results = []
        for _ in range(runs if way != "script" else 1):
            with tempfile.TemporaryDirectory(dir=shard.parent) as folder:
                floor = time_zstd(shard)
                result = run_way(way, shard, Path(folder)) | {"floor": floor}
                ratios = {
                    "ratio": result["seconds"] / floor,
                    "extract_ratio": result["extract"] / floor,
                }
                results.append(result | ratios)
                rows = rows_of(way, Path(folder))
                expected = rows if expected is None else expected
                if rows != expected:
                    raise SystemExit(f"{way}: its rows differ")
        extract_ratios = [result["extract_ratio"] for result in results]
        middle = {key: statistics.median(result[key] for result in results) for key in results[0]}
        print(
            f"{way:>10} {middle['floor']:8.2f} {middle['seconds']:8.2f} {middle['ratio']:6.2f}"
            f" {middle['extract']:9.2f} {middle['extract_ratio']:6.2f}"
            f"  {' '.join(f'{found:.2f}' for found in extract_ratios):24}"
            f" {middle['cpu']:6.2f} {middle['megabytes']:5.0f}",
            flush=True,
        )
    print(f"rows: {len(expected or [])}, the same in all")


def make_shard(arguments: argparse.Namespace, shard: Path) -> int:
    """Make a shard of what the arguments name; gives the number of its documents."""
    if arguments.documents.is_file():
        lines: int = arguments.lines
        repeat_documents(arguments.documents, SHARD, shard, lines)
        return lines
    generator = Generator(arguments.documents, arguments.strings, seed=1)
    return write_shard(generator, SHARD, shard, arguments.megabytes)


def main(words: Sequence[str] | None = None) -> None:
    """Compare the ways, or run one of them."""
    parser = command_line(__doc__)
    parser.add_argument("--shard", type=Path, help="a shard of tracks 0a..., else one is made")
    parser.add_argument(
        "--documents", type=Path, help="real documents to make one of: a .jsonl.zst, or a folder"
    )
    parser.add_argument("--strings", type=Path, help="real echoprintstrings to make one of")
    parser.add_argument("--megabytes", type=int, default=2000, help="of perturbed ones, unpacked")
    parser.add_argument("--lines", type=int, default=4960, help="of whole ones")
    parser.add_argument("--runs", type=int, default=5, help="of each way; medians count")
    parser.add_argument("--ways", default=",".join(WAYS), help="to compare")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.way:
        run_here(arguments.way, arguments.shard, arguments.into)
        return
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        shard = arguments.shard or Path(folder, f"{SHARD}.jsonl.zst")
        if arguments.shard is None:
            count = make_shard(arguments, shard)
            print(f"{count} documents, {shard.stat().st_size / 1e6:.0f} MB packed")
        compare(shard, arguments.ways.split(","), arguments.runs)


if __name__ == "__main__":
    main()
