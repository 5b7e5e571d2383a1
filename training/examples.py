"""Pieces of music to what the network learns from: stretches as heard, and where the onsets are.

The onsets are those of another *pressing* of the piece than the one that is heard: encoded again,
begun elsewhere, so that its frames and whitening blocks lie elsewhere. So the network learns how
far onsets move from one file of a recording to the next, and does not take its own detector's for
exact.

Belongs here: stretches, pressings, targets. Does not belong here: what stretches are played through
(`playback`), learning (`network`).
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spotify_pipeline.evaluation.codecs import resampled, through_codec
from spotify_pipeline.evaluation.degradations import RATE
from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    ODDS_CELL_FRAMES,
    OnsetTrains,
    fingerprint,
)
from spotify_pipeline.fingerprint.arrays import Float32s, Int8s
from spotify_pipeline.fingerprint.onset_features import OnsetFeatures, onset_features
from spotify_pipeline.recording import read_recording
from spotify_pipeline.resampling import analyzer_samples
from training.playback import played

__all__ = ["NO_ONSET", "VERSIONS", "Example", "examples", "examples_of"]

STRETCH_SECONDS = 12
VERSIONS = (1.0, 0.8, 1.15, 1.35)
"""Speeds of a piece that count as other pieces: lower and higher, too."""

PRESSING_LEVELS = {"MP3": (0.4, 0.85), "OGG": (0.3, 0.8)}
"""libsndfile's compression levels that are drawn from, by format."""

VERSION_SECONDS = 150
"""Of a longer piece, so much from a random moment is a version's."""

MOST_LEAD = 1.0
"""Seconds by which a pressing begins later at the most."""

NO_ONSET = -1


class Example(NamedTuple):
    """A stretch as it was heard.

    Attributes
    ----------
    envelopes, spectrum, bins
        As `OnsetFeatures` has them, the first two float16.
    onsets
        int8 of shape (cells, 8): in which frame of the cell the track has an onset, or `NO_ONSET`.
    """

    envelopes: np.ndarray
    spectrum: np.ndarray
    bins: np.ndarray
    onsets: Int8s

    @classmethod
    def of(cls, features: OnsetFeatures, onsets: Int8s) -> "Example":
        """Keep features with half as many bits."""
        halves = features.envelopes.astype(np.float16), features.spectrum.astype(np.float16)
        return cls(*halves, features.bins, onsets)

    @property
    def features(self) -> OnsetFeatures:
        """Give a stretch's features."""
        singles = self.envelopes.astype(np.float32), self.spectrum.astype(np.float32)
        return OnsetFeatures(*singles, self.bins)


class _Pressing(NamedTuple):
    """Rhythm trains of a file of a piece, which begins so many seconds into the piece."""

    trains: OnsetTrains
    lead: float


def examples(files: Sequence[Path], stretches: int) -> Iterator[Example]:
    """Have stretches of pieces heard, so many of each version, in all processors.

    Parameters
    ----------
    files
        Of music.
    stretches
        Of each version of each piece.
    """
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        pending = [
            processes.submit(examples_of, file, number, version, stretches)
            for number, file in enumerate(files)
            for version in range(len(VERSIONS))
        ]
        for done in pending:
            yield from done.result()


def examples_of(file: Path, number: int, version: int, stretches: int) -> list[Example]:
    """Have stretches of a version of a piece heard; the numbers seed what is drawn."""
    rng = np.random.default_rng([number, version])
    samples = _some(read_recording(file, RATE).samples, rng)
    samples = resampled(samples, RATE * VERSIONS[version], RATE)
    pressings = [_pressed(samples, rng), _pressed(_coded_again(samples, rng), rng)]
    found = []
    for _ in range(stretches):
        first = int(rng.integers(0, max(len(samples) - STRETCH_SECONDS * RATE, 1)))
        heard = played(samples[first : first + STRETCH_SECONDS * RATE], rng)
        late = int(rng.integers(RATE))
        features = onset_features(analyzer_samples(heard.samples[late:], RATE))
        pressing = pressings[int(rng.random() < 2 / 3)]
        start = (first / RATE + late * heard.speed / RATE - pressing.lead) * FRAMES_PER_SECOND
        found.append(
            Example.of(features, _onsets(pressing.trains, start, heard.speed, len(features)))
        )
    return found


def _some(samples: Float32s, rng: np.random.Generator) -> Float32s:
    """Cut out as much as a version has at the most."""
    first = int(rng.integers(0, max(len(samples) - VERSION_SECONDS * RATE, 1)))
    return samples[first : first + VERSION_SECONDS * RATE]


def _coded_again(samples: Float32s, rng: np.random.Generator) -> Float32s:
    """Encode and decode as a file of good quality."""
    form = str(rng.choice(list(PRESSING_LEVELS)))
    level = rng.uniform(*PRESSING_LEVELS[form])
    loudness = 0.9 / max(float(np.abs(samples).max()), 1e-6) * rng.uniform(0.3, 1)
    subtype = "VORBIS" if form == "OGG" else None
    return through_codec(np.float32(loudness) * samples, RATE, RATE, form, level, subtype)


def _pressed(samples: Float32s, rng: np.random.Generator) -> _Pressing:
    """Fingerprint a piece from a random moment of its first second on."""
    lead = rng.uniform(0, MOST_LEAD)
    trains = fingerprint(analyzer_samples(samples[round(lead * RATE) :], RATE)).rhythm
    return _Pressing(trains, round(lead * RATE) / RATE)


def _onsets(trains: OnsetTrains, start: float, speed: float, cells: int) -> Int8s:
    """Tell which frames of a recording have onsets, which begins at a frame of a track."""
    found = np.full((cells, BANDS), NO_ONSET, np.int8)
    for band in range(BANDS):
        frames = np.rint((trains.band(band) - start) / speed).astype(np.int64)
        frames = frames[(frames >= 0) & (frames < cells * ODDS_CELL_FRAMES)]
        found[frames // ODDS_CELL_FRAMES, band] = frames % ODDS_CELL_FRAMES
    return found
