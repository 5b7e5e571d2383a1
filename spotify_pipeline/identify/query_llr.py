"""What is made of a query to look it up and to try tracks: onset LLRs of the stretch that counts.

Belongs here: choosing the stretch. Does not belong here: the LLRs themselves
(`fingerprint.onset_llr`), what they are compared with (`identifier`); files (`query`).
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAME_SAMPLES,
    FRAMES_PER_SECOND,
    LLR_BIN_FRAMES,
    LLR_BINS_PER_SECOND,
    SAMPLE_RATE,
    Fingerprint,
    InferredRecording,
    frame_llr,
    frame_llr_of_onsets,
    llr_at_speed,
)
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.fingerprint.onset_llr import bin_llr, expected_evidence
from spotify_pipeline.harmony.agreement import Sound
from spotify_pipeline.harmony.chroma import SPEED_STEP, Spectrum
from spotify_pipeline.harmony.loudness import loudness
from spotify_pipeline.identify.expectation import Expectation
from spotify_pipeline.index.format.key_setting import KINDS
from spotify_pipeline.index.kernels.likely_keys import LinkedOnsets
from spotify_pipeline.index.search.searcher import Searcher

__all__ = ["JUDGED_SECONDS", "QueryLlr"]

INFERRED_SECONDS = 60.0
"""The stretch of a longer query that inference is run on: the one with most onsets. Set by hand."""

JUDGED_SECONDS = 30.0
"""The stretch of that which is searched for, and decides: the one of the highest evidence. Set by
hand."""

IDLE_LLR_BINS = 650
"""Trying a track at its onsets takes as long as so many LLR bins do, if there were none."""


@dataclass(frozen=True)
class QueryLlr:
    """Onset LLRs of a stretch of a query, for each kind of trains.

    Attributes
    ----------
    rhythm_frames, echoprint_frames
        `frame_llr`, float32 of shape (frames, 8): of whole LLR bins.
    onsets
        The query's own.
    recorded
        Whether the rhythm LLRs are the network's; otherwise they are made of onsets.
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
    def of(cls, query: Fingerprint, samples: Float32s | None) -> "QueryLlr":
        """Run inference on the part of a query of the highest evidence.

        Parameters
        ----------
        query
            The recording's fingerprint.
        samples
            The recording, as of `fingerprint.fingerprint`, if there is one.
        """
        first, busiest = _busiest_stretch(query, INFERRED_SECONDS)
        cut = None
        if samples is None:
            rhythm = frame_llr_of_onsets(busiest.rhythm)
        else:
            cut = samples[first * FRAME_SAMPLES :][: round(INFERRED_SECONDS * SAMPLE_RATE)]
            rhythm = frame_llr(cut)
        echoprint = frame_llr_of_onsets(busiest.echoprint)
        inferred = cls(rhythm, echoprint, busiest, samples is not None, first, cut)
        return inferred.stretch_of_highest_evidence(JUDGED_SECONDS)

    @classmethod
    def of_window(cls, recording: InferredRecording, first: int, llr_bins: int) -> "QueryLlr":
        """Take so many LLR bins of a long recording."""
        llr = {
            kind: recording.frame_llr(kind, first, llr_bins)
            if len(getattr(recording.fingerprint, kind))
            else np.empty((0, BANDS), np.float32)
            for kind in KINDS
        }
        onsets = recording.fingerprint.excerpt(first * LLR_BIN_FRAMES, llr_bins * LLR_BIN_FRAMES)
        return cls(llr["rhythm"], llr["echoprint"], onsets, recording.rhythm_llr is not None)

    @cached_property
    def rhythm(self) -> Float32s:
        """`onset_llr` of rhythm trains, float32 of shape (llr_bins, 8)."""
        return bin_llr(self.rhythm_frames)

    @cached_property
    def echoprint(self) -> Float32s:
        """The same of Echoprint trains."""
        return bin_llr(self.echoprint_frames)

    def frames_of(self, kind: str) -> Float32s:
        """Give `frame_llr` of a kind."""
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

    def has_evidence(self, nats: float, seconds: float) -> bool:
        """Tell whether the expected evidence of so many seconds is so many nats.

        Of onsets alone nobody can say: those of noise look like those of music.
        """
        if not self.recorded:
            return False
        return (
            float(expected_evidence(self.stretch_of_highest_evidence(seconds).rhythm).sum()) >= nats
        )

    def stretch_of_highest_evidence(self, seconds: float) -> "QueryLlr":
        """Cut out so many seconds of the highest expected evidence."""
        evidence = self.rhythm if len(self.rhythm) else self.echoprint
        llr_bins = _llr_bins(seconds)
        if len(evidence) <= llr_bins:
            return self
        sums = np.concatenate(([0.0], np.cumsum(expected_evidence(evidence).sum(axis=1))))
        return self._stretch(int(np.argmax(sums[llr_bins:] - sums[:-llr_bins])), llr_bins)

    def _stretch(self, first: int, llr_bins: int) -> "QueryLlr":
        return replace(
            self,
            rhythm_frames=_cut(self.rhythm_frames, first, llr_bins),
            echoprint_frames=_cut(self.echoprint_frames, first, llr_bins),
            onsets=self.onsets.excerpt(first * LLR_BIN_FRAMES, llr_bins * LLR_BIN_FRAMES),
            first=self.first + first * LLR_BIN_FRAMES,
            samples=None if self.samples is None else self._samples_of(first, llr_bins),
        )

    def _samples_of(self, first: int, llr_bins: int) -> Float32s:
        """Cut LLR bins out of the recording."""
        size = LLR_BIN_FRAMES * FRAME_SAMPLES
        assert self.samples is not None
        return self.samples[first * size : (first + llr_bins) * size]

    def sound(self, speed: float) -> Sound:
        """Give what sounds, if the recording was played at a speed.

        Only where there are `samples`.
        """
        step = round(speed / SPEED_STEP)
        if step not in self._sounds:
            self._sounds[step] = Sound.of(self._spectrum.chroma(speed), self._loudness)
        return self._sounds[step]

    @cached_property
    def _spectrum(self) -> Spectrum:
        assert self.samples is not None
        return Spectrum.of(self.samples)

    @cached_property
    def _loudness(self) -> Float32s:
        assert self.samples is not None
        return loudness(self.samples)

    @cached_property
    def _sounds(self) -> dict[int, Sound]:
        return {}

    def least_with_evidence(self, nats: float, seconds: float) -> Float32s:
        """Give the least of the rhythm LLRs whose expected evidence is enough.

        Parameters
        ----------
        nats
            What is enough.
        seconds
            Where nothing has so much, as many seconds as this at the most.

        Returns
        -------
        float32 of shape (llr_bins, bands): of a stretch, and of the first bands.
        """
        evidence = np.cumsum(expected_evidence(self.rhythm), axis=1)
        most = min(_llr_bins(seconds), len(evidence))
        chosen = (0, most, BANDS)
        least = math.inf
        for bands in range(1, BANDS + 1):
            first, llr_bins = _shortest(evidence[:, bands - 1], nats)
            work = bands * (llr_bins + IDLE_LLR_BINS)
            if llr_bins <= most and work < least:
                chosen, least = (first, llr_bins, bands), work
        first, llr_bins, bands = chosen
        if least == math.inf and most < len(evidence):
            sums = np.concatenate(([0.0], np.cumsum(evidence[:, -1])))
            first = int(np.argmax(sums[most:] - sums[:-most]))
        return self.rhythm[first : first + llr_bins, :bands]

    def linked(self, index: Searcher) -> LinkedOnsets:
        """Link the onsets that the stretch may hold; for one index, once."""
        if index not in self._linked:
            self._linked[index] = index.linked({kind: self.frames_of(kind) for kind in KINDS})
        return self._linked[index]

    @cached_property
    def _linked(self) -> dict[Searcher, LinkedOnsets]:
        return {}

    def of_kind(self, kind: str, speed: float) -> Float32s:
        """Give those of a kind at a speed."""
        return llr_at_speed(getattr(self, kind), speed)


def _cut(frames: Float32s, first: int, llr_bins: int) -> Float32s:
    """Cut LLR bins out of LLRs by frame."""
    return frames[first * LLR_BIN_FRAMES : (first + llr_bins) * LLR_BIN_FRAMES]


def _llr_bins(seconds: float) -> int:
    return round(seconds * LLR_BINS_PER_SECOND)


def _shortest(evidence: Float64s, nats: float) -> tuple[int, int]:
    """Find the shortest stretch of LLR bins of enough evidence: the first, and how many.

    Where none has so much, it is of more LLR bins than there are.
    """
    sums = np.concatenate(([0.0], np.cumsum(evidence)))
    ends = np.searchsorted(sums, sums[:-1] + nats)
    lengths = np.where(ends < len(sums), ends - np.arange(len(evidence)), len(sums))
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
