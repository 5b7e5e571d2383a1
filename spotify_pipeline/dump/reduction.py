"""A shard reduced to Parquet: the step before the database, for any number of shards side by side.

A reduction is a folder with ``tracks.parquet``, ``rejects.parquet`` and ``summary.json``. It is
written under a temporary name and renamed when it is complete, so a folder that is there is whole.

Belongs here: writing and finding reductions. Does not belong here: parsing (`document`) and the
database.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from spotify_pipeline.dump.shard import Reject, ShardReader
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.shards import disk_name

__all__ = [
    "REJECTS_SCHEMA",
    "TRACKS_SCHEMA",
    "Reduction",
    "ReductionSummary",
    "reduce_shard",
    "require_reduction",
]

BATCH_ROWS = 2000
"""Tracks or rejects that are held in memory before they are written; about 8 kB each."""

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
        ("echoprint_form", pa.string()),
        ("echoprint", pa.binary()),
        ("rhythm", pa.binary()),
    ]
)
"""Columns of ``tracks.parquet``: `document.DetectionFields`, field by field."""

REJECTS_SCHEMA = pa.schema(
    [("line", pa.int64()), ("reason", pa.string()), ("excerpt", pa.binary())]
)


class ReductionSummary(msgspec.Struct, frozen=True):
    """What was read to make a reduction.

    Attributes
    ----------
    shard, source
        The shard's name and the file it was read from.
    source_bytes, source_modified_ns, checksum
        Of the compressed file as it was read; the checksum is XXH3 of 128 bits.
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
    reader = ShardReader(source, shard, progress)
    seen: set[str] = set()
    duplicates = 0
    with (
        _BatchWriter(target.tracks, TRACKS_SCHEMA) as tracks,
        _BatchWriter(target.rejects, REJECTS_SCHEMA) as rejects,
    ):
        for row in reader:
            if isinstance(row, Reject):
                rejects.add(row)
            elif row.track_id in seen:
                duplicates += 1
            else:
                seen.add(row.track_id)
                tracks.add(row)
    summary = ReductionSummary(
        shard=shard,
        source=str(source),
        source_bytes=status.st_size,
        source_modified_ns=status.st_mtime_ns,
        checksum=reader.checksum,
        lines=reader.lines,
        tracks=tracks.rows,
        rejects=rejects.rows,
        duplicates=duplicates,
    )
    with (target.folder / "summary.json").open("wb") as file:
        file.write(msgspec.json.encode(summary))
        os.fsync(file.fileno())


class _BatchWriter:
    """Writes rows, whose attributes are the schema's columns, to a Parquet file as a context."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows = 0
        self._batch: list[Any] = []
        # fingerprints are packed already; nothing else is worth the time
        self._writer = pq.ParquetWriter(path, schema, compression="none", use_dictionary=False)

    def __enter__(self) -> Self:
        return self

    def add(self, row: Any) -> None:  # noqa: ANN401
        self.rows += 1
        self._batch.append(row)
        if len(self._batch) == BATCH_ROWS:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._batch:
                self._flush()
        finally:
            self._writer.close()

    def _flush(self) -> None:
        columns = [
            pa.array([getattr(row, field.name) for row in self._batch], field.type)
            for field in self.schema
        ]
        self._batch.clear()
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self.schema))
