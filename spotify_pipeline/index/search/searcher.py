"""The feature index as a reader sees it: all segments that count, as they were when it was opened.

Tracks are numbered through, segment by segment.

Belongs here: opening a snapshot, its tracks, what all segments tell together. Does not belong here:
how an index comes about (`building`), one segment's bytes (`format.segment`) and what it can be
asked (`segment_searcher`).
"""

import os
from collections.abc import Callable, Mapping, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from spotify_pipeline.fingerprint import FRAMES_PER_SECOND, Fingerprint, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int64s, UInt64s
from spotify_pipeline.harmony import Segments
from spotify_pipeline.harmony.agreement import Agreement, Sound
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.format.key_setting import KEYS, KINDS
from spotify_pipeline.index.format.manifest import Manifest, read_manifest
from spotify_pipeline.index.format.postings import PAGE
from spotify_pipeline.index.format.segment import Segment
from spotify_pipeline.index.kernels.hits import MOST_KEYS
from spotify_pipeline.index.kernels.likely_keys import (
    LikelyKeys,
    LinkedOnsets,
    own_keys,
)
from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline.index.search.segment_searcher import SegmentSearcher

__all__ = [
    "FOUR_STEPS",
    "QUICK",
    "SHORT",
    "SKETCHY",
    "SLIGHT",
    "THOROUGH",
    "Candidate",
    "Effort",
    "Searcher",
]

SMALL_INDEX = 60_000
"""So many tracks can be scored one by one: two seconds of work."""

TRIED_REACH = 256
"""Frames by which the offset may be off at which a track was likeliest of all offsets."""

MOST_AT_ONCE = 2_000
"""So many tracks are scored before a deadline is looked at again: some tens of milliseconds."""

FOUR_STEPS = 1_000 << 24
"""An index of more postings is asked for four steps of a key, which are in one posting of some 50
million; a smaller one for three, which the track has ten times as likely: of 2 ** 24 that are
indexed, each has fewer than a thousand postings then."""


@dataclass(frozen=True)
class Effort:
    """How much is done to find a query's candidates (`benchmarks.index` shows what it brings).

    Attributes
    ----------
    chains
        About so many chains of onsets are followed to find likely keys.
    keys
        So many ranges of keys are read at the most.
    postings
        So many postings are read at the most, whole pages of all segments.
    short
        Whether two steps of each key are read, whatever the size of the index: noise hides them
        less often, and many more tracks have them.
    """

    chains: int
    keys: int
    postings: int
    short: bool = False


SLIGHT = Effort(chains=5_000, keys=1_000, postings=2_000_000)
"""Decides clear recordings. Of 37 clips of 5 and 10 s of the validation set that tell 250 nats
(clean, telephone, room, pink noise of 10 dB, white noise as loud as the music), all come first
among 20,000 tracks by this alone, as they do by the quick one."""

QUICK = Effort(chains=50_000, keys=8_000, postings=10_000_000)
"""Decides most queries of ten seconds. Of 70 clips of 5 and 10 s of the validation set (clean,
telephone, room, pink noise of 10 dB, white noise as loud as the music), 71 % have their track among
the best 30 of 20,000, and 61 % of 100,000; of twice as many chains, 71 and 62 %."""

THOROUGH = Effort(chains=400_000, keys=40_000, postings=60_000_000)
"""Several times the work, for those that it did not decide. Of 112 clips of 5 and 10 s of the
validation set (clean, telephone, room, white noise as loud as the music) among 20,000 synthetic
tracks, half of them spliced, 70 % have their track among the best 60; by the quick one, 68 %."""

SHORT = Effort(chains=100_000, keys=8_000, postings=10_000_000, short=True)
"""What comes after that in indexes of up to some millions of tracks. Of 24 clips of 5 and 10 s of
the validation set (telephone, room, pink noise of 10 dB, white noise as loud as the music) among
20,000 tracks, the thorough search has 18 tracks among the best 1,000; this one, 20; both, 21."""

SKETCHY = Effort(chains=50_000, keys=5_000, postings=6_000_000)
"""For what has to be done many times: once for each speed at which a query may have been played."""


@dataclass(frozen=True)
class Candidate:
    """A track that may be a query's.

    Attributes
    ----------
    track
        Its number among the tracks of all segments.
    offset
        The frame of the track where the query begins.
    score
        The weight of the hits; where tracks were tried at every offset, the likelihood.
    reach
        Frames by which the offset may be off.
    """

    track: int
    offset: int
    score: float
    reach: int


_Work = Callable[[SegmentSearcher, Int64s, Int64s], None]


class Known(Protocol):
    """What is known of a recording by each kind of trains, nothing if it has no length."""

    @property
    def rhythm(self) -> Sized: ...

    @property
    def echoprint(self) -> Sized: ...


class Searcher:
    """An opened index.

    Parameters
    ----------
    segments
        With the shards of each that count.
    four_steps
        Of more postings than that, single keys are read; see `FOUR_STEPS`.
    published
        The folder, and the manifest that named these segments; None of an index of no folder.
    """

    def __init__(
        self,
        segments: Sequence[tuple[Segment, Sequence[str]]],
        four_steps: int = FOUR_STEPS,
        published: tuple[Path, Manifest] | None = None,
    ) -> None:
        self._published = published
        self._segments = [segment for segment, _ in segments]
        self._searchers = [SegmentSearcher(segment) for segment in self._segments]
        self._keys = self._segments[0].info.keys if segments else KEYS
        self._bounds = np.cumsum([0, *(len(segment) for segment in self._segments)])
        self._dropped = _dropped(segments, self._bounds)
        self._steps = 4 if sum(one.info.postings for one in self._segments) > four_steps else 3

    @classmethod
    def open(cls, folder: Path, held: Mapping[str, Segment] | None = None) -> "Searcher":
        """Map the index that counts.

        Parameters
        ----------
        folder
            Of the index.
        held
            Segments of it that are open already, by file name.

        Raises
        ------
        FeatureIndexError
            There is none, it is of another version, or a file is missing or damaged.
        """
        held = held or {}
        manifest = read_manifest(folder)
        if manifest is None:
            raise FeatureIndexError(
                f"{folder}: there is no index yet; run 'spotify-pipeline ingest' or the job 'index'"
            )
        try:
            segments = [
                (held.get(entry.file) or Segment.open(folder / entry.file), list(entry.shards))
                for entry in manifest.segments
            ]
        except FeatureIndexError:
            if read_manifest(folder) == manifest:
                raise
            return cls.open(folder, held)  # it was replaced while it was being opened
        return cls(segments, published=(folder, manifest))

    def refreshed(self) -> "Searcher":
        """Give the index that counts now: this one unless another was published since.

        What both have is not opened again. This one stays as it is, for those who still ask it.

        Raises
        ------
        FeatureIndexError
            See `open`.
        """
        if self._published is None:
            return self
        folder, manifest = self._published
        if read_manifest(folder) == manifest:
            return self
        return Searcher.open(folder, {one.file.path.name: one for one in self._segments})

    def close(self) -> None:
        """End the threads; files are let go as soon as nobody holds what is mapped of them."""
        if "_pool" in self.__dict__:
            self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._bounds[-1] - np.diff(self._dropped).sum())

    def looks_up(self, query: Fingerprint) -> bool:
        """Tell whether a query can be found: not if the index is of other trains than it has."""
        asked = {kind for kind in KINDS if len(getattr(query, kind))}
        return not asked or not self._held or bool(asked & self._held)

    @cached_property
    def _held(self) -> set[str]:
        """The kinds of trains that the index has any of."""
        return {kind for segment in self._segments for kind in segment.info.kinds}

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

    def linked(self, frames: Mapping[str, Float32s]) -> LinkedOnsets:
        """Link the onsets that a recording may hold, for all searches for it.

        Parameters
        ----------
        frames
            `fingerprint.frame_llr` of the recording, for each kind of trains.
        """
        held = {kind: frames[kind] if kind in self._held else frames[kind][:0] for kind in KINDS}
        return LinkedOnsets(held, self._keys, self._pool)

    def candidates(
        self,
        linked: LinkedOnsets,
        limit: int,
        effort: Effort = QUICK,
        onsets: Fingerprint | None = None,
        speed: float = 1.0,
    ) -> list[Candidate]:
        """Rank the tracks that are worth trying, the most promising first.

        Parameters
        ----------
        linked
            The recording's.
        limit
            Tracks to give at the most.
        effort
            How much to do.
        onsets
            The recording's own at the track's speed, where the LLRs are made of them.
        speed
            At which it was played; offsets are those of the recording at the track's own.

        Raises
        ------
        FeatureIndexError
            A segment is damaged.
        """
        keys = self.keys_to_read(linked, effort, onsets, speed)
        if not len(keys):
            return []
        hits, counts = self._hits(keys)
        weights = self._nats(keys, counts)
        # a shard that was ingested again is there twice, for a while
        most = 2 * limit if len(self._dropped) else limit

        def best(position: int) -> Float64s:
            found = self._searchers[position].best_offsets(hits[position], weights, keys.bins, most)
            found[0] += self._bounds[position]
            return found

        found = list(self._pool.map(best, range(len(self._searchers))))
        best_tracks = _best_tracks(np.concatenate(found, axis=1), most, self._keys.bin_frames)
        return self._counting(best_tracks)[:limit]

    def keys_to_read(
        self,
        linked: LinkedOnsets,
        effort: Effort,
        onsets: Fingerprint | None = None,
        speed: float = 1.0,
        *,
        times: float = 1.0,
        segments: int | None = None,
    ) -> LikelyKeys:
        """Choose the keys that `candidates` reads, given the same; none of an empty index.

        Parameters
        ----------
        linked, effort, onsets, speed
            As of `candidates`.
        times, segments
            Those that would be read if there were so many times the tracks, in so many segments.
        """
        if not self._segments:
            return LikelyKeys.none()
        most = min(effort.keys, MOST_KEYS)
        steps = 2 if effort.short else self._steps
        keys = linked.likely_keys(steps, effort.chains, speed)
        if onsets is not None:
            keys = keys.likelier(own_keys(onsets, self._keys, steps))
        keys = keys.chosen(np.sort(np.argsort(-keys.probabilities, kind="stable")[: 4 * most]))
        counts = times * sum((one.counts(keys) for one in self._searchers), np.zeros(len(keys)))
        # to read one posting takes as long as to read its page
        read = counts + PAGE * (segments or len(self._searchers))
        told = keys.probabilities * self._nats(keys, counts, times)
        order = np.argsort(-told / read, kind="stable")[:most]
        return keys.chosen(np.sort(order[np.cumsum(read[order]) <= effort.postings]))

    def _nats(self, keys: LikelyKeys, counts: Float64s, times: float = 1.0) -> Float64s:
        """Tell how much likelier a hit of each key is in the query's track than anywhere."""
        bins = times * sum(segment.info.bins for segment in self._segments)
        return np.asarray(np.log1p(keys.probabilities * bins / np.maximum(counts, 1)), np.float64)

    def _hits(self, keys: LikelyKeys) -> tuple[list[UInt64s], Float64s]:
        """Read keys, and give the hits of each segment, and how many each key has."""
        list(self._pool.map(lambda one: one.check(keys), self._searchers))
        latest = int(keys.bins.max())
        edges = np.linspace(0, len(keys), (os.cpu_count() or 1) + 1).astype(int).tolist()
        tasks = [(one, *chunk) for one in self._searchers for chunk in pairwise(edges)]
        parts = list(self._pool.map(lambda task: task[0].hits(keys, latest, *task[1:]), tasks))
        chunks = len(edges) - 1
        hits, counts = [], np.zeros(len(keys))
        for k in range(0, len(parts), chunks):
            hits.append(np.concatenate([found for found, _ in parts[k : k + chunks]]))
            counts += np.concatenate([own for _, own in parts[k : k + chunks]])
        return hits, counts

    def holds(self, kind: str) -> bool:
        """Tell whether tracks have trains of a kind of `KINDS`."""
        return kind in self._held

    @property
    def reads_single_keys(self) -> bool:
        """Whether there are so many tracks that all steps of a key are read; see `FOUR_STEPS`."""
        return self._steps == 4

    @property
    def can_score_every_track(self) -> bool:
        """Whether `likeliest` is worth while: there are few tracks, and they have rhythm trains."""
        return int(self._bounds[-1]) <= SMALL_INDEX and self.holds("rhythm")

    def likeliest(
        self,
        llr: Float32s,
        limit: int,
        among: Sequence[int] | None = None,
        deadline: Deadline | None = None,
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
        deadline
            Tracks that are not reached by then are left out.

        Raises
        ------
        FeatureIndexError
            A segment is damaged.
        """
        deadline = deadline or Deadline()
        workers = os.cpu_count() or 1

        def rank(position: int, part: Int64s) -> list[Candidate]:
            if deadline.leaves_out():
                return []
            found, offsets = self._searchers[position].best_likelihoods(llr, part)
            # a shard that was ingested again is there twice, for a while
            best = np.argsort(-found, kind="stable")[: 2 * limit]
            tracks = part + self._bounds[position]
            return [
                Candidate(int(tracks[k]), int(offsets[k]), float(found[k]), TRIED_REACH)
                for k in best.tolist()
                if found[k] > 0
            ]

        tracks = (
            np.arange(self._bounds[-1]) if among is None else np.sort(np.array(among, np.int64))
        )
        cuts = np.searchsorted(tracks, self._bounds)
        parts = [
            (position, part - self._bounds[position])
            for position in range(len(self._segments))
            for part in _parts(tracks[cuts[position] : cuts[position + 1]], workers)
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

        def weigh(one: SegmentSearcher, tracks: Int64s, chosen: Int64s) -> None:
            likelihoods[chosen], best[chosen] = one.likelihoods_near(
                llr, kind, tracks, offsets[chosen], reach
            )

        self._map(weigh, candidates)
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

        def compare(one: SegmentSearcher, tracks: Int64s, chosen: Int64s) -> None:
            begins = offsets[chosen] / FRAMES_PER_SECOND
            agreed = one.agreements(sound, tracks, begins, speed)
            for position, agreement in zip(chosen.tolist(), agreed, strict=True):
                found[position] = agreement

        self._map(compare, candidates)
        return found

    def _map(self, work: _Work, candidates: Sequence[Candidate]) -> None:
        """Let threads work on candidates, each on some of one segment.

        Parameters
        ----------
        work
            Given the segment, the tracks in it and the positions of some candidates.
        candidates
            Of shape (n,).
        """
        tracks = np.array([candidate.track for candidate in candidates], np.int64)
        positions = np.searchsorted(self._bounds, tracks, side="right") - 1

        def run(chosen: Int64s) -> None:
            position = positions[chosen[0]]
            work(self._searchers[position], tracks[chosen] - self._bounds[position], chosen)

        chunks = [
            chunk
            for position in np.unique(positions)
            for chunk in np.array_split(np.flatnonzero(positions == position), os.cpu_count() or 1)
            if len(chunk)
        ]
        list(self._pool.map(run, chunks))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count() or 1)

    def _find(self, track: int) -> tuple[Segment, int]:
        position = int(np.searchsorted(self._bounds, track, side="right")) - 1
        return self._segments[position], track - int(self._bounds[position])


def _parts(tracks: Int64s, workers: int) -> list[Int64s]:
    """Divide tracks among workers, no part of more than `MOST_AT_ONCE`."""
    parts = max(workers, -(-len(tracks) // MOST_AT_ONCE))
    return [part for part in np.array_split(tracks, parts) if len(part)]


def _best_tracks(found: Float64s, limit: int, bin_frames: int) -> list[Candidate]:
    """Keep the best offset of each track, and the best tracks."""
    found = found[:, np.lexsort((found[0], -found[2]))]
    _, firsts = np.unique(found[0], return_index=True)
    best = found[:, np.sort(firsts)[:limit]].T.tolist()
    reach = 3 * bin_frames // 2
    return [Candidate(int(track), int(offset), score, reach) for track, offset, score in best]


def _dropped(segments: Sequence[tuple[Segment, Sequence[str]]], bounds: Int64s) -> Int64s:
    """Give the ranges of tracks that do not count, int64 of shape (n, 2)."""
    ranges = [
        (bound + first, bound + last)
        for (segment, counting), bound in zip(segments, bounds[:-1].tolist(), strict=True)
        for shard, first, last in segment.shard_ranges()
        if shard.shard not in counting
    ]
    return np.array(ranges, np.int64).reshape(-1, 2)
