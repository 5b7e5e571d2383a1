"""Long recordings to timelines that a person or a program can read.

Belongs here: the JSON that ``identify --timeline`` gives, with names from the catalogue. Does not
belong here: what plays when (`segmentation`); short recordings (`answers`).
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from spotify_pipeline.catalog import TrackNames
from spotify_pipeline.fingerprint import InferredRecording, infer_stream
from spotify_pipeline.identify.answers import Failure
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.detector import Detector
from spotify_pipeline.identify.segmentation import Stretch, segment
from spotify_pipeline.recording import RecordingError, printable, stream_for_fingerprint

__all__ = [
    "PlayedTrack",
    "Timeline",
    "TimelineEntry",
    "named_stretches",
    "timeline_files",
    "timeline_of",
]


class PlayedTrack(msgspec.Struct, frozen=True):
    """A track that plays in a part of a recording.

    Attributes
    ----------
    title, album, isrc
        None where the catalogue does not know the track.
    confidence
        Probability that it is this track, 0 to 1, as of `segmentation.segment`.
    position
        Second of the track at the part's start.
    duration
        Of the track, in seconds; None where the dump does not tell.
    also_at
        Other seconds of the track that sound the same as that at `position`.
    """

    track_id: str
    title: str | None
    artists: tuple[str, ...]
    album: str | None
    isrc: str | None
    confidence: float
    position: float
    duration: float | None
    also_at: tuple[float, ...] = ()


class TimelineEntry(msgspec.Struct, frozen=True):
    """A part of a recording, in seconds; without a track, what plays is unknown."""

    start: float
    end: float
    track: PlayedTrack | None


class Timeline(msgspec.Struct, frozen=True):
    """What plays when in a recording, from its start to its end; in seconds."""

    file: str
    duration: float
    timeline: tuple[TimelineEntry, ...]
    elapsed: float


def timeline_files(
    files: Iterable[Path],
    index_folder: Path,
    metadata_database: Path,
    *,
    threshold: float = THRESHOLD,
    popularity: float = 0.0,
) -> Iterator[Timeline | Failure]:
    """Tell what plays when in recordings; one that can't be read does not stop the rest.

    Parameters
    ----------
    files
        Audio of any length; it is read as a stream.
    index_folder, metadata_database, popularity
        As of `Detector.opened`.
    threshold
        The least confidence of a part of a recording; it is unknown otherwise.

    Raises
    ------
    FeatureIndexError
        There is no index, or it can't be read.
    DatabaseError
        The metadata can't be read.
    """
    with Detector.opened(index_folder, metadata_database, popularity) as detector:
        for file in files:
            started = time.perf_counter()
            try:
                recording = infer_stream(stream_for_fingerprint(file))
            except RecordingError as error:
                yield Failure(printable(file), str(error))
                continue
            yield Timeline(
                file=printable(file),
                duration=round(recording.seconds, 3),
                timeline=timeline_of(recording, detector, threshold),
                elapsed=round(time.perf_counter() - started, 3),
            )


def timeline_of(
    recording: InferredRecording, detector: Detector, threshold: float = THRESHOLD
) -> tuple[TimelineEntry, ...]:
    """Tell what plays when in one recording, by name; see `timeline_files`."""
    return named_stretches(segment(recording, detector.identifier, threshold), detector)


def named_stretches(stretches: Sequence[Stretch], detector: Detector) -> tuple[TimelineEntry, ...]:
    """Put names to what plays when; tracks are those of the detector's index."""
    index = detector.index
    ids = [None if s.track is None else index.track_id(s.track) for s in stretches]
    names = detector.catalog.names(track_id for track_id in ids if track_id is not None)
    return tuple(
        TimelineEntry(
            start=round(stretch.start, 3),
            end=round(stretch.end, 3),
            track=None
            if stretch.track is None or track_id is None
            else _played(stretch, track_id, names.get(track_id), index.duration(stretch.track)),
        )
        for stretch, track_id in zip(stretches, ids, strict=True)
    )


def _played(
    stretch: Stretch, track_id: str, names: TrackNames | None, duration: float | None
) -> PlayedTrack:
    return PlayedTrack(
        track_id=track_id,
        title=names.title if names else None,
        artists=names.artist_names if names else (),
        album=names.album_title if names else None,
        isrc=names.isrc if names else None,
        confidence=round(stretch.confidence, 4),
        position=round(stretch.position, 3),
        duration=None if duration is None else round(duration, 3),
        also_at=tuple(round(second, 3) for second in stretch.also_at),
    )
