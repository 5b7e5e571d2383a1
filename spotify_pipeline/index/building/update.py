"""The feature index kept up to date with ``audio.duckdb``: a segment a shard, merged by and by.

Every step is published as it is done. So whatever ends a build, the next one goes on from there.

Belongs here: what to index, drop and merge. Does not belong here: how a segment is made
(`segment_writer`) or merged (`merge`).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from spotify_pipeline.index.building.merge import merge_segments, segments_to_merge
from spotify_pipeline.index.building.segment_writer import PackedTracks, Tracks, write_segment
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.format.manifest import (
    Manifest,
    SegmentEntry,
    changing,
    new_segment_name,
    publish,
)
from spotify_pipeline.index.format.segment import Segment, SegmentInfo, SegmentShard
from spotify_pipeline.progress import Report
from spotify_pipeline.settings import TrainsChoice
from spotify_pipeline.shards import TRACK_ID_LENGTH
from spotify_pipeline.store.audio import shard_fingerprints
from spotify_pipeline.store.ledger import ledger, ledger_row

__all__ = [
    "IndexSetting",
    "IndexUpdate",
    "ShardSegment",
    "index_shard",
    "index_shards",
    "merge_index",
    "update_index",
]


@dataclass(frozen=True)
class IndexSetting:
    """How an index is built.

    Attributes
    ----------
    trains
        Whose keys are indexed, see `TrainsChoice`.
    memory
        Bytes that postings may take on their way.
    """

    trains: TrainsChoice
    memory: int


@dataclass(frozen=True)
class ShardSegment:
    """A segment that was made of a shard.

    Attributes
    ----------
    shard
        Its name.
    tracks, postings, size
        How many, and the bytes of the file.
    seconds
        From the first row read to the segment published.
    """

    shard: str
    tracks: int
    postings: int
    size: int
    seconds: float


@dataclass(frozen=True)
class IndexUpdate:
    """What an update did.

    Attributes
    ----------
    manifest
        What the index holds now.
    added
        Shards that were indexed.
    dropped
        Shards that count no more.
    tracks_added
        Tracks of the shards that were indexed.
    merges
        How often segments were merged.
    """

    manifest: Manifest
    added: list[str]
    dropped: list[str]
    tracks_added: int
    merges: int


def index_shard(
    connection: duckdb.DuckDBPyConnection, folder: Path, shard: str, setting: IndexSetting
) -> ShardSegment:
    """Make the segment of one shard, in place of what the index had of it.

    Raises
    ------
    FeatureIndexError
        The shard is not ingested; the index is damaged or can't be written.
    """
    with changing(folder) as manifest:
        row = ledger_row(connection, shard)
        if row is None:
            raise FeatureIndexError(
                f"shard {shard} is not in audio.duckdb; materialise its partition of"
                " 'ingested_shard' first"
            )
        _, made = _add(connection, folder, manifest, shard, row.checksum, setting)
    return made


def update_index(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    setting: IndexSetting,
    progress: Report,
    on_segment: Callable[[ShardSegment], None] = lambda _: None,
) -> IndexUpdate:
    """Index the shards that need it, then merge segments; see `index_shards`, `merge_index`."""
    update = index_shards(connection, folder, setting, progress, on_segment)
    manifest, merges = merge_index(folder, setting, progress)
    return replace(update, manifest=manifest, merges=merges)


def index_shards(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    setting: IndexSetting,
    progress: Report,
    on_segment: Callable[[ShardSegment], None] = lambda _: None,
) -> IndexUpdate:
    """Index the shards that are new or changed, and drop those that are gone.

    Parameters
    ----------
    connection
        To ``audio.duckdb``.
    folder
        Of the index.
    setting
        How to build it.
    progress
        Called with how far it is.
    on_segment
        Called with each segment that was made.

    Raises
    ------
    FeatureIndexError
        The index is damaged or can't be written.
    """
    with changing(folder) as found:
        present = {shard: row.checksum for shard, row in ledger(connection).items()}
        dropped = sorted(found.shards.keys() - present.keys())
        manifest = _without(found, dropped)
        publish(folder, manifest)
        current = manifest.current(setting.trains)
        missing = {s: c for s, c in present.items() if current.get(s) != c}
        tracks = 0
        for number, (shard, checksum) in enumerate(missing.items()):
            progress(number, len(missing), f"indexing shard {shard}")
            manifest, made = _add(connection, folder, manifest, shard, checksum, setting)
            on_segment(made)
            tracks += made.tracks
        publish(folder, manifest, complete=True)
    return IndexUpdate(manifest, list(missing), dropped, tracks, merges=0)


def merge_index(folder: Path, setting: IndexSetting, progress: Report) -> tuple[Manifest, int]:
    """Merge segments until there are few; ``audio.duckdb`` is not needed for it.

    Parameters
    ----------
    folder, setting, progress
        As of `index_shards`.

    Returns
    -------
    What the index holds now, and how often segments were merged.

    Raises
    ------
    FeatureIndexError
        The index is damaged or can't be written.
    """
    with changing(folder) as found:
        manifest, merges = found, 0
        while chosen := segments_to_merge(manifest):
            progress(merges, 0, f"merging {len(chosen)} segments")
            manifest = _merge(folder, manifest, chosen, setting)
            merges += 1
    return manifest, merges


def _add(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    shard: str,
    checksum: str,
    setting: IndexSetting,
) -> tuple[Manifest, ShardSegment]:
    """Make the segment of a shard and publish it."""
    started = time.monotonic()
    tracks = _tracks(shard_fingerprints(connection, shard, setting.trains))
    name = new_segment_name()
    segment_shard = SegmentShard(shard, checksum, len(tracks))
    info = write_segment(folder / name, [segment_shard], tracks, setting.memory)
    others = _without(manifest, [shard]).segments
    entry = _entry(folder / name, info, {shard: checksum}, setting)
    grown = Manifest(segments=[*others, entry])
    publish(folder, grown)
    seconds = time.monotonic() - started
    return grown, ShardSegment(shard, info.tracks, info.postings, entry.size, seconds)


def _merge(
    folder: Path, manifest: Manifest, chosen: list[SegmentEntry], setting: IndexSetting
) -> Manifest:
    """Merge segments and publish the result."""
    name = new_segment_name()
    counting = {shard: checksum for entry in chosen for shard, checksum in entry.shards.items()}
    others = [entry for entry in manifest.segments if entry not in chosen]
    if counting:
        sources = [(Segment.open(folder / e.file), list(e.shards)) for e in chosen]
        info = merge_segments(folder / name, sources, setting.memory)
        others.append(_entry(folder / name, info, counting, setting))
    merged = Manifest(segments=others)
    publish(folder, merged)
    return merged


def _entry(
    path: Path, info: SegmentInfo, shards: Mapping[str, str], setting: IndexSetting
) -> SegmentEntry:
    return SegmentEntry(
        file=path.name,
        shards=dict(shards),
        trains=setting.trains,
        shard_tracks={shard.shard: shard.tracks for shard in info.shards},
        postings=info.postings,
        size=path.stat().st_size,
    )


def _without(manifest: Manifest, shards: Sequence[str]) -> Manifest:
    """Give a manifest in which shards count no more."""
    return Manifest(segments=[entry.without(shards) for entry in manifest.segments])


def _tracks(batches: Iterator[pa.RecordBatch]) -> Tracks:
    """Give a shard's rows as arrays."""
    id_type = f"S{TRACK_ID_LENGTH}"
    ids, durations = [np.empty(0, id_type)], [np.empty(0, np.float32)]
    rhythm, echoprint, harmony = _Joined(), _Joined(), _Joined()
    for batch in batches:
        ids.append(np.array(batch["track_id"].to_pylist(), id_type))
        seconds = batch["duration"].to_numpy(zero_copy_only=False)
        durations.append(seconds.astype(np.float32))
        rhythm.add(batch["rhythm"])
        echoprint.add(batch["echoprint"])
        harmony.add(batch["harmony"])
    return Tracks(
        np.concatenate(ids),
        np.concatenate(durations),
        rhythm.packed(),
        echoprint.packed(),
        harmony.packed(),
    )


class _Joined:
    """What is packed of each track, batch by batch."""

    def __init__(self) -> None:
        self._contents = [np.empty(0, np.uint8)]
        self._offsets = [np.zeros(1, np.int64)]

    def add(self, column: pa.BinaryArray) -> None:
        """Add a column."""
        _, offsets_buffer, content = column.buffers()
        width = np.int64 if pa.types.is_large_binary(column.type) else np.int32
        offsets = np.frombuffer(offsets_buffer, width)[column.offset :][: len(column) + 1]
        offsets = offsets.astype(np.int64)
        if content is not None:
            self._contents.append(np.frombuffer(content, np.uint8)[offsets[0] : offsets[-1]])
        self._offsets.append(offsets[1:] - offsets[0] + self._offsets[-1][-1])

    def packed(self) -> PackedTracks:
        """Give all of it."""
        return PackedTracks(np.concatenate(self._contents), np.concatenate(self._offsets))
