"""A recording to loudness: how loud each moment is, as near as can be to the analyzer's.

The analyzer is not open. Its loudness comes near to this: the power in mel bands, weighted as an
ear does, each raised to the exponent by which sensation grows, and added up (S. S. Stevens, The
Measurement of Loudness, 1955). Of two recordings whose documents are known, the level of the
samples correlates with the analyzer's by 0.45, this by 0.80 (``benchmarks.segment_figures`` has
the conditions). A recording's noise and hum are taken away first: of each band, what it has most of
the time.

Belongs here: samples to loudness, and the loudest moments of stretches. Does not belong here: how
well it agrees with a track (`dynamics`).
"""

from functools import cache

import numpy as np
from scipy import fft

from spotify_pipeline.fingerprint import SAMPLE_RATE
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s

__all__ = [
    "BANDS",
    "LOUDNESS_HOP_SECONDS",
    "analyzer_loudness",
    "band_powers",
    "loudest_between",
    "loudness",
]

WINDOW = 512
HOP = 128
BLOCK_FRAMES = 128
"""What is made of so many stays in a processor's cache."""

LOUDNESS_HOP_SECONDS = HOP / SAMPLE_RATE
"""From one figure of loudness to the next."""

BANDS, LOWEST, HIGHEST = 24, 60.0, 5400.0
"""Mel bands, and from where to where they reach, Hz."""

EXPONENT = 0.3
"""Loudness grows with this power of a band's power (Stevens, 1955)."""

STEADY = 0.2
"""What a band has for all but this fraction of the recording is taken for noise. Set by hand."""

LEAST = 1e-3
"""Of a band's highest power, what is left of each moment at the least."""

FAINTEST = 1e-12
"""Power of a band in silence."""


def loudness(samples: Float32s) -> Float32s:
    """Tell how loud each moment of a recording is, without what is steady in it.

    Parameters
    ----------
    samples
        float32 of shape (samples,), 11025 Hz.

    Returns
    -------
    float32 of shape (frames,), dB, of no certain reference. The middle of each frame lies
    `LOUDNESS_HOP_SECONDS` after that of the one before, the first one's at the start.
    """
    power = band_powers(samples)
    steady = np.quantile(power, STEADY, axis=0)
    return _joined(np.maximum(power - steady, LEAST * power.max(axis=0)))


def analyzer_loudness(samples: Float32s) -> Float32s:
    """Tell how loud each moment of a recording is as the analyzer does, whatever is heard.

    Parameters and returned value are those of `loudness`.
    """
    return _joined(band_powers(samples))


def band_powers(samples: Float32s) -> Float32s:
    """Give the power in mel bands.

    Parameters
    ----------
    samples
        As of `loudness`.

    Returns
    -------
    float32 of shape (frames, `BANDS`); frames are those of `loudness`.
    """
    padded = np.pad(samples, (WINDOW // 2, WINDOW // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
    powers = []
    for first in range(0, len(frames), BLOCK_FRAMES):
        spectrum = fft.rfft(frames[first : first + BLOCK_FRAMES] * window, axis=1)
        powers.append((spectrum.real**2 + spectrum.imag**2) @ _mel_weights())
    return np.concatenate(powers)


def loudest_between(levels: Float32s, starts: Float64s) -> Float32s:
    """Give the highest of a recording's loudness in segments.

    Parameters
    ----------
    levels
        float32 of shape (frames,), of all of the recording.
    starts
        float64 of shape (segments,), ascending seconds; each lasts until the next one, or the end.

    Returns
    -------
    float32 of shape (segments,), dB.
    """
    firsts = np.round(starts / LOUDNESS_HOP_SECONDS).astype(np.int64)
    # of a segment shorter than a frame, reduceat gives the frame itself
    return np.maximum.reduceat(levels, np.clip(firsts, 0, len(levels) - 1))


def _joined(power: Float32s) -> Float32s:
    """Join the power in bands to loudness, float32 of shape (frames,)."""
    weighted = (np.maximum(power, FAINTEST) * _ear_weights()) ** np.float32(EXPONENT)
    return np.asarray(10 / EXPONENT * np.log10(weighted.sum(axis=1)), np.float32)


def _mel(hertz: Float64s | float) -> Float64s:
    """Give pitch as it is perceived (O'Shaughnessy, Speech Communication, 1987)."""
    return np.asarray(2595 * np.log10(1 + np.asarray(hertz) / 700), np.float64)


def _edges() -> Float64s:
    """Give where bands begin and end, Hz: each from the middle of one beside to the other's."""
    edges = np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2)
    return np.asarray(700 * (10 ** (edges / 2595) - 1), np.float64)


@cache
def _mel_weights() -> Float32s:
    """Give how much each bin of the spectrum counts in each band, float32 (bins, `BANDS`).

    Triangles of the same area. (`librosa.filters.mel` has them, but takes longer to import than an
    identification takes.)
    """
    below, middle, above = _edges()[:-2], _edges()[1:-1], _edges()[2:]
    hertz = fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, None]
    rising, falling = (hertz - below) / (middle - below), (above - hertz) / (above - middle)
    weights = np.maximum(np.minimum(rising, falling), 0) * 2 / (above - below)
    return np.asarray(weights, np.float32)


@cache
def _ear_weights() -> Float32s:
    """Give how much the power in each band counts to an ear, float32 of shape (`BANDS`,).

    The A-weighting of IEC 61672-1.
    """
    square = _edges()[1:-1] ** 2
    gain = (12194.0**2 * square**2) / (
        (square + 20.6**2)
        * np.sqrt((square + 107.7**2) * (square + 737.9**2))
        * (square + 12194.0**2)
    )
    return np.asarray(10**0.2 * gain**2, np.float32)
