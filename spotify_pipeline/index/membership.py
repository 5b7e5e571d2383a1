"""Which tracks the index holds, without opening it for search.

Belongs here: telling ids that are in it from others. Does not belong here: finding tracks by their
onsets (`feature_index`).
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from spotify_pipeline.index.manifest import Manifest, read_manifest

__all__ = ["indexed_among"]


def indexed_among(folder: Path, track_ids: Iterable[str]) -> set[str]:
    """Give those of some tracks whose fingerprint is in the index.

    Of each segment only the ids of the shards in question are read. Without an index, none is.

    Raises
    ------
    FeatureIndexError
        The index is damaged.
    """
    asked: dict[str, list[str]] = {}
    for track_id in track_ids:
        asked.setdefault(track_id[:2], []).append(track_id)
    found: set[str] = set()
    for entry in (read_manifest(folder) or Manifest()).segments:
        if asked.keys().isdisjoint(entry.shards):
            continue
        # late, for it imports numba, which takes longer than a look-up that needs no index
        from spotify_pipeline.index.segment import Segment

        segment = Segment.open(folder / entry.file)
        for shard, first, last in segment.shard_ranges():
            if shard.shard in entry.shards and shard.shard in asked:
                ids = np.array(asked[shard.shard], segment.array("ids").dtype)
                held = ids[np.isin(ids, segment.checked("ids", first, last))]
                found.update(track_id.decode() for track_id in held.tolist())
    return found
