"""What the network that tells onset LLRs is given of a recording, LLR bin by LLR bin.

Three views. The *envelopes* of the eight bands, as the detector sees them: they tell how the
detector's thresholds stand. The *onsets* that the detector finds in them: they tell when, to the
frame, where nothing disturbs. And a *spectrum* in bins of 21.5 Hz: a band
is as wide as 32 of them, and a note fills a few. Where a band's envelope is full of noise, or of
what still reverberates, a new note stands out in bins of its own.

Belongs here: samples to numbers. Does not belong here: what is made of them (`onset_network`).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.detector import RHYTHM, detect_onsets
from spotify_pipeline.fingerprint.frontend import envelopes, warmed_up
from spotify_pipeline.fingerprint.trains import (
    BANDS,
    FRAME_SAMPLES,
    FRAMES_PER_SECOND,
    OnsetTrains,
)

__all__ = [
    "BINS_OF_BAND",
    "BIN_CONTEXT",
    "BIN_FIGURES",
    "ENVELOPE_FIGURES",
    "LLR_BINS_PER_SECOND",
    "LLR_BIN_FRAMES",
    "NEAR_FRAMES",
    "OnsetFeatures",
    "onset_features",
]

LLR_BIN_FRAMES = 4
"""Frames in an LLR bin (11.6 ms)."""

LLR_BINS_PER_SECOND = FRAMES_PER_SECOND / LLR_BIN_FRAMES

FAINTEST = 1e-5
"""Envelopes are at least this, so that they have logarithms."""

NEAR_FRAMES = np.arange(-24, 33, 2)
"""Frames around the middle of an LLR bin that are looked at one by one."""

MEAN_FRAMES = 8
MEANS_BEFORE, MEANS_AFTER = 30, 10
"""Before and after the middle, so many means over `MEAN_FRAMES` are looked at."""

ONSET_FRAMES = np.arange(-8, 12)
"""Frames from an LLR bin's first that are looked at for onsets."""

ENVELOPE_FIGURES = len(NEAR_FRAMES) + MEANS_BEFORE + MEANS_AFTER + 1 + len(ONSET_FRAMES)
"""Of a band, in `OnsetFeatures.envelopes`."""

BINS_OF_BAND = 32
BIN_WINDOW = 2 * BINS_OF_BAND * BANDS
"""Samples of a window, 46 ms; the next is an LLR bin later."""

WINDOWS_AT_ONCE = 256
"""What transforming so many takes stays in a processor's cache."""

CONTEXT_BEFORE, CONTEXT_AFTER = 20, 8
BIN_CONTEXT = CONTEXT_BEFORE + 1 + CONTEXT_AFTER
"""LLR bins of a frequency bin's spectrum that are looked at: so many before, so many after."""

BIN_FIGURES = 2
"""Of a bin, in `OnsetFeatures.bins`."""

FAINTEST_BIN = 1e-3
"""Magnitudes are at least so much of their mean, so that they have logarithms."""

SILENT_BIN = 1e-7
"""Those of silence are this much."""

LEAST_DEVIATION = 1e-3

_REACH = MEANS_BEFORE * MEAN_FRAMES + LLR_BIN_FRAMES
_LLR_BIN_SAMPLES = LLR_BIN_FRAMES * FRAME_SAMPLES
_LLR_BIN_MIDDLE = 160  # samples from an LLR bin's first to what its envelopes have in their middle


@dataclass(frozen=True)
class OnsetFeatures:
    """A recording, as the network is given it.

    Attributes
    ----------
    envelopes
        float32 of shape (llr_bins, 8, `ENVELOPE_FIGURES`): of each band, logarithms of the envelope
        near the middle of the LLR bin and of its means further away, all less the mean of what
        comes before; that, less the recording's mean; and, for each of `ONSET_FRAMES`, 1 where the
        detector finds a rhythm onset, else 0.
    spectrum
        float32 of shape (llr_bins + `BIN_CONTEXT` - 1, 256): logarithms of magnitudes less the
        bin's mean, from `CONTEXT_BEFORE` LLR bins before the first.
    bins
        float32 of shape (256, `BIN_FIGURES`): each bin's mean less its band's, and the logarithm of
        its deviation.
    """

    envelopes: Float32s
    spectrum: Float32s
    bins: Float32s

    def __len__(self) -> int:
        return len(self.envelopes)

    def part(self, first: int, last: int) -> Self:
        """Give the LLR bins from the first to before the last."""
        spectrum = _around(self.spectrum, first, last)
        return type(self)(self.envelopes[first:last], spectrum, self.bins)


def onset_features(samples: Float32s, llr_bins: slice = slice(None)) -> OnsetFeatures:
    """Describe LLR bins of a recording, as the whole recording makes them sound.

    Parameters
    ----------
    samples
        As of `audio.fingerprint`.
    llr_bins
        Those that are described.
    """
    bands, onsets = _warm_envelopes(samples)
    first, last, _ = llr_bins.indices(len(bands) // LLR_BIN_FRAMES)
    last = max(first, last)
    spectrum, bins = _spectrum(samples, len(bands) // LLR_BIN_FRAMES)
    around = _around(spectrum, first, last)
    return OnsetFeatures(_described(bands, onsets, first, last), around, bins)


def _around(spectrum: Float32s, first: int, last: int) -> Float32s:
    """Cut LLR bins, from the first to before the last, and those around them out of a spectrum."""
    return spectrum[first : last + BIN_CONTEXT - 1]


def _warm_envelopes(samples: Float32s) -> tuple[Float32s, OnsetTrains]:
    """Give envelopes and rhythm onsets of a recording as if its beginning had been heard before."""
    longer, frames = warmed_up(samples)
    bands = envelopes(longer)
    return bands[frames:], detect_onsets(bands, RHYTHM).excerpt(frames)


def _described(bands: Float32s, onsets: OnsetTrains, first: int, last: int) -> Float32s:
    """Describe envelopes and onsets around each LLR bin from the first to before the last."""
    if first == last:
        return np.empty((0, BANDS, ENVELOPE_FIGURES), np.float32)
    levels = np.log(bands + np.float32(FAINTEST))
    levels = np.pad(levels - levels.mean(axis=0), ((_REACH, _REACH), (0, 0)), mode="edge")
    middles = np.arange(first, last) * LLR_BIN_FRAMES + LLR_BIN_FRAMES // 2 + _REACH
    near = levels[middles[:, None] + NEAR_FRAMES]
    sums = np.concatenate((np.zeros((1, BANDS)), np.cumsum(levels, axis=0, dtype=np.float64)))
    firsts = middles[:, None] + np.arange(-MEANS_BEFORE, MEANS_AFTER) * MEAN_FRAMES
    means = ((sums[firsts + MEAN_FRAMES] - sums[firsts]) / MEAN_FRAMES).astype(np.float32)
    before = means[:, :MEANS_BEFORE].mean(axis=1, keepdims=True)
    struck = np.zeros((len(bands) + 2 * _REACH, BANDS), np.float32)
    struck[onsets.frames + _REACH, np.repeat(np.arange(BANDS), onsets.counts)] = 1
    starts = np.arange(first, last) * LLR_BIN_FRAMES + _REACH
    own = struck[starts[:, None] + ONSET_FRAMES]
    described = np.concatenate((near - before, means - before, before, own), axis=1)
    return np.ascontiguousarray(described.transpose(0, 2, 1))


def _spectrum(samples: Float32s, llr_bins: int) -> tuple[Float32s, Float32s]:
    """Give the spectrum of so many LLR bins and those around them, and each bin's figures."""
    count = BINS_OF_BAND * BANDS
    if llr_bins == 0:
        nothing = np.zeros((BIN_CONTEXT - 1, count), np.float32)
        return nothing, np.zeros((count, BIN_FIGURES), np.float32)
    levels = _magnitudes(samples, llr_bins)
    levels += FAINTEST_BIN * levels.mean() + np.float32(SILENT_BIN)
    np.log(levels, out=levels)
    means = levels.mean(axis=0)
    levels -= means
    beside = means.reshape(BANDS, BINS_OF_BAND).mean(axis=1).repeat(BINS_OF_BAND)
    deviations = np.log(levels.std(axis=0) + np.float32(LEAST_DEVIATION))
    around = np.pad(levels, ((CONTEXT_BEFORE, CONTEXT_AFTER), (0, 0)), mode="edge")
    return around, np.stack((means - beside, deviations), axis=1)


def _magnitudes(samples: Float32s, llr_bins: int) -> Float32s:
    """Give those of each bin, float32 of shape (llr_bins, 256)."""
    padded = np.pad(
        np.asarray(samples, np.float32), (BIN_WINDOW // 2 - _LLR_BIN_MIDDLE, BIN_WINDOW)
    )
    windows = sliding_window_view(padded, BIN_WINDOW)[::_LLR_BIN_SAMPLES][:llr_bins]
    weights = np.hanning(BIN_WINDOW).astype(np.float32)
    magnitudes = np.empty((llr_bins, BINS_OF_BAND * BANDS), np.float32)
    for first in range(0, llr_bins, WINDOWS_AT_ONCE):
        some = windows[first : first + WINDOWS_AT_ONCE]
        found = np.fft.rfft(some * weights, axis=1)[:, : magnitudes.shape[1]]
        np.abs(found, out=magnitudes[first : first + len(some)])
    return magnitudes
