"""How well what sounds in a recording agrees with the segments of a track, once they are aligned.

The track's segments say over which stretches of the recording to average, so nothing of the
recording has to be segmented. Each stretch's chroma is correlated with the segment's twelve
pitches; the mean, by duration, is the correlation of the alignment. A recording may have been
played a semitone higher or lower without another tempo, or faster or slower in the same key; these
count too, as seldom as they happen. The keys further away tell how large a correlation is by
chance. Beside that, loudness is compared (`dynamics`).

Belongs here: correlations of pitches, and what they are worth. Does not belong here: alignment
(`index.kernels.likelihood`), chroma (`chroma`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int64s, UInt8s
from spotify_pipeline.harmony.chroma import HOP_SECONDS
from spotify_pipeline.harmony.dynamics import compare_loudness, loudness_nats
from spotify_pipeline.harmony.likelihood_ratio import likelihood_ratio
from spotify_pipeline.harmony.packing import check_fault, unpack
from spotify_pipeline.harmony.segments import PITCH_CLASSES, Segments

__all__ = [
    "Agreement",
    "Sound",
    "agreement",
    "agreements",
    "nats",
    "nats_of_loudness",
    "pitches_between",
]

SOUNDING = 0.5
"""Packed pitches are 0 or 1."""

LONGEST = 1.0
"""Seconds: a segment counts as much as it lasts, but no more than this. Set by hand."""

SHORTEST = 0.05
"""Seconds: of a segment that lies in the recording for less, nothing is compared. Set by hand."""

FEWEST_SECONDS = 1.0
"""Compared, before harmony tells anything. Set by hand."""

SHIFTED = 0.02
"""Probability that a recording is a semitone higher than its track, at the track's tempo; the same
for lower. Set by hand."""

KEY_KEPT = 0.2
"""Probability that a recording at another speed is in the track's key, as digital players have it,
not as much higher as it is faster. Set by hand."""

RIGHT, SPREAD = 0.45, 0.18
"""Mean and standard deviation of the right track's correlation, chance apart: music differs in how
much of it has a pitch. (Excerpts of 28 pieces of the validation set, 3 to 20 s, clean, by
telephone, in a room and in white noise: means of 0.37 to 0.54.)"""

USUAL_DEVIATION, USUAL_WEIGHT = 0.28, 5
"""What chance makes of a second of segments, and how many measured correlations that is worth. Set
by hand."""


ATTRIBUTES = 7
"""Of an `Agreement` that one comparison gives: all but `key_kept`."""


@dataclass(frozen=True, eq=False)
class Sound:
    """What sounds in a recording: its chroma, and how loud it is.

    Attributes
    ----------
    chroma_sums
        float64 of shape (frames + 1, 12): chroma of all frames before, so that the mean of any
        stretch is two look-ups.
    loudness
        As of `loudness.loudness`; none where it is not to be compared.
    """

    chroma_sums: Float64s
    loudness: Float32s

    @classmethod
    def of(cls, chroma: Float32s, loudness: Float32s | None = None) -> "Sound":
        """Sum up chroma, float32 of shape (frames, 12)."""
        sums = np.zeros((len(chroma) + 1, PITCH_CLASSES))
        np.cumsum(chroma, axis=0, out=sums[1:])
        return cls(sums, np.empty(0, np.float32) if loudness is None else loudness)


@dataclass(frozen=True)
class Agreement:
    """Correlations of a recording with a track at an alignment.

    Attributes
    ----------
    correlation
        -1 to 1; 0 if too little can be compared.
    higher, lower
        The same if the recording is a semitone higher or lower than the track.
    transposed
        Mean square of the correlations with the track in the nine other keys.
    seconds
        Compared.
    loudness
        Correlation of the loudness, -1 to 1.
    segments
        So many of which the loudness was compared.
    key_kept
        The correlation if the recording is at another speed but in the track's key; None where
        that is no other case.
    """

    correlation: float = 0.0
    higher: float = 0.0
    lower: float = 0.0
    transposed: float = 0.0
    seconds: float = 0.0
    loudness: float = 0.0
    segments: float = 0.0
    key_kept: float | None = None

    @property
    def tells(self) -> bool:
        """Whether enough was compared."""
        return self.seconds >= FEWEST_SECONDS


def agreement(sound: Sound, track: Segments, offset: float, speed: float) -> Agreement:
    """Correlate a recording with a track.

    Parameters
    ----------
    sound
        Of the recording, its chroma at that speed.
    track
        Of which pitch classes of at least half the strength sound; each segment lasts until the
        next one.
    offset
        Seconds from the start of the track to the start of the recording.
    speed
        Of the recording, 1 as the track was published.
    """
    return Agreement(
        *_agreement(
            sound.chroma_sums,
            sound.loudness,
            track.starts,
            track.pitches,
            track.loudness,
            offset,
            speed,
            HOP_SECONDS,
        )
    )


def agreements(
    sound: Sound,
    packed: UInt8s,
    firsts: Int64s,
    lasts: Int64s,
    offsets: Float64s,
    speed: float,
) -> list[Agreement]:
    """Correlate a recording with tracks as they are packed.

    Runs without the GIL.

    Parameters
    ----------
    sound, speed
        As of `agreement`.
    packed
        uint8, with the packed harmony of n tracks in it.
    firsts, lasts
        int64 of shape (n,): the bytes of each track; none where its harmony is not known.
    offsets
        float64 of shape (n,): as of `agreement`, of each track.

    Raises
    ------
    PackedHarmonyError
        The bytes of a track are damaged.
    """
    found, fault, size = _agreements(
        sound.chroma_sums, sound.loudness, packed, firsts, lasts, offsets, speed, HOP_SECONDS
    )
    check_fault(fault, size)
    return [Agreement(*figures) for figures in found.tolist()]


def pitches_between(sound: Sound, starts: Float64s) -> Float64s:
    """Give the strength of each pitch class in segments of a recording, the strongest 1.

    Parameters
    ----------
    sound
        Of all of the recording.
    starts
        float64 of shape (segments,), ascending seconds; each lasts until the next one, or the end.

    Returns
    -------
    float64 of shape (segments, 12); 1 of all where nothing is heard.
    """
    frames = len(sound.chroma_sums) - 1
    edges = np.clip(np.append(starts, np.inf) / HOP_SECONDS + 0.5, 0, frames)
    low = np.minimum(edges.astype(np.int64), max(frames - 1, 0))
    part = (edges - low)[:, None]
    sums = sound.chroma_sums[low] + part * (
        sound.chroma_sums[np.minimum(low + 1, frames)] - sound.chroma_sums[low]
    )
    found = np.diff(sums, axis=0)
    most = found.max(axis=1, keepdims=True)
    return np.where(most > 0, found / np.where(most > 0, most, 1), 1.0)


def nats(agreements: Sequence[Agreement]) -> Float64s:
    """Tell how much likelier a recording's pitches are if it is each track, by itself.

    How much chance does is measured on the others, transposed.

    Parameters
    ----------
    agreements
        Of one recording with several tracks.

    Returns
    -------
    float64 of shape (agreements,): natural logarithms of likelihood ratios; 0 where too little was
    compared.
    """
    telling = np.array([one.tells for one in agreements], bool)
    found = np.zeros(len(agreements))
    seconds = np.array([one.seconds for one in agreements])[telling]
    squares = np.array([one.transposed for one in agreements])[telling]
    if len(seconds):
        # chance falls with the root of the time, however much of it lies in each track
        second = squares * seconds
        others = second.sum() - second + USUAL_WEIGHT * USUAL_DEVIATION**2
        deviation = np.sqrt(others / (len(seconds) - 1 + USUAL_WEIGHT) / seconds)
        keys = [
            (
                one.correlation,
                one.higher,
                one.lower,
                one.correlation if one.key_kept is None else one.key_kept,
            )
            for one in agreements
            if one.tells
        ]
        ratios = likelihood_ratio(np.array(keys), deviation[:, None], RIGHT, SPREAD)
        priors = np.log([1 - 2 * SHIFTED - KEY_KEPT, SHIFTED, SHIFTED, KEY_KEPT])
        found[telling] = np.logaddexp.reduce(ratios + priors, axis=1)
    return found


def nats_of_loudness(agreements: Sequence[Agreement]) -> Float64s:
    """Tell how much likelier a recording's loudness is if it is each track, by itself.

    Parameters and returned value are those of `nats`.
    """
    correlations = np.array([one.loudness for one in agreements], np.float64)
    return loudness_nats(correlations, np.array([one.segments for one in agreements], np.float64))


@njit(cache=True, nogil=True)
def _agreements(
    sums: Float64s,
    levels: Float32s,
    packed: UInt8s,
    firsts: Int64s,
    lasts: Int64s,
    offsets: Float64s,
    speed: float,
    hop: float,
) -> tuple[Float64s, int, int]:
    """Give the attributes of each `Agreement`; a fault or 0, and the size of what is damaged."""
    found = np.zeros((len(firsts), ATTRIBUTES))
    for k in range(len(firsts)):
        if firsts[k] == lasts[k]:
            continue
        starts, pitches, loudness, fault = unpack(packed[firsts[k] : lasts[k]])
        if fault:
            return found, fault, lasts[k] - firsts[k]
        found[k] = _agreement(sums, levels, starts, pitches, loudness, offsets[k], speed, hop)
    return found, 0, 0


@njit(cache=True, nogil=True)
def _agreement(
    sums: Float64s,
    levels: Float32s,
    starts: Float64s,
    pitches: Float32s,
    loudness: Float32s,
    offset: float,
    speed: float,
    hop: float,
) -> tuple[float, float, float, float, float, float, float]:
    """Give the attributes of an `Agreement`."""
    loud, segments = compare_loudness(levels, starts, loudness, offset, speed)
    found, seconds = _correlations(sums, starts, pitches, offset, speed, hop)
    if seconds < FEWEST_SECONDS:
        return 0.0, 0.0, 0.0, 0.0, seconds, loud, segments
    found /= seconds
    squares = (found[2:-1] ** 2).mean()
    return found[0], found[1], found[-1], squares, seconds, loud, segments


@njit(cache=True, nogil=True)
def _correlations(
    sums: Float64s,
    starts: Float64s,
    pitches: Float32s,
    offset: float,
    speed: float,
    hop: float,
) -> tuple[Float64s, float]:
    """Give the sum of correlations by transposition, weighted by seconds, and the seconds."""
    frames = len(sums) - 1
    found = np.zeros(PITCH_CLASSES)
    chroma = np.empty(PITCH_CLASSES)
    compared = 0.0
    last = offset + speed * frames * hop
    segment = max(int(np.searchsorted(starts, offset, side="right")) - 1, 0)
    while segment < len(starts) and starts[segment] < last:
        end = starts[segment + 1] if segment + 1 < len(starts) else starts[segment] + LONGEST
        # the middle of the first frame lies at the start of the recording
        first = min(max((starts[segment] - offset) / speed / hop + 0.5, 0.0), float(frames))
        behind = min(max((end - offset) / speed / hop + 0.5, 0.0), float(frames))
        seconds = min((behind - first) * hop, LONGEST)
        sounding = (pitches[segment] >= SOUNDING).sum()
        if seconds >= SHORTEST and 0 < sounding < PITCH_CLASSES:
            _between(sums, first, behind, chroma)
            length = math.sqrt((chroma**2).sum())
            if length > 0:
                scale = math.sqrt(sounding * (1 - sounding / PITCH_CLASSES)) * length
                _add(found, chroma, pitches[segment], seconds / scale)
                compared += seconds
        segment += 1
    return found, compared


@njit(cache=True, nogil=True)
def _between(sums: Float64s, first: float, last: float, chroma: Float64s) -> None:
    """Write the chroma between two moments, in frames, less its mean."""
    frames = len(sums) - 1
    low, high = int(first), int(last)
    after_low, after_high = min(low + 1, frames), min(high + 1, frames)
    mean = 0.0
    for pitch in range(PITCH_CLASSES):
        to_last = sums[high, pitch] + (last - high) * (sums[after_high, pitch] - sums[high, pitch])
        to_first = sums[low, pitch] + (first - low) * (sums[after_low, pitch] - sums[low, pitch])
        chroma[pitch] = to_last - to_first
        mean += chroma[pitch] / PITCH_CLASSES
    chroma -= mean


@njit(cache=True, nogil=True)
def _add(found: Float64s, chroma: Float64s, pitches: Float32s, weight: float) -> None:
    """Add the correlation of a segment in each key."""
    for pitch in range(PITCH_CLASSES):
        if pitches[pitch] >= SOUNDING:
            for key in range(PITCH_CLASSES):
                found[key] += weight * chroma[(pitch + key) % PITCH_CLASSES]
