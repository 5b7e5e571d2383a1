"""A long recording cut where one track gives way to another, or to none that is known.

Of all ways to cut it, the most likely one: each stretch earns the evidence for its track, nothing
if it is unknown, and each change costs. So a play that only a moment speaks for is not believed,
and a moment of silence does not end a track.

Belongs here: the best sequence of plays, its borders and its confidence. Does not belong here: the
evidence (`plays`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spotify_pipeline.fingerprint import InferredRecording
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.plays import (
    BINS_PER_SECOND,
    Play,
    Vote,
    find_plays,
    votes,
    windows,
)
from spotify_pipeline.index.search.searcher import Searcher

__all__ = ["Stretch", "segment", "segment_by_votes"]

CHANGE = 20.0
"""What a change costs, as a natural logarithm of likelihood: two or three seconds of music. Set by
hand."""

CHORD = 8.0
"""Onsets of several bands at one moment are one event: evidence is worth a fraction of its sum. Set
by hand."""

QUIET = 15 * BINS_PER_SECOND
"""Bins in which a track may begin or end without being heard, at the most: it fades in, and after
loud music whitening takes a while to hear it. Set by hand."""


@dataclass(frozen=True)
class Stretch:
    """A part of a recording during which one track plays, or nothing that is known.

    Attributes
    ----------
    start, end
        Seconds of the recording.
    track
        Number in the index; None if unknown.
    confidence
        Probability that it is this track; 0 if unknown.
    position
        Second of the track at the stretch's start.
    also_at
        Others at which the track sounds the same.
    """

    start: float
    end: float
    track: int | None = None
    confidence: float = 0.0
    position: float = 0.0
    also_at: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Run:
    """Bins, from the first to before the last, of one play or of none, and the run before it."""

    play: Play | None
    first: int
    last: int
    before: "_Run | None" = None


def segment(
    recording: InferredRecording, identifier: Identifier, threshold: float = THRESHOLD
) -> list[Stretch]:
    """Tell what plays when in a recording.

    Parameters
    ----------
    recording
        What was heard of it.
    threshold
        The least confidence of a stretch.

    Returns
    -------
    Stretches without gaps from 0 to the recording's end. Their confidence is the second best of
    their windows (the only one's, if there is one): no window decides alone where there are more,
    and that many agree adds nothing, since what misleads one may mislead them all.

    Raises
    ------
    FeatureIndexError
        The index is damaged.
    """
    return segment_by_votes(
        recording, list(votes(recording, identifier)), identifier.index, threshold
    )


def segment_by_votes(
    recording: InferredRecording,
    all_votes: Sequence[Vote],
    index: Searcher,
    threshold: float = THRESHOLD,
) -> list[Stretch]:
    """Do so given the votes of its windows, in their order; see `segment`."""
    seconds = recording.seconds
    plays = find_plays(recording, all_votes, index)
    bins = max(1, round(seconds * BINS_PER_SECOND))
    while True:
        runs = _placed(_closed(_merged(_best_runs(plays, bins))))
        stretches = [_stretch(run, bins, seconds, all_votes) for run in runs]
        doubtful = [
            run.play
            for run, stretch in zip(runs, stretches, strict=True)
            if run.play is not None and stretch.confidence < threshold
        ]
        if not doubtful:
            return stretches
        plays = [play for play in plays if not any(play is other for other in doubtful)]


def _best_runs(plays: Sequence[Play], bins: int) -> list[_Run]:
    """Choose the most likely sequence, bin by bin."""
    waiting = sorted(plays, key=lambda play: play.first, reverse=True)
    best, best_value = _Run(None, 0, 0), 0.0
    # the play that each sequence ends with, its likelihood, and its last run
    ends: list[tuple[Play | None, float, _Run]] = [(None, 0.0, best)]
    for position in range(bins):
        cost = CHANGE if position else 0.0
        ends = [end for end in ends if end[0] is None or end[0].last > position]
        while waiting and waiting[-1].first <= position:
            play = waiting.pop()
            ends.append((play, -np.inf, best))
        changed = [
            (play, best_value - cost, _Run(play, position, position, best))
            if value < best_value - cost
            else (play, value, run)
            for play, value, run in ends
        ]
        ends = [
            (play, value + (play.gain(position, position + 1) if play else 0.0), run)
            for play, value, run in changed
        ]
        _, best_value, best = max(ends, key=lambda end: end[1])
    return _unlinked(best, bins)


def _unlinked(run: _Run, bins: int) -> list[_Run]:
    runs: list[_Run] = []
    last, current = bins, run
    while True:
        if current.first < last:
            runs.append(replace(current, last=last, before=None))
        last = current.first
        if current.before is None:
            return runs[::-1]
        current = current.before


def _merged(runs: Sequence[_Run]) -> list[_Run]:
    """Join what is one play: across a gap, or if it jumped within a track that repeats itself."""
    merged: list[_Run] = []
    for run in runs:
        previous = merged[-1] if merged else None
        if (
            len(merged) > 1
            and run.play is not None
            and merged[-1].play is None
            and merged[-2].play is run.play
        ):
            merged[-2:] = [replace(merged[-2], last=run.last)]
        elif previous and (play := _play_of_both(previous, run)):
            merged[-1] = _Run(play, previous.first, run.last)
        else:
            merged.append(run)
    return merged


def _play_of_both(left: _Run, right: _Run) -> Play | None:
    """Give the play that explains two runs of one track, if there is one."""
    if left.play is None or right.play is None or left.play.track != right.play.track:
        return None
    if left.play.gain(right.first, right.last) > 0:
        return left.play
    return right.play if right.play.gain(left.first, left.last) > 0 else None


def _closed(runs: Sequence[_Run]) -> list[_Run]:
    """Leave out the unknown where one track ends quietly while the next one quietly begins."""
    closed: list[_Run] = []
    for run in runs:
        if len(closed) > 1 and closed[-1].play is None and _overlap_quietly(closed[-2], run):
            closed.pop()
            border = min(max(closed[-1].last, run.play.first if run.play else 0), run.first)
            closed[-1] = replace(closed[-1], last=border)
            closed.append(replace(run, first=border))
        else:
            closed.append(run)
    return closed


def _overlap_quietly(left: _Run, right: _Run) -> bool:
    """Tell whether two tracks that are heard one after the other run into each other."""
    return (
        left.play is not None
        and right.play is not None
        and right.play.first <= left.play.last
        and left.play.last - left.last <= QUIET
        and right.first - right.play.first <= QUIET
    )


def _placed(runs: Sequence[_Run]) -> list[_Run]:
    """Move each border to where it is to be expected, given the evidence around it."""
    placed = list(runs)
    for number in range(1, len(placed)):
        left, right = placed[number - 1], placed[number]
        border = _border(left, right)
        placed[number - 1] = replace(left, last=border)
        placed[number] = replace(right, first=border)
    return placed


def _border(left: _Run, right: _Run) -> int:
    """Give the mean of all places of a border, weighed by their likelihood.

    Where neither track has onsets that tell, it lies in the middle.
    """
    positions = range(left.first + 1, right.last)
    if not positions:
        return right.first
    logarithms = np.array(
        [
            (left.play.gain(left.first, position) if left.play else 0.0)
            + (right.play.gain(position, right.last) if right.play else 0.0)
            for position in positions
        ]
    )
    weights = np.exp((logarithms - logarithms.max()) / CHORD)
    border = float(np.average(positions, weights=weights))
    return round((border + _edge(left, right, border)) / 2)


def _edge(left: _Run, right: _Run, border: float) -> float:
    """Give where a track ends or begins next to the unknown, if it may do so quietly there."""
    if left.play is None and right.play is not None and border - right.play.first <= QUIET:
        return max(right.play.first, left.first + 1)
    if right.play is None and left.play is not None and left.play.last - border <= QUIET:
        return min(left.play.last, right.last - 1)
    return border


def _stretch(run: _Run, bins: int, seconds: float, all_votes: Sequence[Vote]) -> Stretch:
    start = run.first / BINS_PER_SECOND
    end = seconds if run.last == bins else run.last / BINS_PER_SECOND
    if run.play is None:
        return Stretch(start, end)
    position = max(0.0, start - run.play.start(start))
    return Stretch(
        start,
        end,
        run.play.track,
        _confidence(run.play.track, start, end, seconds, all_votes),
        position,
        tuple(position + shift for shift in run.play.also if position + shift >= 0),
    )


def _confidence(
    track: int, start: float, end: float, seconds: float, all_votes: Sequence[Vote]
) -> float:
    """Give the confidence of the second best window of a stretch, or of its only one."""
    asked = sum(start <= middle < end for _, middle in windows(seconds))
    found = [
        vote.confidence for vote in all_votes if vote.track == track and start <= vote.moment < end
    ]
    rank = min(asked, 2)
    return sorted(found, reverse=True)[rank - 1] if 0 < rank <= len(found) else 0.0
