"""A shard reduced to Parquet: the step before the database, for any number of shards side by side.

A reduction is a folder with ``tracks.parquet``, ``rejects.parquet`` and ``summary.json``. It is
written under a temporary name and renamed when it is complete, so a folder that is there is whole.

Belongs here: writing and finding reductions. Does not belong here: parsing (`document`) and the
database.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from spotify_pipeline.dump.document import DetectionFields
from spotify_pipeline.dump.shard import Reject, ShardReader
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.fingerprint import BANDS
from spotify_pipeline.shards import disk_name

__all__ = [
    "REJECTS_SCHEMA",
    "TRACKS_SCHEMA",
    "Reduction",
    "ReductionSummary",
    "reduce_shard",
    "require_reduction",
]

BATCH_TRACKS = 500
"""Rows that are held in memory before they are written; about 40 kB each."""

TRACKS_SCHEMA = pa.schema(
    [
        ("track_id", pa.string()),
        ("duration", pa.float64()),
        ("tempo", pa.float64()),
        ("tempo_confidence", pa.float64()),
        ("key", pa.int32()),
        ("key_confidence", pa.float64()),
        ("mode", pa.int32()),
        ("mode_confidence", pa.float64()),
        ("time_signature", pa.int32()),
        ("time_signature_confidence", pa.float64()),
        ("loudness", pa.float64()),
        ("end_of_fade_in", pa.float64()),
        ("start_of_fade_out", pa.float64()),
        ("analyzer_version", pa.string()),
        ("echoprint_version", pa.float64()),
        ("rhythm_version", pa.float64()),
        ("echoprint_times", pa.list_(pa.uint32())),
        ("echoprint_codes", pa.list_(pa.uint32())),
        ("rhythm_onsets", pa.list_(pa.list_(pa.int32()))),
    ]
)
"""Columns of ``tracks.parquet``; ``rhythm_onsets`` holds eight lists, one a band."""

REJECTS_SCHEMA = pa.schema(
    [("line", pa.int64()), ("reason", pa.string()), ("excerpt", pa.binary())]
)

_PLAIN_COLUMNS = [
    name
    for name in TRACKS_SCHEMA.names
    if name not in ("echoprint_times", "echoprint_codes", "rhythm_onsets")
]


class ReductionSummary(msgspec.Struct, frozen=True):
    """What was read to make a reduction.

    Attributes
    ----------
    shard, source
        The shard's name and the file it was read from.
    source_bytes, source_modified_ns, checksum
        Of the compressed file as it was read; the checksum is BLAKE2b.
    lines
        Lines that were not blank: tracks + rejects + duplicates.
    tracks
        Rows in ``tracks.parquet``.
    rejects
        Rows in ``rejects.parquet``.
    duplicates
        Lines whose track id stood on an earlier line; the first one counts.
    """

    shard: str
    source: str
    source_bytes: int
    source_modified_ns: int
    checksum: str
    lines: int
    tracks: int
    rejects: int
    duplicates: int


@dataclass(frozen=True)
class Reduction:
    """A complete reduction on disk."""

    folder: Path

    @property
    def tracks(self) -> Path:
        """Parquet file with `TRACKS_SCHEMA`."""
        return self.folder / "tracks.parquet"

    @property
    def rejects(self) -> Path:
        """Parquet file with `REJECTS_SCHEMA`."""
        return self.folder / "rejects.parquet"

    def summary(self) -> ReductionSummary:
        """Read what was counted."""
        return msgspec.json.decode(
            (self.folder / "summary.json").read_bytes(), type=ReductionSummary
        )

    def remove(self) -> None:
        """Delete the reduction."""
        _remove_whole(self.folder)


def reduce_shard(
    source: Path,
    shard: str,
    staging: Path,
    progress: Callable[[int], None] | None = None,
) -> Reduction:
    """Stream a shard into a reduction, replacing an earlier one.

    Parameters
    ----------
    source
        The shard's file.
    shard
        Its name, ``0a``.
    staging
        Folder for reductions.
    progress
        Called with the compressed bytes read so far.

    Raises
    ------
    IncompleteFileError, CompressionError
        The file can't be read to its end; nothing is left in `staging`.
    """
    folder = _folder(staging, shard)
    partial = folder.with_name(f"{folder.name}.partial")
    _remove_if_there(partial)
    partial.mkdir(parents=True)
    try:
        _write(source, shard, Reduction(partial), progress)
    except BaseException:
        _remove_if_there(partial)
        raise
    _remove_whole(folder)
    partial.rename(folder)
    return Reduction(folder)


def require_reduction(staging: Path, shard: str) -> Reduction:
    """Find a shard's reduction in the staging folder.

    Raises
    ------
    PipelineError
        It is not there.
    """
    folder = _folder(staging, shard)
    if not folder.is_dir():
        raise PipelineError(
            f"{folder}: shard {shard} is not reduced, or was ingested already; reduce it first"
        )
    return Reduction(folder)


def _folder(staging: Path, shard: str) -> Path:
    return staging / f"shard-{disk_name(shard)}"


def _remove_whole(folder: Path) -> None:
    """Delete a reduction if it is there; renamed first, for a folder of that name is whole."""
    old = folder.with_name(f"{folder.name}.old")
    _remove_if_there(old)
    if folder.exists():
        folder.rename(old)
        shutil.rmtree(old)


def _remove_if_there(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _write(
    source: Path, shard: str, target: Reduction, progress: Callable[[int], None] | None
) -> None:
    status = source.stat()
    reader = ShardReader(source, progress)
    batch: list[DetectionFields] = []
    rejects: list[Reject] = []
    seen: set[str] = set()
    duplicates = 0
    with pq.ParquetWriter(target.tracks, TRACKS_SCHEMA, compression="zstd") as writer:
        for row in reader:
            if isinstance(row, Reject):
                rejects.append(row)
            elif row.track_id in seen:
                duplicates += 1
            else:
                seen.add(row.track_id)
                batch.append(row)
            if len(batch) == BATCH_TRACKS:
                writer.write_batch(_tracks_batch(batch))
                batch.clear()
        if batch:
            writer.write_batch(_tracks_batch(batch))
    pq.write_table(_rejects_table(rejects), target.rejects)
    summary = ReductionSummary(
        shard=shard,
        source=str(source),
        source_bytes=status.st_size,
        source_modified_ns=status.st_mtime_ns,
        checksum=reader.checksum,
        lines=reader.lines,
        tracks=len(seen),
        rejects=len(rejects),
        duplicates=duplicates,
    )
    with (target.folder / "summary.json").open("wb") as file:
        file.write(msgspec.json.encode(summary))
        os.fsync(file.fileno())


def _tracks_batch(rows: Sequence[DetectionFields]) -> pa.RecordBatch:
    columns = {name: [getattr(row, name) for row in rows] for name in _PLAIN_COLUMNS}
    arrays = [pa.array(values, TRACKS_SCHEMA.field(name).type) for name, values in columns.items()]
    arrays.append(_lists([row.echoprint.times for row in rows], pa.uint32()))
    arrays.append(_lists([row.echoprint.codes for row in rows], pa.uint32()))
    bands = _lists([row.rhythm.band(band) for row in rows for band in range(BANDS)], pa.int32())
    arrays.append(
        pa.ListArray.from_arrays(
            pa.array(range(0, BANDS * len(rows) + 1, BANDS), pa.int32()), bands
        )
    )
    return pa.RecordBatch.from_arrays(arrays, schema=TRACKS_SCHEMA)


def _lists(values: Sequence[np.ndarray], kind: pa.DataType) -> pa.ListArray:
    offsets = np.concatenate(([0], np.cumsum([len(value) for value in values])))
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.array(np.concatenate(values), kind)
    )


def _rejects_table(rejects: Sequence[Reject]) -> pa.Table:
    return pa.table(
        [
            [reject.line for reject in rejects],
            [reject.reason for reject in rejects],
            [reject.excerpt for reject in rejects],
        ],
        schema=REJECTS_SCHEMA,
    )
