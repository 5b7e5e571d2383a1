"""What the loudness and the timbre of segments tell beside harmony, of recordings with documents.

    python -m benchmarks.segment_figures --pairs DIR --documents FILE [FILE ...]
        [--lengths 3 5 10 20] [--degradations clean "pink 5" room telephone "white 0"]
        [--excerpts 12]

DIR holds recordings, each beside the document that the analyzer made of it, under the same name.
Excerpts of the longest length are degraded; the shorter ones are their beginnings. Each is compared
with its own document, aligned as it should be, and with three kinds of others:

anywhere
    Each other document at a random offset.
aligned
    Each other document at the offset at which its segments begin nearest to the excerpt's attacks:
    what rhythm alone brings up. A segment begins at an attack, so all music has a peak of its level
    there, and this is the chance to be feared.
itself
    `OWN_OFFSETS` other offsets of the own document.

*Loudness* is the correlation, over the track's segments, of the excerpt's highest loudness in each
with `loudness_max` (`harmony.dynamics`): as the index keeps it, in as many levels of 4 dB from -60
dB on, and exact. *Timbre* is the correlation,
over segments and twelve figures, of `timbre` with what a ridge regression makes of the excerpt's
log spectrum in each segment and of its step at the segment's start; means over the excerpt are
taken away from both, and with them what a channel does to all moments alike. *Harmony* is what
`harmony.agreement` gives.

A correlation becomes nats by the ratio of two normal distributions of its Fisher transform, as
harmony does (`Law`). The regression and the law that judge a recording are fitted on the others;
the law's chance, on other documents aligned and anywhere.

Columns: the median nats of the right track and what nine in ten reach; of impostors of each kind,
the fraction above 0; *d'*, how many standard deviations lie between the Fisher-transformed
correlations of the right track and of aligned documents (0 where too few segments begin); *first*,
how often the right track has more nats than all other documents; *left*, the nats that one would
still have to learn to know the right track among these, were all as likely before (the mean
logarithmic score: it punishes evidence that claims too much).
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from scipy import signal, special

from benchmarks.command import command_line, print_machine
from benchmarks.pairs import (
    CONDITIONS,
    SHORTEST_DOCUMENT,
    add_pairs,
    packed,
    recordings_with_documents,
)
from spotify_pipeline.dump.compression import open_compressed
from spotify_pipeline.evaluation.degradations import RATE
from spotify_pipeline.evaluation.tables import Table, number, percentage
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int64s
from spotify_pipeline.harmony import Segments
from spotify_pipeline.harmony.agreement import Sound, agreement, nats
from spotify_pipeline.harmony.chroma import Spectrum
from spotify_pipeline.harmony.dynamics import compare_loudness
from spotify_pipeline.harmony.likelihood_ratio import likelihood_ratio
from spotify_pipeline.harmony.loudness import (
    BANDS,
    LOUDNESS_HOP_SECONDS,
    band_powers,
    loudness,
)
from spotify_pipeline.recording import read_recording
from spotify_pipeline.resampling import ANALYZER_RATE, analyzer_samples

CHUNK_BYTES = 1 << 20

OWN_OFFSETS = 12
NOT_NEARER = 3.0
"""Seconds from the right offset to the other ones of the own document."""

STEP_FRAMES = 5
"""The step of the spectrum at a segment's start is from so many frames before it to as many on."""

STEADY = 0.2
"""What a band has for all but this fraction of the excerpt is taken for noise."""

SHORTEST = 0.1
"""Seconds: a segment that begins nearer to the excerpt's end is not compared."""

FEWEST = 5
"""Segments, before a correlation tells anything."""

SILENCE, COARSE_STEP, LEVELS = -60.0, 4.0, 16
"""What four bits could keep of the loudness instead, dB."""

LEAST_SPREAD = 0.3
"""Of the right track's mean: one recording does not tell how recordings differ. Set by hand."""

RIDGE = 1.0
"""Of the variance of an input. (Of 0.01, 0.1 and 1, what gave the highest correlations here.)"""

FITTED = ("loudness", "coarse", "exact", "timbre")
"""Evidence of which the law is fitted here."""

EVIDENCE: dict[str, tuple[str, ...]] = {
    "harmony": ("harmony",),
    "loudness": ("loudness",),
    "loudness, 4 dB": ("coarse",),
    "loudness, exact": ("exact",),
    "timbre": ("timbre",),
    "harmony + loudness": ("harmony", "loudness"),
    "harmony + timbre": ("harmony", "timbre"),
    "all three": ("harmony", "loudness", "timbre"),
}


class _Segment(msgspec.Struct):
    start: float
    loudness_max: float
    pitches: list[float]
    timbre: list[float]


class _Document(msgspec.Struct):
    segments: list[_Segment]


@dataclass(frozen=True, eq=False)
class Figures:
    """What a document says of its n segments.

    Attributes
    ----------
    segments
        As the index keeps them.
    loudness
        float64 of shape (n,), dB.
    timbre
        float64 of shape (n, 12).
    """

    segments: Segments
    loudness: Float64s
    timbre: Float64s

    @cached_property
    def coarse(self) -> Float64s:
        """Levels of `COARSE_STEP` from `SILENCE` on, float64 of shape (n,)."""
        level = (self.loudness - SILENCE) // COARSE_STEP
        return np.asarray(np.clip(level, 0, LEVELS - 1), np.float64)

    @property
    def seconds(self) -> float:
        """Until the last segment begins."""
        return float(self.segments.starts[-1])


@dataclass(frozen=True, eq=False)
class Pair:
    """A recording, float32 at `RATE`, and the figures of its document."""

    name: str
    samples: Float32s
    figures: Figures


@dataclass(frozen=True, eq=False)
class Clip:
    """An excerpt that is compared.

    Attributes
    ----------
    start
        Seconds from the start of its recording.
    sound
        Of it.
    bands
        float64 of shape (frames, `BANDS`), dB, without what is steady. Frames are
        `LOUDNESS_HOP_SECONDS` apart.
    """

    condition: str
    seconds: float
    start: float
    sound: Sound
    bands: Float64s


@dataclass(frozen=True)
class Candidate:
    """A document at an offset, in seconds; `kind` is a heading of the table, or "right"."""

    kind: str
    figures: Figures
    offset: float


@dataclass(frozen=True)
class Law:
    """What correlations over segments are like; all of Fisher transforms.

    Attributes
    ----------
    chance
        An impostor's are normal around 0, with a variance of this by the number of segments less 3;
        it would be 1 if segments told nothing of each other.
    right, spread
        Mean and standard deviation of the right track's, chance apart.
    """

    chance: float
    right: float
    spread: float

    @classmethod
    def of(cls, right: Float64s, counts: Int64s, others: Float64s, their_counts: Int64s) -> "Law":
        """Fit moments to the correlations of right tracks and of impostors, over so many segments.

        All are of shape (n,); those of fewer than `FEWEST` segments do not count.
        """
        far = their_counts >= FEWEST
        chance = float(np.mean(fisher(others[far]) ** 2 * (their_counts[far] - 3)))
        enough = counts >= FEWEST
        transformed = fisher(right[enough])
        variance = float(transformed.var() - np.mean(chance / (counts[enough] - 3)))
        mean = float(transformed.mean())
        return cls(chance, mean, max(variance**0.5 if variance > 0 else 0.0, LEAST_SPREAD * mean))

    def nats(self, correlations: Float64s, counts: Int64s) -> Float64s:
        """Give log-likelihood ratios, as `harmony.agreement` does; 0 for too few segments."""
        deviation = np.sqrt(self.chance / np.maximum(counts - 3, 1))
        found = likelihood_ratio(fisher(correlations), deviation, self.right, self.spread)
        return np.where(counts >= FEWEST, found, 0.0)


@dataclass(frozen=True, eq=False)
class Compared:
    """A clip beside n candidates, the right one first.

    Attributes
    ----------
    kinds
        str of shape (n,).
    attacks
        float64 of shape (n,): correlation of the clip's attacks with where segments begin.
    counts
        int64 of shape (n,): segments compared.
    correlations
        By each of `FITTED` and "harmony", float64 of shape (n,).
    harmony
        float64 of shape (n,): nats.
    """

    clip: Clip
    kinds: np.ndarray
    attacks: Float64s
    counts: Int64s
    correlations: Mapping[str, Float64s]
    harmony: Float64s

    def nats(self, laws: Mapping[str, Law]) -> dict[str, Float64s]:
        """Give the nats of each candidate, by each of `EVIDENCE`."""
        parts = {name: laws[name].nats(self.correlations[name], self.counts) for name in FITTED}
        parts["harmony"] = self.harmony
        return {
            name: np.asarray(sum((parts[one] for one in sums), np.zeros(len(self.counts))))
            for name, sums in EVIDENCE.items()
        }


@dataclass(frozen=True, eq=False)
class Judged:
    """A clip of a recording, and the nats of its candidates by each of `EVIDENCE`."""

    name: str
    compared: Compared
    nats: Mapping[str, Float64s]


def fisher(correlations: Float64s) -> Float64s:
    """Transform correlations so that chance makes them normal."""
    return np.arctanh(np.clip(correlations, -0.999, 0.999))


def read_figures(file: Path) -> Iterator[Figures]:
    """Read documents that are long enough, one a line."""
    with open_compressed(file) if file.suffix == ".zst" else file.open("rb") as content:
        text = b"".join(iter(lambda: content.read(CHUNK_BYTES), b""))
    for line in text.splitlines():
        found = msgspec.json.decode(line, type=_Document).segments
        starts = np.array([one.start for one in found])
        loudness = np.array([one.loudness_max for one in found])
        pitches = np.array([one.pitches for one in found], np.float32)
        timbre = np.array([one.timbre for one in found])
        if len(starts) and starts[-1] > SHORTEST_DOCUMENT:
            segments = Segments(starts, pitches, loudness.astype(np.float32))
            yield Figures(packed(segments), loudness, timbre)


def read_pairs(folder: Path) -> Iterator[Pair]:
    """Read recordings and the documents beside them."""
    for recording, file in recordings_with_documents(folder):
        (figures,) = read_figures(file)
        yield Pair(file.stem, read_recording(recording, RATE).samples, figures)


def decibel(power: Float64s) -> Float64s:
    """Give the level of a power."""
    return np.asarray(10 * np.log10(power + 1e-12), np.float64)


def clip_of(samples: Float32s, condition: str, seconds: float, start: float) -> Clip:
    """Make a clip of samples, float32 at `ANALYZER_RATE`."""
    power = band_powers(samples).astype(np.float64)
    moving = np.maximum(power - np.quantile(power, STEADY, axis=0), 1e-3 * power.max(axis=0))
    return Clip(
        condition=condition,
        seconds=seconds,
        start=start,
        sound=Sound.of(Spectrum.of(samples).chroma(), loudness(samples)),
        bands=decibel(moving + 1e-3 * moving.mean()),
    )


def clips_of(
    pair: Pair, conditions: Sequence[str], lengths: Sequence[float], excerpts: int
) -> Iterator[Clip]:
    """Cut and degrade excerpts of a recording."""
    rng = np.random.default_rng(1)
    longest = max(lengths)
    last = min(pair.figures.seconds, len(pair.samples) / RATE) - longest
    for condition in conditions:
        degradation = CONDITIONS[condition]
        for _ in range(excerpts):
            start = rng.uniform(0, last)
            cut = pair.samples[round(start * RATE) :][: round(longest * RATE)]
            samples = analyzer_samples(degradation(cut, rng), RATE)
            for seconds in lengths:
                part = samples[: round(seconds * ANALYZER_RATE)]
                yield clip_of(part, condition, seconds, start)


def attacks_of(clip: Clip) -> Float64s:
    """Give how much the bands rise at each frame, less the mean; float64 of shape (frames,)."""
    rises = np.diff(clip.bands, axis=0, prepend=clip.bands[:1])
    strength = np.maximum(rises, 0).mean(axis=1)
    return np.asarray(strength - strength.mean(), np.float64)


def attack_correlations(attacks: Float64s, figures: Figures) -> Float64s:
    """Correlate attacks with where a document's segments begin, at each offset in frames."""
    frames = np.round(figures.segments.starts / LOUDNESS_HOP_SECONDS).astype(np.int64)
    begins = np.bincount(frames, minlength=frames[-1] + 2).astype(np.float64)
    begins = np.convolve(begins, (0.5, 1.0, 0.5), "same")
    width = len(attacks)
    products = signal.fftconvolve(begins, attacks[::-1], "valid")
    sums = np.cumsum(np.concatenate(([0.0], begins)))
    squares = np.cumsum(np.concatenate(([0.0], begins**2)))
    variance = squares[width:] - squares[:-width] - (sums[width:] - sums[:-width]) ** 2 / width
    length = np.sqrt((attacks**2).sum() * np.maximum(variance, 1.0))
    return np.asarray(products / length, np.float64)


def candidates_of(
    pair: Pair, clip: Clip, others: Sequence[Figures], rng: np.random.Generator
) -> tuple[list[Candidate], Float64s]:
    """Give what a clip is compared with, and how well attacks agree, float64 (candidates,)."""
    attacks = attacks_of(clip)
    found = [Candidate("right", pair.figures, clip.start)]
    own = attack_correlations(attacks, pair.figures)
    agree = [at_offset(own, clip.start)]
    while len(found) <= OWN_OFFSETS:
        offset = rng.uniform(0, pair.figures.seconds - clip.seconds)
        if abs(offset - clip.start) >= NOT_NEARER:
            found.append(Candidate("itself", pair.figures, offset))
            agree.append(at_offset(own, offset))
    for other in others:
        theirs = attack_correlations(attacks, other)
        anywhere = rng.uniform(0, other.seconds - clip.seconds)
        aligned = float(np.argmax(theirs)) * LOUDNESS_HOP_SECONDS
        for kind, offset in (("anywhere", anywhere), ("aligned", aligned)):
            found.append(Candidate(kind, other, offset))
            agree.append(at_offset(theirs, offset))
    return found, np.array(agree)


def at_offset(correlations: Float64s, seconds: float) -> float:
    """Look up what stands for an offset."""
    return float(correlations[min(round(seconds / LOUDNESS_HOP_SECONDS), len(correlations) - 1)])


def frames_between(clip: Clip, figures: Figures, offset: float) -> tuple[Int64s, Int64s, Int64s]:
    """Give the segments that begin in a clip, and each one's first frame and the one behind it."""
    starts = figures.segments.starts - offset
    chosen = np.flatnonzero((starts >= 0) & (starts < clip.seconds - SHORTEST))
    ends = np.append(starts, np.inf)[chosen + 1]
    last = len(clip.bands)
    first = np.minimum(np.round(starts[chosen] / LOUDNESS_HOP_SECONDS).astype(np.int64), last - 1)
    # a window at the next attack hears it before it begins
    behind = np.round(np.minimum(ends, clip.seconds) / LOUDNESS_HOP_SECONDS).astype(np.int64) - 1
    return chosen, first, np.clip(behind, first + 1, last)


def sounds(clip: Clip, first: Int64s, behind: Int64s) -> Float64s:
    """Give what timbre is told from, float64 of shape (stretches, 2 * `BANDS`), less the mean."""
    sums = np.zeros((len(clip.bands) + 1, BANDS))
    np.cumsum(clip.bands, axis=0, out=sums[1:])

    def mean(low: Int64s, high: Int64s) -> Float64s:
        return np.asarray((sums[high] - sums[low]) / (high - low)[:, None], np.float64)

    begun = np.minimum(first + STEP_FRAMES, len(clip.bands))
    low = np.maximum(first - STEP_FRAMES, 0)
    before = mean(low, np.maximum(first, low + 1))
    found = np.hstack((mean(first, behind), mean(first, begun) - before))
    return np.asarray(found - found.mean(axis=0), np.float64)


def regression(pairs: Sequence[tuple[Pair, Sequence[Clip]]], scale: Float64s) -> Float64s:
    """Fit timbre, each figure by its scale, to sounds; gives float64 (2 * `BANDS`, 12)."""
    inputs, outputs = [], []
    for pair, clips in pairs:
        for clip in clips:
            chosen, first, behind = frames_between(clip, pair.figures, clip.start)
            if len(chosen) >= FEWEST:
                timbre = pair.figures.timbre[chosen] / scale
                inputs.append(sounds(clip, first, behind))
                outputs.append(timbre - timbre.mean(axis=0))
    x, y = np.vstack(inputs), np.vstack(outputs)
    deviation = x.std(axis=0)
    x = x / deviation
    weights = np.linalg.solve(x.T @ x + RIDGE * len(x) * np.eye(x.shape[1]), x.T @ y)
    return np.asarray(weights / deviation[:, None], np.float64)


def correlation(x: Float64s, y: Float64s) -> float:
    """Correlate, less the means over the first axis."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    length = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / length) if length > 0 else 0.0


def compared(
    pair: Pair,
    clip: Clip,
    others: Sequence[Figures],
    weights: Float64s,
    scale: Float64s,
    rng: np.random.Generator,
) -> Compared:
    """Compare a clip of a recording; timbre is told by `weights`, in units of `scale`."""
    candidates, attacks = candidates_of(pair, clip, others, rng)
    rows = []
    agreements = [
        agreement(clip.sound, one.figures.segments, one.offset, 1.0) for one in candidates
    ]
    for one, agreed in zip(candidates, agreements, strict=True):
        others = [
            compare_loudness(
                clip.sound.loudness,
                one.figures.segments.starts,
                values.astype(np.float32),
                one.offset,
                1.0,
            )[0]
            for values in (one.figures.coarse, one.figures.loudness)
        ]
        chosen, first, behind = frames_between(clip, one.figures, one.offset)
        of_timbre = 0.0
        if len(chosen) >= FEWEST:
            told = sounds(clip, first, behind) @ weights
            of_timbre = correlation(told, one.figures.timbre[chosen] / scale)
        rows.append((agreed.loudness, *others, of_timbre))
    correlations = dict(zip(FITTED, np.array(rows).T, strict=True))
    correlations["harmony"] = np.array([one.correlation for one in agreements])
    kinds = np.array([one.kind for one in candidates])
    counts = np.array([one.segments for one in agreements], np.int64)
    return Compared(clip, kinds, attacks, counts, correlations, nats(agreements))


def laws_of(comparisons: Sequence[Compared]) -> dict[str, Law]:
    """Fit a law of each of `FITTED`."""
    right = np.array([one.counts[0] for one in comparisons])
    others = [np.isin(one.kinds, ("anywhere", "aligned")) for one in comparisons]
    both = list(zip(comparisons, others, strict=True))
    counts = np.concatenate([one.counts[chosen] for one, chosen in both])
    return {
        name: Law.of(
            np.array([one.correlations[name][0] for one in comparisons]),
            right,
            np.concatenate([one.correlations[name][chosen] for one, chosen in both]),
            counts,
        )
        for name in FITTED
    }


def laws_text(of: str, laws: Mapping[str, Law]) -> str:
    """Lay out laws, a line each."""
    return "\n".join(
        f"{of}, {name}: chance {law.chance:.2f}, right {law.right:.2f}, spread {law.spread:.2f}"
        for name, law in laws.items()
    )


def row(labels: Sequence[str], judged: Sequence[Judged], evidence: str) -> list[str]:
    """Lay out what a kind of evidence tells of some clips."""
    found = np.stack([one.nats[evidence] for one in judged])
    kinds = judged[0].compared.kinds
    right = found[:, 0]
    by_kind = {kind: found[:, kinds == kind] for kind in ("anywhere", "aligned", "itself")}
    others = np.hstack((by_kind["anywhere"], by_kind["aligned"]))
    left = special.logsumexp(np.column_stack((right, others)), axis=1) - right
    return [
        *labels,
        evidence,
        number(float(np.median(right)), 1),
        number(float(np.quantile(right, 0.1)), 1),
        *(percentage(float(np.mean(them > 0))) for them in by_kind.values()),
        number(apart(judged, EVIDENCE[evidence]), 1),
        percentage(float(np.mean(right > others.max(axis=1)))),
        number(float(left.mean()), 2),
    ]


def apart(judged: Sequence[Judged], parts: Sequence[str]) -> float:
    """Give d' of the only part; NaN if there are several, or too few segments everywhere."""
    if len(parts) > 1:
        return np.nan
    found = fisher(np.stack([one.compared.correlations[parts[0]] for one in judged]))
    right, aligned = found[:, 0], found[:, judged[0].compared.kinds == "aligned"]
    spread = np.sqrt((right.var() + aligned.var()) / 2)
    return float((right.mean() - aligned.mean()) / spread) if spread > 0 else np.nan


FIGURES = ("evidence", "nats", "10 %", "anywhere", "aligned", "itself", "d'", "first", "left")


def by_condition(judged: Sequence[Judged]) -> Table:
    """Lay out conditions and lengths, all recordings together."""
    groups: dict[tuple[str, float], list[Judged]] = {}
    for one in judged:
        clip = one.compared.clip
        groups.setdefault((clip.condition, clip.seconds), []).append(one)
    rows = [
        row((condition, f"{seconds:g} s"), group, evidence)
        for (condition, seconds), group in groups.items()
        for evidence in EVIDENCE
    ]
    return Table(("condition", "length", *FIGURES), rows)


def by_recording(judged: Sequence[Judged]) -> Table:
    """Lay out recordings and lengths, all conditions together."""
    groups: dict[tuple[str, float], list[Judged]] = {}
    for one in judged:
        groups.setdefault((one.name, one.compared.clip.seconds), []).append(one)
    rows = [
        row((name, f"{seconds:g} s"), group, evidence)
        for (name, seconds), group in groups.items()
        for evidence in EVIDENCE
    ]
    return Table(("recording", "length", *FIGURES), rows)


def dependence(judged: Sequence[Judged]) -> Table:
    """Lay out how the kinds of evidence correlate, for impostors and for the right track."""
    names = ("harmony", "loudness", "timbre")
    of = [(a, b) for k, a in enumerate(names) for b in (*names[k + 1 :], "attacks")]
    rows = []
    for kind in ("anywhere", "aligned", "right"):
        for seconds in sorted({one.compared.clip.seconds for one in judged}):
            chosen = [one for one in judged if one.compared.clip.seconds == seconds]
            values = {
                name: np.concatenate([one.nats[name][one.compared.kinds == kind] for one in chosen])
                for name in names
            }
            values["attacks"] = np.concatenate(
                [one.compared.attacks[one.compared.kinds == kind] for one in chosen]
            )
            found = (correlation(values[a], values[b]) for a, b in of)
            rows.append([kind, f"{seconds:g} s", *(number(one, 2) for one in found)])
    return Table(("", "length", *(f"{a}, {b}" for a, b in of)), rows)


def judged_by_others(
    pairs: Sequence[Pair], clips: Sequence[Sequence[Clip]], documents: Sequence[Figures]
) -> Iterator[Judged]:
    """Compare all clips, each by what the other recordings taught; prints the laws."""
    scale = np.sqrt(np.mean([one.timbre.var(axis=0) for one in documents], axis=0))
    comparisons = []
    for k, pair in enumerate(pairs):
        rest = [(pairs[j], clips[j]) for j in range(len(pairs)) if j != k]
        weights = regression(rest, scale)
        others = [*documents, *(other.figures for other, _ in rest)]
        rng = np.random.default_rng(2)
        comparisons.append([compared(pair, clip, others, weights, scale, rng) for clip in clips[k]])
        print(f"compared {pair.name}", file=sys.stderr, flush=True)
    print(laws_text("all recordings", laws_of([one for some in comparisons for one in some])))
    for k, pair in enumerate(pairs):
        laws = laws_of([one for j, some in enumerate(comparisons) if j != k for one in some])
        print(laws_text(f"all but {pair.name}", laws), flush=True)
        for one in comparisons[k]:
            yield Judged(pair.name, one, one.nats(laws))


def main(words: Sequence[str] | None = None) -> None:
    """Compare, and print."""
    parser = command_line(__doc__)
    add_pairs(parser, lengths=[3.0, 5.0, 10.0, 20.0], excerpts=12)
    arguments = parser.parse_args(words)
    print_machine()
    pairs = list(read_pairs(arguments.pairs))
    if len(pairs) < 2:
        parser.error(f"{arguments.pairs} has {len(pairs)} recordings with documents; 2 are needed")
    documents = [one for file in arguments.documents for one in read_figures(file)]
    clips = []
    for pair in pairs:
        cut = clips_of(pair, arguments.degradations, arguments.lengths, arguments.excerpts)
        clips.append(list(cut))
        print(f"{pair.name}: {len(clips[-1])} clips", file=sys.stderr, flush=True)
    judged = list(judged_by_others(pairs, clips, documents))
    for table in (by_recording(judged), by_condition(judged), dependence(judged)):
        print(f"\n{table.text()}", flush=True)


if __name__ == "__main__":
    main()
