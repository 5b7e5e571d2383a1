"""Synthetic tracks of independent gaps, drawn from those of real music band by band.

Each track is drawn after one piece: the gaps of each band from that piece's gaps in that band, with
replacement. Durations are lognormal with a mean of 234 s. The same seed gives the same tracks.

Belongs here: drawing gaps. Does not belong here: tracks with the beats of real music (`spliced`),
real music itself (`pieces`), indexes (`judge`).
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    Fingerprint,
    OnsetTrains,
)
from spotify_pipeline.fingerprint.arrays import Bytes, Int64s, UInt8s
from spotify_pipeline.fingerprint.packing import pack_frames
from spotify_pipeline.index.building.segment_writer import PackedTracks, Tracks
from spotify_pipeline.shards import BASE62, TRACK_ID_LENGTH

__all__ = ["Generator", "track_ids"]

MEAN_SECONDS = 234.0
SPREAD = 0.35
"""Standard deviation of the logarithm of durations."""

SHORTEST, LONGEST = 30.0, 1200.0


class Generator:
    """Draws tracks after pieces of real music.

    Parameters
    ----------
    pieces
        At least one.
    seed
        The same one gives the same tracks.
    """

    def __init__(self, pieces: Sequence[Fingerprint], seed: int) -> None:
        self._rhythm = _gap_pools([piece.rhythm for piece in pieces])
        self._echoprint = _gap_pools([piece.echoprint for piece in pieces])
        self._pieces = len(pieces)
        self._random = np.random.default_rng(seed)

    def tracks(self, shard: str, count: int) -> Tracks:
        """Draw the tracks of a shard."""
        mean = np.log(MEAN_SECONDS) - SPREAD**2 / 2
        seconds = np.clip(self._random.lognormal(mean, SPREAD, count), SHORTEST, LONGEST)
        frames = (seconds * FRAMES_PER_SECOND).astype(np.int64)
        pieces = self._random.integers(0, self._pieces, count)
        ids = track_ids(shard, count, self._random)
        return Tracks(
            ids=ids,
            durations=seconds.astype(np.float32),
            rhythm=PackedTracks(*_draw(*self._rhythm, pieces, frames, self._random)),
            echoprint=PackedTracks(*_draw(*self._echoprint, pieces, frames, self._random)),
            harmony=PackedTracks.none(count),
        )


def track_ids(shard: str, count: int, rng: np.random.Generator) -> Bytes:
    """Draw track ids of a shard, bytes of shape (count,)."""
    digits = rng.integers(0, len(BASE62), (count, TRACK_ID_LENGTH))
    letters = np.frombuffer(BASE62.encode(), np.uint8)[digits]
    letters[:, : len(shard)] = np.frombuffer(shard.encode(), np.uint8)
    return np.ascontiguousarray(letters).view(f"S{TRACK_ID_LENGTH}").ravel()


def _gap_pools(trains: Sequence[OnsetTrains]) -> tuple[Int64s, Int64s]:
    """Join the gaps of all pieces and bands; gives where each pool begins, too."""
    pools = [
        np.diff(train.band(band)).astype(np.int64) for train in trains for band in range(BANDS)
    ]
    pools = [pool if len(pool) else np.array([10**6]) for pool in pools]
    return np.concatenate(pools), np.cumsum([0] + [len(pool) for pool in pools])


@njit(cache=True, nogil=True)
def _draw(
    gaps: Int64s, pools: Int64s, pieces: Int64s, lengths: Int64s, rng: np.random.Generator
) -> tuple[UInt8s, Int64s]:
    """Draw and pack the trains of some tracks; gives bytes and where each track begins."""
    packed = np.empty(1 << 20, np.uint8)
    offsets = np.zeros(len(pieces) + 1, np.int64)
    frames = np.empty(1 << 17, np.int32)
    bounds = np.zeros(BANDS + 1, np.int64)
    for track in range(len(pieces)):
        count = 0
        for band in range(BANDS):
            pool = pieces[track] * BANDS + band
            first, size = pools[pool], pools[pool + 1] - pools[pool]
            frame = int(345 * rng.random())
            while frame < lengths[track]:
                frames[count] = frame
                count += 1
                frame += gaps[first + int(size * rng.random())]
            bounds[band + 1] = count
        content = pack_frames(frames[:count], bounds)
        end = offsets[track] + len(content)
        if end > len(packed):
            grown = np.empty(2 * end, np.uint8)
            grown[: offsets[track]] = packed[: offsets[track]]
            packed = grown
        packed[offsets[track] : end] = content
        offsets[track + 1] = end
    return packed[: offsets[-1]].copy(), offsets
