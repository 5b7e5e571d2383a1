"""The feature index as a reader sees it: all segments that count, as they were when it was opened.

Tracks are numbered through, segment by segment.

Belongs here: opening a snapshot, its tracks, candidates over all segments. Does not belong here:
how an index comes about (`build`), one segment's bytes (`segment`), the ranking (`search`).
"""

import os
from collections.abc import Callable, Mapping, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from spotify_pipeline.fingerprint import FRAMES_PER_SECOND, Fingerprint, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int64s, UInt8s
from spotify_pipeline.harmony import HarmonyError, Segments
from spotify_pipeline.harmony.agreement import Agreement, Sound, agreements
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.features import KINDS
from spotify_pipeline.index.likelihood import best_likelihoods, likelihoods_near
from spotify_pipeline.index.manifest import read_manifest
from spotify_pipeline.index.search import Candidate, Lookup, search
from spotify_pipeline.index.segment import Segment

__all__ = ["QUICK", "SKETCHY", "THOROUGH", "Candidate", "Effort", "FeatureIndex"]

FEWEST_POSTINGS = 4_000_000
"""So many postings take no time that matters, however few tracks there are."""

SMALL_INDEX = 60_000
"""So many tracks can be tried one by one: two seconds of work."""

LIKELIEST = 4
"""So many times the features that are looked up are likely enough: rare ones of them tell most. Set
by hand."""


@dataclass(frozen=True)
class Effort:
    """How much is done to find a query's candidates (`benchmarks.index` shows what it brings).

    Attributes
    ----------
    coarseness
        Hits count together in cells of ``2 ** coarseness`` places.
    features
        So many are looked up at the most.
    postings
        For each track of the index, so many are read at the most.
    """

    coarseness: int
    features: int
    postings: int


QUICK = Effort(coarseness=1, features=600, postings=20)
"""Decides most queries of ten seconds."""

THOROUGH = Effort(coarseness=0, features=3000, postings=1000)
"""Several times the work, for those that it did not decide."""

SKETCHY = Effort(coarseness=1, features=1000, postings=40)
"""For what has to be done many times: once for each speed at which a query may have been played."""


_Work = Callable[[Int64s, UInt8s, Int64s, Int64s], None]


class Known(Protocol):
    """What is known of a recording by each kind of trains, nothing if it has no length."""

    @property
    def rhythm(self) -> Sized: ...

    @property
    def echoprint(self) -> Sized: ...


class FeatureIndex:
    """An opened index.

    Parameters
    ----------
    segments
        With the shards of each that count.
    """

    def __init__(self, segments: Sequence[tuple[Segment, Sequence[str]]]) -> None:
        self._segments = [segment for segment, _ in segments]
        self._bounds = np.cumsum([0, *(len(segment) for segment in self._segments)])
        self._dropped = _dropped(segments, self._bounds)

    @classmethod
    def open(cls, folder: Path) -> "FeatureIndex":
        """Map the index that counts.

        Raises
        ------
        FeatureIndexError
            There is none, it is of another version, or a file is missing or damaged.
        """
        manifest = read_manifest(folder)
        if manifest is None:
            raise FeatureIndexError(
                f"{folder}: there is no index yet; run 'spotify-pipeline ingest' or the job 'index'"
            )
        try:
            return cls(
                [
                    (Segment.open(folder / entry.file), list(entry.shards))
                    for entry in manifest.segments
                ]
            )
        except FeatureIndexError:
            if read_manifest(folder) == manifest:
                raise
            return cls.open(folder)  # it was replaced while it was being opened

    def __len__(self) -> int:
        return int(self._bounds[-1] - np.diff(self._dropped).sum())

    def looks_up(self, query: Fingerprint) -> bool:
        """Tell whether a query can be found: not if the index is of other trains than it has."""
        asked = {kind for kind in KINDS if len(getattr(query, kind))}
        return not asked or not self._held or bool(asked & self._held)

    @cached_property
    def _held(self) -> set[str]:
        """The kinds of features that the index has any of."""
        return {
            kind
            for kind, setting in KINDS.items()
            for segment in self._segments
            if segment.array("counts")[setting.first : setting.first + setting.count].any()
        }

    def track_id(self, track: int) -> str:
        """Give the id of a track."""
        segment, number = self._find(track)
        return segment.track_id(number)

    def duration(self, track: int) -> float | None:
        """Give the seconds of a track; None where unknown."""
        segment, number = self._find(track)
        return segment.duration(number)

    def trains(self, track: int, kind: str) -> OnsetTrains:
        """Give a track's trains of a kind of `KINDS`; empty if they are not in the index."""
        segment, number = self._find(track)
        return segment.trains(number, kind)

    def harmony(self, track: int) -> Segments:
        """Give what is known of a track's harmony; no segments if nothing is."""
        segment, number = self._find(track)
        return segment.harmony(number)

    def comparable(self, track: int, known: Known) -> tuple[str, OnsetTrains]:
        """Choose the kind of trains by which a recording is compared with a track.

        Returns
        -------
        The first of `KINDS` that both have, the last one if there is none; the track's trains.
        """
        for kind in KINDS:
            trains = self.trains(track, kind)
            if len(trains) and len(getattr(known, kind)):
                break
        return kind, trains

    def candidates(
        self,
        llr: Mapping[str, Float32s],
        onsets: Fingerprint,
        limit: int,
        effort: Effort = QUICK,
    ) -> list[Candidate]:
        """Rank the tracks that are worth trying, the most promising first.

        Parameters
        ----------
        llr
            `fingerprint.onset_llr` of a recording, for each kind of `features.KINDS`.
        onsets
            The recording's own.
        limit
            Tracks to give at the most.
        effort
            How much to do.

        Raises
        ------
        FeatureIndexError
            A segment is damaged.
        """
        found = search(
            self._segments,
            Lookup.of(llr, onsets, LIKELIEST * effort.features),
            # a shard that was ingested again is there twice, for a while
            2 * limit if len(self._dropped) else limit,
            most_features=effort.features,
            most_postings=max(effort.postings * int(self._bounds[-1]), FEWEST_POSTINGS),
            coarseness=effort.coarseness,
            pool=self._pool,
            workers=os.cpu_count() or 1,
        )
        return self._counting(found)[:limit]

    @property
    def has_rhythm(self) -> bool:
        """Whether tracks have rhythm trains."""
        return "rhythm" in self._held

    @property
    def can_score_every_track(self) -> bool:
        """Whether `likeliest` is worth while: there are few tracks, and they have rhythm trains."""
        return int(self._bounds[-1]) <= SMALL_INDEX and self.has_rhythm

    def likeliest(
        self, llr: Float32s, limit: int, among: Sequence[int] | None = None
    ) -> list[Candidate]:
        """Rank tracks by how likely a recording is if it is that track, at the best offset.

        Parameters
        ----------
        llr
            `fingerprint.onset_llr` of the recording, of all bands or of the first.
        limit
            Tracks to give at the most.
        among
            Tracks to rank; None for all.

        Raises
        ------
        FeatureIndexError
            A segment is damaged.
        """
        workers = os.cpu_count() or 1

        def rank(place: int, part: Int64s) -> list[Candidate]:
            packed, firsts, lasts = self._segments[place].packed(part, "rhythm")
            found, offsets = best_likelihoods(llr, packed, firsts, lasts)
            # a shard that was ingested again is there twice, for a while
            best = np.argsort(-found, kind="stable")[: 2 * limit]
            tracks = part + self._bounds[place]
            return [
                Candidate(int(tracks[k]), int(offsets[k]), float(found[k]))
                for k in best.tolist()
                if found[k] > 0
            ]

        tracks = (
            np.arange(self._bounds[-1]) if among is None else np.sort(np.array(among, np.int64))
        )
        cuts = np.searchsorted(tracks, self._bounds)
        parts = [
            (place, part - self._bounds[place])
            for place in range(len(self._segments))
            for part in np.array_split(tracks[cuts[place] : cuts[place + 1]], workers)
            if len(part)
        ]
        ranked = self._pool.map(rank, *zip(*parts, strict=True)) if parts else []
        candidates = [candidate for part in ranked for candidate in part]
        return self._counting(sorted(candidates, key=lambda c: (-c.score, c.track)))[:limit]

    def _counting(self, found: Sequence[Candidate]) -> list[Candidate]:
        """Leave out what is of shards that do not count any more."""
        dropped = self._dropped.tolist()
        return [c for c in found if not any(first <= c.track < last for first, last in dropped)]

    def likelihoods_near(
        self, llr: Sequence[Float32s], kind: str, candidates: Sequence[Candidate], reach: int
    ) -> tuple[Float64s, Int64s]:
        """Tell how likely a recording is if it is a candidate, near where that was found.

        Parameters
        ----------
        llr, reach
            As of `likelihood.likelihoods_near`.
        kind
            Of `KINDS`.
        candidates
            Of shape (n,).

        Returns
        -------
        As of `likelihood.likelihoods_near`: minus infinity of a track whose trains are not in the
        index.

        Raises
        ------
        FeatureIndexError
            A segment is damaged.
        """
        offsets = np.array([candidate.offset for candidate in candidates], np.int64)
        likelihoods = np.empty(len(candidates), np.float64)
        best = np.empty(len(candidates), np.int64)

        def weigh(chosen: Int64s, packed: UInt8s, firsts: Int64s, lasts: Int64s) -> None:
            likelihoods[chosen], best[chosen] = likelihoods_near(
                llr, packed, firsts, lasts, offsets[chosen], reach
            )

        self._map_packed(weigh, candidates, kind)
        return likelihoods, best

    def agreements(
        self, sound: Sound, candidates: Sequence[Candidate], speed: float
    ) -> list[Agreement]:
        """Tell how well what sounds in a recording agrees with candidates, where they were found.

        Parameters
        ----------
        sound, speed
            As of `harmony.agreement.agreements`.
        candidates
            Of shape (n,).

        Returns
        -------
        One a candidate; one that tells nothing where a track's harmony is not known.

        Raises
        ------
        FeatureIndexError
            A segment is damaged.
        """
        offsets = np.array([candidate.offset for candidate in candidates], np.int64)
        found = [Agreement()] * len(candidates)

        def compare(chosen: Int64s, packed: UInt8s, firsts: Int64s, lasts: Int64s) -> None:
            begin = offsets[chosen] / FRAMES_PER_SECOND
            agreed = agreements(sound, packed, firsts, lasts, begin, speed)
            for place, one in zip(chosen.tolist(), agreed, strict=True):
                found[place] = one

        self._map_packed(compare, candidates, "harmony")
        return found

    def _map_packed(self, work: _Work, candidates: Sequence[Candidate], content: str) -> None:
        """Let threads work on what is packed of candidates, each on some of one segment.

        Parameters
        ----------
        work
            Given the places of some candidates, and `Segment.packed` of them.
        candidates
            Of shape (n,).
        content
            As of `Segment.packed`.
        """
        tracks = np.array([candidate.track for candidate in candidates], np.int64)
        places = np.searchsorted(self._bounds, tracks, side="right") - 1

        def run(chosen: Int64s) -> None:
            place = places[chosen[0]]
            segment = self._segments[place]
            packed = segment.packed(tracks[chosen] - self._bounds[place], content)
            try:
                work(chosen, *packed)
            except HarmonyError as error:
                raise FeatureIndexError(
                    f"{segment.file.path}: {error}; run the job 'index' again"
                ) from error

        chunks = [
            chunk
            for place in np.unique(places)
            for chunk in np.array_split(np.flatnonzero(places == place), os.cpu_count() or 1)
            if len(chunk)
        ]
        list(self._pool.map(run, chunks))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count() or 1)

    def _find(self, track: int) -> tuple[Segment, int]:
        place = int(np.searchsorted(self._bounds, track, side="right")) - 1
        return self._segments[place], track - int(self._bounds[place])


def _dropped(segments: Sequence[tuple[Segment, Sequence[str]]], bounds: Int64s) -> Int64s:
    """Give the ranges of tracks that do not count, int64 of shape (n, 2)."""
    ranges = [
        (bound + first, bound + last)
        for (segment, counting), bound in zip(segments, bounds[:-1].tolist(), strict=True)
        for shard, first, last in segment.shard_ranges()
        if shard.shard not in counting
    ]
    return np.array(ranges, np.int64).reshape(-1, 2)
