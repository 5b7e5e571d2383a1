"""Which tracks the index holds, without opening it for search.

Belongs here: telling ids that are in it from others. Does not belong here: finding tracks by their
onsets (`search`).
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from spotify_pipeline.index.errors import OutdatedIndexError
from spotify_pipeline.index.format.manifest import SegmentEntry, read_manifest
from spotify_pipeline.index.format.sealed_file import SealedFile
from spotify_pipeline.index.format.segment_shards import (
    CONTENT,
    SEGMENT_VERSION,
    TRACK_ID,
    SegmentShards,
)

__all__ = ["indexed_among"]


def indexed_among(folder: Path, track_ids: Iterable[str]) -> set[str]:
    """Give those of some tracks whose fingerprint is in the index.

    Of each segment only the ids of the shards in question are read. Without an index that can be
    searched, none is.

    Raises
    ------
    FeatureIndexError
        The index is damaged.
    """
    asked: dict[str, list[str]] = {}
    for track_id in track_ids:
        asked.setdefault(track_id[:2], []).append(track_id)
    found: set[str] = set()
    for entry in _segments(folder):
        if asked.keys().isdisjoint(entry.shards):
            continue
        segment = SealedFile(folder / entry.file, CONTENT, [SEGMENT_VERSION])
        for shard, first, last in msgspec.json.decode(segment.info, type=SegmentShards).ranges():
            if shard.shard in entry.shards and shard.shard in asked:
                segment.check_range("ids", first * TRACK_ID.itemsize, last * TRACK_ID.itemsize)
                ids = np.array(asked[shard.shard], TRACK_ID)
                held = ids[np.isin(ids, segment.section("ids", TRACK_ID)[first:last])]
                found.update(track_id.decode() for track_id in held.tolist())
    return found


def _segments(folder: Path) -> list[SegmentEntry]:
    """Give the segments that can be searched; none of an index that has to be made again."""
    try:
        manifest = read_manifest(folder)
    except OutdatedIndexError:
        return []
    return [] if manifest is None else manifest.segments
