"""Band envelopes to onset trains: the adaptive onset detector.

A bit-exact port of the detector of echoprint-codegen 4.12, whose two settings give the two
fingerprints that stand in every analysis document.

Belongs here: finding onsets. Does not belong here: what is made of them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float32s, Int32s, Int64s
from spotify_pipeline.fingerprint.trains import BANDS, OnsetTrains

__all__ = ["ECHOPRINT", "RHYTHM", "DetectorSetting", "detect_onsets"]


@dataclass(frozen=True)
class DetectorSetting:
    """Pace of the detector.

    Attributes
    ----------
    deadtime
        Frames within which a new onset overwrites the last one of its band.
    target_gap
        Frames between onsets towards which the threshold's decay adapts.
    """

    deadtime: int
    target_gap: int


ECHOPRINT = DetectorSetting(deadtime=128, target_gap=345)
"""The setting behind ``echoprintstring`` (published with the reference)."""

RHYTHM = DetectorSetting(deadtime=41, target_gap=41)
"""The setting behind ``rhythmstring``: the only one by which a document of analyzer 3.2.2 comes out
identical from its own audio (``spotify_pipeline_tests/fingerprint/test_real_recordings.py``)."""

OVERSHOOT = 1.1
DECAY = 0.98
DIFFERENCE_TAPS = np.array([0.1883, 0.4230, 0.3392])
SPAN = 2 * len(DIFFERENCE_TAPS)


def detect_onsets(envelopes: Float32s, setting: DetectorSetting) -> OnsetTrains:
    """Find the onsets in the envelopes of eight bands.

    Parameters
    ----------
    envelopes
        float32 of shape (frames, 8), from `frontend.envelopes`.
    setting
        `ECHOPRINT` or `RHYTHM`.
    """
    if len(envelopes) == 0:
        return OnsetTrains.from_counts(np.empty(0, np.int32), [0] * BANDS)
    frames, counts = _detect(envelopes, setting.deadtime, setting.target_gap)
    bands = [frames[band, : counts[band]] for band in range(BANDS)]
    return OnsetTrains.from_counts(np.concatenate(bands), counts.tolist())


@njit(cache=True, nogil=True, error_model="numpy")
def _detect(envelopes: Float32s, deadtime: int, target_gap: int) -> tuple[Int32s, Int64s]:
    """Give frames int32 (8, most) and counts int64 (8,); state is double, as in the reference."""
    length = len(envelopes)
    frames = np.empty((BANDS, length // 2 + 1), np.int32)
    counts = np.zeros(BANDS, np.int64)
    for band in range(BANDS):
        counts[band] = _detect_band(envelopes, band, deadtime, target_gap, frames[band])
    return frames, counts


@njit(cache=True, nogil=True, error_model="numpy")
def _detect_band(
    envelopes: Float32s, band: int, deadtime: int, target_gap: int, frames: Int32s
) -> int:
    """Write one band's onsets into frames and count them."""
    count = 0
    threshold = float(envelopes[0, band])
    level = 0.0
    time_constant = 1.0
    was_above = False
    since_onset = 0
    for i in range(len(envelopes)):
        rise = 0.0
        if i >= SPAN:
            for k in range(len(DIFFERENCE_TAPS)):
                # float32 difference, double product: as the reference's types have it
                rise += DIFFERENCE_TAPS[k] * (
                    envelopes[i - k, band] - envelopes[i - SPAN + k, band]
                )
        level = rise + DECAY * level
        above = bool(level > threshold)
        if above:
            threshold = level * OVERSHOOT
        else:
            threshold *= math.exp(-1.0 / time_constant)
        if was_above and not above:
            if count > 0 and frames[count - 1] > i - deadtime:
                count -= 1
            frames[count] = i
            count += 1
            since_onset = 0
        since_onset += 1
        if since_onset > target_gap:
            time_constant = max(time_constant - 1.0, 1.0)
        else:
            time_constant += 1.0
        was_above = above
    return count
