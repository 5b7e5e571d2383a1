"""How far the search is from the best there could be: every track tried in full.

    python benchmarks/exhaustive.py --music DIR [DIR ...] [--part test] [--distractors 20000]
        [--lengths 3 5 10 20] [--degradations clean room "white 0" ...] [--seed 0]

Asks for excerpts among impostors as `benchmarks/detection.py` does, but for those at other speeds.
*tried*: fraction of excerpts whose piece is likeliest of all, where all LLRs of the recording are
compared with every track at every offset: more cannot be told from onset LLRs. *identified*: whose
piece comes first in the identifier, which tries few tracks, or few seconds. *lost*: that the one
finds and the other does not.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from spotify_pipeline.evaluation.degradations import DEGRADATIONS
from spotify_pipeline.evaluation.impostors import Impostors, sources_of, tracks_of
from spotify_pipeline.evaluation.judge import segment_of
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece, asked_pieces, read_pieces
from spotify_pipeline.evaluation.queries import queries
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.search.searcher import FeatureIndex
from spotify_pipeline.progress import log_reporter

AS_PLAYED = [name for name in DEGRADATIONS if not name.startswith(("speed", "pitch", "tempo"))]


def index_of(folder: Path, pieces: list[Piece], impostors: Impostors) -> FeatureIndex:
    """Index pieces, and impostors after them."""
    parts = {"pieces": tracks_of(pieces), **impostors.tracks}
    return FeatureIndex([segment_of(folder / name, tracks) for name, tracks in parts.items()])


def main() -> None:
    """Ask, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument(
        "--part", type=Part, choices=[Part.VALIDATION, Part.TEST], default=Part.TEST
    )
    parser.add_argument("--distractors", type=int, default=20_000)
    parser.add_argument("--lengths", type=float, nargs="+", default=[3.0, 5.0, 10.0, 20.0])
    parser.add_argument(
        "--degradations", nargs="+", choices=AS_PLAYED, default=["clean", "white 0", "room"]
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    asked = asked_pieces(pieces, arguments.part, say)
    prints = [piece.fingerprint for piece in asked]
    sources = sources_of(pieces, asked, arguments.part)
    spliced = arguments.distractors // 2
    impostors = Impostors.made(prints, sources, arguments.distractors, spliced, warn=say)
    conditions: dict[tuple[str, float], list[tuple[bool, bool]]] = {}
    total = len(arguments.degradations) * len(arguments.lengths) * len(asked)
    report = log_reporter(say)
    with TemporaryDirectory() as folder:
        identifier = Identifier(index_of(Path(folder), asked, impostors))
        excerpts = queries(asked, arguments.degradations, arguments.lengths, 1, arguments.seed)
        for number, query in enumerate(excerpts):
            report(number, total, "trying excerpts")
            llr = QueryLlr.of(query.fingerprint, query.samples)
            likeliest = identifier.index.likeliest(llr.rhythm, 1)
            matches = identifier.matches_of(llr)
            tried, identified = (
                bool(found) and found[0].track == query.excerpt.piece
                for found in (likeliest, matches)
            )
            condition = (query.excerpt.degradation, query.excerpt.seconds)
            conditions.setdefault(condition, []).append((tried, identified))
    print(f"{'':9} {'':4}    tried  identified  lost")
    for (name, seconds), outcomes in conditions.items():
        by_trying, by_search = np.array(outcomes).T
        print(
            f"{name:>9} {seconds:4.0f} s  {by_trying.mean():6.1%}      {by_search.mean():6.1%}"
            f"  {(by_trying & ~by_search).sum()} of {len(outcomes)}"
        )


if __name__ == "__main__":
    main()
