"""Which track may be playing where in a long recording: votes of windows, and what speaks for them.

A track that plays moves on with the recording: all windows of one play agree on the moment at which
the track began or would have begun. How likely it is to play at any moment follows from the
recording's onset LLRs: where the track has onsets, and where it has none.

Belongs here: windows, plays, and the evidence for a play at every moment. Does not belong here:
which play is believed where (`segmentation`).
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    LLR_BINS_PER_SECOND,
    InferredRecording,
)
from spotify_pipeline.fingerprint.arrays import Float64s
from spotify_pipeline.fingerprint.onset_llr import bin_llr, silence
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.passes import WINDOW_PASSES
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.search.searcher import Searcher

__all__ = [
    "BINS_PER_SECOND",
    "WINDOW_SECONDS",
    "Play",
    "Vote",
    "find_plays",
    "votes",
    "votes_of_window",
    "windows",
]

WINDOW_SECONDS = 15.0
STEP_SECONDS = 10.0
"""Windows overlap, so that each moment lies well within one of them. Set by hand."""

LEAST_CONFIDENCE = 0.5
"""A window does not vote for what is more likely wrong than right."""

DRIFT = 12 / FRAMES_PER_SECOND
"""Seconds by which two votes for one play may disagree: clocks differ, and onsets are not exact.
Set by hand."""

BINS_PER_SECOND = 4
"""How finely evidence is kept."""


@dataclass(frozen=True)
class Vote:
    """A window's opinion; times are seconds of the recording.

    Attributes
    ----------
    moment
        The middle of the window.
    track
        Number of a track in the index.
    start
        When the track began, or would have begun.
    confidence
        Of the match.
    also
        Other such moments, if the window sounds the same elsewhere in the track.
    """

    moment: float
    track: int
    start: float
    confidence: float
    also: tuple[float, ...] = ()


@dataclass(frozen=True)
class Play:
    """A track that may be playing in some part of a recording; times are seconds of the recording.

    Attributes
    ----------
    votes
        Of windows that agree, in their order.
    first
        The first bin in which the track can be playing: it does not begin before.
    gains
        float64 of shape (bins,): for each bin from the first on in which it can be playing, how
        much likelier the recording is if it does than if it is any music, as a natural logarithm.
    """

    votes: tuple[Vote, ...]
    first: int
    gains: Float64s

    @property
    def track(self) -> int:
        """Number of the track in the index."""
        return self.votes[0].track

    @property
    def last(self) -> int:
        """The bin after the last one in which the track can be playing."""
        return self.first + len(self.gains)

    def start(self, moment: float) -> float:
        """Tell when the track would have begun, as seen at a moment: clocks drift apart."""
        return float(_starts(self.votes, np.array([moment]))[0])

    @cached_property
    def also(self) -> tuple[float, ...]:
        """By how many seconds earlier the track may have begun, as all votes see it."""
        apart = [[vote.start - other for other in vote.also] for vote in self.votes]
        return tuple(
            shift
            for shift in apart[0]
            if all(any(abs(shift - other) <= DRIFT for other in of) for of in apart[1:])
        )

    @cached_property
    def _sums(self) -> Float64s:
        return np.concatenate(([0.0], np.cumsum(self.gains)))

    def gain(self, first: int, last: int) -> float:
        """Sum the gains of bins; minus infinity where the track can't be playing."""
        if first < self.first or last > self.last:
            return -np.inf
        return float(self._sums[last - self.first] - self._sums[first - self.first])


def windows(seconds: float) -> list[tuple[float, float]]:
    """Give the beginning and the middle of each window of a recording; the last may be cut off."""
    count = max(1, math.ceil((seconds - WINDOW_SECONDS) / STEP_SECONDS) + 1)
    begins = [number * STEP_SECONDS for number in range(count)]
    return [(begin, (begin + min(begin + WINDOW_SECONDS, seconds)) / 2) for begin in begins]


def votes(recording: InferredRecording, identifier: Identifier) -> Iterator[Vote]:
    """Identify each window of a recording by itself; a window can have several votes, or none."""
    for window in windows(recording.seconds):
        yield from votes_of_window(recording, window, identifier)


def votes_of_window(
    recording: InferredRecording, window: tuple[float, float], identifier: Identifier
) -> Iterator[Vote]:
    """Identify one of `windows`."""
    begin, middle = window
    llr_bins = round(WINDOW_SECONDS * LLR_BINS_PER_SECOND)
    query = QueryLlr.of_window(recording, round(begin * LLR_BINS_PER_SECOND), llr_bins)
    for match in identifier.matches_of(query, WINDOW_PASSES):
        if match.confidence >= LEAST_CONFIDENCE:
            start, also = begin - match.offset, tuple(begin - at for at in match.also_at)
            yield Vote(middle, match.track, start, match.confidence, also)


def find_plays(
    recording: InferredRecording, all_votes: Iterable[Vote], index: Searcher
) -> list[Play]:
    """Put votes that agree together, and weigh the evidence for each play.

    Parameters
    ----------
    recording
        The whole.
    all_votes
        Votes in the order of their windows.
    index
        In which tracks are numbered.

    Raises
    ------
    FeatureIndexError
        A segment is damaged.
    """
    runs: list[list[Vote]] = []
    for vote in all_votes:
        agreeing = (
            (run, start)
            for run in reversed(runs)
            for start in (vote.start, *vote.also)
            if run[-1].track == vote.track and abs(run[-1].start - start) <= DRIFT
        )
        run, start = next(agreeing, (None, vote.start))
        if run is None:
            runs.append([vote])
        else:
            run.append(_moved(vote, start))
    return [_play(recording, tuple(run), index) for run in runs]


def _moved(vote: Vote, start: float) -> Vote:
    """Give the same opinion with another of its moments in front."""
    also = tuple(other for other in (vote.start, *vote.also) if other != start)
    return replace(vote, start=start, also=also)


def _play(recording: InferredRecording, agreeing: tuple[Vote, ...], index: Searcher) -> Play:
    track = agreeing[0].track
    kind, trains = index.comparable(track, recording.fingerprint)
    duration = index.duration(track) or (trains.frames.max() + 1) / FRAMES_PER_SECOND
    begin, end = agreeing[0].start, agreeing[-1].start + duration
    first = max(0, round(begin * BINS_PER_SECOND))
    bins = max(0, round(min(end, recording.seconds) * BINS_PER_SECOND) - first)
    first_llr_bin = round(first * LLR_BINS_PER_SECOND / BINS_PER_SECOND)
    length = round(bins * LLR_BINS_PER_SECOND / BINS_PER_SECOND)
    llr = bin_llr(recording.frame_llr(kind, first_llr_bin, length))
    evidence: Float64s = silence(llr).sum(axis=1)
    for band in range(BANDS):
        times = trains.band(band) / FRAMES_PER_SECOND
        times += _starts(agreeing, times + begin)
        llr_bins = np.floor(times * LLR_BINS_PER_SECOND).astype(np.int64) - first_llr_bin
        llr_bins = llr_bins[(llr_bins >= 0) & (llr_bins < len(llr))]
        evidence += np.bincount(llr_bins, llr[llr_bins, band], len(llr)).astype(np.float64)
    positions = np.arange(len(llr)) * BINS_PER_SECOND / LLR_BINS_PER_SECOND
    gains = np.bincount(positions.astype(np.int64), evidence, bins)[:bins]
    return Play(agreeing, first, np.asarray(gains, np.float64))


def _starts(agreeing: tuple[Vote, ...], times: Float64s) -> Float64s:
    """Give the moment at which the track began as the votes near each time see it."""
    starts: Float64s = np.interp(
        times, [vote.moment for vote in agreeing], [vote.start for vote in agreeing]
    )
    return starts
