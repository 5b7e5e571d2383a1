"""A recording to chroma: how strongly each pitch class sounds, as near as can be to the analyzer's.

The analyzer is not open. Its pitches come near to this: the magnitudes of a spectrum, gathered by
semitone and folded into an octave, averaged from the start of a segment to the next. What a device
or a room adds to all moments alike, hum, hiss and a small loudspeaker's colour, is taken away
first: of each semitone, what it has half of the time.

Belongs here: samples to chroma, at any speed. Does not belong here: how well chroma agrees with a
track (`agreement`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import fft

from spotify_pipeline.fingerprint import SAMPLE_RATE
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.harmony.segments import PITCH_CLASSES

__all__ = ["HOP_SECONDS", "SPEED_STEP", "Spectrum", "analyzer_pitches"]

WINDOW = 4096
HOP = 512
BLOCK_FRAMES = 1024
HOP_SECONDS = HOP / SAMPLE_RATE
"""From one frame of chroma to the next."""

LOWEST, HIGHEST = 30, 96
"""MIDI notes, from F sharp at 46 Hz to before C at 2093 Hz. A bass is most of what the analyzer
hears in some music: of one recording, the correlation falls from 0.74 to 0.48 without the octave
from 65 Hz on."""

BINS = 900
"""Of the spectrum, up to 2.4 kHz: what `HIGHEST` is at a speed of 1.1."""

STEADY = 1.0
"""Of the median of a semitone, so much is taken away. (Chosen with ``benchmarks.harmony``, on the
two recordings of which the document is known.)"""

WHITENING = 0.75
"""A semitone is divided by its mean to this power: 1 would make all as strong. (Chosen with
``benchmarks.harmony``, on the two recordings of which the document is known.)"""

EXPONENT = 0.6
"""Of a semitone's power, in what the analyzer calls pitches: of the two recordings of which its
document is known, the mean correlation of segments is highest from 0.5 to 0.7: 0.96 and 0.74."""

SPEED_STEP = 0.0025
"""Speeds are rounded to this: a twenty-third of a semitone."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The power spectrum of a recording.

    Attributes
    ----------
    power
        float32 of shape (frames, `BINS`), of the lowest bins. The middle of each frame lies
        `HOP_SECONDS` after that of the one before, the first one's at the start.
    """

    power: Float32s

    @classmethod
    def of(cls, samples: Float32s) -> "Spectrum":
        """Transform samples.

        Parameters
        ----------
        samples
            float32 of shape (samples,), 11025 Hz.
        """
        return cls(np.concatenate([*_powers(samples)]))

    def chroma(self, speed: float = 1.0) -> Float32s:
        """Give the strength of each pitch class.

        Parameters
        ----------
        speed
            Of the recording: one that is played faster is as much higher.

        Returns
        -------
        float32 of shape (frames, 12), from C on.
        """
        semitones = self.power @ _semitones(round(speed / SPEED_STEP))
        steady = np.median(semitones, axis=0)
        mean = np.maximum(semitones.mean(axis=0), np.float32(1e-12))
        return _folded(np.sqrt(np.maximum(semitones - STEADY * steady, 0) / mean**WHITENING))


def analyzer_pitches(samples: Float32s) -> Float32s:
    """Give the strength of each pitch class as the analyzer does, whatever is heard beside.

    Parameters
    ----------
    samples
        As of `Spectrum.of`, of any length.

    Returns
    -------
    float32 of shape (frames, 12), from C on.
    """
    weights = _semitones(round(1 / SPEED_STEP))
    return np.concatenate(
        [_folded((power @ weights) ** np.float32(EXPONENT)) for power in _powers(samples)]
    )


def _powers(samples: Float32s) -> Iterator[Float32s]:
    """Give the power spectrum, so many frames at a time as fit the memory."""
    padded = np.pad(samples, (WINDOW // 2, WINDOW // 2 + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: len(samples) + 1 : HOP]
    for first in range(0, len(frames), BLOCK_FRAMES):
        spectrum = fft.rfft(frames[first : first + BLOCK_FRAMES] * _window(), axis=1)[:, :BINS]
        yield spectrum.real**2 + spectrum.imag**2


def _folded(semitones: Float32s) -> Float32s:
    """Add up octaves; gives float32 of shape (frames, 12)."""
    octaves = np.zeros((len(semitones), -(-HIGHEST // PITCH_CLASSES) * PITCH_CLASSES), np.float32)
    octaves[:, LOWEST:HIGHEST] = semitones
    folded: Float32s = octaves.reshape(len(semitones), -1, PITCH_CLASSES).sum(axis=1)
    return folded


@cache
def _window() -> Float32s:
    return np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)


@cache
def _semitones(speed_steps: int) -> Float32s:
    """Give how much each bin counts for each semitone, float32 of shape (bins, semitones).

    A triangle from the semitone below to the one above, or over two bins where these are wider.
    """
    bins = np.arange(1, BINS)
    frequencies = bins * (SAMPLE_RATE / WINDOW / (speed_steps * SPEED_STEP))
    notes = 69 + 12 * np.log2(frequencies / 440)
    semitones = np.arange(LOWEST, HIGHEST)
    width = np.maximum(1, 12 * np.log2(1 + 1 / bins))
    weights = np.zeros((len(bins) + 1, len(semitones)))
    weights[1:] = np.maximum(0, 1 - np.abs(notes[:, None] - semitones) / width[:, None])
    return np.asarray(weights / weights.sum(axis=0), np.float32)
