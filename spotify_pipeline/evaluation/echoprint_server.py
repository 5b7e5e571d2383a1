"""The search of echoprint-server, to compare with: blocks of song numbers by code, and counting.

A block has up to 65,535 songs. Each of the 2^20 codes lists the songs that have it, as uint16. A
query counts, for each song, how many of its different codes the song has; the score is Jaccard's
index, the size of the intersection over that of the union. There are no times, so nothing can be
aligned.

Belongs here: this one baseline. Does not belong here: others (`baselines`).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import EchoprintCodes
from spotify_pipeline.fingerprint.arrays import Float64s, Int64s, UInt8s, UInt16s, UInt32s
from spotify_pipeline.fingerprint.codes import write_codes
from spotify_pipeline.fingerprint.packing import unpack_frames
from spotify_pipeline.index.building.segment_writer import PackedTracks

__all__ = ["BLOCK_SONGS", "CODES", "Block"]

BLOCK_SONGS = 65_535
CODES = 1 << 20


@dataclass(frozen=True)
class Block:
    """Some songs' codes.

    Attributes
    ----------
    songs
        uint16, the songs of code 0, of code 1, and so on.
    starts
        int64 of shape (CODES + 1,): where those of each code begin.
    sizes
        int64 of shape (songs,): different codes of each song.
    """

    songs: UInt16s
    starts: Int64s
    sizes: Int64s

    @classmethod
    def of(cls, trains: PackedTracks) -> "Block":
        """Index the Echoprint trains of up to `BLOCK_SONGS` songs."""
        codes, offsets = _different_codes(trains.content, trains.offsets)
        songs, starts = _invert(codes, offsets)
        return cls(songs, starts, np.diff(offsets))

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.songs.nbytes + self.starts.nbytes + self.sizes.nbytes)

    def scores(self, codes: EchoprintCodes) -> Float64s:
        """Give Jaccard's index of each song with a query, float64 of shape (songs,)."""
        asked = np.unique(codes.codes)
        counts = _count(self.songs, self.starts, len(self.sizes), asked)
        scores: Float64s = counts / np.maximum(len(asked) + self.sizes - counts, 1)
        return scores


@njit(cache=True, nogil=True)
def _different_codes(content: UInt8s, offsets: Int64s) -> tuple[UInt32s, Int64s]:
    """Give the codes of all songs, each once a song, and where each song's begin."""
    songs = len(offsets) - 1
    last_song = np.full(CODES, -1, np.int32)
    codes = np.empty(6_000 * songs + 1, np.uint32)
    starts = np.zeros(songs + 1, np.int64)
    count = 0
    for song in range(songs):
        frames, bounds = unpack_frames(content[offsets[song] : offsets[song + 1]])
        _, made = write_codes(frames, bounds, False)
        if count + len(made) > len(codes):
            grown = np.empty(2 * len(codes) + len(made), np.uint32)
            grown[:count] = codes[:count]
            codes = grown
        for code in made:
            if last_song[code] != song:
                last_song[code] = song
                codes[count] = code
                count += 1
        starts[song + 1] = count
    return codes[:count], starts


@njit(cache=True, nogil=True)
def _invert(codes: UInt32s, offsets: Int64s) -> tuple[UInt16s, Int64s]:
    starts = np.zeros(CODES + 1, np.int64)
    for code in codes:
        starts[code + 1] += 1
    starts = np.cumsum(starts)
    ends = starts[:-1].copy()
    songs = np.empty(len(codes), np.uint16)
    for song in range(len(offsets) - 1):
        for position in range(offsets[song], offsets[song + 1]):
            code = codes[position]
            songs[ends[code]] = song
            ends[code] += 1
    return songs, starts


@njit(cache=True, nogil=True)
def _count(songs: UInt16s, starts: Int64s, number: int, asked: UInt32s) -> Int64s:
    counts = np.zeros(number, np.int64)
    for code in asked:
        for position in range(starts[code], starts[code + 1]):
            counts[songs[position]] += 1
    return counts
