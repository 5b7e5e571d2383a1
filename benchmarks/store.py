"""Bytes a track in ``audio.duckdb``, and how fast its fingerprints are unpacked.

    python -m benchmarks.store --shard 0a.jsonl.zst

Ingests a shard (of the dump, or made by `shards`) with both fingerprints and with either, and
prints the size of the file over the number of tracks. Beside it, the strings as documents have
them. Unpacking is timed on one core, from the bytes in memory to frames.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
from numba import njit

from benchmarks.command import command_line, print_machine
from spotify_pipeline.dump.staged_extract import StagedExtract, reduce_shard
from spotify_pipeline.fingerprint import (
    encode_echoprint,
    encode_rhythm,
    unpack_codes,
    unpack_trains,
)
from spotify_pipeline.fingerprint.arrays import Int64s, UInt8s
from spotify_pipeline.fingerprint.packing import unpack_frames
from spotify_pipeline.index.building.segment_writer import PackedTracks
from spotify_pipeline.settings import TrainsChoice
from spotify_pipeline.store.audio import append_extract, create_audio_database
from spotify_pipeline.store.database import connect

SAMPLE = 500
"""Tracks whose strings are written again, to measure them."""


def stored(extract: StagedExtract, database: Path, keep: TrainsChoice) -> int:
    """Append a staged extract to a new database; gives the bytes of the file."""
    create_audio_database(database)
    with connect(database) as connection:
        append_extract(connection, extract, "run", keep)
        connection.execute("CHECKPOINT")
    return database.stat().st_size


def column(connection: duckdb.DuckDBPyConnection, kind: str) -> PackedTracks:
    """Read the packed trains of all tracks."""
    rows = connection.execute(f"SELECT {kind} FROM tracks WHERE echoprint_form <> 'codes'")
    return PackedTracks.of([row[0] for row in rows.fetchall()])


@njit(nogil=True)
def unpack_all(content: UInt8s, offsets: Int64s) -> int:
    """Unpack every track; gives the number of onsets."""
    onsets = 0
    for track in range(len(offsets) - 1):
        frames, _ = unpack_frames(content[offsets[track] : offsets[track + 1]])
        onsets += len(frames)
    return onsets


def main(words: Sequence[str] | None = None) -> None:
    """Measure a shard."""
    parser = command_line(__doc__)
    parser.add_argument(
        "--shard", type=Path, required=True, metavar="0a.jsonl.zst", help="to ingest"
    )
    source: Path = parser.parse_args(words).shard
    print_machine()
    shard = source.name[:2]
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        extract = reduce_shard(source, shard, folder)
        tracks = extract.summary().tracks
        sizes = {
            keep: stored(extract, folder / f"{keep}.duckdb", keep) / tracks for keep in TrainsChoice
        }
        print(f"{tracks:,} tracks; audio.duckdb, bytes a track:")
        for keep, size in sizes.items():
            print(f"{keep:>10} {size:8,.0f}")
        both = sizes[TrainsChoice.BOTH]
        print(f"so rhythm {both - sizes[TrainsChoice.ECHOPRINT]:,.0f},", end=" ")
        print(f"Echoprint {both - sizes[TrainsChoice.RHYTHM]:,.0f}")
        with connect(folder / "both.duckdb", read_only=True) as connection:
            rows = connection.execute(
                f"SELECT echoprint_form, echoprint, rhythm FROM tracks LIMIT {SAMPLE}"
            ).fetchall()
            codes = [len(encode_echoprint(unpack_codes(row[0], row[1]))) for row in rows]
            rhythms = [len(encode_rhythm(unpack_trains(row[2]))) for row in rows]
            print(f"as strings: rhythm {np.mean(rhythms):,.0f}, Echoprint {np.mean(codes):,.0f}")
            for kind in ("rhythm", "echoprint"):
                packed = column(connection, kind)
                unpack_all(packed.content, packed.offsets[:2])
                started = time.perf_counter()
                onsets = unpack_all(packed.content, packed.offsets)
                rate = (len(packed.offsets) - 1) / (time.perf_counter() - started)
                mean = onsets / (len(packed.offsets) - 1)
                print(f"{kind} unpacked: {rate:,.0f} tracks/s, {mean:,.0f} onsets a track")


if __name__ == "__main__":
    main()
