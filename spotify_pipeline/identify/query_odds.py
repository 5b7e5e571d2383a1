"""What is made of a query to look it up and to try tracks: onset odds of the stretch that counts.

Belongs here: choosing the stretch. Does not belong here: the odds themselves
(`fingerprint.onset_odds`), what they are compared with (`identifier`); files (`query`).
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAME_SAMPLES,
    FRAMES_PER_SECOND,
    ODDS_CELL_FRAMES,
    ODDS_CELLS_PER_SECOND,
    SAMPLE_RATE,
    Fingerprint,
    HeardRecording,
    frame_odds,
    frame_odds_of_onsets,
    odds_at_speed,
)
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.fingerprint.onset_odds import cell_odds, information
from spotify_pipeline.harmony.agreement import Heard
from spotify_pipeline.harmony.chroma import SPEED_STEP, Spectrum
from spotify_pipeline.identify.expectation import Expectation
from spotify_pipeline.index.features import KINDS

__all__ = ["JUDGED_SECONDS", "QueryOdds"]

HEARD_SECONDS = 60.0
"""The stretch of a longer query that is heard: the one with most onsets."""

JUDGED_SECONDS = 30.0
"""The stretch of that which is searched for, and decides: the one that tells most."""

IDLE_CELLS = 650
"""Trying a track at its onsets takes as long as so many cells do, if there were none."""


@dataclass(frozen=True)
class QueryOdds:
    """Onset odds of a stretch of a query, for each kind of trains.

    Attributes
    ----------
    rhythm_frames, echoprint_frames
        `frame_odds`, float32 of shape (frames, 8): of whole cells.
    onsets
        The query's own.
    recorded
        Whether the rhythm odds are the network's; otherwise they are made of onsets.
    first
        Frame of the query at which the stretch begins.
    samples
        The recording of the stretch, as of `fingerprint.fingerprint`; None if there is none.
    """

    rhythm_frames: Float32s
    echoprint_frames: Float32s
    onsets: Fingerprint
    recorded: bool
    first: int = 0
    samples: Float32s | None = None

    @classmethod
    def of(cls, query: Fingerprint, samples: Float32s | None) -> "QueryOdds":
        """Hear the part of a query that tells most.

        Parameters
        ----------
        query
            The recording's fingerprint.
        samples
            The recording, as of `fingerprint.fingerprint`, if there is one.
        """
        first, busiest = _busiest_stretch(query, HEARD_SECONDS)
        cut = None
        if samples is None:
            rhythm = frame_odds_of_onsets(busiest.rhythm)
        else:
            cut = samples[first * FRAME_SAMPLES :][: round(HEARD_SECONDS * SAMPLE_RATE)]
            rhythm = frame_odds(cut)
        echoprint = frame_odds_of_onsets(busiest.echoprint)
        heard = cls(rhythm, echoprint, busiest, samples is not None, first, cut)
        return heard.most_telling(JUDGED_SECONDS)

    @classmethod
    def of_window(cls, recording: HeardRecording, first: int, cells: int) -> "QueryOdds":
        """Take so many cells of a long recording."""
        odds = {
            kind: recording.frame_odds(kind, first, cells)
            if len(getattr(recording.fingerprint, kind))
            else np.empty((0, BANDS), np.float32)
            for kind in KINDS
        }
        onsets = recording.fingerprint.excerpt(first * ODDS_CELL_FRAMES, cells * ODDS_CELL_FRAMES)
        return cls(odds["rhythm"], odds["echoprint"], onsets, recording.rhythm_odds is not None)

    @cached_property
    def rhythm(self) -> Float32s:
        """`onset_odds` of rhythm trains, float32 of shape (cells, 8)."""
        return cell_odds(self.rhythm_frames)

    @cached_property
    def echoprint(self) -> Float32s:
        """The same of Echoprint trains."""
        return cell_odds(self.echoprint_frames)

    def frames_of(self, kind: str) -> Float32s:
        """Give `frame_odds` of a kind."""
        return self.rhythm_frames if kind == "rhythm" else self.echoprint_frames

    def source_of(self, kind: str, *, harmony: bool) -> str:
        """Tell what evidence is made of, of `decision.SOURCES`.

        Parameters
        ----------
        kind
            Of trains.
        harmony
            Whether harmony was compared.
        """
        if not (self.recorded and kind == "rhythm"):
            return kind
        return "recording with harmony" if harmony else "recording"

    def expectation(self, kind: str) -> Expectation:
        """Tell what the right track is expected to come to."""
        return self._of_rhythm if kind == "rhythm" else self._of_echoprint

    @cached_property
    def _of_rhythm(self) -> Expectation:
        return Expectation.of(self.rhythm_frames, self.rhythm, self.onsets.rhythm)

    @cached_property
    def _of_echoprint(self) -> Expectation:
        return Expectation.of(self.echoprint_frames, self.echoprint, self.onsets.echoprint)

    def is_clear(self, nats: float, seconds: float) -> bool:
        """Tell whether so many seconds were heard so well that they are to tell so many nats.

        Of onsets alone nobody can say: those of noise look like those of music.
        """
        if not self.recorded:
            return False
        return float(information(self.most_telling(seconds).rhythm).sum()) >= nats

    def most_telling(self, seconds: float) -> "QueryOdds":
        """Cut out so many seconds in which there is most to tell tracks apart by."""
        told = self.rhythm if len(self.rhythm) else self.echoprint
        cells = _cells(seconds)
        if len(told) <= cells:
            return self
        sums = np.concatenate(([0.0], np.cumsum(information(told).sum(axis=1))))
        return self._stretch(int(np.argmax(sums[cells:] - sums[:-cells])), cells)

    def clear_enough(self, nats: float) -> "QueryOdds":
        """Cut out the shortest stretch heard to tell so many nats; all if there is none."""
        if not self.recorded or len(self.rhythm) == 0:
            return self
        first, cells = _shortest(information(self.rhythm).sum(axis=1), nats)
        return self._stretch(first, cells) if cells < len(self.rhythm) else self

    def _stretch(self, first: int, cells: int) -> "QueryOdds":
        return replace(
            self,
            rhythm_frames=_cut(self.rhythm_frames, first, cells),
            echoprint_frames=_cut(self.echoprint_frames, first, cells),
            onsets=self.onsets.excerpt(first * ODDS_CELL_FRAMES, cells * ODDS_CELL_FRAMES),
            first=self.first + first * ODDS_CELL_FRAMES,
            samples=None if self.samples is None else self._samples_of(first, cells),
        )

    def _samples_of(self, first: int, cells: int) -> Float32s:
        """Cut cells out of the recording."""
        size = ODDS_CELL_FRAMES * FRAME_SAMPLES
        assert self.samples is not None
        return self.samples[first * size : (first + cells) * size]

    def harmony(self, speed: float) -> Heard:
        """Give what sounds, if the recording was played at a speed.

        Only where there are `samples`.
        """
        step = round(speed / SPEED_STEP)
        if step not in self._harmonies:
            self._harmonies[step] = Heard.of(self._spectrum.chroma(speed))
        return self._harmonies[step]

    @cached_property
    def _spectrum(self) -> Spectrum:
        assert self.samples is not None
        return Spectrum.of(self.samples)

    @cached_property
    def _harmonies(self) -> dict[int, Heard]:
        return {}

    def telling(self, nats: float, seconds: float) -> Float32s:
        """Give the least of the rhythm odds that is expected to tell enough.

        Parameters
        ----------
        nats
            What is enough.
        seconds
            Where nothing tells so much, as many seconds as this at the most.

        Returns
        -------
        float32 of shape (cells, bands): of a stretch, and of the first bands.
        """
        told = np.cumsum(information(self.rhythm), axis=1)
        most = min(_cells(seconds), len(told))
        chosen = (0, most, BANDS)
        least = math.inf
        for bands in range(1, BANDS + 1):
            first, cells = _shortest(told[:, bands - 1], nats)
            work = bands * (cells + IDLE_CELLS)
            if cells <= most and work < least:
                chosen, least = (first, cells, bands), work
        first, cells, bands = chosen
        if least == math.inf and most < len(told):
            sums = np.concatenate(([0.0], np.cumsum(told[:, -1])))
            first = int(np.argmax(sums[most:] - sums[:-most]))
        return self.rhythm[first : first + cells, :bands]

    def at_speed(self, speed: float) -> dict[str, Float32s]:
        """Give those of each kind at a speed."""
        return {kind: self.of_kind(kind, speed) for kind in KINDS}

    def of_kind(self, kind: str, speed: float) -> Float32s:
        """Give those of a kind at a speed."""
        return odds_at_speed(getattr(self, kind), speed)


def _cut(frames: Float32s, first: int, cells: int) -> Float32s:
    """Cut cells out of odds by frame."""
    return frames[first * ODDS_CELL_FRAMES : (first + cells) * ODDS_CELL_FRAMES]


def _cells(seconds: float) -> int:
    return round(seconds * ODDS_CELLS_PER_SECOND)


def _shortest(told: Float64s, nats: float) -> tuple[int, int]:
    """Find the shortest stretch of cells that tells enough: the first, and how many.

    Where none tells so much, it is of more cells than there are.
    """
    sums = np.concatenate(([0.0], np.cumsum(told)))
    ends = np.searchsorted(sums, sums[:-1] + nats)
    lengths = np.where(ends < len(sums), ends - np.arange(len(told)), len(sums))
    first = int(np.argmin(lengths))
    return first, int(lengths[first])


def _busiest_stretch(query: Fingerprint, seconds: float) -> tuple[int, Fingerprint]:
    """Cut out so many seconds with most onsets; gives the first frame too."""
    onsets = np.sort(query.rhythm.frames if len(query.rhythm) else query.echoprint.frames)
    length = round(seconds * FRAMES_PER_SECOND)
    if len(onsets) == 0 or onsets[-1] < length:
        return 0, query
    inside = np.searchsorted(onsets, onsets + length) - np.arange(len(onsets))
    start = int(onsets[int(np.argmax(inside))])
    return start, query.excerpt(start, length)
