"""A fingerprint to the tracks that it may be of.

Belongs here: search, likelihoods and decision, put together. Does not belong here: audio files and
names (`answers`).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from spotify_pipeline.fingerprint import (
    FRAMES_PER_SECOND,
    LLR_BIN_FRAMES,
    Fingerprint,
    OnsetTrains,
)
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.harmony.agreement import Agreement, agreement, nats, nats_of_loudness
from spotify_pipeline.harmony.chroma import SPEED_STEP
from spotify_pipeline.identify.decision import (
    Decision,
    TrackEvidence,
    beside_twins,
    fractions,
    handicap,
    in_nats_of_rhythm,
    mean_excess,
    shipped_decisions,
)
from spotify_pipeline.identify.passes import HIGH_EVIDENCE, HIGH_EVIDENCE_SECONDS, PASSES, Pass
from spotify_pipeline.identify.popularity import Prior, equal
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.format.key_setting import KINDS
from spotify_pipeline.index.kernels.alignment import NEIGHBOURHOOD, TOLERANCES, lines_up
from spotify_pipeline.index.kernels.likelihood import Alignment, align, likelihoods_apart, peaks
from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline.index.search.searcher import Candidate, Searcher

__all__ = ["Identifier", "Match"]

EXHAUSTIVE_EVIDENCE = 30.0
EXHAUSTIVE_SECONDS = 10.0
"""Where many tracks are compared at every offset, all of a small index or the candidates of a
search, it is with the least of a query that tells so many nats (`QueryLlr.least_with_evidence`), or
with so many seconds of a query that tells less. Of a small index: of 61 excerpts of the
validation set that tell 30 to 60 nats, and that a quick search missed, 56 were among the candidates
by 20 nats and so many seconds, and 56 by 30 nats and 15 s."""

MOST_CANDIDATES, FEWEST_CANDIDATES = 0.05, 50
"""After a trial of all tracks, this fraction of them, but so many at the least, are tried with the
whole query. Set by hand."""

MOST_COMPARED = 1_000
"""Of more candidates of a search, so many are compared with all of the query: those that a part of
it leaves the likeliest. Set by hand."""

CERTAIN = 0.99
"""Confidence of a certain match. Set by hand."""

PROMISING = 0.5
"""A track's likelihood has at least this fraction of the best one's, in logarithms, or it is no
match. Set by hand."""

SAME_LIKELIHOOD = 0.6
"""A release of the same recording comes to at least this part of the best release's likelihood. Set
by hand."""

MOST_RIVALS = 3
"""So many recordings are looked at for releases of them. Set by hand."""

DRIFT = 0.001
"""Clocks of two devices differ by at most so much of themselves."""

FINE_REACH = 8
"""Frames by which an offset that is known to the LLR bin may be off, clocks' drift included."""

PARTS = 4
"""Stretches of equal length, whose shares of what is expected are compared. Set by hand."""

WORTH_PLACING = 0.1
"""Other offsets are looked for of the best match, and of those of so much confidence. Set by
hand."""

PEAKS = 8
"""So many offsets of a track are looked at. Set by hand."""

AS_GOOD, AS_GOOD_NATS = 0.04, 3.0
"""Another offset is as good if its likelihood is lower by no more than this fraction of the best
one's, and so many nats. Set by hand."""


@dataclass(frozen=True)
class Match:
    """A track that a query may be of.

    Attributes
    ----------
    track
        The track's number in the index.
    log_odds
        Natural logarithm of the odds that the query is of this track, as `decision` has it.
    evidence
        What that rests on.
    offset
        Seconds from the start of the track to the start of the query; negative if the query begins
        earlier.
    track_id, duration
        Of the track; seconds, None where unknown.
    kind, trains
        The onset trains of the track that the query was compared with, of that kind of `KINDS`.
    second
        How likely the query is at the best other offset of the track, nats; 0 where nobody has
        looked.
    also_at
        Other offsets that are as good, the likeliest first: where music repeats itself, nobody can
        tell.
    """

    track: int
    log_odds: float
    evidence: TrackEvidence
    offset: float
    track_id: str = field(kw_only=True)
    duration: float | None = field(kw_only=True)
    kind: str = field(kw_only=True)
    trains: OnsetTrains = field(kw_only=True)
    second: float = 0.0
    also_at: tuple[float, ...] = ()

    @property
    def confidence(self) -> float:
        """Probability that the query is of this track, 0 to 1."""
        return 1 / (1 + math.exp(-self.log_odds)) if self.log_odds > -700 else 0.0

    @property
    def speed(self) -> float:
        """Of the recording, 1 as the track was published, 1.02 if 2 % faster."""
        return self.evidence.speed

    @property
    def score(self) -> int:
        """How much likelier the recording is at this offset than at the best other, in nats."""
        return round(self.evidence.likelihood - self.second)


@dataclass(frozen=True)
class _Promising:
    """A track that is worth judging, and how it was found.

    Attributes
    ----------
    candidate
        With the offset of the LLRs that were searched for.
    speed
        At which it was likeliest.
    evidence
        Its likelihood near that offset, to the LLR bin, and what harmony and loudness add; nats of
        rhythm.
    """

    candidate: Candidate
    speed: float
    evidence: float


@dataclass(frozen=True)
class _Aligned:
    """A track with the whole query at its likeliest offset near the one that was found.

    Attributes
    ----------
    kind
        Of trains that were compared.
    speeds
        So many were searched.
    prior
        How often the track is asked for, in logarithms.
    agreement
        With the track's harmony.
    harmony, loudness
        What that is worth beside that of the other tracks, nats.
    """

    track: int
    kind: str
    trains: OnsetTrains
    alignment: Alignment
    speeds: int
    prior: float
    agreement: Agreement
    harmony: float = 0.0
    loudness: float = 0.0

    @property
    def evidence(self) -> float:
        """Likelihood, harmony and loudness together, in nats of rhythm."""
        return self.alignment.likelihood + in_nats_of_rhythm(self.harmony, self.loudness)

    @property
    def posterior(self) -> float:
        """And the prior."""
        return self.evidence + self.prior


class Identifier:
    """Identifies fingerprints against an index.

    Parameters
    ----------
    index
        That is asked.
    decisions
        By `decision.SOURCES`; the shipped ones unless others are measured.
    prior
        How often tracks are asked for: all as often, unless popularity is known.
    """

    def __init__(
        self,
        index: Searcher,
        decisions: Mapping[str, Decision] | None = None,
        prior: Prior = equal,
    ) -> None:
        self.index = index
        self._prior = prior
        self._decisions = shipped_decisions() if decisions is None else decisions

    def matches(
        self,
        query: Fingerprint,
        samples: Float32s | None = None,
        passes: Sequence[Pass] = PASSES,
        deadline: Deadline | None = None,
    ) -> list[Match]:
        """Try the most promising tracks; best match first, whatever its confidence.

        Rhythm trains decide where query and track have them, Echoprint trains elsewhere.

        Parameters
        ----------
        query
            A recording's fingerprint.
        samples
            The recording itself, as of `fingerprint.fingerprint`, if there is one: much more can be
            told by it than by its fingerprint.
        passes
            Attempts, until one decides.
        deadline
            What has been found by then is judged, and the rest left out. A search that has begun
            is ended, and what it found judged: that takes some tenths of a second.
        """
        return self.matches_of(QueryLlr.of(query, samples), passes, deadline)

    def matches_of(
        self,
        query: QueryLlr,
        passes: Sequence[Pass] = PASSES,
        deadline: Deadline | None = None,
    ) -> list[Match]:
        """Do as much for a query that has been heard."""
        deadline = deadline or Deadline()
        found: dict[int, _Aligned] = {}
        matches: list[Match] = []
        for attempt in passes:
            stretch = query.stretch_of_highest_evidence(attempt.seconds)
            if self._leaves_out(stretch, attempt):
                continue
            if deadline.leaves_out():
                break
            for one in self._attempt(stretch, query, attempt, deadline):
                known = found.get(one.track)
                if known is None or one.alignment.likelihood > known.alignment.likelihood:
                    found[one.track] = one
            matches = self._judged(list(found.values()), query)
            if any(match.confidence >= CERTAIN for match in matches):
                break
        return [
            self._placed(match, found[match.track], query)
            if position == 0 or match.confidence >= WORTH_PLACING
            else match
            for position, match in enumerate(matches)
        ]

    def _attempt(
        self, stretch: QueryLlr, query: QueryLlr, attempt: Pass, deadline: Deadline
    ) -> Iterator[_Aligned]:
        """Align what promises most at all speeds."""
        promising: list[_Promising] = []
        for speed in attempt.speeds:
            if deadline.leaves_out():
                break
            promising += self._promising(stretch, speed, attempt, deadline)
        best = sorted(promising, key=lambda found: -found.evidence)[: attempt.matches]
        priors = self._prior([found.candidate.track for found in best]).tolist()
        for found, prior in zip(best, priors, strict=True):
            yield self._aligned(found, prior, stretch, query, attempt)

    def _promising(
        self, query: QueryLlr, speed: float, attempt: Pass, deadline: Deadline
    ) -> list[_Promising]:
        """Choose the likeliest tracks near the offset at which they were found."""
        agreed: dict[Candidate, Agreement] = {}
        candidates = self._candidates(query, speed, attempt, agreed, deadline)
        likelihoods = np.full(len(candidates), -np.inf)
        speeds = np.full(len(candidates), speed)
        for kind in KINDS:
            left = np.flatnonzero(np.isneginf(likelihoods))
            frames = len(query.of_kind(kind, 1)) * LLR_BIN_FRAMES
            if frames and len(left):
                fine = attempt.fine_speeds(frames)
                likelihoods[left], best = self.index.likelihoods_near(
                    [query.of_kind(kind, speed * factor) for factor in fine.tolist()],
                    kind,
                    [candidates[position] for position in left],
                    max(candidates[position].reach for position in left),
                )
                speeds[left] = speed * fine[best]
        likely = np.flatnonzero(likelihoods > 0)
        evidence = likelihoods[likely] + self._harmony(
            query, [candidates[position] for position in likely.tolist()], speed, agreed
        )
        best = np.argsort(-evidence, kind="stable")[: attempt.matches]
        return [
            _Promising(candidates[position], float(speeds[position]), evidence_of)
            for position, evidence_of in zip(
                likely[best].tolist(), evidence[best].tolist(), strict=True
            )
        ]

    def _harmony(
        self,
        query: QueryLlr,
        candidates: Sequence[Candidate],
        speed: float,
        agreed: dict[Candidate, Agreement],
    ) -> Float64s:
        """Tell what harmony and loudness add to each candidate, in nats of rhythm.

        Candidates that are in `agreed` are not compared again; afterwards all of them are in it.
        """
        if query.samples is None:
            return np.zeros(len(candidates))
        missing = [candidate for candidate in candidates if candidate not in agreed]
        found = self.index.agreements(query.sound(speed), missing, speed)
        if _changes_key(speed):
            in_key = self.index.agreements(query.sound(1.0), missing, speed)
            found = [
                replace(one, key_kept=other.correlation)
                for one, other in zip(found, in_key, strict=True)
            ]
        agreed.update(zip(missing, found, strict=True))
        return _added([agreed[candidate] for candidate in candidates])

    def _agreement(self, query: QueryLlr, track: int, offset: int, speed: float) -> Agreement:
        """Compare what sounds in a query with a track, given the offset in frames."""
        if query.samples is None or not len(segments := self.index.harmony(track)):
            return Agreement()
        begin = offset / FRAMES_PER_SECOND
        found = agreement(query.sound(speed), segments, begin, speed)
        if _changes_key(speed):
            in_key = agreement(query.sound(1.0), segments, begin, speed)
            found = replace(found, key_kept=in_key.correlation)
        return found

    def _leaves_out(self, query: QueryLlr, attempt: Pass) -> bool:
        """Tell whether a pass is not for this index, or not for so clear a query."""
        if attempt.effort.short and self.index.reads_single_keys:
            return True
        small = self.index.can_score_every_track and len(query.rhythm) > 0
        if (attempt.in_large and small) or (attempt.exhaustive and not small):
            return True
        return attempt.clear is not None and attempt.clear != query.has_evidence(
            HIGH_EVIDENCE, HIGH_EVIDENCE_SECONDS
        )

    def _candidates(
        self,
        query: QueryLlr,
        speed: float,
        attempt: Pass,
        agreed: dict[Candidate, Agreement],
        deadline: Deadline,
    ) -> list[Candidate]:
        """Find tracks that are worth trying, and the offset of the LLRs in each.

        Where that takes harmony, what was compared is put into `agreed`.
        """
        if not attempt.exhaustive:
            onsets = None if query.recorded else query.onsets.at_speed(speed)
            linked = query.linked(self.index)
            found = self.index.candidates(linked, attempt.candidates, attempt.effort, onsets, speed)
            # where its speed is not known, a query is likely nowhere yet
            return found if attempt.precision else self.at_likeliest_offsets(query, found)
        most = max(round(MOST_CANDIDATES * len(self.index)), FEWEST_CANDIDATES)
        found = self._likeliest(query, most, deadline=deadline)
        evidence = [one.score for one in found] + self._harmony(query, found, speed, agreed)
        best = np.argsort(-evidence, kind="stable")[: attempt.candidates].tolist()
        return [found[position] for position in best]

    def at_likeliest_offsets(self, query: QueryLlr, found: list[Candidate]) -> list[Candidate]:
        """Move candidates to where the query is likeliest, by rhythm; leave out unlikely ones.

        A search often finds a noisy query's track at an offset that few keys agree on by chance.
        Those without rhythm trains stay where they were found.
        """
        if not len(query.rhythm):
            return found
        tracks = [candidate.track for candidate in found]
        moved = self._likeliest(query, MOST_COMPARED, tracks)
        if not self.index.holds("echoprint"):
            return moved
        known = {candidate.track for candidate in moved}
        return moved + [candidate for candidate in found if candidate.track not in known]

    def _likeliest(
        self,
        query: QueryLlr,
        most: int,
        tracks: Sequence[int] | None = None,
        deadline: Deadline | None = None,
    ) -> list[Candidate]:
        """Rank all tracks or some at every offset; many of them by the least of the query first."""
        if tracks is None or len(tracks) > most:
            least = query.least_with_evidence(EXHAUSTIVE_EVIDENCE, EXHAUSTIVE_SECONDS)
            likely = self.index.likeliest(least, most, tracks, deadline)
            tracks = [candidate.track for candidate in likely]
        return self.index.likeliest(query.rhythm, most, tracks)

    def _aligned(
        self,
        found: _Promising,
        prior: float,
        searched: QueryLlr,
        query: QueryLlr,
        attempt: Pass,
    ) -> _Aligned:
        """Align the whole query with a track that a stretch of it has found.

        That is near the offset that was found, and at the likeliest by rhythm of all others: a
        search can come upon the right track at a wrong place.
        """
        kind, trains = self.index.comparable(found.candidate.track, query)
        part, whole = searched.frames_of(kind), query.frames_of(kind)
        finest = found.speed * attempt.finest_speeds(len(part), len(part))
        candidate = found.candidate
        near = align(part, trains, candidate.offset, candidate.reach, finest.tolist())
        offset = near.offset - round(near.speed * (searched.first - query.first))
        step = 1 / max(len(whole), 1)
        steps = math.ceil(max(DRIFT, _step_of(finest)) / step)
        order = sorted(range(-steps, steps + 1), key=abs)
        fine = [near.speed * (1 + position * step) for position in order]
        offsets = [offset, *peaks(query.of_kind(kind, near.speed), trains, 1)]
        aligned = [align(whole, trains, one, FINE_REACH, fine) for one in offsets]
        track, speeds = found.candidate.track, len(attempt.speeds)
        agreed = [self._agreement(query, track, one.offset, one.speed) for one in aligned]
        evidence = [one.likelihood for one in aligned] + _added(agreed)
        best = int(np.argmax(evidence))
        return _Aligned(track, kind, trains, aligned[best], speeds, prior, agreed[best])

    def _judged(self, aligned: Sequence[_Aligned], query: QueryLlr) -> list[Match]:
        """Judge tracks beside each other; the best first."""
        agreements = [one.agreement for one in aligned]
        worth = zip(
            aligned, nats(agreements).tolist(), nats_of_loudness(agreements).tolist(), strict=True
        )
        weighed = [replace(one, harmony=h, loudness=loud) for one, h, loud in worth]
        ranked = sorted(weighed, key=lambda one: (-one.evidence, one.track))
        first = ranked[0].evidence if ranked else 0.0
        least = min(PROMISING * first, first)
        matches: list[Match] = []
        groups = _recordings(ranked)
        for group in groups:
            others = [other[0] for other in groups if other is not group]
            others.sort(key=lambda other: -other.posterior)
            matches += [self._judge(one, others, query) for one in group if one.evidence >= least]
        return sorted(
            matches,
            key=lambda m: (-m.log_odds, -m.evidence.joint, m.track),
        )

    def _judge(self, one: _Aligned, others: Sequence[_Aligned], query: QueryLlr) -> Match:
        """Weigh what speaks for a track, and what for other recordings, the likeliest first."""
        alignment, llr = one.alignment, query.frames_of(one.kind)
        expectation = query.expectation(one.kind)
        last_onset = int(one.trains.frames.max(initial=0))
        ends = np.array([-alignment.offset, last_onset - alignment.offset]) / alignment.speed
        first, last = np.clip(np.rint(ends), 0, len(llr)).astype(np.int64).tolist()
        edges = np.linspace(first, last + 1, PARTS + 1).astype(np.int64)
        means, variances = expectation.between(edges)
        apart, onsets = likelihoods_apart(llr, one.trains, alignment, edges)
        expected = float(means.sum())
        evidence = TrackEvidence(
            alignment.likelihood,
            expected,
            math.sqrt(max(float(variances.sum()), 0.0)),
            max(others[0].alignment.likelihood, 0.0) if others else 0.0,
            mean_excess(other.alignment.likelihood for other in others),
            expectation.repetition,
            *fractions(apart.sum(axis=0), means.sum(axis=0)),
            weakest_part=fractions(apart.sum(axis=1), means.sum(axis=1), weakest=0)[1],
            onsets=onsets,
            covered=expected / max(float(expectation.means[-1].sum()), 1e-9),
            speed=alignment.speed,
            handicap=handicap(expected, len(self.index), one.speeds),
            prior=one.prior - others[0].prior if others else 0.0,
            harmony=one.harmony,
            harmony_ahead=one.harmony - (others[0].harmony if others else 0.0),
            loudness=one.loudness,
            loudness_ahead=one.loudness - (others[0].loudness if others else 0.0),
        )
        source = query.source_of(one.kind, harmony=one.agreement.tells)
        log_odds = self._decisions[source].log_odds(evidence)
        if one.agreement.tells:
            log_odds = float(beside_twins(log_odds, evidence.harmony))
        offset = alignment.offset - round(alignment.speed * query.first)
        return Match(
            one.track,
            log_odds,
            evidence,
            offset / FRAMES_PER_SECOND,
            track_id=self.index.track_id(one.track),
            duration=self.index.duration(one.track),
            kind=one.kind,
            trains=one.trains,
        )

    def _placed(self, match: Match, one: _Aligned, query: QueryLlr) -> Match:
        """Find the other offsets at which the query fits the track as well."""
        frames = query.frames_of(one.kind)
        at_speed = query.of_kind(one.kind, match.speed)
        begin = round(match.speed * query.first)
        others: list[Alignment] = []
        for offset in peaks(at_speed, one.trains, PEAKS):
            other = align(frames, one.trains, offset, FINE_REACH, [match.speed])
            if abs(other.offset - one.alignment.offset) > NEIGHBOURHOOD:
                others.append(other)
        others.sort(key=lambda other: -other.likelihood)
        least = (1 - AS_GOOD) * match.evidence.likelihood - AS_GOOD_NATS
        return replace(
            match,
            second=max([other.likelihood for other in others], default=0.0),
            also_at=tuple(
                (other.offset - begin) / FRAMES_PER_SECOND
                for other in others
                if other.likelihood >= least
            ),
        )


def _added(agreements: Sequence[Agreement]) -> Float64s:
    """Tell what harmony and loudness add to tracks, in nats of rhythm."""
    return in_nats_of_rhythm(nats(agreements), nats_of_loudness(agreements))


def _changes_key(speed: float) -> bool:
    """Tell whether chroma at a speed differs from that at the track's own (`Spectrum.chroma`)."""
    return abs(speed - 1) >= SPEED_STEP / 2


def _step_of(factors: Float64s) -> float:
    """Give how far apart factors are, 0 if there is only one."""
    return float(np.diff(np.sort(factors)).max()) if len(factors) > 1 else 0.0


def _recordings(ranked: Sequence[_Aligned]) -> list[list[_Aligned]]:
    """Group tracks that are releases of one recording, in the order of their best."""
    groups: list[list[_Aligned]] = []
    for one in ranked:
        same = next((group for group in groups[:MOST_RIVALS] if _is_same(group[0], one)), None)
        if same is None:
            groups.append([one])
        else:
            same.append(one)
    return groups


def _is_same(first: _Aligned, second: _Aligned) -> bool:
    """Tell whether two tracks that a query was aligned with are of one recording."""
    one, other = first.alignment, second.alignment
    if first.kind != second.kind or other.likelihood < SAME_LIKELIHOOD * one.likelihood:
        return False
    offset = one.offset - other.offset
    return lines_up(second.trains, first.trains, offset, TOLERANCES[first.kind] + FINE_REACH // 4)
