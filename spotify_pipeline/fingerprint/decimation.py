"""From 22050 Hz to the 11025 Hz at which fingerprints are made, as Spotify's analyzer does it.

The analyzer has 16-bit samples at 22050 Hz, takes every second one after a short low-pass, and
hands 16-bit samples on. The filter's slope is slow: much of what lies above 5.5 kHz folds back into
the highest band, and a sharper filter would lose onsets there.

The filter was fitted, not published: with it, and with truncation, all 1,432 rhythm onsets and all
1,644 codes of a document of analyzer 3.2.2 come out identical from the samples it was made of
(``spotify_pipeline_tests/fingerprint/test_real_recordings.py``).

Belongs here: this step, for whole arrays and for streams. Does not belong here: other sample rates
(`spotify_pipeline.resampling`), what follows (`frontend`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float32s, Float64s

__all__ = ["ANALYSIS_RATE", "Decimator", "sixteen_bits"]

ANALYSIS_RATE = 22_050
"""Samples per second that the analyzer starts from."""

TAPS = 21
CUTOFF = 0.45
"""Of the low-pass, as a fraction of half the sample rate."""

KAISER_BETA = 6.0

FULL_SCALE = 32_768


def _low_pass() -> Float64s:
    """Give the filter, float64 of shape (21,): ``scipy.signal.firwin(21, 0.45, ("kaiser", 6))``."""
    places = np.arange(TAPS) - TAPS // 2
    taps = np.sinc(CUTOFF * places) * np.kaiser(TAPS, KAISER_BETA)
    return np.asarray(taps / taps.sum(), np.float64)


_LOW_PASS = _low_pass()


def sixteen_bits(samples: Float32s) -> Float32s:
    """Round samples to what 16 bits hold; full scale stays at -1 and 1, what is beyond is cut off.

    Parameters
    ----------
    samples
        float32 of any shape.
    """
    levels = np.rint(samples * np.float32(FULL_SCALE))
    np.clip(levels, -FULL_SCALE, FULL_SCALE - 1, out=levels)
    levels /= np.float32(FULL_SCALE)
    return np.asarray(levels, np.float32)


class Decimator:
    """Halves the sample rate of a recording that comes in blocks of any length.

    Sample k of what comes out is centred on sample 2 k of what goes in; before the beginning and
    after the end is silence.
    """

    def __init__(self) -> None:
        self._held = np.zeros(TAPS // 2, np.float32)

    def push(self, samples: Float32s, *, last: bool = False) -> Float32s:
        """Take the next samples, and give those that follow from all so far.

        Parameters
        ----------
        samples
            float32 of shape (n,) at 22050 Hz.
        last
            Nothing follows.

        Returns
        -------
        float32 of shape (m,) at 11025 Hz; together, half of all that went in, rounded up.
        """
        after = np.zeros(TAPS // 2 if last else 0, np.float32)
        held = np.concatenate((self._held, sixteen_bits(samples), after))
        count = max((len(held) - TAPS) // 2 + 1, 0)
        self._held = held[2 * count :]
        return np.asarray(_decimated(held, _LOW_PASS, count), np.float32)


@njit(cache=True, nogil=True)
def _decimated(samples: Float32s, taps: Float64s, count: int) -> Float32s:
    """Filter, take every second sample, cut off what 16 bits don't hold."""
    out = np.empty(count, np.float32)
    for k in range(count):
        acc = 0.0
        for tap in range(TAPS):
            acc += taps[tap] * samples[2 * k + tap]
        level = np.trunc(acc * FULL_SCALE)
        level = min(max(level, -FULL_SCALE), FULL_SCALE - 1)
        out[k] = level / FULL_SCALE
    return out
