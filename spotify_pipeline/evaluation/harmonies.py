"""Harmony of the tracks of an evaluation, made of recordings as an analyzer might have made it.

Nobody has the analyzer that made the dump's segments. Were a piece's segments made in the way in
which excerpts are heard, they would agree far better than real ones do. So they are disturbed:
borders move, some are missing and some too many; pitch classes, and segments, are louder or softer
than they are, in one piece more than in another. How much was set by hand. Clean excerpts of ten
seconds, pitches: a correlation of 0.53 in the median of 103 pieces, four in five at 0.34 to 0.66;
those of two recordings with their real documents have 0.52 and 0.59. Loudness: a Fisher transform
of 1.0, four in five at 0.6 to 1.5, and 1.1 and 1.7 (`benchmarks.harmony --music`).

Belongs here: segments of pieces, and of tracks that are spliced from pieces. Does not belong here:
chroma and agreement (`harmony`), which stretches are spliced (`spliced`).
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from spotify_pipeline.evaluation.spliced import Stretches
from spotify_pipeline.fingerprint import FRAMES_PER_SECOND, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.harmony import PITCH_CLASSES, Segments, pack_harmony
from spotify_pipeline.harmony.agreement import Sound, pitches_between
from spotify_pipeline.harmony.chroma import analyzer_pitches
from spotify_pipeline.harmony.loudness import analyzer_loudness, loudest_between
from spotify_pipeline.index.building.segment_writer import PackedTracks

__all__ = ["disturbed_harmony", "spliced_harmony"]

SEGMENTS_A_SECOND = 4.2
"""Of 24 documents: 3.2 to 5.7."""

SHORTEST = 0.1
SMOOTHING = 4
"""Frames: onsets of several bands that lie so near are one border."""

BORDER_JITTER = 0.02
"""Seconds, standard deviation."""

DROPPED = ADDED = 0.15
"""Fractions of the borders."""

PITCH_JITTER = (0.1, 0.7)
"""Standard deviation of the logarithm of a pitch class's strength, from piece to piece."""

LOUDNESS_JITTER = (0.0, 2.0)
"""Standard deviation of the loudness of a segment, from piece to piece, dB."""


def disturbed_harmony(samples: Float32s, onsets: OnsetTrains, rng: np.random.Generator) -> Segments:
    """Make the segments of a piece.

    Parameters
    ----------
    samples
        float32, 11025 Hz.
    onsets
        Its rhythm trains: segments begin where several bands have onsets.
    rng
        Of what disturbs them.
    """
    starts = _disturbed_starts(_starts(onsets), rng)
    pitches = pitches_between(Sound.of(analyzer_pitches(samples)), starts)
    spread = rng.uniform(*PITCH_JITTER)
    pitches = pitches * np.exp(spread * rng.standard_normal(pitches.shape))
    pitches /= np.maximum(pitches.max(axis=1, keepdims=True), 1e-9)
    loudness = loudest_between(analyzer_loudness(samples), starts)
    loudness += rng.uniform(*LOUDNESS_JITTER) * rng.standard_normal(len(starts), np.float32)
    return Segments(starts, pitches.astype(np.float32), loudness)


def _starts(onsets: OnsetTrains) -> Float64s:
    """Choose the moments at which most bands have an onset, seconds; the first is 0."""
    frames = onsets.frames
    counts = np.bincount(frames, minlength=1).astype(np.float64)
    strength = gaussian_filter1d(counts, SMOOTHING, mode="constant")
    peaks, _ = find_peaks(strength, distance=round(SHORTEST * FRAMES_PER_SECOND))
    wanted = round(SEGMENTS_A_SECOND * len(counts) / FRAMES_PER_SECOND)
    best = np.sort(peaks[np.argsort(-strength[peaks], kind="stable")[:wanted]])
    return np.concatenate(([0.0], best / FRAMES_PER_SECOND))


def _disturbed_starts(starts: Float64s, rng: np.random.Generator) -> Float64s:
    """Move, drop and add some."""
    kept = starts[rng.random(len(starts)) >= DROPPED]
    added = rng.uniform(0, starts[-1], round(ADDED * len(starts)))
    moved = np.concatenate((kept + BORDER_JITTER * rng.standard_normal(len(kept)), added, [0.0]))
    return np.sort(np.maximum(moved, 0.0))


def spliced_harmony(harmonies: Sequence[Segments], stretches: Stretches) -> PackedTracks:
    """Pack the harmony of tracks that are spliced from pieces.

    Parameters
    ----------
    harmonies
        Of the pieces.
    stretches
        Of the tracks. Pitches stay as they are in the pieces, whatever the speed: so tracks are in
        the keys of real music.
    """
    packed = []
    for first, last in zip(stretches.tracks[:-1], stretches.tracks[1:], strict=True):
        parts = [_played(harmonies, stretches, stretch) for stretch in range(first, last)]
        ends = np.cumsum([0.0, *(seconds for _, seconds in parts)])
        joined = [(part.starts + end, part) for (part, _), end in zip(parts, ends, strict=False)]
        packed.append(
            pack_harmony(
                Segments(
                    np.concatenate([starts for starts, _ in joined]),
                    np.concatenate([part.pitches for _, part in joined]),
                    np.concatenate([part.loudness for _, part in joined]),
                )
            )
        )
    return PackedTracks.of(packed)


def _played(
    harmonies: Sequence[Segments], stretches: Stretches, stretch: int
) -> tuple[Segments, float]:
    """Give the segments of a stretch, from 0 seconds on, and how long it is."""
    own = harmonies[stretches.pieces[stretch]]
    speed = float(stretches.speeds[stretch])
    begin = stretches.firsts[stretch] / FRAMES_PER_SECOND
    seconds = stretches.lengths[stretch] / FRAMES_PER_SECOND
    times = int(stretches.times[stretch])
    # the segment in which the stretch begins, and those that begin in it
    low = max(int(np.searchsorted(own.starts, begin, side="right")) - 1, 0)
    high = int(np.searchsorted(own.starts, begin + seconds))
    once = np.maximum(own.starts[low:high] - begin, 0.0) / speed
    repeated = np.arange(times) * seconds / speed
    starts = (once[None, :] + repeated[:, None]).ravel()
    pitches = np.tile(own.pitches[low:high], (times, 1)).reshape(-1, PITCH_CLASSES)
    loudness = np.tile(own.loudness[low:high], times)
    return Segments(starts, pitches, loudness), times * seconds / speed
