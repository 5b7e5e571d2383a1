"""Detection under every degradation: who comes first, what may be accepted, where, and how sure.

    python benchmarks/detection.py --music DIR [--distractors 20000] [--lengths 3 5 10 20]
        [--degradations clean room ...] [--excerpts 2] [--plot reliability.png] [--fit]

Indexes the pieces of DIR and so many made-up tracks (`synthetic`). Of each piece and degradation
(`degradations`), 62 s from a random place are degraded, and excerpts are cut from them. Each is
asked twice: of an index with its piece, and of one that lacks its half of the pieces, where any
answer is wrong. Every other piece is of the *tuning* half: weights and thresholds are chosen there,
and everything is reported on the other half.

*top-1*: the own piece comes first. *accepted at 0*: it comes first and is surer than every wrong
answer of the tuning half in this cell (of degradation and length); *at 0.1 %*: surer than all but a
thousandth of the wrong answers of the whole tuning half. *given*: it comes first and is given, with
the confidence that users get by default; *false*: the share of unknown excerpts for which anything
is given. Then the reliability: how often answers of a confidence are right, also drawn by --plot.

--fit chooses the weights of `identify.decision` on the tuning half, and prints them.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from degradations import DEGRADATIONS, RATE, resampled
from matplotlib.figure import Figure
from synthetic import Generator, read_pieces

from spotify_pipeline.fingerprint import SAMPLE_RATE, Fingerprint, fingerprint
from spotify_pipeline.identify.decision import THRESHOLD, evidence
from spotify_pipeline.identify.identifier import Identifier, Match
from spotify_pipeline.index.feature_index import FeatureIndex
from spotify_pipeline.index.segment import Segment, SegmentShard
from spotify_pipeline.index.segment_writer import Tracks, write_segment
from spotify_pipeline.recording import AUDIO_SUFFIXES, read_recording

STRETCH_SECONDS = 62
TUNING, REPORTING = 0, 1
MEMORY = 2 * 10**9
CONFIDENCES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1.1)


@dataclass(frozen=True)
class Query:
    """An excerpt and the truth about it; `offset` is the second of the piece where it begins."""

    degradation: str
    seconds: float
    piece: int
    offset: float
    fingerprint: Fingerprint
    samples: np.ndarray

    @property
    def half(self) -> int:
        """Tuning or reporting."""
        return self.piece % 2


@dataclass(frozen=True)
class Result:
    """What was answered: with the piece in the index, and without it.

    Attributes
    ----------
    own, wrong
        The match of the own piece, and the best of another one, where the piece is in the index.
    unknown
        The best match where it is not.
    seconds
        That the first answer took.
    """

    query: Query
    own: Match | None
    wrong: Match | None
    unknown: Match | None
    seconds: float

    @property
    def first(self) -> bool:
        """Whether the own piece came first."""
        return self.own is not None and sureness(self.own) > sureness(self.wrong)

    @property
    def most_wrong(self) -> float:
        """How sure the surest wrong answer is."""
        return max(sureness(self.wrong), sureness(self.unknown))


def sureness(match: Match | None) -> float:
    """Give the log odds of a match; without one, minus infinity."""
    return -np.inf if match is None else match.log_odds


def is_given(match: Match | None) -> bool:
    """Tell whether a match is given to a user."""
    return match is not None and match.confidence >= THRESHOLD


class Judge:
    """Asks the index of everything and those that lack a half of the pieces.

    The pieces' numbers are those of `order`: the tuning half's first.
    """

    def __init__(self, folder: Path, pieces: Sequence[Fingerprint], distractors: int) -> None:
        self.order = [*range(TUNING, len(pieces), 2), *range(REPORTING, len(pieces), 2)]
        halves = [
            _segment(folder / f"half-{half}", _tracks_of([pieces[n] for n in self.order[part]]))
            for half, part in enumerate(_halves(len(pieces)))
        ]
        made_up = Generator(pieces, seed=3).tracks("0a", distractors)
        others = _segment(folder / "made-up", made_up)
        self.everything = Identifier(FeatureIndex([*halves, others]))
        self.without = [Identifier(FeatureIndex([halves[1 - half], others])) for half in (0, 1)]

    def result(self, query: Query) -> Result:
        """Ask both."""
        started = time.perf_counter()
        found = self.everything.matches(query.fingerprint, query.samples)
        seconds = time.perf_counter() - started
        number = self.order.index(query.piece)
        own = next((match for match in found if match.track == number), None)
        wrong = next((match for match in found if match.track != number), None)
        unknown = self.without[query.half].matches(query.fingerprint, query.samples)
        return Result(query, own, wrong, next(iter(unknown), None), seconds)


def _halves(pieces: int) -> tuple[slice, slice]:
    return slice(0, (pieces + 1) // 2), slice((pieces + 1) // 2, None)


def _tracks_of(pieces: Sequence[Fingerprint]) -> Tracks:
    return Tracks.of(
        [f"{number:022d}" for number in range(len(pieces))],
        [None] * len(pieces),
        [piece.rhythm for piece in pieces],
        [piece.echoprint for piece in pieces],
    )


def _segment(path: Path, tracks: Tracks) -> tuple[Segment, list[str]]:
    write_segment(path, [SegmentShard(path.name, "", len(tracks))], tracks, MEMORY)
    return Segment.open(path), [path.name]


def queries(
    music: Path, names: list[str], kinds: list[str], lengths: list[float], count: int
) -> Iterator[Query]:
    """Degrade a stretch of each piece, and cut excerpts of it."""
    files = {path.stem: path for path in music.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES}
    for piece, name in enumerate(names):
        samples = read_recording(files[name], RATE).samples
        for kind in kinds:
            rng = np.random.default_rng([piece, list(DEGRADATIONS).index(kind)])
            first = int(rng.integers(0, max(len(samples) - STRETCH_SECONDS * RATE, 1)))
            stretch = samples[first : first + STRETCH_SECONDS * RATE]
            degraded = DEGRADATIONS[kind](stretch, rng)
            scale = len(stretch) / len(degraded) if "speed" in kind else 1.0
            for length in lengths:
                for _ in range(count):
                    size = round(length * RATE)
                    start = int(rng.integers(0, max(len(degraded) - size, 1)))
                    if np.abs(stretch[int(start * scale) :][:size]).max() < 1e-3:
                        continue  # digital silence is nobody's
                    clip = resampled(degraded[start : start + size], RATE, SAMPLE_RATE)
                    offset = (first + start * scale) / RATE
                    yield Query(kind, length, piece, offset, fingerprint(clip), clip)


def cells(results: Sequence[Result], half: int) -> dict[tuple[str, float], list[Result]]:
    """Group the results of a half by degradation and length."""
    grouped: dict[tuple[str, float], list[Result]] = {}
    for result in results:
        if result.query.half == half:
            grouped.setdefault((result.query.degradation, result.query.seconds), []).append(result)
    return grouped


def accepted(results: Sequence[Result], threshold: float) -> float:
    """Give the share of results that come first and are surer than a threshold."""
    return float(np.mean([r.first and sureness(r.own) > threshold for r in results]))


def report(results: Sequence[Result]) -> None:
    """Print the table of the reporting half."""
    tuned = cells(results, TUNING)
    wrong = [r.most_wrong for group in tuned.values() for r in group]
    rare = float(np.quantile(wrong, 0.999, method="higher"))
    print(
        f"\n{'':>16} {'top-1':>7} {'accepted at 0':>14} {'at 0.1 %':>9} {'given':>7} {'false':>7}"
        f" {'within 0.1 s':>13} {'ms':>6} {'90 %':>6}"
    )
    for (kind, seconds), group in cells(results, REPORTING).items():
        threshold = max(r.most_wrong for r in tuned[kind, seconds])
        found = [r for r in group if r.first and r.own is not None]
        near = [abs(r.own.offset - r.query.offset) <= 0.1 for r in found if r.own is not None]
        times = 1e3 * np.quantile([r.seconds for r in group], [0.5, 0.9])
        given = np.mean([r.first and r.own is not None and is_given(r.own) for r in group])
        false = np.mean([is_given(r.unknown) for r in group])
        print(
            f"{kind:>10} {seconds:3.0f} s {np.mean([r.first for r in group]):7.1%}"
            f" {accepted(group, threshold):14.1%} {accepted(group, rare):9.1%} {given:7.1%}"
            f" {false:7.1%} {np.mean(near) if near else np.nan:13.1%}"
            f" {times[0]:6.0f} {times[1]:6.0f}"
        )


def answers(results: Sequence[Result], half: int) -> Iterator[tuple[Match, bool]]:
    """Give the best match of every answer of a half, and whether it is right.

    A match of the own piece at another place is neither: pieces repeat themselves.
    """
    for result in results:
        if result.query.half == half:
            if result.own is not None and result.first:
                if abs(result.own.offset - result.query.offset) <= 1:
                    yield result.own, True
            elif result.wrong is not None:
                yield result.wrong, False
            if result.unknown is not None:
                yield result.unknown, False


def reliability(results: Sequence[Result], plot: Path | None) -> None:
    """Print how often the answers of a confidence are right, on the reporting half."""
    found = list(answers(results, REPORTING))
    confidences = np.array([match.confidence for match, _ in found])
    right = np.array([is_right for _, is_right in found])
    print(f"\n{'confidence':>14} {'answers':>8} {'stated':>7} {'right':>7}")
    points = []
    for low, high in pairwise(CONFIDENCES):
        chosen = (confidences >= low) & (confidences < high)
        if chosen.any():
            stated, true = confidences[chosen].mean(), right[chosen].mean()
            points.append((stated, true))
            print(f"{low:6.3f} - {min(high, 1):.3f} {chosen.sum():8d} {stated:7.1%} {true:7.1%}")
    if plot is not None:
        figure = Figure(figsize=(5, 5), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.8")
        axes.plot(*zip(*points, strict=True), marker="o")
        axes.set(xlabel="stated confidence", ylabel="share right", title="Reliability")
        figure.savefig(plot)


def fit(results: Sequence[Result]) -> None:
    """Choose the weights of rhythm evidence on the tuning half, and print them."""
    from sklearn.linear_model import LogisticRegression

    found = list(answers(results, TUNING))
    evidences = [evidence(match.agreement) for match, _ in found]
    # so much regularised, since right and wrong answers can all but be told apart
    model = LogisticRegression(C=10.0, max_iter=10_000).fit(evidences, [r for _, r in found])
    gap, likelihood, share = model.coef_[0]
    print(
        f"\nEvidenceWeights(intercept={model.intercept_[0]:.2f}, gap={gap:.2f},"
        f" likelihood={likelihood:.2f}, share={share:.2f})  # of {len(found)} answers"
    )


def main() -> None:
    """Ask, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--distractors", type=int, default=20_000)
    parser.add_argument("--lengths", type=float, nargs="+", default=[3.0, 5.0, 10.0, 20.0])
    parser.add_argument(
        "--degradations", nargs="+", choices=[*DEGRADATIONS], default=[*DEGRADATIONS]
    )
    parser.add_argument("--excerpts", type=int, default=2, help="of each piece, kind and length")
    parser.add_argument("--plot", type=Path, help="draw the reliability diagram, a PNG")
    parser.add_argument("--fit", action="store_true", help="choose the weights of the decision")
    arguments = parser.parse_args()
    pieces = read_pieces(arguments.music)
    with TemporaryDirectory() as folder:
        judge = Judge(Path(folder), list(pieces.values()), arguments.distractors)
        results = [
            judge.result(query)
            for query in queries(
                arguments.music,
                list(pieces),
                arguments.degradations,
                arguments.lengths,
                arguments.excerpts,
            )
        ]
    report(results)
    reliability(results, arguments.plot)
    if arguments.fit:
        fit(results)


if __name__ == "__main__":
    main()
