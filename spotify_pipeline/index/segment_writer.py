"""A new segment from packed trains: features are counted, then placed, then coded.

The lists of all tracks don't fit memory at once for ever: postings are made in as many passes over
the trains as memory asks for, each for a range of features.

Belongs here: tracks to a segment's sections. Does not belong here: where tracks come from
(`build`), segments to segments (`merge`).
"""

import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from spotify_pipeline.fingerprint import OnsetTrains, pack_trains
from spotify_pipeline.fingerprint.arrays import (
    Bytes,
    Float32s,
    Int32s,
    Int64s,
    UInt8s,
    UInt32s,
    UInt64s,
)
from spotify_pipeline.fingerprint.packing import unpack_frames
from spotify_pipeline.harmony import Segments, pack_harmony
from spotify_pipeline.index.elias_fano import write_lists
from spotify_pipeline.index.features import FEATURES, KINDS, FeatureSetting, write_features
from spotify_pipeline.index.sealed_file import writing_sealed_file
from spotify_pipeline.index.segment import (
    CONTENT,
    PAGE_FEATURES,
    PLACE_FRAMES,
    SEGMENT_VERSION,
    SegmentInfo,
    SegmentShard,
    page_ranges,
    page_words,
)
from spotify_pipeline.shards import TRACK_ID_LENGTH

__all__ = ["PackedTracks", "Tracks", "write_segment"]

MOST_PLACES = 1 << 17
"""Of a track (13 hours); what begins later has no postings."""

PLACE_BITS = PLACE_FRAMES.bit_length() - 1

PAGE_BITS = PAGE_FEATURES.bit_length() - 1


@dataclass(frozen=True)
class PackedTracks:
    """What is packed of tracks, their trains of one kind or their harmony, track by track.

    Attributes
    ----------
    content
        uint8 of shape (bytes,).
    offsets
        int64 of shape (tracks + 1,).
    """

    content: UInt8s
    offsets: Int64s

    @classmethod
    def of(cls, packed: Sequence[bytes]) -> "PackedTracks":
        """Join what is packed of some tracks."""
        offsets = np.cumsum([0, *map(len, packed)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(packed), np.uint8), offsets)

    @classmethod
    def none(cls, tracks: int) -> "PackedTracks":
        """Give nothing of so many tracks."""
        return cls(np.empty(0, np.uint8), np.zeros(tracks + 1, np.int64))


@dataclass(frozen=True)
class Tracks:
    """What a segment is made of; arrays of shape (tracks,) but for the trains.

    Attributes
    ----------
    ids
        bytes of 22 characters.
    durations
        float32, seconds, NaN where unknown.
    rhythm, echoprint
        Trains; those of a track may be empty.
    harmony
        Packed by `harmony.packing`; nothing of a track of which nothing is known.
    """

    ids: Bytes
    durations: Float32s
    rhythm: PackedTracks
    echoprint: PackedTracks
    harmony: PackedTracks

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        durations: Sequence[float | None],
        rhythm: Sequence[OnsetTrains],
        echoprint: Sequence[OnsetTrains],
        harmony: Sequence[Segments],
    ) -> "Tracks":
        """Pack the trains of some tracks, and their harmony; of no segments, nothing."""
        seconds = [np.nan if duration is None else duration for duration in durations]
        return cls(
            np.array([track_id.encode() for track_id in ids], f"S{TRACK_ID_LENGTH}"),
            np.array(seconds, np.float32),
            PackedTracks.of([pack_trains(trains) for trains in rhythm]),
            PackedTracks.of([pack_trains(trains) for trains in echoprint]),
            PackedTracks.of([pack_harmony(one) if len(one) else b"" for one in harmony]),
        )


def write_segment(
    path: Path, shards: Sequence[SegmentShard], tracks: Tracks, memory: int
) -> SegmentInfo:
    """Write the segment of some tracks.

    Parameters
    ----------
    path
        Of the new file.
    shards
        Whose tracks they are, in their order.
    tracks
        Features of all their trains are indexed.
    memory
        Bytes that postings may take while they are sorted.

    Raises
    ------
    FeatureIndexError
        It can't be written.
    """
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        counted = _count(tracks, pool, workers)
        layout = _Layout.of(counted)
        postings = int(layout.counts.sum(dtype=np.int64))
        info = SegmentInfo(list(shards), len(tracks), int(layout.starts[-1]), postings)
        sections: dict[str, npt.NDArray[Any]] = {
            "ids": tracks.ids,
            "durations": tracks.durations,
            "starts": layout.starts,
            "rhythm_offsets": tracks.rhythm.offsets.astype(np.uint64),
            "rhythm": tracks.rhythm.content,
            "echoprint_offsets": tracks.echoprint.offsets.astype(np.uint64),
            "echoprint": tracks.echoprint.content,
            "harmony_offsets": tracks.harmony.offsets.astype(np.uint64),
            "harmony": tracks.harmony.content,
            "counts": layout.counts,
            "pages": layout.pages,
        }
        sizes = {name: array.nbytes for name, array in sections.items()}
        sizes["postings"] = 8 * int(layout.pages[-1])
        with writing_sealed_file(path, CONTENT, SEGMENT_VERSION, info, sizes) as writer:
            for name, array in sections.items():
                writer.write(name, 0, array)
            for first, last in page_ranges(counted.pages.sum(axis=0), memory):
                words = _postings(tracks, counted, layout, first, last, pool)
                writer.write("postings", 8 * int(layout.pages[first]), words)
    return info


@dataclass(frozen=True)
class _Counted:
    """What the first pass over the tracks finds.

    Attributes
    ----------
    bounds
        The tracks of each worker: from one to before the next.
    counts
        int64 of shape (features,), postings of all workers.
    pages
        int64 of shape (workers, pages), postings of each worker.
    places
        int64 of shape (tracks,).
    """

    bounds: list[int]
    counts: Int64s
    pages: Int64s
    places: Int64s


@dataclass(frozen=True)
class _Layout:
    """The sections that say where things are; see `segment`."""

    starts: UInt32s
    counts: UInt32s
    pages: UInt64s

    @classmethod
    def of(cls, counted: _Counted) -> "_Layout":
        starts = np.concatenate(([0], np.cumsum(counted.places + 1))).astype(np.uint32)
        counts = counted.counts.astype(np.uint32)
        return cls(starts, counts, page_words(counts, int(starts[-1])))


def _arguments(tracks: Tracks, kind: str, setting: FeatureSetting) -> tuple[Any, ...]:
    trains: PackedTracks = getattr(tracks, kind)
    return trains.content, trains.offsets, *setting.arguments


def _count(tracks: Tracks, pool: Executor, workers: int) -> _Counted:
    bounds = np.linspace(0, len(tracks), workers + 1).astype(int).tolist()
    counts = np.zeros((workers, FEATURES), np.uint32)
    places = np.zeros(len(tracks), np.int64)

    def work(worker: int) -> None:
        for kind, setting in KINDS.items():
            _count_postings(
                *_arguments(tracks, kind, setting),
                bounds[worker],
                bounds[worker + 1],
                counts[worker],
                places,
            )

    list(pool.map(work, range(workers)))
    pages = counts.reshape(workers, -1, PAGE_FEATURES).sum(axis=2, dtype=np.int64)
    return _Counted(bounds, counts.sum(axis=0, dtype=np.int64), pages, places)


def _postings(
    tracks: Tracks, counted: _Counted, layout: _Layout, first: int, last: int, pool: Executor
) -> UInt64s:
    """Give the words of the pages from the first to before the last.

    Postings are sorted by page first, then within the page: both fit the cache, all features
    together don't.
    """
    begins = np.concatenate(([0], np.cumsum(counted.pages[:, first:last].sum(axis=0))))
    placed = np.empty(int(begins[-1]), np.uint32)
    lows = np.empty(int(begins[-1]), np.uint8)

    def place(worker: int) -> None:
        # each worker's tracks come after those of the workers before it
        cursors = begins[:-1] + counted.pages[:worker, first:last].sum(axis=0)
        chunk = counted.bounds[worker], counted.bounds[worker + 1]
        for kind, setting in KINDS.items():
            arguments = _arguments(tracks, kind, setting)
            _place_postings(*arguments, *chunk, first, layout.starts, cursors, placed, lows)

    list(pool.map(place, range(len(counted.bounds) - 1)))
    base = int(layout.pages[first])
    words = np.zeros(int(layout.pages[last]) - base, np.uint64)

    def code(page: int) -> None:
        own = slice(int(begins[page - first]), int(begins[page - first + 1]))
        _code_page(
            words,
            int(layout.pages[page]) - base,
            layout.counts[page * PAGE_FEATURES : (page + 1) * PAGE_FEATURES],
            placed[own],
            lows[own],
            int(layout.starts[-1]),
        )

    list(pool.map(code, (first + np.flatnonzero(np.diff(begins))).tolist()))
    return words


@njit(cache=True, nogil=True)
def _postings_of(
    packed: UInt8s, first: int, gaps: int, cell_bits: int, cell_of_gap: UInt8s
) -> tuple[UInt32s, Int32s]:
    """Give the features of packed trains and the places where they begin.

    A feature that is among the latest four of its place is left out: a steady beat gives no more.
    """
    frames, bounds = unpack_frames(packed)
    features, places = np.empty(len(frames), np.uint32), np.empty(len(frames), np.int32)
    found = write_features(frames, bounds, first, gaps, cell_bits, cell_of_gap, features, places)
    kept = 0
    latest = (np.int64(-1), np.int64(-1), np.int64(-1), np.int64(-1))
    for k in range(found):
        place = np.int64(places[k]) >> PLACE_BITS
        pair = place << 32 | np.int64(features[k])
        repeated = (
            (pair == latest[0]) | (pair == latest[1]) | (pair == latest[2]) | (pair == latest[3])
        )
        if not repeated and place < MOST_PLACES:
            features[kept] = features[k]
            places[kept] = place
            latest = (pair, latest[0], latest[1], latest[2])
            kept += 1
    return features[:kept], places[:kept]


@njit(cache=True, nogil=True)
def _count_postings(
    content: UInt8s,
    offsets: Int64s,
    first: int,
    gaps: int,
    cell_bits: int,
    cell_of_gap: UInt8s,
    first_track: int,
    last_track: int,
    counts: UInt32s,
    places: Int64s,
) -> None:
    """Count a worker's postings, and the places of its tracks."""
    for track in range(first_track, last_track):
        packed = content[offsets[track] : offsets[track + 1]]
        features, own_places = _postings_of(packed, first, gaps, cell_bits, cell_of_gap)
        for k in range(len(features)):
            counts[features[k]] += np.uint32(1)
            places[track] = max(places[track], np.int64(own_places[k]) + 1)


@njit(cache=True, nogil=True)
def _place_postings(
    content: UInt8s,
    offsets: Int64s,
    first: int,
    gaps: int,
    cell_bits: int,
    cell_of_gap: UInt8s,
    first_track: int,
    last_track: int,
    first_page: int,
    starts: UInt32s,
    cursors: Int64s,
    placed: UInt32s,
    lows: UInt8s,
) -> None:
    """Put a worker's postings where each page from the first on grows."""
    for track in range(first_track, last_track):
        packed = content[offsets[track] : offsets[track + 1]]
        features, places = _postings_of(packed, first, gaps, cell_bits, cell_of_gap)
        start = np.int64(starts[track])
        for k in range(len(features)):
            page = np.int64(features[k] >> PAGE_BITS) - first_page
            if 0 <= page < len(cursors):
                cursor = cursors[page]
                placed[cursor] = np.uint32(start + places[k])
                lows[cursor] = np.uint8(features[k] & (PAGE_FEATURES - 1))
                cursors[page] = cursor + 1


@njit(cache=True, nogil=True)
def _code_page(
    words: UInt64s, word: int, counts: UInt32s, placed: UInt32s, lows: UInt8s, bound: int
) -> None:
    """Sort the postings of a page by feature, and code its lists from a word on."""
    cursors = np.zeros(PAGE_FEATURES, np.int64)
    for feature in range(1, PAGE_FEATURES):
        cursors[feature] = cursors[feature - 1] + np.int64(counts[feature - 1])
    ordered = np.empty(len(placed), np.uint32)
    for k in range(len(placed)):
        cursor = cursors[lows[k]]
        ordered[cursor] = placed[k]
        cursors[lows[k]] = cursor + 1
    write_lists(words, 64 * word, bound, counts, ordered)
