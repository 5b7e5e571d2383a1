"""Pieces of music to what the network learns from: stretches as heard, and where the onsets are.

The onsets are those of another *pressing* of the piece than the one that is heard: encoded again,
begun elsewhere, so that its frames and whitening blocks lie elsewhere. So the network learns how
far onsets move from one file of a recording to the next, and does not take its own detector's for
exact.

Belongs here: stretches, pressings, targets. Does not belong here: what stretches are played through
(`playback`), learning (`network`).
"""

import math
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
    LLR_BIN_FRAMES,
    OnsetTrains,
    fingerprint,
)
from spotify_pipeline.fingerprint.arrays import Float32s, Int8s
from spotify_pipeline.fingerprint.onset_features import OnsetFeatures, onset_features
from spotify_pipeline.recording import read_recording
from spotify_pipeline.resampling import analyzer_samples
from training.playback import Play, played

__all__ = ["NO_ONSET", "VERSIONS", "Example", "examples", "examples_of"]

STRETCH_SECONDS = 12
SHORT, SHORT_SECONDS = 0.4, (3, 8)
"""So large a part of the stretches is shorter: what is heard of the rest of a recording levels it
(`onset_features`)."""

SILENT = 0.1
"""So large a part begins with silence: the music begins later than the recording."""

VERSIONS = (1.0, 0.8, 1.15, 1.35)
"""Speeds of a piece that count as other pieces: lower and higher, too."""

PRESSING_LEVELS = {"MP3": (0.4, 0.85), "OGG": (0.3, 0.8)}
"""libsndfile's compression levels that are drawn from, by format."""

MIXES = 2
"""So many further versions are sums of a piece and another, each at one of `VERSIONS`' speeds. The
detector finds other onsets in a sum than in its parts: it is music of its own."""

MIX_DECIBEL = 6
"""By so much, at the most, is one of both louder."""

PIECE_SECONDS = 240
"""Of a longer piece, so much from its beginning."""

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
        int8 of shape (llr_bins, 8): in which frame of the LLR bin the track has an onset, or
        `NO_ONSET`.
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


class _Stretch(NamedTuple):
    """Samples that begin so many seconds into a piece, silent up to where the music begins."""

    samples: Float32s
    start: float
    music: float


class _Pressing(NamedTuple):
    """Rhythm trains of a file of a piece, which begins so many seconds into the piece."""

    trains: OnsetTrains
    lead: float

    def from_second(self, second: float) -> OnsetTrains:
        """Give the onsets from a second of the piece on."""
        first = max(math.ceil((second - self.lead) * FRAMES_PER_SECOND), 0)
        bands = (self.trains.band(band) for band in range(BANDS))
        return OnsetTrains.from_bands([band[band >= first] for band in bands])


def examples(
    files: Sequence[Path],
    stretches: int,
    versions: int = len(VERSIONS) + MIXES,
    play: Play = played,
) -> Iterator[Example]:
    """Have stretches of pieces heard, so many of each version, in all processors.

    Parameters
    ----------
    files
        Of music.
    stretches
        Of each version of each piece.
    versions
        So many of each piece: `VERSIONS` first, then mixes.
    play
        What they are played through; a function of a module, for processes to find.
    """
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        pending = [
            processes.submit(examples_of, files, number, version, stretches, play)
            for number in range(len(files))
            for version in range(versions)
        ]
        for done in pending:
            yield from done.result()


def examples_of(
    files: Sequence[Path], number: int, version: int, stretches: int, play: Play = played
) -> list[Example]:
    """Have stretches of a version of a piece heard; the numbers seed what is drawn.

    Parameters
    ----------
    files
        Of music, among which a mix finds its other piece.
    number
        The piece's place among them.
    version
        One of `VERSIONS`, or, from their number on, a mix.
    stretches, play
        As of `examples`.
    """
    rng = np.random.default_rng([number, version])
    if version < len(VERSIONS):
        samples = _at_speed(files[number], VERSIONS[version])
    else:
        samples = _mixed(files[number], files[int(rng.integers(len(files)))], rng)
    pressings = [_pressed(samples, rng), _pressed(_coded_again(samples, rng), rng)]
    found = []
    for _ in range(stretches):
        stretch = _stretch(samples, rng)
        as_played = play(stretch.samples, rng)
        late = int(rng.integers(RATE))
        features = onset_features(analyzer_samples(as_played.samples[late:], RATE))
        pressing = pressings[int(rng.random() < 2 / 3)]
        start = stretch.start + late * as_played.speed / RATE - pressing.lead
        trains = pressing.from_second(stretch.music)
        onsets = _onsets(trains, start * FRAMES_PER_SECOND, as_played.speed, len(features))
        found.append(Example.of(features, onsets))
    return found


def _stretch(samples: Float32s, rng: np.random.Generator) -> _Stretch:
    """Cut a stretch out of a piece; some are short, and some begin with silence."""
    seconds = rng.uniform(*SHORT_SECONDS) if rng.random() < SHORT else STRETCH_SECONDS
    first = int(rng.integers(0, max(len(samples) - round(seconds * RATE), 1)))
    chosen = samples[first : first + round(seconds * RATE)]
    silent = int(rng.random() < SILENT) * round(rng.uniform(0, len(chosen) / 2))
    begun = np.concatenate((np.zeros(silent, np.float32), chosen[: len(chosen) - silent]))
    return _Stretch(begun, (first - silent) / RATE, first / RATE)


def _at_speed(file: Path, speed: float) -> Float32s:
    """Read a piece, so many times as fast."""
    samples = read_recording(file, RATE).samples[: PIECE_SECONDS * RATE]
    return resampled(samples, RATE * speed, RATE)


def _mixed(file: Path, other: Path, rng: np.random.Generator) -> Float32s:
    """Play two pieces together, or a piece with itself, for as long as the shorter one."""
    parts = [_at_speed(one, float(rng.choice(VERSIONS))) for one in (file, other)]
    length = min(len(part) for part in parts)
    louder = 10 ** (rng.uniform(-MIX_DECIBEL, MIX_DECIBEL) / 20)
    first, second = (part[:length] / max(float(part.std()), 1e-6) for part in parts)
    mixed = louder * first + second
    return np.asarray(mixed / max(float(np.abs(mixed).max()), 1e-6), np.float32)


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


def _onsets(trains: OnsetTrains, start: float, speed: float, llr_bins: int) -> Int8s:
    """Tell which frames of a recording have onsets, which begins at a frame of a track."""
    found = np.full((llr_bins, BANDS), NO_ONSET, np.int8)
    for band in range(BANDS):
        frames = np.rint((trains.band(band) - start) / speed).astype(np.int64)
        frames = frames[(frames >= 0) & (frames < llr_bins * LLR_BIN_FRAMES)]
        found[frames // LLR_BIN_FRAMES, band] = frames % LLR_BIN_FRAMES
    return found
