"""What a segment says of its shards and the ids of their tracks, without what searches it.

Belongs here: what tells whether a track is in it, which does without numba. Does not belong here:
the rest of the layout (`segment`).
"""

from collections.abc import Iterator

import msgspec
import numpy as np

from spotify_pipeline.shards import TRACK_ID_LENGTH

__all__ = [
    "CONTENT",
    "SEGMENT_VERSION",
    "TRACK_ID",
    "SegmentShard",
    "SegmentShards",
]

CONTENT = "segment"
SEGMENT_VERSION = 3

TRACK_ID = np.dtype(f"S{TRACK_ID_LENGTH}")
"""Of the section ``ids``."""


class SegmentShard(msgspec.Struct, frozen=True):
    """A shard in a segment: the checksum of what was read of it, and its tracks in this segment."""

    shard: str
    checksum: str
    tracks: int


class SegmentShards(msgspec.Struct, frozen=True):
    """The shards of a segment, in the order of their tracks."""

    shards: list[SegmentShard]

    def ranges(self) -> Iterator[tuple[SegmentShard, int, int]]:
        """Give each shard with its first track and the one after its last."""
        first = 0
        for shard in self.shards:
            yield shard, first, first + shard.tracks
            first += shard.tracks
