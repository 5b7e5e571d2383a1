"""Several segments to one: their tracks after one another, without those that no longer count.

Belongs here: merging, and choosing what to merge. Does not belong here: publishing the result
(`build`).
"""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from spotify_pipeline.fingerprint.arrays import Int64s, UInt32s, UInt64s
from spotify_pipeline.index.elias_fano import list_bits, read_list, write_lists
from spotify_pipeline.index.features import FEATURES, KINDS
from spotify_pipeline.index.manifest import Manifest, SegmentEntry
from spotify_pipeline.index.sealed_file import SealedFileWriter, writing_sealed_file
from spotify_pipeline.index.segment import (
    CONTENT,
    HARMONY,
    PAGE_FEATURES,
    SEGMENT_VERSION,
    Segment,
    SegmentInfo,
    SegmentShard,
    page_ranges,
    page_words,
)
from spotify_pipeline.shards import TRACK_ID_LENGTH

__all__ = ["FAN_IN", "merge_segments", "segments_to_merge"]

FAN_IN = 8
"""Segments of a tier that are merged into one of the next."""

_MOST_TRACKS = 4_000_000
"""No segment grows beyond so many tracks by merging."""

_COPY_BYTES = 1 << 24

_PACKED = (*KINDS, HARMONY[1])
"""Sections of what is packed of each track; their offsets are sections of their own."""


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
    tracks, places
        int64 of shape (n, 2): ranges of tracks that count, and the ranges of their places.
    moves
        int64 of shape (n,): what to add to the places of each range.
    """

    segment: Segment
    tracks: Int64s
    places: Int64s
    moves: Int64s

    @property
    def is_whole(self) -> bool:
        """Whether all of it counts."""
        return int(np.diff(self.tracks).sum()) == len(self.segment)


def merge_segments(
    path: Path, segments: Sequence[tuple[Segment, Sequence[str]]], memory: int
) -> SegmentInfo:
    """Write one segment of several, given those shards of each that count.

    Parameters
    ----------
    path
        Of the new file.
    segments
        In the order of their tracks.
    memory
        Bytes that postings may take on their way.

    Raises
    ------
    FeatureIndexError
        One is damaged, or the new one can't be written.
    """
    for segment, _ in segments:
        segment.check_all()
    sources, shards, places = _plan(segments)
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        counts = _counts(sources, pool, workers)
        pages = page_words(counts, places)
        postings = counts.reshape(-1, PAGE_FEATURES).sum(axis=1, dtype=np.int64)
        tracks = sum(shard.tracks for shard in shards)
        info = SegmentInfo(shards, tracks, places, int(counts.sum(dtype=np.int64)))
        sizes = {
            "ids": TRACK_ID_LENGTH * tracks,
            "durations": 4 * tracks,
            "starts": 4 * (tracks + 1),
        }
        for packed in _PACKED:
            sizes |= {f"{packed}_offsets": 8 * (tracks + 1), packed: _bytes(sources, packed)}
        sizes |= {"counts": 4 * FEATURES, "pages": pages.nbytes, "postings": 8 * int(pages[-1])}
        with writing_sealed_file(path, CONTENT, SEGMENT_VERSION, info, sizes) as writer:
            _copy_tracks(writer, sources, places)
            writer.write("counts", 0, counts)
            writer.write("pages", 0, pages)
            for first, last in page_ranges(postings, memory):
                words = _merged_lists(sources, counts, pages, places, first, last, pool, workers)
                writer.write("postings", 8 * int(pages[first]), words)
    return info


def _plan(
    segments: Sequence[tuple[Segment, Sequence[str]]],
) -> tuple[list[_Source], list[SegmentShard], int]:
    """Give what counts of each segment, the shards of the result, and its places."""
    sources, shards, place = [], [], 0
    for segment, counting in segments:
        starts = segment.array("starts").astype(np.int64)
        tracks, places, moves = [], [], []
        for shard, first, last in segment.shard_ranges():
            if shard.shard in counting:
                tracks.append((first, last))
                places.append((starts[first], starts[last]))
                moves.append(place - starts[first])
                place += int(starts[last] - starts[first])
                shards.append(shard)
        sources.append(
            _Source(
                segment,
                np.array(tracks, np.int64).reshape(-1, 2),
                np.array(places, np.int64).reshape(-1, 2),
                np.array(moves, np.int64),
            )
        )
    return sources, shards, place


def _counts(sources: Sequence[_Source], pool: Executor, workers: int) -> UInt32s:
    """Count the postings of each feature that count."""
    counts = np.zeros(FEATURES, np.uint32)
    chunks = np.linspace(0, FEATURES // PAGE_FEATURES, 4 * workers + 1).astype(int).tolist()
    for source in sources:
        own = source.segment.array("counts")
        if source.is_whole:
            counts += own
            continue
        arguments = (
            source.segment.array("postings"),
            own,
            source.segment.array("pages"),
            source.segment.info.places,
            source.places,
            counts,
        )
        list(pool.map(partial(_count_lists, *arguments), chunks[:-1], chunks[1:]))
    return counts


def _bytes(sources: Sequence[_Source], packed: str) -> int:
    total = 0
    for source in sources:
        offsets = source.segment.array(f"{packed}_offsets").astype(np.int64)
        total += int((offsets[source.tracks[:, 1]] - offsets[source.tracks[:, 0]]).sum())
    return total


def _copy_tracks(writer: SealedFileWriter, sources: Sequence[_Source], places: int) -> None:
    """Copy all that is of tracks, the places and offsets moved."""
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
            for packed in _PACKED:
                offsets = array(f"{packed}_offsets")[first : last + 1].astype(np.int64)
                moved = offsets[:-1] - offsets[0] + done[packed]
                append(f"{packed}_offsets", moved.astype(np.uint64))
                append(packed, array(packed)[offsets[0] : offsets[-1]])
    append("starts", np.array([places], np.uint32))
    for packed in _PACKED:
        append(f"{packed}_offsets", np.array([done[packed]], np.uint64))


def _merged_lists(
    sources: Sequence[_Source],
    counts: UInt32s,
    pages: UInt64s,
    places: int,
    first: int,
    last: int,
    pool: Executor,
    workers: int,
) -> UInt64s:
    """Give the words of some pages."""
    words = np.zeros(int(pages[last] - pages[first]), np.uint64)
    own = (pages[first : last + 1] - pages[first]).astype(np.int64)
    chunks = np.searchsorted(own, np.linspace(0, own[-1], 4 * workers + 1)).tolist()
    chunks[0], chunks[-1] = 0, last - first

    def merge(chunk: int) -> None:
        begin, end = chunks[chunk], chunks[chunk + 1]
        if begin >= end:
            return
        features = slice((first + begin) * PAGE_FEATURES, (first + end) * PAGE_FEATURES)
        ends = np.cumsum(counts[features], dtype=np.int64)
        cursors = ends - counts[features]
        placed = np.empty(int(ends[-1]), np.uint32)
        for source in sources:
            array = source.segment.array
            _append_lists(
                array("postings"),
                array("counts"),
                array("pages"),
                source.segment.info.places,
                source.places,
                source.moves,
                first + begin,
                first + end,
                cursors,
                placed,
            )
        _code_pages(words, own[begin:end], counts[features], placed, places)

    list(pool.map(merge, range(len(chunks) - 1)))
    return words


@njit(cache=True, nogil=True)
def _count_lists(
    words: UInt64s,
    own: UInt32s,
    pages: UInt64s,
    bound: int,
    ranges: Int64s,
    counts: UInt32s,
    first_page: int,
    last_page: int,
) -> None:
    """Add the postings of each feature that lie in the ranges."""
    found = np.empty(max(int(own.max()), 1), np.int64)
    for page in range(first_page, last_page):
        bit = 64 * np.int64(pages[page])
        for feature in range(page * PAGE_FEATURES, (page + 1) * PAGE_FEATURES):
            count = int(own[feature])
            for k in range(read_list(words, bit, bound, count, found)):
                for r in range(len(ranges)):
                    counts[feature] += np.uint32(ranges[r, 0] <= found[k] < ranges[r, 1])
            bit += list_bits(count, bound)


@njit(cache=True, nogil=True)
def _append_lists(
    words: UInt64s,
    own: UInt32s,
    pages: UInt64s,
    bound: int,
    ranges: Int64s,
    moves: Int64s,
    first_page: int,
    last_page: int,
    cursors: Int64s,
    placed: UInt32s,
) -> None:
    """Put the places that lie in the ranges, moved, where the list of each feature grows."""
    first = first_page * PAGE_FEATURES
    longest = 1
    for feature in range(first, last_page * PAGE_FEATURES):
        longest = max(longest, int(own[feature]))
    found = np.empty(longest, np.int64)
    for page in range(first_page, last_page):
        bit = 64 * np.int64(pages[page])
        for feature in range(page * PAGE_FEATURES, (page + 1) * PAGE_FEATURES):
            count = int(own[feature])
            cursor = cursors[feature - first]
            for k in range(read_list(words, bit, bound, count, found)):
                for r in range(len(ranges)):
                    if ranges[r, 0] <= found[k] < ranges[r, 1]:
                        placed[cursor] = np.uint32(found[k] + moves[r])
                        cursor += 1
            cursors[feature - first] = cursor
            bit += list_bits(count, bound)


@njit(cache=True, nogil=True)
def _code_pages(
    words: UInt64s, pages: Int64s, counts: UInt32s, placed: UInt32s, bound: int
) -> None:
    """Code the lists of some pages, given the first word of each."""
    begin = 0
    for page in range(len(pages)):
        own = counts[page * PAGE_FEATURES : (page + 1) * PAGE_FEATURES]
        end = begin + own.sum()
        write_lists(words, 64 * pages[page], bound, own, placed[begin:end])
        begin = end
