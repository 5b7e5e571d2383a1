"""From 22050 Hz to the 11025 Hz at which fingerprints are made, as Spotify's analyzer does it.

The analyzer halves the rate with libresample in its low quality (Dominic Mazzoni's C version of
Julius O. Smith's resample 1.7, LGPL; "Digital Audio Resampling", ccrma.stanford.edu/~jos/resample):
a windowed sinc of 19 taps, in float32. Its slope is slow: some of what lies above 5.5 kHz folds
back into the highest band, and a sharper filter would lose onsets there.

What goes in has 16 bits, truncated towards zero, as the analyzer's decoder gave it (mpg123 before
1.26). So all rhythm onsets and codes of a document of analyzer 3.2.2 come out identical from its
audio, and of a second, quiet one all codes and 99.8 % of the onsets
(``spotify_pipeline_tests/fingerprint/test_real_recordings.py``); no other filter, window, length or
rounding that was tried does. How analyzer 4 decodes is not known; the step from 22050 Hz is taken
to be the same.

Belongs here: this step, for whole arrays and for streams. Does not belong here: other sample rates
(`spotify_pipeline.resampling`), what follows (`frontend`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float32s

__all__ = ["ANALYSIS_RATE", "Decimator", "sixteen_bits"]

ANALYSIS_RATE = 22_050
"""Samples per second that the analyzer starts from."""

TAPS_ASIDE = 9
"""Of the filter, on either side of its middle."""

ROLLOFF = 0.9
"""Of the low-pass, as a fraction of half the new sample rate."""

KAISER_BETA = 6.0

WING_STEPS, STEPS_PER_ZERO = 4096 * 5, 4096
"""Length of libresample's table of one wing of the filter, and of that between two zeros."""

FULL_SCALE = np.float32(32_768)

_CHUNK = 1024


def _wing() -> Float32s:
    """Give the middle of the filter and one side of it, float32 of shape (10,)."""
    positions = np.arange(0, WING_STEPS, STEPS_PER_ZERO // 2)
    angles = np.pi * np.maximum(positions, 1) / STEPS_PER_ZERO
    sinc = np.where(positions == 0, ROLLOFF, np.sin(ROLLOFF * angles) / angles)
    window = np.i0(KAISER_BETA * np.sqrt(1 - (positions / (WING_STEPS - 1)) ** 2)) / np.i0(
        KAISER_BETA
    )
    return np.asarray(sinc * window, np.float32)


_WING = _wing()


def sixteen_bits(samples: Float32s) -> Float32s:
    """Cut samples off to what 16 bits hold, towards zero; full scale stays at -1 and 1.

    Parameters
    ----------
    samples
        float32 of any shape.
    """
    levels = np.trunc(samples * FULL_SCALE)
    np.clip(levels, -FULL_SCALE, FULL_SCALE - 1, out=levels)
    levels /= FULL_SCALE
    return np.asarray(levels, np.float32)


class Decimator:
    """Halves the sample rate of a recording that comes in blocks of any length.

    Sample k of what comes out is centred on sample 2 k of what goes in; before the beginning and
    after the end is silence.
    """

    def __init__(self) -> None:
        self._held = np.zeros(TAPS_ASIDE, np.float32)

    def push(self, samples: Float32s, *, last: bool = False) -> Float32s:
        """Take the next samples, and give those that follow from all so far.

        Parameters
        ----------
        samples
            float32 of shape (n,) at 22050 Hz, as `sixteen_bits` gives them.
        last
            Nothing follows.

        Returns
        -------
        float32 of shape (m,) at 11025 Hz; together, half of all that went in, rounded up.
        """
        after = np.zeros(TAPS_ASIDE if last else 0, np.float32)
        held = np.concatenate((self._held, samples, after))
        count = max((len(held) - 2 * TAPS_ASIDE + 1) // 2, 0)
        self._held = held[2 * count :]
        return np.asarray(_decimated(held, _WING, count), np.float32)


@njit(cache=True, nogil=True)
def _decimated(samples: Float32s, wing: Float32s, count: int) -> Float32s:
    """Filter, and take every second sample; sums in the order of the reference.

    Chunk by chunk, many sums side by side: samples at even and odd places are set apart for that.
    """
    out = np.empty(count, np.float32)
    apart = np.zeros((2, _CHUNK + TAPS_ASIDE + 1), np.float32)
    sides = np.empty((2, _CHUNK), np.float32)
    for first in range(0, count, _CHUNK):
        size = min(_CHUNK, count - first)
        start = 2 * first
        for position in range(size + TAPS_ASIDE):
            apart[0, position] = samples[start + 2 * position]
            if start + 2 * position + 1 < len(samples):
                apart[1, position] = samples[start + 2 * position + 1]
        sides[:] = np.float32(0)
        for tap in range(TAPS_ASIDE + 1):
            _add_times(apart, TAPS_ASIDE - tap, wing[tap], sides[0, :size])
        for tap in range(1, TAPS_ASIDE + 1):
            _add_times(apart, TAPS_ASIDE + tap, wing[tap], sides[1, :size])
        for k in range(size):
            out[first + k] = (sides[0, k] + sides[1, k]) * np.float32(0.5)
    return out


@njit(cache=True, nogil=True)
def _add_times(apart: Float32s, position: int, factor: float, sums: Float32s) -> None:
    """Add every second sample from a place on, times a factor."""
    row = apart[position & 1, position >> 1 :]
    for k in range(len(sums)):
        sums[k] += factor * row[k]
