"""Tracks of random onset trains for an index, and excerpts of them as a query shows them.

Belongs here: synthetic tracks and what recording does to their onsets. Does not belong here: the
random trains themselves, and documents of them (`documents`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    Fingerprint,
    OnsetTrains,
    frame_llr_of_onsets,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.harmony import PITCH_CLASSES, Segments, pack_harmony, unpack_harmony
from spotify_pipeline.index.building.segment_writer import Tracks, write_segment
from spotify_pipeline.index.format.key_setting import KINDS
from spotify_pipeline.index.format.manifest import Manifest, SegmentEntry, publish
from spotify_pipeline.index.format.segment import Segment, SegmentShard
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline_tests.documents import echoprint_trains, make_track_id, rhythm_trains

__all__ = [
    "NO_ONSETS",
    "Track",
    "fingerprint_of",
    "harmony_of",
    "index_of",
    "make_track",
    "make_tracks",
    "packed",
    "publish_tracks",
    "shifted",
    "together",
    "worn",
]

NO_ONSETS = OnsetTrains.from_bands([()] * BANDS)

MEMORY = 10**8


@dataclass(frozen=True)
class Track:
    """What an index holds of a track."""

    track_id: str
    duration: float | None
    rhythm: OnsetTrains
    echoprint: OnsetTrains
    harmony: Segments = field(default_factory=Segments.none)


def harmony_of(number: int) -> Segments:
    """Draw segments as an index gives them back."""
    rng = np.random.default_rng(number)
    count = 40 * number
    return unpack_harmony(
        pack_harmony(
            Segments(
                np.sort(rng.uniform(0, 60, count)),
                rng.random((count, PITCH_CLASSES), np.float32),
                rng.uniform(-50, 0, count).astype(np.float32),
            )
        )
    )


def packed(tracks: Iterable[Track]) -> Tracks:
    """Give tracks as segments are made of them."""
    kept = list(tracks)
    return Tracks.of(
        [track.track_id for track in kept],
        [track.duration for track in kept],
        [track.rhythm for track in kept],
        [track.echoprint for track in kept],
        [track.harmony for track in kept],
    )


def index_of(folder: Path, tracks: Iterable[Track]) -> Searcher:
    """Open an index of one segment."""
    kept = packed(tracks)
    path = folder / "segment.bin"
    write_segment(path, [SegmentShard("0a", "checksum", len(kept))], kept, MEMORY)
    return Searcher([(Segment.open(path), ["0a"])])


def publish_tracks(folder: Path, tracks: Iterable[Track], name: str = "segment-0.bin") -> None:
    """Publish an index of one segment, which is in a file of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = packed(tracks)
    write_segment(folder / name, [SegmentShard("0a", "checksum", len(kept))], kept, MEMORY)
    shards = {"0a": "checksum"}
    entry = SegmentEntry(name, shards, "both", {"0a": len(kept)}, 0, 0)
    publish(folder, Manifest(segments=[entry]))


def make_track(number: int, duration: float = 60.0) -> Track:
    """Make the track of a number, ``duration`` seconds long; the same number gives the same."""
    track_id = make_track_id("0a", number)
    return Track(
        track_id,
        duration,
        rhythm_trains(track_id, duration),
        echoprint_trains(track_id, duration),
    )


def make_tracks(count: int, duration: float = 60.0) -> list[Track]:
    """Make the tracks number 0 to ``count - 1``."""
    return [make_track(number, duration) for number in range(count)]


def fingerprint_of(track: Track, start: float = 0.0, seconds: float = 1e6) -> Fingerprint:
    """Give the onsets in a stretch of a track; what lies outside it is silence."""
    first, length = round(start * FRAMES_PER_SECOND), round(seconds * FRAMES_PER_SECOND)
    return Fingerprint(
        _cut(shifted(track.echoprint, -first), length), _cut(shifted(track.rhythm, -first), length)
    )


def llr_of(query: Fingerprint) -> dict[str, Float32s]:
    """Give what an index looks up for a query of which only the onsets are known."""
    return {kind: frame_llr_of_onsets(getattr(query, kind)) for kind in KINDS}


def shifted(trains: OnsetTrains, frames: int) -> OnsetTrains:
    """Move all onsets by a number of frames."""
    return replace(trains, frames=trains.frames + np.int32(frames))


def worn(trains: OnsetTrains, seed: int, *, lost: float, moved: int) -> OnsetTrains:
    """Drop a fraction of the onsets, and move the others by up to ``moved`` frames."""
    generator = np.random.default_rng(seed)
    bands = []
    for band in range(BANDS):
        frames = trains.band(band)
        kept = frames[generator.random(len(frames)) >= lost]
        bands.append(np.maximum(kept + generator.integers(-moved, moved + 1, len(kept)), 0))
    return OnsetTrains.from_bands(bands)


def together(*parts: OnsetTrains) -> OnsetTrains:
    """Put the onsets of trains that do not overlap one after the other."""
    return OnsetTrains.from_bands(
        [[frame for part in parts for frame in part.band(band).tolist()] for band in range(BANDS)]
    )


def _cut(trains: OnsetTrains, length: int) -> OnsetTrains:
    bands = [trains.band(band) for band in range(BANDS)]
    return OnsetTrains.from_bands([band[(band >= 0) & (band < length)] for band in bands])
