"""Excerpts of pieces as recordings of them might be: seeded, so that everybody asks the same.

Of each piece and degradation, a minute from a random place is degraded, and excerpts are cut from
that. Each piece and degradation has its own random numbers: leaving some out changes no other, and
neither does more music.

Belongs here: cutting excerpts, and the truth about them. Does not belong here: what degrades them
(`degradations`), whom they are asked of (`judge`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE, changes_speed
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.fingerprint import Fingerprint, fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.recording import read_recording
from spotify_pipeline.resampling import analyzer_samples

__all__ = ["LONGEST_EXCERPT", "Excerpt", "Query", "queries"]

STRETCH_SECONDS = 62
LONGEST_EXCERPT = 60.0

SILENCE = 1e-3
"""Full scale is 1; digital silence is nobody's."""


@dataclass(frozen=True)
class Excerpt:
    """Which part of which piece it is, and what happened to it.

    Attributes
    ----------
    degradation
        Its name.
    seconds
        Its length.
    piece
        Number of the piece among those that are asked for.
    offset
        Second of the piece at which it begins.
    """

    degradation: str
    seconds: float
    piece: int
    offset: float


@dataclass(frozen=True)
class Query:
    """An excerpt as it is heard; samples are float32 at 11025 Hz, None if they are not known."""

    excerpt: Excerpt
    fingerprint: Fingerprint
    samples: Float32s | None


def queries(
    pieces: Sequence[Piece],
    degradations: Sequence[str],
    lengths: Sequence[float],
    count: int,
    seed: int = 0,
) -> Iterator[Query]:
    """Degrade a stretch of each piece, and cut excerpts of it.

    Parameters
    ----------
    pieces
        Their files are read again.
    degradations
        Names of `DEGRADATIONS`.
    lengths
        Seconds.
    count
        Of excerpts for each piece, degradation and length; silent ones are left out.
    seed
        Another one gives other excerpts and other noise.

    Raises
    ------
    RecordingError
        A file can't be read any more.
    """
    for number, piece in enumerate(pieces):
        samples = read_recording(piece.file, RATE).samples
        for name in degradations:
            rng = np.random.default_rng([piece.key, list(DEGRADATIONS).index(name), seed])
            first = int(rng.integers(0, max(len(samples) - STRETCH_SECONDS * RATE, 1)))
            stretch = samples[first : first + STRETCH_SECONDS * RATE]
            degraded = DEGRADATIONS[name](stretch, rng)
            scale = len(stretch) / len(degraded) if changes_speed(name) else 1.0
            for length in lengths:
                for start in _starts(degraded, length, count, rng):
                    size = round(length * RATE)
                    if np.abs(stretch[int(start * scale) :][:size]).max() < SILENCE:
                        continue
                    clip = analyzer_samples(degraded[start : start + size], RATE)
                    offset = (first + start * scale) / RATE
                    excerpt = Excerpt(name, length, number, offset)
                    yield Query(excerpt, fingerprint(clip), clip)


def _starts(
    samples: Float32s, length: float, count: int, rng: np.random.Generator
) -> Iterator[int]:
    """Draw where excerpts begin."""
    for _ in range(count):
        yield int(rng.integers(0, max(len(samples) - round(length * RATE), 1)))
