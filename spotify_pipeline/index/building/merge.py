"""Several segments to one: their tracks after one another, without those that no longer count.

Belongs here: merging, and choosing what to merge. Does not belong here: publishing the result
(`update`).
"""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from spotify_pipeline.fingerprint.arrays import Int64s, UInt64s
from spotify_pipeline.index.building.segment_writer import BUCKET_BITS, BUCKETS, ranges_within
from spotify_pipeline.index.format.key_setting import KEYS, KINDS
from spotify_pipeline.index.format.manifest import Manifest, SegmentEntry
from spotify_pipeline.index.format.postings import (
    PAGE,
    PostingsWriter,
    directory_sizes,
    pages_of_ranges,
    read_between,
)
from spotify_pipeline.index.format.sealed_file import SealedFileWriter, writing_sealed_file
from spotify_pipeline.index.format.segment import (
    CONTENT,
    PACKED,
    SEGMENT_VERSION,
    Segment,
    SegmentInfo,
    SegmentShard,
)
from spotify_pipeline.shards import TRACK_ID_LENGTH

__all__ = ["FAN_IN", "merge_segments", "segments_to_merge"]

FAN_IN = 8
"""Segments of a tier that are merged into one of the next."""

_MOST_TRACKS = 4_000_000
"""No segment grows beyond so many tracks by merging."""

_COPY_BYTES = 1 << 24


def segments_to_merge(manifest: Manifest) -> list[SegmentEntry]:
    """Choose segments to be merged into one; none if there are few enough.

    Those that are mostly dead come first, alone. Then `FAN_IN` segments of a tier, the smallest
    first: those of a tier have up to `FAN_IN` times as many tracks as those of the tier below.
    """
    for entry in manifest.segments:
        if 2 * entry.tracks < entry.all_tracks:
            return [entry]
    tiers: dict[int, list[SegmentEntry]] = {}
    for entry in manifest.segments:
        tier = int(np.log(max(entry.tracks, 1)) / np.log(FAN_IN))
        tiers.setdefault(tier, []).append(entry)
    for tier in sorted(tiers):
        chosen = tiers[tier][:FAN_IN]
        if len(chosen) == FAN_IN and sum(e.tracks for e in chosen) <= _MOST_TRACKS:
            return chosen
    return []


@dataclass(frozen=True)
class _Source:
    """A segment, and what of it counts.

    Attributes
    ----------
    tracks, bins
        int64 of shape (n, 2): ranges of tracks that count, and the ranges of their time bins.
    moves
        int64 of shape (n,): what to add to the time bins of each range.
    """

    segment: Segment
    tracks: Int64s
    bins: Int64s
    moves: Int64s

    @property
    def is_whole(self) -> bool:
        """Whether all of it counts."""
        return int(np.diff(self.tracks).sum()) == len(self.segment)

    def pages_until(self, buckets: Int64s) -> Int64s:
        """Give the page where each bucket begins."""
        edges = buckets << BUCKET_BITS + self.segment.info.bin_bits
        spans, pages, *_ = self.segment.pages
        begins: Int64s = pages_of_ranges(spans, pages, edges, edges)[0]
        return begins

    def moved(self, first: int, last: int, bin_bits: int) -> UInt64s:
        """Give the postings that count of the buckets from the first to before the last."""
        own_bits = self.segment.info.bin_bits
        least, bound = first << BUCKET_BITS + own_bits, last << BUCKET_BITS + own_bits
        begin, end = self.pages_until(np.array([first, last])).tolist()
        out = np.empty(PAGE * (end - begin + 2), np.uint64)
        count = read_between(*self.segment.pages, least, bound, out)
        moved: UInt64s = _moved(out[:count], own_bits, self.bins, self.moves, bin_bits)
        return moved


def merge_segments(
    path: Path, segments: Sequence[tuple[Segment, Sequence[str]]], memory: int
) -> SegmentInfo:
    """Write one segment of several, given those shards of each that count.

    Parameters
    ----------
    path
        Of the new file.
    segments
        In the order of their tracks, all of one `KeySetting`.
    memory
        Bytes that postings may take on their way.

    Raises
    ------
    FeatureIndexError
        One is damaged, or the new one can't be written.
    """
    for segment, _ in segments:
        segment.check_all()
    sources, shards, bins = _plan(segments)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        info = SegmentInfo(
            shards,
            sum(shard.tracks for shard in shards),
            bins,
            sum(pool.map(_counting, sources)),
            [kind for kind in KINDS if any(kind in s.segment.info.kinds for s in sources)],
            segments[0][0].info.keys if segments else KEYS,
        )
        sizes = {
            "ids": TRACK_ID_LENGTH * info.tracks,
            "durations": 4 * info.tracks,
            "starts": 4 * (info.tracks + 1),
        }
        for packed in PACKED:
            sizes |= {f"{packed}_offsets": 8 * (info.tracks + 1), packed: _bytes(sources, packed)}
        sizes |= directory_sizes(info.postings)
        with writing_sealed_file(path, CONTENT, SEGMENT_VERSION, info, sizes) as file:
            _copy_tracks(file, sources, bins)
            _merge_postings(file, sources, info.bin_bits, memory, pool)
    return info


def _plan(
    segments: Sequence[tuple[Segment, Sequence[str]]],
) -> tuple[list[_Source], list[SegmentShard], int]:
    """Give what counts of each segment, the shards of the result, and its time bins."""
    sources, shards, position = [], [], 0
    for segment, counting in segments:
        starts = segment.array("starts").astype(np.int64)
        tracks, bins, moves = [], [], []
        for shard, first, last in segment.shard_ranges():
            if shard.shard in counting:
                tracks.append((first, last))
                bins.append((starts[first], starts[last]))
                moves.append(position - starts[first])
                position += int(starts[last] - starts[first])
                shards.append(shard)
        sources.append(
            _Source(
                segment,
                np.array(tracks, np.int64).reshape(-1, 2),
                np.array(bins, np.int64).reshape(-1, 2),
                np.array(moves, np.int64),
            )
        )
    return sources, shards, position


def _counting(source: _Source) -> int:
    """Count the postings of a segment that count."""
    if source.is_whole:
        return source.segment.info.postings
    steps = np.linspace(0, BUCKETS, 65).astype(int).tolist()
    bits = source.segment.info.bin_bits
    return sum(len(source.moved(first, last, bits)) for first, last in pairwise(steps))


def _merge_postings(
    file: SealedFileWriter,
    sources: Sequence[_Source],
    bin_bits: int,
    memory: int,
    pool: Executor,
) -> None:
    """Write the postings of all, a range of keys after the other."""
    edges = np.arange(BUCKETS + 1)
    pages = np.sum([source.pages_until(edges) for source in sources], axis=0, dtype=np.int64)
    postings = PostingsWriter(file)
    workers = os.cpu_count() or 1

    def merge(chunk: tuple[int, int]) -> UInt64s:
        parts = [source.moved(*chunk, bin_bits) for source in sources]
        merged = np.concatenate(parts) if parts else np.empty(0, np.uint64)
        merged.sort()
        return merged

    chunks = list(ranges_within(PAGE * np.diff(pages), memory // (2 * workers)))
    for first in range(0, len(chunks), workers):
        for part in pool.map(merge, chunks[first : first + workers]):
            postings.add(part)
    postings.close()


def _bytes(sources: Sequence[_Source], packed: str) -> int:
    total = 0
    for source in sources:
        offsets = source.segment.array(f"{packed}_offsets").astype(np.int64)
        total += int((offsets[source.tracks[:, 1]] - offsets[source.tracks[:, 0]]).sum())
    return total


def _copy_tracks(writer: SealedFileWriter, sources: Sequence[_Source], bins: int) -> None:
    """Copy all that is of tracks, the time bins and offsets moved."""
    done: Counter[str] = Counter()

    def append(section: str, content: npt.NDArray[Any]) -> None:
        step = _COPY_BYTES // content.itemsize
        for start in range(0, len(content), step):
            part = np.ascontiguousarray(content[start : start + step])
            writer.write(section, done[section], part)
            done[section] += part.nbytes

    for source in sources:
        array = source.segment.array
        for (first, last), move in zip(source.tracks.tolist(), source.moves.tolist(), strict=True):
            for section in ("ids", "durations"):
                append(section, array(section)[first:last])
            append("starts", (array("starts")[first:last] + np.int64(move)).astype(np.uint32))
            for packed in PACKED:
                offsets = array(f"{packed}_offsets")[first : last + 1].astype(np.int64)
                moved = offsets[:-1] - offsets[0] + done[packed]
                append(f"{packed}_offsets", moved.astype(np.uint64))
                append(packed, array(packed)[offsets[0] : offsets[-1]])
    append("starts", np.array([bins], np.uint32))
    for packed in PACKED:
        append(f"{packed}_offsets", np.array([done[packed]], np.uint64))


@njit(cache=True, nogil=True)
def _moved(
    postings: UInt64s, own_bits: int, ranges: Int64s, moves: Int64s, bin_bits: int
) -> UInt64s:
    """Give those whose time bins lie in the ranges, moved."""
    moved = np.empty_like(postings)
    count = 0
    for k in range(len(postings)):
        posting = np.int64(postings[k])
        position = posting & ((np.int64(1) << np.int64(own_bits)) - 1)
        for r in range(len(ranges)):
            if ranges[r, 0] <= position < ranges[r, 1]:
                key = posting >> np.int64(own_bits)
                moved[count] = np.uint64(key << np.int64(bin_bits) | position + moves[r])
                count += 1
    return moved[:count]
