"""A query as it is looked up and tried: fingerprints, and onset odds, of the stretches that count.

Belongs here: what is made of a query. Does not belong here: what it is compared with
(`identifier`); files (`query`).
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
    SAMPLE_RATE,
    Fingerprint,
    fingerprint,
    odds_at_speed,
    odds_of_onsets,
    onset_odds,
    other_starts,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.onset_odds import information
from spotify_pipeline.identify.decision import (
    ECHOPRINT_WEIGHTS,
    RECORDING_WEIGHTS,
    RHYTHM_WEIGHTS,
    DecisionWeights,
)
from spotify_pipeline.recording import at_speed

__all__ = ["HeardQuery", "QueryOdds"]

JUDGED_SECONDS = 30.0
"""The stretch of a longer query that decides: the one that tells most."""

IDLE_CELLS = 650
"""Trying a track at its onsets takes as long as so many cells do, if there were none."""


@dataclass(frozen=True)
class HeardQuery:
    """A recording as it is looked up and tried.

    Attributes
    ----------
    fingerprint
        Of a stretch of the recording.
    samples
        That it was made of, if there are any.
    first
        Frame of the recording at which the stretch begins.
    """

    fingerprint: Fingerprint
    samples: Float32s | None
    first: int = 0

    @cached_property
    def odds(self) -> "QueryOdds":
        """Onset odds of the part of the stretch that tells most."""
        return QueryOdds.of(self.fingerprint, self.samples).most_telling(JUDGED_SECONDS)

    @cached_property
    def other_starts(self) -> list[Fingerprint]:
        """Fingerprints as they might look within a longer recording, if there are samples."""
        return [] if self.samples is None else other_starts(self.samples)

    def stretch(self, seconds: float) -> "HeardQuery":
        """Cut out the busiest so many seconds."""
        first, busiest = _busiest_stretch(self.fingerprint, seconds)
        if busiest is self.fingerprint:
            return self
        samples = self.samples
        if samples is not None:
            samples = samples[first * FRAME_SAMPLES :][: round(seconds * SAMPLE_RATE)]
        return HeardQuery(busiest, samples, self.first + first)

    def at(self, speed: float) -> Fingerprint:
        """Fingerprint it as if it had been played at a speed."""
        if speed == 1:
            return self.fingerprint
        if self.samples is None:
            return self.fingerprint.at_speed(speed)
        return fingerprint(at_speed(self.samples, 1 / speed))


@dataclass(frozen=True)
class QueryOdds:
    """Onset odds of a stretch of a query, for each kind of trains; of shape (cells, 8).

    Attributes
    ----------
    weights
        What they are worth.
    first
        Frame of the query at which the stretch begins.
    """

    rhythm: Float32s
    echoprint: Float32s
    weights: dict[str, DecisionWeights]
    first: int = 0

    @classmethod
    def of(cls, query: Fingerprint, samples: Float32s | None) -> "QueryOdds":
        """Hear the samples, if there are any."""
        weights = {"rhythm": RHYTHM_WEIGHTS, "echoprint": ECHOPRINT_WEIGHTS}
        echoprint = odds_of_onsets(query.echoprint)
        if samples is None:
            return cls(odds_of_onsets(query.rhythm), echoprint, weights)
        return cls(onset_odds(samples), echoprint, weights | {"rhythm": RECORDING_WEIGHTS})

    def most_telling(self, seconds: float) -> "QueryOdds":
        """Cut out so many seconds in which there is most to tell tracks apart by."""
        told = self.rhythm if len(self.rhythm) else self.echoprint
        cells = _cells(seconds)
        if len(told) <= cells:
            return self
        sums = np.concatenate(([0.0], np.cumsum(information(told).sum(axis=1))))
        first = int(np.argmax(sums[cells:] - sums[:-cells]))
        return replace(
            self,
            rhythm=self.rhythm[first : first + cells],
            echoprint=self.echoprint[first : first + cells],
            first=self.first + first * ODDS_CELL_FRAMES,
        )

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
            sums = np.concatenate(([0.0], np.cumsum(told[:, bands - 1])))
            # where each stretch ends that tells enough
            ends = np.searchsorted(sums, sums[:-1] + nats)
            lengths = np.where(ends < len(sums), ends - np.arange(len(told)), len(sums))
            first = int(np.argmin(lengths))
            cells = int(lengths[first])
            work = bands * (cells + IDLE_CELLS)
            if cells <= most and work < least:
                chosen, least = (first, cells, bands), work
        first, cells, bands = chosen
        if least == math.inf and most < len(told):
            sums = np.concatenate(([0.0], np.cumsum(told[:, -1])))
            first = int(np.argmax(sums[most:] - sums[:-most]))
        return self.rhythm[first : first + cells, :bands]

    def of_kind(self, kind: str, speed: float) -> Float32s:
        """Give those of a kind, at a speed."""
        return odds_at_speed(self.rhythm if kind == "rhythm" else self.echoprint, speed)


def _cells(seconds: float) -> int:
    return round(seconds * FRAMES_PER_SECOND / ODDS_CELL_FRAMES)


def _busiest_stretch(query: Fingerprint, seconds: float) -> tuple[int, Fingerprint]:
    """Cut out so many seconds with most onsets; gives the first frame too."""
    onsets = np.sort(query.rhythm.frames if len(query.rhythm) else query.echoprint.frames)
    length = round(seconds * FRAMES_PER_SECOND)
    if len(onsets) == 0 or onsets[-1] < length:
        return 0, query
    inside = np.searchsorted(onsets, onsets + length) - np.arange(len(onsets))
    start = int(onsets[int(np.argmax(inside))])
    return start, query.excerpt(start, length)
