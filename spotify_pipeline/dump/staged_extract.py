"""A shard reduced to Parquet: the step before the database, for any number of shards side by side.

A staged extract is a folder with ``tracks.parquet``, ``rejects.parquet``, ``summary.json`` and a
file for each part that is kept beside the detection fields. It is written under a temporary name
and renamed when it is complete, so a folder that is there is whole.

Belongs here: writing and finding staged extracts. Does not belong here: parsing (`document`) and
the database.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import msgspec
import pyarrow as pa

from spotify_pipeline.dump.columns import COLUMNS
from spotify_pipeline.dump.parquet import BatchWriter
from spotify_pipeline.dump.parts import PARTS
from spotify_pipeline.dump.shard import Reject, ShardReader
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.shards import disk_name
from spotify_pipeline.space import naming_a_full_disk
from spotify_pipeline.syncing import sync

__all__ = [
    "REJECTS_KEPT",
    "REJECTS_SCHEMA",
    "TRACKS_SCHEMA",
    "ExtractSummary",
    "StagedExtract",
    "discard_extract",
    "reduce_shard",
    "require_extract",
    "space_needed",
]

_TYPES = {str: pa.string(), float: pa.float64(), int: pa.int32(), bytes: pa.binary()}

TRACKS_SCHEMA = pa.schema([(column.name, _TYPES[column.kind]) for column in COLUMNS])
"""Of ``tracks.parquet``."""

_columns = attrgetter(*TRACKS_SCHEMA.names)

REJECTS_SCHEMA = pa.schema(
    [("line", pa.int64()), ("reason", pa.string()), ("excerpt", pa.binary())]
)


REJECTS_KEPT = 10_000
"""Of a shard; what is wrong with more lines than that, these tell."""


class ExtractSummary(msgspec.Struct, frozen=True):
    """What was read to make a staged extract.

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
        Lines that were not taken; the first `REJECTS_KEPT` are rows in ``rejects.parquet``.
    duplicates
        Lines whose track id stood on an earlier line; the first one counts.
    with_harmony
        Tracks that have harmony; 0 where it was not read.
    without_harmony
        Those that have none, counted by the reason; empty where it was not read.
    parts
        What was kept beside the detection fields, a ``<part>.parquet`` each.
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
    with_harmony: int = 0
    without_harmony: dict[str, int] = {}
    parts: list[str] = []


@dataclass(frozen=True)
class StagedExtract:
    """A complete staged extract on disk."""

    folder: Path

    @property
    def tracks(self) -> Path:
        """Parquet file with `TRACKS_SCHEMA`."""
        return self.folder / "tracks.parquet"

    @property
    def rejects(self) -> Path:
        """Parquet file with `REJECTS_SCHEMA`."""
        return self.folder / "rejects.parquet"

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def part(self, part: str) -> Path:
        """Parquet file with the columns of `PARTS`."""
        return self.folder / f"{part}.parquet"

    def summary(self) -> ExtractSummary:
        """Read what was counted."""
        return msgspec.json.decode((self.folder / "summary.json").read_bytes(), type=ExtractSummary)

    def remove(self) -> None:
        """Delete the staged extract."""
        _remove_whole(self.folder)


def reduce_shard(
    source: Path,
    shard: str,
    staging: Path,
    progress: Callable[[int], None] | None = None,
    parts: Sequence[str] = (),
    with_harmony: bool = True,
) -> StagedExtract:
    """Stream a shard into a staged extract, replacing an earlier one.

    Parameters
    ----------
    source
        The shard's file.
    shard
        Its name, ``0a``.
    staging
        Folder for staged extracts.
    progress
        Called with the compressed bytes read so far.
    parts
        What to keep beside the detection fields, as `check_parts` gives it.
    with_harmony
        Whether to keep harmony; a track whose segments are not valid has none.

    Raises
    ------
    IncompleteFileError, CompressionError, NotAShardError
        The file can't be read to its end; nothing is left in `staging`.
    SpaceError
        The disk is full; nothing is left in `staging`.
    """
    folder = _folder(staging, shard)
    partial = _partial(folder)
    _remove_if_there(partial)
    partial.mkdir(parents=True)
    try:
        with naming_a_full_disk(staging):
            reader = ShardReader(source, shard, progress, parts, with_harmony)
            _write(reader, StagedExtract(partial), parts)
    except BaseException:
        _remove_if_there(partial)
        raise
    _remove_whole(folder)
    partial.rename(folder)
    return StagedExtract(folder)


def space_needed(source_bytes: int, parts: Sequence[str]) -> int:
    """Give the bytes that a staged extract takes at the most, by the size of its source.

    A document of 100 kB packed leaves about 7 kB, and 2.5 kB of harmony; its segments and so on, as
    plain columns, about as much as it has itself.
    """
    return round(source_bytes * (1.5 if parts else 0.13))


def require_extract(staging: Path, shard: str) -> StagedExtract:
    """Find a shard's staged extract in the staging folder.

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
    return StagedExtract(folder)


def discard_extract(staging: Path, shard: str) -> None:
    """Delete what there is of a shard's staged extract, half of one too."""
    folder = _folder(staging, shard)
    _remove_if_there(_partial(folder))
    _remove_whole(folder)


def _folder(staging: Path, shard: str) -> Path:
    return staging / f"shard-{disk_name(shard)}"


def _partial(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.partial")


def _remove_whole(folder: Path) -> None:
    """Delete a staged extract if it is there; renamed first, for a folder of that name is whole."""
    old = folder.with_name(f"{folder.name}.old")
    _remove_if_there(old)
    if folder.exists():
        folder.rename(old)
        shutil.rmtree(old)


def _remove_if_there(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _write(reader: ShardReader, target: StagedExtract, parts: Sequence[str]) -> None:
    status = reader.path.stat()
    seen: set[str] = set()
    rejected = duplicates = with_harmony = 0
    without_harmony: Counter[str] = Counter()
    with ExitStack() as stack:
        tracks = stack.enter_context(BatchWriter(target.tracks, TRACKS_SCHEMA))
        rejects = stack.enter_context(BatchWriter(target.rejects, REJECTS_SCHEMA))
        writers = {
            part: stack.enter_context(BatchWriter(target.part(part), PARTS[part])) for part in parts
        }
        for row in reader:
            if isinstance(row, Reject):
                rejected += 1
                if rejected <= REJECTS_KEPT:
                    rejects.add((row.line, row.reason, row.excerpt))
            elif row.fields.track_id in seen:
                duplicates += 1
            else:
                seen.add(row.fields.track_id)
                tracks.add(_columns(row.fields))
                with_harmony += row.fields.harmony is not None
                if row.fields.without_harmony:
                    without_harmony[row.fields.without_harmony] += 1
                for part, items in row.parts.items():
                    for item in items:
                        writers[part].add((row.fields.track_id, *item))
    summary = ExtractSummary(
        shard=reader.shard,
        source=str(reader.path),
        source_bytes=status.st_size,
        source_modified_ns=status.st_mtime_ns,
        checksum=reader.checksum,
        lines=reader.lines,
        tracks=tracks.rows,
        rejects=rejected,
        duplicates=duplicates,
        with_harmony=with_harmony,
        without_harmony=dict(without_harmony.most_common()),
        parts=list(parts),
    )
    path = target.folder / "summary.json"
    path.write_bytes(msgspec.json.encode(summary))
    sync(path)
