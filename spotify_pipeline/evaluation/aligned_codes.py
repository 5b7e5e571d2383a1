"""The time-aligned search that follows from Echoprint codes: count hits by song and time offset.

Each code lists the songs that have it, and when, in units of 23 ms. Every hit of a query's code
says at which offset song and query would agree; a song's score is the most hits in two neighbouring
offsets. All songs are scored, and nothing is left out of the lists: codes are made without the stop
codes that the open reference pads with.

Belongs here: this one baseline. Does not belong here: others (`baselines`).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.evaluation.echoprint_server import CODES
from spotify_pipeline.fingerprint import EchoprintCodes
from spotify_pipeline.fingerprint.arrays import Int32s, Int64s, UInt8s, UInt32s
from spotify_pipeline.fingerprint.codes import write_codes
from spotify_pipeline.fingerprint.packing import unpack_frames
from spotify_pipeline.index.building.segment_writer import PackedTracks

__all__ = ["AlignedCodes"]


@dataclass(frozen=True)
class AlignedCodes:
    """All songs' codes with their times.

    Attributes
    ----------
    hits
        uint32 of shape (codes of all songs, 2): song and time, code by code, within a code song by
        song.
    starts
        int64 of shape (CODES + 1,): where those of each code begin.
    songs
        How many there are.
    """

    hits: UInt32s
    starts: Int64s
    songs: int

    @classmethod
    def of(cls, trains: PackedTracks) -> "AlignedCodes":
        """Index Echoprint trains."""
        starts = np.cumsum(_count_codes(trains.content, trains.offsets))
        hits = _place_codes(trains.content, trains.offsets, starts)
        return cls(hits, starts, len(trains.offsets) - 1)

    def scores(self, codes: EchoprintCodes) -> Int32s:
        """Give the most hits of each song in two neighbouring offsets, int32 of shape (songs,)."""
        scores: Int32s = _score(self.hits, self.starts, self.songs, codes.times, codes.codes)
        return scores


@njit(cache=True, nogil=True)
def _count_codes(content: UInt8s, offsets: Int64s) -> Int64s:
    """Count each code at the place after its own, int64 of shape (CODES + 1,)."""
    counts = np.zeros(CODES + 1, np.int64)
    for song in range(len(offsets) - 1):
        frames, bounds = unpack_frames(content[offsets[song] : offsets[song + 1]])
        for code in write_codes(frames, bounds, False)[1]:
            counts[code + 1] += 1
    return counts


@njit(cache=True, nogil=True)
def _place_codes(content: UInt8s, offsets: Int64s, starts: Int64s) -> UInt32s:
    """Write every code's songs and times where they belong."""
    ends = starts[:-1].copy()
    hits = np.empty((starts[-1], 2), np.uint32)
    for song in range(len(offsets) - 1):
        frames, bounds = unpack_frames(content[offsets[song] : offsets[song + 1]])
        times, codes = write_codes(frames, bounds, False)
        for k in range(len(codes)):
            hits[ends[codes[k]], 0] = song
            hits[ends[codes[k]], 1] = times[k]
            ends[codes[k]] += 1
    return hits


@njit(cache=True, nogil=True)
def _score(hits: UInt32s, starts: Int64s, songs: int, times: UInt32s, codes: UInt32s) -> Int32s:
    """Gather the offsets of each song's hits, and find where they are most."""
    bounds = np.zeros(songs + 1, np.int64)
    for code in codes:
        for position in range(starts[code], starts[code + 1]):
            bounds[hits[position, 0] + 1] += 1
    bounds = np.cumsum(bounds)
    offsets = np.empty(bounds[-1], np.int64)
    ends = bounds[:-1].copy()
    for k in range(len(codes)):
        for position in range(starts[codes[k]], starts[codes[k] + 1]):
            song = hits[position, 0]
            offsets[ends[song]] = np.int64(hits[position, 1]) - np.int64(times[k])
            ends[song] += 1
    best = np.zeros(songs, np.int32)
    for song in range(songs):
        best[song] = _most_in_two(np.sort(offsets[bounds[song] : bounds[song + 1]]))
    return best


@njit(cache=True, nogil=True)
def _most_in_two(offsets: Int64s) -> int:
    """Give the most of some ascending numbers that are equal or one apart."""
    best = first = 0
    for last in range(len(offsets)):
        while offsets[last] - offsets[first] > 1:
            first += 1
        best = max(best, last - first + 1)
    return best
