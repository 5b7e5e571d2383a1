"""A new segment from packed trains: keys are counted, then made, sorted and coded.

The postings of all tracks don't fit memory at once for ever: they are made in as many passes over
the trains as memory asks for, each for a range of keys, which is some bands' of a kind of keys.

Belongs here: tracks to a segment's sections. Does not belong here: where tracks come from
(`update`), segments to segments (`merge`).
"""

import os
from collections.abc import Callable, Iterator, Sequence
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
    Int64s,
    UInt8s,
    UInt64s,
)
from spotify_pipeline.fingerprint.packing import unpack_frames
from spotify_pipeline.harmony import Segments, pack_harmony
from spotify_pipeline.index.format.key_setting import (
    CROSSING,
    ECHOPRINT,
    KEY_BITS,
    KEYS,
    KINDS,
    KeySetting,
)
from spotify_pipeline.index.format.postings import PostingsWriter, directory_sizes
from spotify_pipeline.index.format.sealed_file import writing_sealed_file
from spotify_pipeline.index.format.segment import (
    CONTENT,
    SEGMENT_VERSION,
    SegmentInfo,
    SegmentShard,
)
from spotify_pipeline.index.kernels.keys import write_echoprint_keys, write_rhythm_keys
from spotify_pipeline.shards import TRACK_ID_LENGTH

__all__ = ["BUCKETS", "BUCKET_BITS", "PackedTracks", "Tracks", "ranges_within", "write_segment"]

MOST_BINS = 1 << 15
"""Of a track (13 hours); what begins later has no postings."""

BUCKET_BITS = KEY_BITS - 12
BUCKETS = 1 << KEY_BITS - BUCKET_BITS
"""Keys are counted, sorted and held in memory by their highest bits."""

_SORTING_BYTES = 24
"""That a posting takes while it is made, sorted and coded."""


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
    path: Path,
    shards: Sequence[SegmentShard],
    tracks: Tracks,
    memory: int,
    keys: KeySetting = KEYS,
) -> SegmentInfo:
    """Write the segment of some tracks.

    Parameters
    ----------
    path
        Of the new file.
    shards
        Whose tracks they are, in their order.
    tracks
        Keys of all their trains are indexed.
    memory
        Bytes that postings may take while they are sorted.
    keys
        How keys are made.

    Raises
    ------
    FeatureIndexError
        It can't be written.
    """
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        making = _Making.of(tracks, keys, pool, workers)
        info = SegmentInfo(
            list(shards),
            len(tracks),
            int(making.starts[-1]),
            int(making.counts.sum()),
            [kind for kind in KINDS if len(getattr(tracks, kind).content)],
            keys,
        )
        sections: dict[str, npt.NDArray[Any]] = {
            "ids": tracks.ids,
            "durations": tracks.durations,
            "starts": making.starts.astype(np.uint32),
            "rhythm_offsets": tracks.rhythm.offsets.astype(np.uint64),
            "rhythm": tracks.rhythm.content,
            "echoprint_offsets": tracks.echoprint.offsets.astype(np.uint64),
            "echoprint": tracks.echoprint.content,
            "harmony_offsets": tracks.harmony.offsets.astype(np.uint64),
            "harmony": tracks.harmony.content,
        }
        sizes = {name: array.nbytes for name, array in sections.items()}
        sizes |= directory_sizes(info.postings)
        with writing_sealed_file(path, CONTENT, SEGMENT_VERSION, info, sizes) as file:
            for name, array in sections.items():
                file.write(name, 0, array)
            postings = PostingsWriter(file)
            for first, last in ranges_within(making.counts.sum(axis=0), memory):
                postings.add(making.sorted_postings(first, last, info.bin_bits, pool))
            postings.close()
    return info


def ranges_within(counts: Int64s, memory: int) -> Iterator[tuple[int, int]]:
    """Cut buckets, given their postings, into ranges that can be sorted in so many bytes."""
    ends = np.cumsum(counts) * _SORTING_BYTES
    first = 0
    while first < len(ends):
        done = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, done + memory, side="right")), first + 1)
        yield first, last
        first = last


@dataclass(frozen=True)
class _Making:
    """Tracks whose keys were counted.

    Attributes
    ----------
    bounds
        The tracks of each worker: from one to before the next.
    counts
        int64 of shape (workers, `BUCKETS`), postings.
    starts
        int64 of shape (tracks + 1,), the first time bin of each track.
    """

    tracks: Tracks
    keys: KeySetting
    bounds: list[int]
    counts: Int64s
    starts: Int64s

    @classmethod
    def of(cls, tracks: Tracks, keys: KeySetting, pool: Executor, workers: int) -> "_Making":
        """Count the postings of each bucket and worker, and the time bins of each track."""
        bounds = np.linspace(0, len(tracks), workers + 1).astype(int).tolist()
        counts = np.zeros((workers, BUCKETS), np.int64)
        bins = np.zeros(len(tracks), np.int64)

        def count(worker: int) -> None:
            chunk = bounds[worker], bounds[worker + 1]
            _count_postings(*_arguments(tracks, keys), *chunk, counts[worker], bins)

        list(pool.map(count, range(workers)))
        starts = np.concatenate(([0], np.cumsum(bins + 1)))
        return cls(tracks, keys, bounds, counts, starts)

    def sorted_postings(self, first: int, last: int, bin_bits: int, pool: Executor) -> UInt64s:
        """Give the postings of the buckets from the first to before the last, in order."""
        counts = self.counts[:, first:last]
        ends = np.cumsum(counts.sum(axis=0))
        begins = ends - counts.sum(axis=0)
        postings = np.empty(int(ends[-1]), np.uint64)

        def make(worker: int) -> None:
            # in a bucket, each worker's postings come after those of the workers before it
            cursors = begins + counts[:worker].sum(axis=0)
            chunk = self.bounds[worker], self.bounds[worker + 1]
            arguments = _arguments(self.tracks, self.keys)
            _make_postings(*arguments, *chunk, self.starts, bin_bits, first, cursors, postings)

        def sort(bucket: int) -> None:
            postings[begins[bucket] : ends[bucket]].sort()

        _run(pool, make, range(len(self.bounds) - 1))
        _run(pool, sort, np.flatnonzero(ends > begins).tolist())
        return postings


def _run(pool: Executor, work: Callable[[int], None], numbers: Sequence[int]) -> None:
    list(pool.map(work, numbers))


def _arguments(tracks: Tracks, keys: KeySetting) -> tuple[Any, ...]:
    return (
        tracks.rhythm.content,
        tracks.rhythm.offsets,
        tracks.echoprint.content,
        tracks.echoprint.offsets,
        keys.gap_steps,
        keys.delay_steps,
        keys.echoprint_steps,
        keys.kept,
        keys.frame_bits,
    )


@njit(cache=True, nogil=True)
def _bins_of_keys(
    rhythm: UInt8s,
    echoprint: UInt8s,
    gap_steps: UInt8s,
    delay_steps: UInt8s,
    echoprint_steps: UInt8s,
    kept: int,
    frame_bits: int,
    least: int,
    bound: int,
) -> tuple[Int64s, Int64s]:
    """Give the keys of packed trains and the time bins where they begin.

    All from `least` to before `bound` are among them, and others that are made with these. A key
    that is among the latest two of its kind and bin is left out: a steady beat gives no more.
    """
    frames, bounds = unpack_frames(rhythm if least < ECHOPRINT else rhythm[:0])
    other_frames, other_bounds = unpack_frames(echoprint if bound > ECHOPRINT else echoprint[:0])
    most = 2 * len(frames) + len(other_frames)
    keys, begins = np.empty(most, np.int64), np.empty(most, np.int32)
    found = 0
    if len(frames):
        found = write_rhythm_keys(
            frames, bounds, gap_steps, delay_steps, kept, least, bound, keys, begins
        )
    if len(other_frames):
        found += write_echoprint_keys(
            other_frames, other_bounds, echoprint_steps, keys[found:], begins[found:]
        )
    bins = np.empty(most, np.int64)
    count = 0
    latest = np.full((2, 2), -1, np.int64)
    for k in range(found):
        position = np.int64(begins[k]) >> frame_bits
        pair = keys[k] << np.int64(24) | position
        own = latest[int(keys[k] & CROSSING != 0)]
        if pair != own[0] and pair != own[1] and position < MOST_BINS:
            keys[count], bins[count] = keys[k], position
            own[1] = own[0]
            own[0] = pair
            count += 1
    return keys[:count], bins[:count]


@njit(cache=True, nogil=True)
def _count_postings(
    rhythm: UInt8s,
    rhythm_offsets: Int64s,
    echoprint: UInt8s,
    echoprint_offsets: Int64s,
    gap_steps: UInt8s,
    delay_steps: UInt8s,
    echoprint_steps: UInt8s,
    kept: int,
    frame_bits: int,
    first_track: int,
    last_track: int,
    counts: Int64s,
    bins: Int64s,
) -> None:
    """Count a worker's postings, and the time bins of its tracks."""
    for track in range(first_track, last_track):
        keys, positions = _bins_of_keys(
            rhythm[rhythm_offsets[track] : rhythm_offsets[track + 1]],
            echoprint[echoprint_offsets[track] : echoprint_offsets[track + 1]],
            gap_steps,
            delay_steps,
            echoprint_steps,
            kept,
            frame_bits,
            0,
            1 << KEY_BITS,
        )
        for k in range(len(keys)):
            counts[keys[k] >> BUCKET_BITS] += 1
            bins[track] = max(bins[track], positions[k] + 1)


@njit(cache=True, nogil=True)
def _make_postings(
    rhythm: UInt8s,
    rhythm_offsets: Int64s,
    echoprint: UInt8s,
    echoprint_offsets: Int64s,
    gap_steps: UInt8s,
    delay_steps: UInt8s,
    echoprint_steps: UInt8s,
    kept: int,
    frame_bits: int,
    first_track: int,
    last_track: int,
    starts: Int64s,
    bin_bits: int,
    first_bucket: int,
    cursors: Int64s,
    postings: UInt64s,
) -> None:
    """Put a worker's postings where each bucket from the first on grows."""
    for track in range(first_track, last_track):
        keys, positions = _bins_of_keys(
            rhythm[rhythm_offsets[track] : rhythm_offsets[track + 1]],
            echoprint[echoprint_offsets[track] : echoprint_offsets[track + 1]],
            gap_steps,
            delay_steps,
            echoprint_steps,
            kept,
            frame_bits,
            first_bucket << BUCKET_BITS,
            first_bucket + len(cursors) << BUCKET_BITS,
        )
        for k in range(len(keys)):
            bucket = (keys[k] >> BUCKET_BITS) - first_bucket
            if 0 <= bucket < len(cursors):
                posting = keys[k] << np.int64(bin_bits) | (starts[track] + positions[k])
                postings[cursors[bucket]] = np.uint64(posting)
                cursors[bucket] += 1
