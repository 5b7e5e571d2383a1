"""Segments of given postings, for what reads them.

Belongs here: postings without tracks. Does not belong here: segments of tracks (`tracks`).
"""

from pathlib import Path

import numpy as np

from spotify_pipeline.fingerprint.arrays import Int64s
from spotify_pipeline.index.format.postings import PostingsWriter, directory_sizes
from spotify_pipeline.index.format.sealed_file import writing_sealed_file
from spotify_pipeline.index.format.segment import CONTENT, SEGMENT_VERSION, Segment, SegmentInfo

__all__ = ["segment_of_postings"]


def segment_of_postings(
    path: Path, keys: Int64s, bins: Int64s, bound: int, parts: int = 3
) -> Segment:
    """Write a segment of no track with postings, whose time bins are below a bound."""
    info = SegmentInfo([], 0, bound, len(keys), [])
    numbers = np.sort((keys << info.bin_bits | bins).astype(np.uint64))
    sizes = {"starts": 4} | directory_sizes(len(keys))
    with writing_sealed_file(path, CONTENT, SEGMENT_VERSION, info, sizes) as file:
        file.write("starts", 0, np.zeros(1, np.uint32))
        postings = PostingsWriter(file)
        for part in np.array_split(numbers, parts):
            postings.add(part)
        postings.close()
    return Segment.open(path)
