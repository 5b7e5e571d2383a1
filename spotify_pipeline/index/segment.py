"""A segment: the posting lists and the trains of some tracks, in one immutable file.

A sealed file (`sealed_file`) with these sections; T tracks, F features (`features.FEATURES`)::

    ids       T x 22 bytes    track ids
    durations T x float32     seconds, NaN where unknown
    starts    (T+1) x uint32  the first place of each track, and the end
    rhythm_offsets     (T+1) x uint64  where the rhythm trains of each track begin, in bytes
    rhythm             bytes           packed trains (`fingerprint.packing`), track by track
    echoprint_offsets, echoprint       the same of the Echoprint trains
    harmony_offsets, harmony           the same of the packed harmony (`harmony.packing`)
    counts    F x uint32      postings of each feature
    pages     (F/64+1) x uint64  the word where the lists of 64 features begin, and the end
    postings  uint64 words    of each feature, its places in ascending order (`elias_fano`)

A *place* is a stretch of `PLACE_FRAMES` frames of a track; the places of all tracks are numbered
through, one left empty after each track. So a posting says both the track and roughly when. A place
is given once however often its feature begins there.

The lists of a page follow each other without gaps; how long each is follows from its count, and the
number of places. The head's ``info`` is a `SegmentInfo`. Version 1 has no harmony.

Belongs here: the layout, opening and reading. Does not belong here: making segments
(`segment_writer`, `merge`) and searching them (`search`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import OnsetTrains, PackingError, unpack_trains
from spotify_pipeline.fingerprint.arrays import Int64s, UInt8s, UInt32s, UInt64s
from spotify_pipeline.harmony import HarmonyError, Segments, unpack_harmony
from spotify_pipeline.index.elias_fano import list_bits
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.features import FEATURES
from spotify_pipeline.index.sealed_file import SealedFile
from spotify_pipeline.index.segment_shards import (
    CONTENT,
    READABLE_VERSIONS,
    SEGMENT_VERSION,
    TRACK_ID,
    SegmentShard,
    SegmentShards,
)

__all__ = [
    "CONTENT",
    "HARMONY",
    "PAGE_FEATURES",
    "PLACE_FRAMES",
    "SEGMENT_VERSION",
    "Segment",
    "SegmentInfo",
    "SegmentShard",
    "page_ranges",
    "page_words",
]

PLACE_FRAMES = 128
"""Frames of a place (0.37 s)."""

PAGE_FEATURES = 64

HARMONY = ("harmony_offsets", "harmony")
"""The sections of harmony."""

_SORTING_BYTES = 8
"""That a posting takes while it is sorted and coded."""


class SegmentInfo(SegmentShards, frozen=True):
    """The head of a segment.

    Attributes
    ----------
    places
        The bound of all places.
    postings
        In all lists.
    place_frames, features
        `PLACE_FRAMES` and `FEATURES` when it was written.
    """

    tracks: int
    places: int
    postings: int
    place_frames: int = PLACE_FRAMES
    features: int = FEATURES


@dataclass(frozen=True)
class Segment:
    """An opened segment; its arrays are mapped, and checked as they are used."""

    file: SealedFile
    info: SegmentInfo

    @classmethod
    def open(cls, path: Path) -> Self:
        """Map a segment.

        Raises
        ------
        FeatureIndexError
            It is missing, cut off, damaged or of another version.
        """
        file = SealedFile(path, CONTENT, READABLE_VERSIONS)
        info = msgspec.json.decode(file.info, type=SegmentInfo)
        if (info.place_frames, info.features) != (PLACE_FRAMES, FEATURES):
            raise FeatureIndexError(
                f"{path}: was made with other settings; run the job 'index' again"
            )
        file.check_section("starts")
        return cls(file, info)

    def __len__(self) -> int:
        return self.info.tracks

    def check_all(self) -> None:
        """Check every block.

        Raises
        ------
        FeatureIndexError
            One is damaged.
        """
        for section in filter(self.file.has, _TYPES):
            self.file.check_section(section)

    def shard_ranges(self) -> Iterator[tuple[SegmentShard, int, int]]:
        """Give each shard with its first track and the one after its last."""
        return self.info.ranges()

    def array(self, section: str) -> Any:  # noqa: ANN401  # of its own type
        """Give a section as it lies in the file, not checked; nothing of harmony that it lacks."""
        if self.file.has(section) or section not in HARMONY:
            return self.file.section(section, _TYPES[section])
        return np.zeros(len(self) + 1 if section == HARMONY[0] else 0, _TYPES[section])

    def checked(self, section: str, first: int, last: int) -> Any:  # noqa: ANN401
        """Give elements of a section from the first to before the last."""
        array = self.array(section)
        size = array.itemsize
        self.file.check_range(section, first * size, last * size)
        return array[first:last]

    def track_id(self, track: int) -> str:
        """Give the id of a track."""
        return str(self.checked("ids", track, track + 1)[0], "ascii")

    def duration(self, track: int) -> float | None:
        """Give the seconds of a track; None where unknown."""
        seconds = float(self.checked("durations", track, track + 1)[0])
        return None if np.isnan(seconds) else seconds

    def trains(self, track: int, kind: str) -> OnsetTrains:
        """Give a track's trains of a kind of `KINDS`; empty if they are not in the index."""
        first, last = self.checked(f"{kind}_offsets", track, track + 2).tolist()
        try:
            return unpack_trains(self.checked(kind, first, last))
        except PackingError as error:
            raise FeatureIndexError(
                f"{self.file.path}: the trains of track {track} are damaged; run the job 'index'"
                " again"
            ) from error

    def harmony(self, track: int) -> Segments:
        """Give what is known of a track's harmony; no segments if nothing is.

        Raises
        ------
        FeatureIndexError
            It is damaged.
        """
        if not self.file.has(HARMONY[0]):
            return Segments.none()
        first, last = self.checked(HARMONY[0], track, track + 2).tolist()
        if first == last:
            return Segments.none()
        try:
            return unpack_harmony(self.checked(HARMONY[1], first, last))
        except HarmonyError as error:
            raise FeatureIndexError(
                f"{self.file.path}: the harmony of track {track} is damaged; run the job 'index'"
                " again"
            ) from error

    def packed(self, tracks: Int64s, content: str) -> tuple[UInt8s, Int64s, Int64s]:
        """Give what is packed of all tracks, and where that of some begins and ends.

        Parameters
        ----------
        tracks
            int64 of shape (n,).
        content
            Trains of a kind of `KINDS`, or "harmony".

        Raises
        ------
        FeatureIndexError
            A block of theirs is damaged.
        """
        offsets = self.array(f"{content}_offsets")
        if not self.file.has(content):
            return self.array(content), np.zeros_like(tracks), np.zeros_like(tracks)
        self.file.check(f"{content}_offsets", 8 * tracks, 8 * (tracks + 2))
        firsts = offsets[tracks].astype(np.int64)
        lasts = offsets[tracks + 1].astype(np.int64)
        self.file.check(content, firsts, lasts)
        return self.array(content), firsts, lasts

    def lists(self, features: UInt32s) -> tuple[Int64s, Int64s]:
        """Give the first bit and the count of postings of features, and check their lists.

        Raises
        ------
        FeatureIndexError
            A block of them is damaged.
        """
        numbers = features.astype(np.int64)
        pages = numbers // PAGE_FEATURES
        self.file.check("counts", 4 * PAGE_FEATURES * pages, 4 * PAGE_FEATURES * (pages + 1))
        self.file.check("pages", 8 * pages, 8 * (pages + 1))
        bits, counts, ends = _locate(
            self.array("counts"), self.array("pages"), self.info.places, numbers
        )
        self.file.check("postings", bits // 64 * 8, -(-ends // 64) * 8)
        return bits, counts


_TYPES: dict[str, Any] = {
    "ids": TRACK_ID,
    "durations": np.float32,
    "starts": np.uint32,
    "rhythm_offsets": np.uint64,
    "rhythm": np.uint8,
    "echoprint_offsets": np.uint64,
    "echoprint": np.uint8,
    "harmony_offsets": np.uint64,
    "harmony": np.uint8,
    "counts": np.uint32,
    "pages": np.uint64,
    "postings": np.uint64,
}


@njit(cache=True, nogil=True)
def _locate(
    counts: UInt32s, pages: UInt64s, places: int, features: Int64s
) -> tuple[Int64s, Int64s, Int64s]:
    """Give first bit, count and end of each feature's list."""
    bits = np.empty(len(features), np.int64)
    found = np.empty(len(features), np.int64)
    ends = np.empty(len(features), np.int64)
    for k in range(len(features)):
        feature = features[k]
        page = feature // PAGE_FEATURES
        bit = 64 * np.int64(pages[page])
        for other in range(page * PAGE_FEATURES, feature):
            bit += list_bits(int(counts[other]), places)
        bits[k] = bit
        found[k] = np.int64(counts[feature])
        ends[k] = bit + list_bits(int(counts[feature]), places)
    return bits, found, ends


def page_words(counts: UInt32s, places: int) -> UInt64s:
    """Give the word at which each page of lists begins, and the end, by the counts of features."""
    words = _words_of_pages(counts, places)
    return np.concatenate(([0], np.cumsum(words))).astype(np.uint64)


def page_ranges(postings: Int64s, memory: int) -> Iterator[tuple[int, int]]:
    """Cut the pages, given their postings, into ranges that can be sorted in so many bytes."""
    ends = np.cumsum(postings) * _SORTING_BYTES
    first = 0
    while first < len(ends):
        done = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, done + memory, side="right")), first + 1)
        yield first, last
        first = last


@njit(cache=True, nogil=True)
def _words_of_pages(counts: UInt32s, places: int) -> Int64s:
    words = np.zeros(len(counts) // PAGE_FEATURES, np.int64)
    for page in range(len(words)):
        bits = 0
        for feature in range(page * PAGE_FEATURES, (page + 1) * PAGE_FEATURES):
            bits += list_bits(int(counts[feature]), places)
        words[page] = (bits + 63) // 64
    return words
