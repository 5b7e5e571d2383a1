"""What evidence is worth: the probability that a recording is of a track.

The likelihood would be all there is, were onsets independent of each other. But music has a beat,
and a piece of the same tempo agrees with many beats of another. So a match is judged by what stands
beside it: what the right track should come to, by the recording's own odds; what other recordings
come to; and what the recording's own repetition lets any piece of the same beat reach. How well it
stands out from other offsets of the same track tells nothing of which track it is: music repeats
itself.

What these figures are worth was learned from music that the onset network was not trained on, among
impostors spliced from real music (`training.decision`): boosted trees of little depth, none of
which lets better evidence lower the odds.

The best of many impostors is better than the best of few: its likelihood grows with the logarithm
of their number. So in an index that is larger than the one that the trees were fitted on, a match
is judged as if its likelihood were lower by as much.

Belongs here: evidence to odds, odds to a decision. Does not belong here: finding the evidence
(`identifier`); the file that the trees are in (`fingerprint.model_file`).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Protocol, overload

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float64s, Int64s
from spotify_pipeline.fingerprint.model_file import ModelFile, shipped_model

__all__ = [
    "FIGURES",
    "HARMONY_WEIGHT",
    "LOUDNESS_WEIGHT",
    "RISING",
    "SOURCES",
    "THRESHOLD",
    "THRESHOLD_LOG_ODDS",
    "BoostedTrees",
    "Decision",
    "TrackEvidence",
    "beside_twins",
    "decisions_of",
    "fractions",
    "handicap",
    "in_nats_of_rhythm",
    "mean_excess",
    "shipped_decisions",
    "threshold_of",
]

THRESHOLD = 0.9
"""Matches below this confidence are not given; a recording without any is unknown."""

THRESHOLD_LOG_ODDS = math.log(THRESHOLD / (1 - THRESHOLD))
"""The same as the natural logarithm of odds."""

FITTED_TRACKS = 20_000
"""Tracks of the index that decisions were fitted on."""

IMPOSTOR_GROWTH = 0.017
"""The best impostor's likelihood grows by so much of what is expected of the right track, and one
nat, as their number grows by a factor of e. Where onsets are independent it is the nat alone; music
has beats in common. (``benchmarks.impostors --part validation --lengths 10``, from 10,000 to
100,000 spliced tracks; from there on it grows ever less, for they are of no more than 50 pieces.)
"""

SOURCES = ("recording with harmony", "recording", "rhythm", "echoprint")
"""What evidence can be made of: audio, with or without the track's harmony, or onsets of either
kind alone."""

FIGURES = (
    "fraction",
    "shortfall",
    "log_likelihood",
    "log_margin",
    "margin_fraction",
    "margin_excess",
    "repetition",
    "bands",
    "weakest_band",
    "weakest_part",
    "per_onset",
    "covered",
    "off_speed",
    "harmony",
    "loudness",
)
"""What the trees go by, in this order."""

RISING = (1, -1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, -1, 1, 1)
"""Whether more of each figure may only raise the odds (1), only lower them (-1), or either (0)."""

RIVALS = 10
"""Other recordings' likelihoods that tell how much a wrong track can be ahead of the others. Set by
hand."""

FEWEST_RIVALS = 3

HARMONY_WEIGHT = 5.0
"""A nat of harmony counts as so many of rhythm: onsets of one beat are not independent, though
their likelihoods are added up as if they were. (``benchmarks.harmony_weight``, on 448 excerpts of
28 pieces of the validation set: the right track comes first in 345 by rhythm alone; in 370, 381,
383, 388, 386 and 385 with harmony counted 1, 2, 3, 5, 8 and 10 times. Trees are fitted on the same
pieces.)"""

LOUDNESS_WEIGHT = 1.0
"""The same of a nat of loudness: tracks of many like onsets are loud and soft alike, so it tells
less beside rhythm than alone. (The same command and excerpts: with harmony counted 5 times, 388
come first without loudness; 389, 388, 385, 383 and 377 with loudness counted 1, 2, 3, 5 and 8
times.)"""

TWINS = 0.02
"""Odds that a track of the same onsets plays something else: patterns of drums, loops that many
use. So a recording whose harmony speaks against a track is not given its name, however well onsets
agree. (`benchmarks.harmony` shows how many twins that refuses, and how many right tracks.)"""

TELLING = 2.0
"""Nats that a band or a stretch is expected to tell before its fraction counts. Set by hand."""


def threshold_of(false_accepts: float | None) -> float:
    """Give the confidence from which at most so many recordings of unknown tracks are accepted.

    A likelihood ratio of k or more has a chance of at most 1/k where it should be small (Markov's
    inequality), and with even odds beforehand, a match's odds are its likelihood ratio.

    Parameters
    ----------
    false_accepts
        Fraction of the recordings whose track is not in the index, above 0; None for `THRESHOLD`.

    >>> threshold_of(0.25)
    0.8
    """
    return THRESHOLD if false_accepts is None else 1 / (1 + false_accepts)


def handicap(expected: float, tracks: int, speeds: int) -> float:
    """Tell by how much the likelihood of the best of so many impostors exceeds that of fewer.

    Parameters
    ----------
    expected
        Likelihood of the right track, nats.
    tracks
        In the index; below `FITTED_TRACKS`, nothing is gained.
    speeds
        At which the recording was searched for.

    Returns
    -------
    Nats.
    """
    times = max(tracks / FITTED_TRACKS, 1) * speeds
    return (1 + IMPOSTOR_GROWTH * max(expected, 0)) * math.log(times)


@dataclass(frozen=True)
class TrackEvidence:
    """What speaks for a track and against it; nats, natural logarithms of likelihood ratios.

    Attributes
    ----------
    likelihood
        Of the recording if it is the track, against music of any kind: at the best offset, to the
        frame.
    expected, deviation
        Mean and standard deviation of the likelihood if the track is the right one, as the
        recording's odds say, within the track.
    rival
        The highest likelihood of a track of another recording, 0 if there is none.
    excess
        `mean_excess` of other recordings' likelihoods.
    repetition
        As of `Expectation`.
    bands, weakest_band
        Fraction of what is expected, band by band: the mean, and the lowest but one; of bands that
        are expected to tell anything.
    weakest_part
        The lowest fraction of what is expected, of four stretches of the recording.
    onsets
        Of the track, within the recording.
    covered
        Part of all that the recording is expected to tell that lies within the track.
    speed
        Of the recording, 1 as the track was published.
    handicap
        Nats that the best impostor has ahead of what the trees were fitted on (`handicap`).
    prior
        Nats that popularity puts the track ahead of the rival (`popularity`); negative if behind.
    harmony
        How much likelier what sounds in the recording is if it is the track (`harmony.agreement`);
        0 where nothing is known of that.
    harmony_ahead
        So much more than if it is the rival.
    loudness, loudness_ahead
        The same of its loudness (`harmony.dynamics`).
    """

    likelihood: float
    expected: float
    deviation: float
    rival: float
    excess: float
    repetition: float
    bands: float
    weakest_band: float
    weakest_part: float
    onsets: float
    covered: float
    speed: float
    handicap: float = 0.0
    prior: float = 0.0
    harmony: float = 0.0
    harmony_ahead: float = 0.0
    loudness: float = 0.0
    loudness_ahead: float = 0.0

    @property
    def joint(self) -> float:
        """What rhythm, harmony and loudness say together, in nats of rhythm."""
        return self.likelihood + in_nats_of_rhythm(self.harmony, self.loudness)

    @property
    def figures(self) -> Float64s:
        """Give what `FIGURES` names, float64 of shape (figures,)."""
        expected = max(self.expected, 1.0)
        ahead = in_nats_of_rhythm(self.harmony_ahead, self.loudness_ahead)
        margin = self.likelihood - self.rival + self.prior + ahead
        likelihood = max(self.likelihood - self.handicap, 1.0)
        left = likelihood / max(self.likelihood, 1.0)
        return np.array(
            [
                min(likelihood / expected, 1.3),
                np.clip((self.expected - likelihood) / max(self.deviation, 1.0), -4, 20),
                math.log(likelihood),
                math.log(max(margin, 1.0)),
                np.clip(margin / expected, -1, 1.2),
                np.clip(margin / max(self.excess, 1.0), -3, 50),
                self.repetition,
                *(min(s, s * left) for s in (self.bands, self.weakest_band, self.weakest_part)),
                likelihood / max(self.onsets, 1.0),
                self.covered,
                min(abs(self.speed - 1), 0.05),
                self.harmony,
                self.loudness,
            ]
        )


@overload
def in_nats_of_rhythm(harmony: float, loudness: float) -> float: ...


@overload
def in_nats_of_rhythm(harmony: Float64s, loudness: Float64s) -> Float64s: ...


def in_nats_of_rhythm(harmony: Any, loudness: Any) -> Any:
    """Tell what nats of harmony and of loudness are worth in nats of rhythm."""
    return HARMONY_WEIGHT * harmony + LOUDNESS_WEIGHT * loudness


def beside_twins(log_odds: Float64s | float, harmony: Float64s | float) -> Float64s:
    """Lower the odds of a track by what speaks for a twin, of the same onsets and other harmony.

    Parameters
    ----------
    log_odds
        Natural logarithm of the odds that the recording is of the track, were there no twins.
    harmony
        As of `TrackEvidence`, where harmony tells anything.

    Returns
    -------
    Natural logarithm of the odds that it is of the track itself.

    >>> [round(float(beside_twins(9.0, harmony)), 1) for harmony in (-4, 0, 4, 20)]
    [-0.1, 3.9, 7.6, 9.0]
    """
    against = math.log(TWINS) - np.asarray(harmony, np.float64)
    return -np.asarray(np.logaddexp(-np.asarray(log_odds), against), np.float64)


def mean_excess(likelihoods: Iterable[float]) -> float:
    """Tell how far the best of many wrong tracks may be ahead of the others.

    Likelihoods of wrong tracks have an exponential tail, of which the mean excess over one that is
    exceeded by a few is the scale (Hill, Annals of Statistics 1975, there for logarithms). Music of
    a steady beat has a wider one.

    Parameters
    ----------
    likelihoods
        Of other recordings, nats.

    Returns
    -------
    The mean excess of the highest over the lowest of the first `RIVALS`, nats; 0 of fewer than
    three.

    >>> mean_excess([4.0, 9.0, 5.0])
    3.0
    """
    highest = sorted((max(one, 0.0) for one in likelihoods), reverse=True)[:RIVALS]
    if len(highest) < FEWEST_RIVALS:
        return 0.0
    return sum(highest[:-1]) / (len(highest) - 1) - highest[-1]


def fractions(likelihoods: Float64s, expected: Float64s, weakest: int = 1) -> tuple[float, float]:
    """Compare parts of a likelihood with what was expected of each.

    Parameters
    ----------
    likelihoods, expected
        float64 of shape (n,), nats; parts of which less than `TELLING` was expected are left out.
    weakest
        Which counts as the weakest: 0 the lowest, 1 the lowest but one.

    Returns
    -------
    The mean of the fractions, and the weakest one, -0.5 to 1; 0 of no parts.
    """
    telling = expected >= TELLING
    if not telling.any():
        return 0.0, 0.0
    found = np.sort(np.clip(likelihoods[telling] / expected[telling], -0.5, 1))
    return float(found.mean()), float(found[min(weakest, len(found) - 1)])


class Decision(Protocol):
    """Turns evidence to odds."""

    def log_odds(self, evidence: TrackEvidence) -> float:
        """Give the natural logarithm of the odds that the recording is of the track."""


@dataclass(frozen=True)
class BoostedTrees:
    """Gradient-boosted regression trees over `FIGURES` (Friedman, Annals of Statistics 2001).

    Attributes
    ----------
    base
        Logarithmic odds before any tree.
    figure, threshold, left, right, value
        Of shape (nodes,), all trees one after the other. An inner node goes to the node `left` if
        its figure is at most the threshold, else to `right`; a leaf has a figure of -1, and adds
        its value.
    roots
        int64 of shape (trees,): the first node of each.
    """

    base: float
    figure: Int64s
    threshold: Float64s
    left: Int64s
    right: Int64s
    value: Float64s
    roots: Int64s

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> "BoostedTrees":
        """Take arrays by the attributes' names."""
        return cls(
            base=float(arrays["base"]),
            figure=arrays["figure"].astype(np.int64),
            threshold=arrays["threshold"].astype(np.float64),
            left=arrays["left"].astype(np.int64),
            right=arrays["right"].astype(np.int64),
            value=arrays["value"].astype(np.float64),
            roots=arrays["roots"].astype(np.int64),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Give what `of` takes."""
        return {
            "base": np.float32(self.base),
            **{name: getattr(self, name).astype(np.int16) for name in ("figure", "left", "right")},
            "roots": self.roots.astype(np.int16),
            "threshold": self.threshold,  # a figure may be just as large as one
            "value": self.value.astype(np.float32),
        }

    def log_odds(self, evidence: TrackEvidence) -> float:
        """Give the natural logarithm of the odds that the recording is of the track."""
        if evidence.likelihood <= 0:
            return -math.inf
        figures = evidence.figures.tolist()
        total = self.base
        for node in self.roots.tolist():
            figure, threshold, left, right, value = self._nodes[node]
            while figure >= 0:
                below = figures[figure] <= threshold
                figure, threshold, left, right, value = self._nodes[left if below else right]
            total += value
        return total

    @cached_property
    def _nodes(self) -> list[tuple[int, float, int, int, float]]:
        """Give the nodes as plain numbers: one at a time, an array gives them slowly."""
        columns = (self.figure, self.threshold, self.left, self.right, self.value)
        return list(zip(*(column.tolist() for column in columns), strict=True))


@cache
def shipped_decisions() -> Mapping[str, Decision]:
    """Give the decisions that come with the package, by `SOURCES`."""
    return decisions_of(shipped_model())


def decisions_of(model: ModelFile) -> Mapping[str, Decision]:
    """Give the decisions of a model file, by `SOURCES`.

    Raises
    ------
    ModelFileError
        It lacks one.
    """
    return {source: BoostedTrees.of(model.section(f"decision for {source}")) for source in SOURCES}
