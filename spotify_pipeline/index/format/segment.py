"""A segment: the postings and the trains of some tracks, in one immutable file.

A sealed file (`sealed_file`) with these sections; T tracks::

    ids       T x 22 bytes    track ids
    durations T x float32     seconds, NaN where unknown
    starts    (T+1) x uint32  the first time bin of each track, and the end
    rhythm_offsets     (T+1) x uint64  where the rhythm trains of each track begin, in bytes
    rhythm             bytes           packed trains (`fingerprint.packing`), track by track
    echoprint_offsets, echoprint       the same of the Echoprint trains
    harmony_offsets, harmony           the same of the packed harmony (`harmony.packing`)
    spans, pages, postings             keys and the time bins where they begin (`postings`)

A *time bin* is a stretch of `KeySetting.bin_frames` frames of a track; the bins of all tracks are
numbered through, one left empty after each track. So a posting says both the track and roughly
when. The head's ``info`` is a `SegmentInfo`.

Belongs here: the layout, opening and reading. Does not belong here: making segments
(`building`) and searching them (`search`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np

from spotify_pipeline.fingerprint import OnsetTrains, PackingError, unpack_trains
from spotify_pipeline.fingerprint.arrays import Int64s, UInt8s
from spotify_pipeline.harmony import HarmonyError, Segments, unpack_harmony
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.format.key_setting import KEYS, KeySetting
from spotify_pipeline.index.format.postings import Pages, pages_of_ranges, spans_of
from spotify_pipeline.index.format.sealed_file import SealedFile
from spotify_pipeline.index.format.segment_shards import (
    CONTENT,
    SEGMENT_VERSION,
    TRACK_ID,
    SegmentShard,
    SegmentShards,
)

__all__ = [
    "CONTENT",
    "PACKED",
    "SEGMENT_VERSION",
    "Segment",
    "SegmentInfo",
    "SegmentShard",
]

PACKED = ("rhythm", "echoprint", "harmony")
"""Sections of what is packed of each track; their offsets are sections of their own."""


class SegmentInfo(SegmentShards, frozen=True):
    """The head of a segment.

    Attributes
    ----------
    bins
        The bound of all time bins.
    postings
        How many there are.
    kinds
        The kinds of trains (`key_setting.KINDS`) that any of them is of.
    keys
        How they were made.
    """

    tracks: int
    bins: int
    postings: int
    kinds: list[str]
    keys: KeySetting = KEYS

    @property
    def bin_bits(self) -> int:
        """Bits of a posting that say the time bin."""
        return max(self.bins, 1).bit_length()


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
        file = SealedFile(path, CONTENT, [SEGMENT_VERSION])
        file.check_section("starts")
        return cls(file, msgspec.json.decode(file.info, type=SegmentInfo))

    def __len__(self) -> int:
        return self.info.tracks

    def check_all(self) -> None:
        """Check every block.

        Raises
        ------
        FeatureIndexError
            One is damaged.
        """
        for section in _TYPES:
            self.file.check_section(section)

    def shard_ranges(self) -> Iterator[tuple[SegmentShard, int, int]]:
        """Give each shard with its first track and the one after its last."""
        return self.info.ranges()

    def array(self, section: str) -> Any:  # noqa: ANN401  # of its own type
        """Give a section as it lies in the file, not checked."""
        return self.file.section(section, _TYPES[section])

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
        """Give a track's trains of a kind of `key_setting.KINDS`; empty if there are none."""
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
        first, last = self.checked("harmony_offsets", track, track + 2).tolist()
        if first == last:
            return Segments.none()
        try:
            return unpack_harmony(self.checked("harmony", first, last))
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
            One of `PACKED`.

        Raises
        ------
        FeatureIndexError
            A block of theirs is damaged.
        """
        offsets = self.array(f"{content}_offsets")
        self.file.check(f"{content}_offsets", 8 * tracks, 8 * (tracks + 2))
        firsts = offsets[tracks].astype(np.int64)
        lasts = offsets[tracks + 1].astype(np.int64)
        self.file.check(content, firsts, lasts)
        return self.array(content), firsts, lasts

    @property
    def pages(self) -> Pages:
        """What the kernels of `postings` take."""
        return (
            self.array("spans"),
            self.array("pages").reshape(-1, 2),
            self.array("postings"),
            self.info.postings,
        )

    def check_postings(self, leasts: Int64s, bounds: Int64s) -> None:
        """Check what is looked at for ranges of postings before they are read.

        Parameters
        ----------
        leasts, bounds
            int64 of shape (n,): numbers as of `postings`, each range from one to before the other.

        Raises
        ------
        FeatureIndexError
            A block of theirs is damaged.
        """
        spans, pages, *_ = self.pages
        firsts, lasts = spans_of(spans, pages, leasts, bounds)
        self.file.check("pages", 16 * firsts, 16 * lasts)
        firsts, lasts = pages_of_ranges(spans, pages, leasts, bounds)
        words = pages[:, 1]
        self.file.check(
            "postings", 8 * words[firsts].astype(np.int64), 8 * words[lasts].astype(np.int64)
        )


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
    "spans": np.uint64,
    "pages": np.uint64,
    "postings": np.uint64,
}
