"""Audio to band envelopes: whitening, eight subbands, energy frames.

A bit-exact port of the front end of echoprint-codegen 4.12 (Ellis, Whitman, Porter: "Echoprint: an
open music identification service", ISMIR 2011). All sums are sequential and in float32 as in the
reference: another order or precision moves onsets. Loops are arranged so that independent sums run
side by side in one vector register, each still in its own order.

Belongs here: signal processing up to the envelopes. Does not belong here: onsets (`detector`).
"""

import math

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.trains import BANDS, FRAME_SAMPLES, SAMPLE_RATE

__all__ = ["MINIMUM_SAMPLES", "envelopes", "warmed_up"]

LPC_ORDER = 40
LPC_BLOCK = 10_000
LPC_SMOOTHING = np.float32(1 / 8)
INITIAL_POWER = np.float32(0.001)

FILTER_LENGTH = 128
PHASES = 16
SUBBAND_HOP = 8
ENVELOPE_WINDOW = 8
ENVELOPE_HOP = 4

SETTLING_SECONDS = 10
"""After so much audio, whitening and thresholds have forgotten that they started from nothing."""

MINIMUM_SAMPLES = FILTER_LENGTH - 1 + SUBBAND_HOP * ENVELOPE_WINDOW
"""Shorter audio has no energy frame."""

_CHUNK = 1024

# The MPEG-1 layer I/II analysis window (ISO/IEC 11172-3, table C.1), every fourth value, in units
# of 1e-9, up to its middle. The rest mirrors it.
_HALF_WINDOW = (
    477, 954, 1431, 2384, 3815, 6199, 9060, 13828, 19550, 27657, 37670, 49591, 62943, 76771,
    90599, 101566, -108242, -106812, -95367, -69618, -27180, 34332, 116348, 218868, 339031,
    472546, 611782, 747204, 866413, 954151, 994205, 971317, -868797, -674248, -378609, 21458,
    522137, 1111031, 1766682, 2457142, 3141880, 3771782, 4290581, 4638195, 4752159, 4573822,
    4049301, 3134727, -1800537, -33379, 2161503, 4756451, 7703304, 10933399, 14358521, 17876148,
    21372318, 24725437, 27815342, 30526638, 32754898, 34412861, 35435200, 35780907,
)  # fmt: skip


def _prototype_filter() -> Float32s:
    """Give the low-pass prototype of the filter bank, float32 of shape (128,).

    The mirrored half has the opposite sign except at multiples of 16 from the middle.
    """
    half = np.array(_HALF_WINDOW, np.float64) / 1e9
    distance = np.arange(1, len(half))
    mirrored = half[-1 - distance] * np.where(distance % PHASES == 0, 1, -1)
    return np.concatenate((half, mirrored, [0])).astype(np.float32)


def _modulation() -> Float32s:
    """Give cos and sin of the filter bank's modulation, float32 of shape (2, 16, 8).

    The reference computes ``(2 * band + 1) * (phase - 4)`` in unsigned 32-bit arithmetic, so below
    phase 4 the angle is near 2**32 * pi / 16, and rounding it to a double shows in the result.
    """
    table = np.empty((2, PHASES, BANDS), np.float32)
    for phase in range(PHASES):
        for band in range(BANDS):
            angle = float((2 * band + 1) * (phase - 4) % 2**32) * (math.pi / 16)
            table[:, phase, band] = math.cos(angle), math.sin(angle)
    return table


_PROTOTYPE = _prototype_filter()
_COSINE, _SINE = _modulation()
_ENVELOPE_WEIGHTS = np.array(
    [0.5 - 0.5 * math.cos(2 * math.pi / (ENVELOPE_WINDOW - 1) * k) for k in range(ENVELOPE_WINDOW)],
    np.float32,
)


def envelopes(samples: Float32s) -> Float32s:
    """Turn mono audio at 11025 Hz into the energy envelopes of eight bands.

    Parameters
    ----------
    samples
        float32 of shape (samples,), in [-1, 1], finite.

    Returns
    -------
    float32 of shape (frames, 8), one frame every 32 samples; no frames for less than
    `MINIMUM_SAMPLES` of audio.
    """
    if len(samples) < MINIMUM_SAMPLES:
        return np.empty((0, BANDS), np.float32)
    whitened = _whiten(np.ascontiguousarray(samples, np.float32))
    bands: Float32s = _envelope(_subband_energy(whitened))
    return bands


def warmed_up(samples: Float32s) -> tuple[Float32s, int]:
    """Put the beginning of a recording before it, so that it is heard as if heard before.

    Returns
    -------
    samples
        float32, with as much before the recording as it takes to settle, or as there is.
    frames
        So many of these come before the recording.
    """
    samples = np.asarray(samples, np.float32)
    frames = min(len(samples), SETTLING_SECONDS * SAMPLE_RATE) // FRAME_SAMPLES
    return np.concatenate((samples[: frames * FRAME_SAMPLES], samples)), frames


@njit(cache=True, nogil=True, error_model="numpy")
def _autocorrelation(block: Float32s, sums: Float32s) -> None:
    """Sum block[j] * block[j - lag] over j, for all lags side by side, four samples a turn."""
    backwards = np.zeros(LPC_ORDER + 1, np.float32)
    head = min(LPC_ORDER, len(block))
    for j in range(head):
        for lag in range(j + 1):
            backwards[LPC_ORDER - lag] += block[j] * block[j - lag]
    aligned = head + (len(block) - head) // 4 * 4
    for j in range(head, aligned, 4):
        first, second, third, fourth = block[j], block[j + 1], block[j + 2], block[j + 3]
        window = block[j - LPC_ORDER : j + 4]
        for k in range(LPC_ORDER + 1):
            acc = backwards[k] + first * window[k]
            acc += second * window[k + 1]
            acc += third * window[k + 2]
            backwards[k] = acc + fourth * window[k + 3]
    for j in range(aligned, len(block)):
        for lag in range(LPC_ORDER + 1):
            backwards[LPC_ORDER - lag] += block[j] * block[j - lag]
    sums[:] = backwards[::-1]


@njit(cache=True, nogil=True, error_model="numpy")
def _linear_prediction(power: Float32s, coefficients: Float32s) -> None:
    """Solve for the predictor of an autocorrelation (Durbin; Rabiner & Schafer 1978, p. 411).

    Where rounding leaves no error to predict (long digital silence), the remaining coefficients
    are zero; the reference divides by it and loses the rest of the file to NaN.
    """
    error = power[0]
    coefficients[:] = np.float32(0)
    for i in range(1, LPC_ORDER + 1):
        if not error > 0:
            return
        acc = np.float32(0)
        for j in range(1, i):
            acc += coefficients[j] * power[i - j]
        reflection = (power[i] - acc) / error
        coefficients[i] = reflection
        for j in range(1, i // 2 + 1):
            low = coefficients[j]
            high = coefficients[i - j]
            coefficients[j] = low - reflection * high
            coefficients[i - j] = high - reflection * low
        error = (np.float32(1) - reflection * reflection) * error


@njit(cache=True, nogil=True, error_model="numpy")
def _predict_rest(
    samples: Float32s,
    start: int,
    size: int,
    coefficients: Float32s,
    history: Float32s,
    out: Float32s,
) -> None:
    """Subtract the prediction from a block, chunk by chunk, many samples side by side."""
    for i in range(min(LPC_ORDER, size)):
        acc = samples[start + i]
        for j in range(i + 1, LPC_ORDER + 1):
            acc -= coefficients[j] * history[LPC_ORDER + i - j]
        for j in range(1, i + 1):
            acc -= coefficients[j] * samples[start + i - j]
        out[start + i] = acc
    for first in range(start + LPC_ORDER, start + size, _CHUNK):
        count = min(_CHUNK, start + size - first)
        target = out[first : first + count]
        target[:] = samples[first : first + count]
        for j in range(1, LPC_ORDER + 1, 4):
            a, b, c, d = (
                coefficients[j],
                coefficients[j + 1],
                coefficients[j + 2],
                coefficients[j + 3],
            )
            delayed = samples[first - j - 3 : first - j + count]
            for i in range(count):
                acc = target[i] - a * delayed[i + 3]
                acc -= b * delayed[i + 2]
                acc -= c * delayed[i + 1]
                target[i] = acc - d * delayed[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _whiten(samples: Float32s) -> Float32s:
    """Flatten the spectrum: order-40 linear prediction, updated every 10,000 samples.

    As in the reference, the last block leaves out the last sample, and the filter's history at a
    block's start is one sample older than it should be.
    """
    power = np.zeros(LPC_ORDER + 1, np.float32)
    power[0] = INITIAL_POWER
    sums = np.empty(LPC_ORDER + 1, np.float32)
    coefficients = np.empty(LPC_ORDER + 1, np.float32)
    history = np.zeros(LPC_ORDER + 1, np.float32)
    out = np.zeros(len(samples), np.float32)
    for start in range(0, len(samples), LPC_BLOCK):
        size = min(LPC_BLOCK, len(samples) - start - 1)
        _autocorrelation(samples[start : start + size], sums)
        for lag in range(LPC_ORDER + 1):
            power[lag] += LPC_SMOOTHING * (sums[lag] - power[lag])
        _linear_prediction(power, coefficients)
        _predict_rest(samples, start, size, coefficients, history, out)
        if size > LPC_ORDER:
            history[:] = samples[start + size - 1 - LPC_ORDER : start + size]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _subband_energy(samples: Float32s) -> Float32s:
    """Split into eight complex subbands; energy float32 of shape (subband frames, 8)."""
    count = (len(samples) - FILTER_LENGTH + 1) // SUBBAND_HOP
    energy = np.empty((count, BANDS), np.float32)
    folded = np.empty(PHASES, np.float32)
    real = np.empty(BANDS, np.float32)
    imaginary = np.empty(BANDS, np.float32)
    for frame in range(count):
        window = samples[frame * SUBBAND_HOP : frame * SUBBAND_HOP + FILTER_LENGTH]
        for phase in range(PHASES):
            acc = window[phase] * _PROTOTYPE[phase]
            for k in range(phase + PHASES, FILTER_LENGTH, PHASES):
                acc += window[k] * _PROTOTYPE[k]
            folded[phase] = acc
        real[:] = np.float32(0)
        imaginary[:] = np.float32(0)
        for phase in range(0, PHASES, 4):
            a, b, c, d = folded[phase], folded[phase + 1], folded[phase + 2], folded[phase + 3]
            for band in range(BANDS):
                acc = real[band] + _COSINE[phase, band] * a
                acc += _COSINE[phase + 1, band] * b
                acc += _COSINE[phase + 2, band] * c
                real[band] = acc + _COSINE[phase + 3, band] * d
            for band in range(BANDS):
                acc = imaginary[band] - _SINE[phase, band] * a
                acc -= _SINE[phase + 1, band] * b
                acc -= _SINE[phase + 2, band] * c
                imaginary[band] = acc - _SINE[phase + 3, band] * d
        for band in range(BANDS):
            energy[frame, band] = real[band] * real[band] + imaginary[band] * imaginary[band]
    return energy


@njit(cache=True, nogil=True, error_model="numpy")
def _envelope(energy: Float32s) -> Float32s:
    """Sum energy under a Hann window of 8 subband frames, hop 4; root of it."""
    count = len(energy) // ENVELOPE_HOP - (ENVELOPE_WINDOW // ENVELOPE_HOP - 1)
    out = np.zeros((count, BANDS), np.float32)
    for frame in range(count):
        for k in range(ENVELOPE_WINDOW):
            for band in range(BANDS):
                out[frame, band] += energy[frame * ENVELOPE_HOP + k, band] * _ENVELOPE_WEIGHTS[k]
        for band in range(BANDS):
            out[frame, band] = np.sqrt(out[frame, band])
    return out
