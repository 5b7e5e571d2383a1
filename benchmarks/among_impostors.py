"""Excerpts of music, and an index of their pieces among impostors, as `benchmarks.detection` asks.

Belongs here: what commands need that look into single stages of an identification. Does not belong
here: excerpts and impostors themselves (`spotify_pipeline.evaluation`).
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.command import add_degradations, add_lengths, add_music, say
from spotify_pipeline.evaluation.degradations import DEGRADATIONS
from spotify_pipeline.evaluation.impostors import Impostors, Source, sources_of, tracks_of
from spotify_pipeline.evaluation.judge import segment_of
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece, asked_pieces, read_pieces
from spotify_pipeline.evaluation.queries import Query, queries
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline.progress import log_reporter

__all__ = [
    "AS_PUBLISHED",
    "add_distractors",
    "add_documents",
    "add_excerpts",
    "excerpts_of",
    "index_among_impostors",
    "read_asked",
]

AS_PUBLISHED = [name for name in DEGRADATIONS if not name.startswith(("speed", "pitch", "tempo"))]
"""Degradations that leave tempo and pitch as they are."""


def add_excerpts(
    parser: argparse.ArgumentParser,
    part: Part,
    *,
    degradations: Sequence[str],
    lengths: Sequence[float],
    among: Sequence[str] = tuple(DEGRADATIONS),
    excerpts: int = 1,
    seed: int = 0,
) -> None:
    """Add the options that say which excerpts of which music are asked for, with defaults."""
    add_music(parser, part)
    add_lengths(parser, lengths)
    add_degradations(parser, among, degradations)
    parser.add_argument(
        "--excerpts", type=int, default=excerpts, help="of each piece, degradation and length"
    )
    parser.add_argument("--seed", type=int, default=seed, help="another one gives other excerpts")


def add_distractors(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what stands in the index beside the pieces."""
    parser.add_argument(
        "--distractors",
        type=int,
        default=20_000,
        help="synthetic tracks to index; half of them are spliced by default",
    )
    add_documents(parser)


def add_documents(parser: argparse.ArgumentParser) -> None:
    """Add the option that names documents to index."""
    parser.add_argument(
        "--documents",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        help="of analysis documents, whose tracks are indexed too",
    )


def read_asked(arguments: argparse.Namespace) -> tuple[list[Piece], list[Source]]:
    """Read the music; gives the pieces that are asked for, and what may be spliced."""
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    asked = asked_pieces(pieces, arguments.part, say)
    return asked, sources_of(pieces, asked, arguments.part)


def index_among_impostors(
    folder: Path, asked: Sequence[Piece], sources: Sequence[Source], arguments: argparse.Namespace
) -> Searcher:
    """Index pieces, whose numbers they keep, and impostors after them."""
    impostors = Impostors.made(
        [piece.fingerprint for piece in asked],
        sources,
        arguments.distractors,
        arguments.distractors // 2,
        arguments.documents,
        say,
    )
    parts = [("pieces", tracks_of(asked)), *impostors.tracks.items()]
    return Searcher([segment_of(folder / name, tracks) for name, tracks in parts])


def excerpts_of(asked: Sequence[Piece], arguments: argparse.Namespace) -> Iterator[Query]:
    """Cut the excerpts that `add_excerpts` describes, and report how many were taken."""
    report = log_reporter(say)
    wanted = arguments.degradations, arguments.lengths, arguments.excerpts
    total = len(asked) * len(wanted[0]) * len(wanted[1]) * wanted[2]
    for number, query in enumerate(queries(asked, *wanted, arguments.seed)):
        report(number, total, "comparing excerpts")
        yield query
