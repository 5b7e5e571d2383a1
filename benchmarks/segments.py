"""Segments of an index that stand alone, without a manifest.

Belongs here: opening them. Does not belong here: an installation's index
(`spotify_pipeline.index.building.update`).
"""

from pathlib import Path

from spotify_pipeline.index.format.segment import Segment

__all__ = ["whole_segment"]


def whole_segment(path: Path) -> tuple[Segment, list[str]]:
    """Open a segment all of whose shards count; gives what `Searcher` takes."""
    segment = Segment.open(path)
    return segment, [shard.shard for shard in segment.info.shards]
