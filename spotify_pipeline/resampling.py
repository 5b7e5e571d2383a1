"""Samples of any rate to the rate that something needs, block by block.

Belongs here: changing the sample rate of one channel. Does not belong here: files (`recording`);
the analyzer's own step from 22050 to 11025 Hz (`fingerprint.decimation`).
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["ANALYZER_RATE", "Resampler", "analyzer_resampler", "analyzer_samples", "resampler_to"]

# `fingerprint` is imported where it is needed: it loads numba, and look-ups come by here too
Float32s = npt.NDArray[np.float32]

ANALYZER_RATE = 11_025
"""Samples per second of what fingerprints are made of (`fingerprint.SAMPLE_RATE`)."""

BLOCK_SAMPLES = 1 << 17
"""So many samples at a time stay in a processor's cache."""


class Resampler(Protocol):
    """Changes the rate of a recording that comes in blocks."""

    def push(self, samples: Float32s, *, last: bool = False) -> Float32s:
        """Take the next samples, float32 of shape (n,); give those that follow, float32 (m,)."""


class _Soxr:
    """Band-limited to half the lower rate, by the SoX resampler."""

    def __init__(self, rate: float, target: float) -> None:
        import soxr

        self._stream = soxr.ResampleStream(rate, target, 1, dtype="float32")

    def push(self, samples: Float32s, *, last: bool = False) -> Float32s:
        return np.asarray(self._stream.resample_chunk(samples, last=last), np.float32)


class _Unchanged:
    """What has the front end's rate already."""

    def push(self, samples: Float32s, *, last: bool = False) -> Float32s:
        return samples


class _Analyzer:
    """To 22050 Hz, to 16 bits, and on as the analyzer does it."""

    def __init__(self, rate: float) -> None:
        from spotify_pipeline.fingerprint import decimation

        unchanged = rate == decimation.ANALYSIS_RATE
        self._first = _Unchanged() if unchanged else _Soxr(rate, decimation.ANALYSIS_RATE)
        self._decimator = decimation.Decimator()
        self._sixteen_bits = decimation.sixteen_bits

    def push(self, samples: Float32s, *, last: bool = False) -> Float32s:
        samples = self._sixteen_bits(self._first.push(samples, last=last))
        return self._decimator.push(samples, last=last)


def resampler_to(target: float) -> Callable[[float], Resampler]:
    """Give what makes, for the rate of a recording, the resampler to a rate."""
    return lambda rate: _Soxr(rate, target)


def analyzer_resampler(rate: float) -> Resampler:
    """Make the resampler to what the fingerprint's front end takes.

    Parameters
    ----------
    rate
        Of the recording. At 11025 Hz, samples stay as they are.
    """
    return _Unchanged() if rate == ANALYZER_RATE else _Analyzer(rate)


def analyzer_samples(samples: Float32s, rate: float) -> Float32s:
    """Turn a whole recording of one channel into what the fingerprint's front end takes.

    Parameters
    ----------
    samples
        float32 of shape (n,), full scale at -1 and 1.
    rate
        Its samples per second.

    Returns
    -------
    float32 of shape (m,), at 11025 Hz.
    """
    resampler = analyzer_resampler(rate)
    given = np.asarray(samples, np.float32)
    blocks = [given[first : first + BLOCK_SAMPLES] for first in range(0, len(given), BLOCK_SAMPLES)]
    parts = [resampler.push(block) for block in blocks]
    return np.concatenate((*parts, resampler.push(given[:0], last=True)))
