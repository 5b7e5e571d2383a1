"""How many nats of rhythm a nat of harmony or loudness is worth: the right track's ranks by that.

    python -m benchmarks.harmony_weight --music DIR [DIR ...] [--documents FILE ...]
        [--part validation] [--weights 0 1 2 3 5 8 10 15] [--loudness-weights 1 2 3 5 8 10]
        [--candidates 1000] [--distractors 20000]
        [--lengths 3 5 10 20] [--degradations clean telephone room "white 0"] [--seed 7]

Excerpts are scored exhaustively among impostors as of `benchmarks.detection`: all of an excerpt's
log-likelihood ratios, at every offset of every track. The tracks that fit best by rhythm are then
ranked by rhythm and harmony together, with harmony counted so many times; a weight of 0 is rhythm
alone. Then by rhythm, harmony at its weight, and loudness counted so many times ("5 + 2").

*first*, *in 3*, *in 20*: excerpts whose piece has such a rank. *not among*: those whose piece is
not even among the tracks that harmony is compared with, whatever the weight. Then, condition by
condition, how many are first. This chose `HARMONY_WEIGHT` and `LOUDNESS_WEIGHT` of
`spotify_pipeline.identify.decision`, with the defaults, which are of the validation set.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.among_impostors import (
    AS_PUBLISHED,
    add_distractors,
    add_excerpts,
    excerpts_of,
    index_among_impostors,
    read_asked,
)
from benchmarks.command import command_line, print_machine
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.evaluation.queries import Excerpt, Query
from spotify_pipeline.evaluation.tables import Table
from spotify_pipeline.fingerprint.arrays import Int64s
from spotify_pipeline.harmony.agreement import nats, nats_of_loudness
from spotify_pipeline.identify.decision import HARMONY_WEIGHT
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.search.searcher import Searcher

WEIGHTS = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0)
RANKS = {"first": 1, "in 3": 3, "in 20": 20}
LOUDNESS_WEIGHTS = (1.0, 2.0, 3.0, 5.0, 8.0, 10.0)
NOT_AMONG = np.iinfo(np.int64).max

Weights = tuple[float, float]
"""Of a nat of harmony, and of a nat of loudness."""


def ranks(index: Searcher, query: Query, weights: Sequence[Weights], candidates: int) -> Int64s:
    """Rank an excerpt's own piece by each weight.

    Returns
    -------
    int64 of shape (weights,), 0 the first; `NOT_AMONG` if other tracks leave no room for it.
    """
    odds = QueryLlr.of(query.fingerprint, query.samples)
    found = index.likeliest(odds.rhythm, candidates)
    own = [position for position, one in enumerate(found) if one.track == query.excerpt.piece]
    if not own:
        return np.full(len(weights), NOT_AMONG, np.int64)
    rhythm = np.array([one.score for one in found])
    agreements = index.agreements(odds.sound(1.0), found, 1.0)
    added = np.stack((nats(agreements), nats_of_loudness(agreements)))
    evidence = rhythm + np.array(weights) @ added
    return np.asarray((evidence > evidence[:, own]).sum(axis=1), np.int64)


def ranked(
    asked: Sequence[Piece],
    index: Searcher,
    weights: Sequence[Weights],
    arguments: argparse.Namespace,
) -> Iterator[tuple[Excerpt, Int64s]]:
    """Rank the pieces of all excerpts."""
    for query in excerpts_of(asked, arguments):
        yield query.excerpt, ranks(index, query, weights, arguments.candidates)


def named(weights: Weights) -> str:
    """Write weights."""
    harmony, of_loudness = weights
    return f"{harmony:g} + {of_loudness:g}" if of_loudness else f"{harmony:g}"


def by_weight(weights: Sequence[Weights], found: Int64s) -> Table:
    """Tabulate ranks, int64 of shape (excerpts, weights)."""
    rows = [
        (
            named(weight),
            *(str((column < most).sum()) for most in RANKS.values()),
            str((column == NOT_AMONG).sum()),
        )
        for weight, column in zip(weights, found.T, strict=True)
    ]
    return Table(("weight", *RANKS, "not among"), rows)


def by_condition(weights: Sequence[Weights], found: Mapping[str, Int64s]) -> Table:
    """Tabulate how many are first, by condition and weight."""
    rows = [
        (condition, str(len(of_it)), *(str(count) for count in (of_it == 0).sum(axis=0)))
        for condition, of_it in found.items()
    ]
    return Table(("condition", "excerpts", *map(named, weights)), rows)


def main(words: Sequence[str] | None = None) -> None:
    """Ask, rank, print."""
    parser = command_line(__doc__)
    add_excerpts(
        parser,
        Part.VALIDATION,
        degradations=("clean", "telephone", "room", "white 0"),
        lengths=(3.0, 5.0, 10.0, 20.0),
        among=AS_PUBLISHED,
        seed=7,
    )
    add_distractors(parser)
    parser.add_argument(
        "--weights", type=float, nargs="+", default=WEIGHTS, help="how often harmony is counted"
    )
    parser.add_argument(
        "--loudness-weights",
        type=float,
        nargs="+",
        default=LOUDNESS_WEIGHTS,
        help="how often loudness is counted",
    )
    parser.add_argument(
        "--candidates",
        type=int,
        default=1_000,
        help="tracks that harmony is compared with, the likeliest by rhythm",
    )
    arguments = parser.parse_args(words)
    print_machine()
    weights = [(weight, 0.0) for weight in arguments.weights]
    weights += [(HARMONY_WEIGHT, weight) for weight in arguments.loudness_weights]
    asked, sources = read_asked(arguments)
    with TemporaryDirectory() as folder:
        index = index_among_impostors(Path(folder), asked, sources, arguments)
        tracks = len(index)
        found = list(ranked(asked, index, weights, arguments))
    whole = np.array([one for _, one in found])
    conditions: dict[str, list[Int64s]] = {}
    for excerpt, one in found:
        condition = f"{excerpt.degradation} {excerpt.seconds:g} s"
        conditions.setdefault(condition, []).append(one)
    print(f"\n{len(found)} excerpts of {len(asked)} pieces among {tracks:,} tracks\n")
    print(by_weight(weights, whole).text())
    print("\nfirst, by weight:\n")
    stacked = {name: np.array(of_it) for name, of_it in conditions.items()}
    print(by_condition(weights, stacked).text())


if __name__ == "__main__":
    main()
