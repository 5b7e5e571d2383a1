"""Synthetic tracks that are spliced from the onset trains of real pieces.

A track is one to three stretches of different pieces, one after the other, each played at another
speed than its piece; three stretches in ten are short loops that repeat. Onsets are jittered by
about a frame, a tenth is dropped, a tenth is added at random, and what falls into the detector's
dead time goes. So beats, bars and bands that strike together stay those of real music. Tracks of
independent gaps (`synthetic`) lack them, and are far easier to tell from the right one. Echoprint
trains are the rhythm onsets, thinned to the pieces' rate. The same seed gives the same tracks.

Belongs here: drawing stretches, and playing them. Does not belong here: tracks of independent gaps
(`synthetic`), which pieces may be spliced for whom (`impostors`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.evaluation.synthetic import track_ids
from spotify_pipeline.fingerprint import (
    BANDS,
    ECHOPRINT,
    FRAMES_PER_SECOND,
    RHYTHM,
    Fingerprint,
    OnsetTrains,
)
from spotify_pipeline.fingerprint.arrays import Float64s, Int32s, Int64s, UInt8s
from spotify_pipeline.fingerprint.packing import pack_frames
from spotify_pipeline.index.building.segment_writer import PackedTracks, Tracks

__all__ = ["Splicer", "Stretches"]

MOST_STRETCHES = 3
SECONDS = (10.0, 80.0)
"""Of a piece that is played once."""

LOOPS = 0.3
"""Fraction of the stretches that are loops."""

LOOP_SECONDS = (4.0, 16.0)
LOOP_TIMES = (2, 5)
"""How often a loop is played, from and to."""

SPEEDS = (0.75, 1.33)
OWN_SPEEDS = (0.95, 1.05)
"""Speeds between these are too near to a piece's own."""

JITTER = 1.0
"""Standard deviation of what onsets are moved by, in frames."""

DROPPED = ADDED = 0.1
"""Fractions of the onsets."""

_RHYTHM_DEADTIME, _ECHOPRINT_DEADTIME = RHYTHM.deadtime, ECHOPRINT.deadtime


@dataclass(frozen=True)
class Stretches:
    """Stretches of pieces, in the order in which they are played; arrays of shape (stretches,).

    Attributes
    ----------
    tracks
        int64 of shape (tracks + 1,): a track's stretches are those from its number to before the
        next one's.
    pieces
        int64, numbers of the pieces.
    firsts, lengths
        int64, frames of the piece.
    speeds
        float64; above 1, the stretch is played in less time than in its piece.
    times
        int64, how often it is played.
    """

    tracks: Int64s
    pieces: Int64s
    firsts: Int64s
    lengths: Int64s
    speeds: Float64s
    times: Int64s

    @classmethod
    def drawn(cls, lengths: Int64s, count: int, rng: np.random.Generator) -> "Stretches":
        """Draw the stretches of so many tracks.

        Parameters
        ----------
        lengths
            int64 of shape (pieces,): frames of each piece.
        count
            Of tracks.
        rng
            Source of random numbers.
        """
        most = min(MOST_STRETCHES, len(lengths))
        numbers = rng.integers(1, most + 1, count)
        # the pieces of a track are different ones
        order = np.argsort(rng.random((count, len(lengths))), axis=1)[:, :most]
        pieces = order[np.arange(most) < numbers[:, None]].astype(np.int64)
        looped = rng.random(len(pieces)) < LOOPS
        seconds = np.where(
            looped,
            rng.uniform(*LOOP_SECONDS, len(pieces)),
            rng.uniform(*SECONDS, len(pieces)),
        )
        wanted = (seconds * FRAMES_PER_SECOND).astype(np.int64)
        played = np.minimum(wanted, lengths[pieces])
        firsts = (rng.random(len(pieces)) * (lengths[pieces] - played + 1)).astype(np.int64)
        times = np.where(
            looped, rng.integers(LOOP_TIMES[0], LOOP_TIMES[1] + 1, len(pieces)), 1
        ).astype(np.int64)
        bounds = np.concatenate(([0], np.cumsum(numbers)))
        return cls(bounds, pieces, firsts, played, _speeds(len(pieces), rng), times)

    @property
    def seconds(self) -> Float64s:
        """How long each track is, float64 of shape (tracks,)."""
        played = self.lengths * self.times / self.speeds / FRAMES_PER_SECOND
        sums = np.concatenate(([0.0], np.cumsum(played)))
        return np.asarray(np.diff(sums[self.tracks]), np.float64)


def _speeds(count: int, rng: np.random.Generator) -> Float64s:
    """Draw speeds, none of them near 1."""
    slower, faster = OWN_SPEEDS[0] - SPEEDS[0], SPEEDS[1] - OWN_SPEEDS[1]
    positions = rng.uniform(0, slower + faster, count)
    return np.where(positions < slower, SPEEDS[0] + positions, OWN_SPEEDS[1] + positions - slower)


class Splicer:
    """Splices tracks from pieces of real music.

    Parameters
    ----------
    pieces
        At least one with rhythm onsets; those without are left out.
    seed
        The same one gives the same tracks.
    """

    def __init__(self, pieces: Sequence[Fingerprint], seed: int) -> None:
        kept = [piece for piece in pieces if len(piece.rhythm)]
        trains = [piece.rhythm for piece in kept]
        self._frames = np.concatenate([train.frames for train in trains])
        counts = np.concatenate([train.counts for train in trains])
        self._bounds = np.concatenate(([0], np.cumsum(counts)))
        self._lengths = np.array([int(train.frames.max()) + 1 for train in trains], np.int64)
        self._thinning = _thinning(trains, [piece.echoprint for piece in kept], self._lengths)
        self._random = np.random.default_rng(seed)

    def tracks(self, shard: str, count: int) -> Tracks:
        """Splice the tracks of a shard; nothing is reported of their harmony."""
        return self.played(shard, self.drawn(count))

    def drawn(self, count: int) -> Stretches:
        """Draw the stretches of so many tracks; pieces are those that have rhythm onsets."""
        return Stretches.drawn(self._lengths, count, self._random)

    def played(self, shard: str, stretches: Stretches) -> Tracks:
        """Play the stretches that were drawn for the tracks of a shard."""
        count = len(stretches.tracks) - 1
        ids = track_ids(shard, count, self._random)
        rhythm, rhythm_offsets, echoprint, echoprint_offsets = _splice(
            self._frames,
            self._bounds,
            stretches.tracks,
            stretches.pieces,
            stretches.firsts,
            stretches.lengths,
            stretches.speeds,
            stretches.times,
            self._thinning,
            self._random,
        )
        return Tracks(
            ids=ids,
            durations=stretches.seconds.astype(np.float32),
            rhythm=PackedTracks(rhythm, rhythm_offsets),
            echoprint=PackedTracks(echoprint, echoprint_offsets),
            harmony=PackedTracks.none(count),
        )


def _thinning(
    rhythm: Sequence[OnsetTrains], echoprint: Sequence[OnsetTrains], lengths: Int64s
) -> float:
    """Give the probability to keep a rhythm onset after the dead time for the Echoprint train.

    The pieces' mean Echoprint gap is the dead time and, from there on, as many rhythm gaps as it
    takes until one is kept.
    """
    frames = float(BANDS * lengths.sum())
    rhythm_onsets, echoprint_onsets = (sum(map(len, trains)) for trains in (rhythm, echoprint))
    if echoprint_onsets == 0:
        return 0.0
    rhythm_gap, echoprint_gap = frames / rhythm_onsets, frames / echoprint_onsets
    return min(rhythm_gap / max(echoprint_gap - ECHOPRINT.deadtime, 1.0), 1.0)


@njit(cache=True, nogil=True)
def _splice(
    frames: Int32s,
    bounds: Int64s,
    tracks: Int64s,
    pieces: Int64s,
    firsts: Int64s,
    lengths: Int64s,
    speeds: Float64s,
    times: Int64s,
    thinning: float,
    rng: np.random.Generator,
) -> tuple[UInt8s, Int64s, UInt8s, Int64s]:
    """Play and pack the stretches of all tracks; gives bytes and offsets of both kinds of trains.

    `frames` and `bounds` are those of all pieces, one band after the other; the rest is as of
    `Stretches`.
    """
    count = len(tracks) - 1
    rhythm, echoprint = np.empty(1 << 20, np.uint8), np.empty(1 << 20, np.uint8)
    rhythm_offsets, echoprint_offsets = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    played = np.empty(1 << 16, np.int32)
    ends = np.zeros(BANDS + 1, np.int64)
    for track in range(count):
        for band in range(BANDS):
            ends[band + 1] = ends[band]
            start = 0.0
            for stretch in range(tracks[track], tracks[track + 1]):
                position = pieces[stretch] * BANDS + band
                own = frames[bounds[position] : bounds[position + 1]]
                low = np.searchsorted(own, firsts[stretch])
                high = np.searchsorted(own, firsts[stretch] + lengths[stretch])
                most = ends[band + 1] + 4 * times[stretch] * (high - low) + 1_000
                if most > len(played):
                    grown = np.empty(2 * most, np.int32)
                    grown[: ends[band + 1]] = played[: ends[band + 1]]
                    played = grown
                for _ in range(times[stretch]):
                    ends[band + 1] = _play(
                        own[low:high],
                        firsts[stretch],
                        lengths[stretch],
                        speeds[stretch],
                        start,
                        played,
                        ends[band],
                        ends[band + 1],
                        rng,
                    )
                    start += lengths[stretch] / speeds[stretch]
        onsets = played[: ends[BANDS]]
        rhythm = _append(rhythm, rhythm_offsets, track, onsets, ends)
        thinned, thinned_ends = _thinned(onsets, ends, thinning, rng)
        echoprint = _append(echoprint, echoprint_offsets, track, thinned, thinned_ends)
    return (
        rhythm[: rhythm_offsets[-1]].copy(),
        rhythm_offsets,
        echoprint[: echoprint_offsets[-1]].copy(),
        echoprint_offsets,
    )


@njit(cache=True, nogil=True)
def _play(
    own: Int32s,
    first: int,
    length: int,
    speed: float,
    start: float,
    played: Int32s,
    band_first: int,
    end: int,
    rng: np.random.Generator,
) -> int:
    """Write a stretch of a band behind what was played of it; gives where that ends now."""
    if len(own) == 0:
        return end
    mean_gap = length / speed / len(own) / ADDED
    added = start + mean_gap * _exponential(rng)
    stretch_end = start + length / speed
    for k in range(len(own) + 1):
        frame = stretch_end
        if k < len(own):
            frame = start + (own[k] - first) / speed
        while added < frame:
            end = _write(played, band_first, end, added)
            added += mean_gap * _exponential(rng)
        if k < len(own) and rng.random() >= DROPPED:
            end = _write(played, band_first, end, frame + _jitter(rng))
    return end


@njit(cache=True, nogil=True)
def _exponential(rng: np.random.Generator) -> float:
    """Draw a waiting time with a mean of 1."""
    return -math.log(1 - rng.random())


@njit(cache=True, nogil=True)
def _jitter(rng: np.random.Generator) -> float:
    """Draw what an onset is moved by: all but normal, the sum of three numbers."""
    # quicker to draw and to compile than the generator's own normal distribution
    return 2 * JITTER * (rng.random() + rng.random() + rng.random() - 1.5)


@njit(cache=True, nogil=True)
def _write(played: Int32s, band_first: int, end: int, moment: float) -> int:
    """Write an onset unless it falls into the dead time of the one before."""
    frame = max(int(np.rint(moment)), 0)
    if end > band_first and frame - played[end - 1] < _RHYTHM_DEADTIME:
        return end
    played[end] = frame
    return end + 1


@njit(cache=True, nogil=True)
def _thinned(
    onsets: Int32s, bounds: Int64s, kept: float, rng: np.random.Generator
) -> tuple[Int32s, Int64s]:
    """Keep some of the onsets that lie behind the dead time of the one kept before."""
    frames = np.empty(len(onsets), np.int32)
    ends = np.zeros(BANDS + 1, np.int64)
    count = 0
    for band in range(BANDS):
        last = -_ECHOPRINT_DEADTIME
        for onset in onsets[bounds[band] : bounds[band + 1]]:
            if onset - last >= _ECHOPRINT_DEADTIME and rng.random() < kept:
                frames[count] = onset
                count += 1
                last = onset
        ends[band + 1] = count
    return frames[:count], ends


@njit(cache=True, nogil=True)
def _append(packed: UInt8s, offsets: Int64s, track: int, frames: Int32s, bounds: Int64s) -> UInt8s:
    """Pack a track's trains behind those of the tracks before; gives the bytes, grown."""
    start = offsets[track]
    offsets[track + 1] = start
    if len(frames) == 0:
        return packed
    content = pack_frames(frames, bounds)
    end = start + len(content)
    if end > len(packed):
        grown = np.empty(2 * end, np.uint8)
        grown[:start] = packed[:start]
        packed = grown
    packed[start:end] = content
    offsets[track + 1] = end
    return packed
