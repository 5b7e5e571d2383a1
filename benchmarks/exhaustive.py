"""How far the search is from the best there could be: exhaustive scoring of every track.

    python -m benchmarks.exhaustive --music DIR [DIR ...] [--part test] [--distractors 20000]
        [--lengths 3 5 10 20] [--degradations clean room "white 0" ...] [--seed 0]

Asks for excerpts among impostors as `benchmarks.detection` does, but for those at other speeds.
*exhaustive*: fraction of excerpts whose piece is likeliest of all, where all log-likelihood ratios
of the recording are compared with every track at every offset: rhythm alone tells no more.
*identified*: whose piece comes first in the identifier, which scores few tracks, or few seconds,
and compares harmony. *lost*: how many the one finds and the other does not.
"""

from collections.abc import Sequence
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
from spotify_pipeline.evaluation.queries import Query
from spotify_pipeline.evaluation.tables import Table, percentage
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.query_llr import QueryLlr

Outcome = tuple[bool, bool]
"""Whether the own piece comes first: by exhaustive scoring, in the identifier."""


def outcome(identifier: Identifier, query: Query) -> Outcome:
    """Score every track, and identify."""
    llr = QueryLlr.of(query.fingerprint, query.samples)
    likeliest = identifier.index.likeliest(llr.rhythm, 1)
    matches = identifier.matches_of(llr)
    by_score, identified = (
        bool(found) and found[0].track == query.excerpt.piece for found in (likeliest, matches)
    )
    return by_score, identified


def row(condition: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Write the figures of a condition."""
    by_score, identified = np.array(outcomes).T
    return (
        condition,
        str(len(outcomes)),
        percentage(by_score.mean()),
        percentage(identified.mean()),
        str((by_score & ~identified).sum()),
    )


def main(words: Sequence[str] | None = None) -> None:
    """Ask, compare, print."""
    parser = command_line(__doc__)
    add_excerpts(
        parser,
        Part.TEST,
        degradations=("clean", "white 0", "room"),
        lengths=(3.0, 5.0, 10.0, 20.0),
        among=AS_PUBLISHED,
    )
    add_distractors(parser)
    arguments = parser.parse_args(words)
    print_machine()
    asked, sources = read_asked(arguments)
    conditions: dict[str, list[Outcome]] = {}
    with TemporaryDirectory() as folder:
        identifier = Identifier(index_among_impostors(Path(folder), asked, sources, arguments))
        for query in excerpts_of(asked, arguments):
            condition = f"{query.excerpt.degradation} {query.excerpt.seconds:g} s"
            conditions.setdefault(condition, []).append(outcome(identifier, query))
    rows = [row(condition, outcomes) for condition, outcomes in conditions.items()]
    print(Table(("condition", "excerpts", "exhaustive", "identified", "lost"), rows).text())


if __name__ == "__main__":
    main()
