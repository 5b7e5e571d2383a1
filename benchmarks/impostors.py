"""How the best impostor's evidence grows with the size of an index.

    python -m benchmarks.impostors --music DIR [DIR ...] [--part validation] [--largest 100000]
        [--lengths 5 10] [--degradations clean "pink 10"] [--excerpts 1] [--seed 0]

Excerpts of the pieces of a set are compared, at every offset, with synthetic tracks: those that are
spliced from the pieces of the sets before (`evaluation.spliced`), and those of independent gaps
(`evaluation.synthetic`). Tracks come in batches and none is kept, so --largest may be millions. An
excerpt's own piece is not among them.

Of so many tracks (1,000, and ten times as many up to --largest), the best likelihood counts, in
nats and as a fraction of what the excerpt's own log-likelihood ratios expect of the right track.
Smaller sizes are all the blocks of that size that the largest consists of. Printed are the mean
over excerpts and blocks, what nine in ten stay below, and the most; and *own above*: the fraction
whose own piece is likelier, at the speed at which it was published, than every impostor.

The best of many independent draws grows with the logarithm of their number where their tail falls
off exponentially (Gumbel's law), by as much for each decade. The slope of each excerpt is fitted to
its means by size; with it, the last row is an extrapolation to a catalogue of 40 million tracks.
Real tracks are not draws of one distribution: releases and covers of a recording are not in it. And
what is spliced comes of some dozens of pieces, each of which is either like an excerpt or not: the
slope falls once all of them have been drawn often. A spliced track lasts 82 s in the mean, one of
independent gaps 234 s.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.among_impostors import add_excerpts, excerpts_of, read_asked
from benchmarks.command import command_line, print_machine, say
from spotify_pipeline.evaluation.impostors import Kind
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.evaluation.spliced import Splicer
from spotify_pipeline.evaluation.synthetic import Generator
from spotify_pipeline.evaluation.tables import Table, number, percentage
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.fingerprint.onset_llr import probabilities
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.building.segment_writer import PackedTracks
from spotify_pipeline.index.kernels.likelihood import best_likelihoods, offset_sums
from spotify_pipeline.progress import Report, log_reporter

BLOCK_TRACKS = 1_000
CATALOGUE_TRACKS = 40_000_000
SEED = 5


@dataclass(frozen=True)
class Clip:
    """An excerpt's log-likelihood ratios, float32 (bins, 8); what is expected of them, in nats.

    Attributes
    ----------
    own
        Likelihood of the own piece.
    """

    llr: Float32s
    expected: float
    own: float


def clips_of(pieces: Sequence[Piece], arguments: argparse.Namespace) -> Iterator[Clip]:
    """Cut excerpts, and infer their log-likelihood ratios."""
    for query in excerpts_of(pieces, arguments):
        llr = QueryLlr.of(query.fingerprint, query.samples).rhythm
        own = float(offset_sums(llr, pieces[query.excerpt.piece].fingerprint.rhythm).max())
        yield Clip(llr, float((probabilities(llr) * llr).sum()), own)


def best_by_block(
    clips: Sequence[Clip], source: Splicer | Generator, tracks: int, report: Report
) -> Float64s:
    """Give each clip's best likelihood in each block of tracks, float64 (clips, blocks)."""
    blocks = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in range(0, tracks, BLOCK_TRACKS):
            report(done, tracks, "comparing with tracks")
            trains = source.tracks("0a", BLOCK_TRACKS).rhythm
            blocks.append(list(pool.map(partial(best_of, trains), clips)))
    return np.array(blocks).T


def best_of(trains: PackedTracks, clip: Clip) -> float:
    """Give a clip's best likelihood among some tracks."""
    likelihoods, _ = best_likelihoods(
        clip.llr, trains.content, trains.offsets[:-1], trains.offsets[1:]
    )
    return float(likelihoods.max())


def growth(clips: Sequence[Clip], best: Float64s) -> Table:
    """Tabulate the best likelihood by the number of tracks, and what it grows to."""
    own, wanted = (
        np.array([getattr(clip, name) for clip in clips]) for name in ("own", "expected")
    )
    sizes, means, rows = [], [], []
    size = 1
    while size <= best.shape[1]:
        whole = best.shape[1] // size * size
        most = best[:, :whole].reshape(len(clips), -1, size).max(axis=2)
        sizes.append(size * BLOCK_TRACKS)
        means.append(most.mean(axis=1))
        rows.append(row(f"{size * BLOCK_TRACKS:,}", most, own, wanted))
        size *= 10
    if len(sizes) > 1:
        slopes = np.polyfit(np.log10(sizes), np.array(means), 1)[0]
        decades = np.log10(CATALOGUE_TRACKS / sizes[-1])
        rows.append(per_decade(slopes, wanted))
        grown = most + (slopes * decades)[:, None]
        rows.append(row(f"{CATALOGUE_TRACKS:,}, extrapolated", grown, own, wanted))
    columns = ("tracks", "nats", "90 %", "most", "of expected", "90 %", "most", "own above")
    return Table(columns, rows)


def row(name: str, best: Float64s, own: Float64s, wanted: Float64s) -> tuple[str, ...]:
    """Write the figures of best likelihoods, float64 (clips, blocks)."""
    fractions = best / np.maximum(wanted, 1.0)[:, None]
    return (
        name,
        *(number(value) for value in (best.mean(), np.quantile(best, 0.9), best.max())),
        *map(percentage, (fractions.mean(), np.quantile(fractions, 0.9), fractions.max())),
        percentage(float(np.mean(own[:, None] > best))),
    )


def per_decade(slopes: Float64s, wanted: Float64s) -> tuple[str, ...]:
    """Write by how much each decade of tracks raises the best likelihood."""
    fractions = slopes / np.maximum(wanted, 1.0)
    return (
        "more each decade",
        *(number(v, 1) for v in (slopes.mean(), np.quantile(slopes, 0.9), slopes.max())),
        *map(percentage, (fractions.mean(), np.quantile(fractions, 0.9), fractions.max())),
        "",
    )


def main(words: Sequence[str] | None = None) -> None:
    """Compare, and print."""
    parser = command_line(__doc__)
    add_excerpts(parser, Part.VALIDATION, degradations=("clean", "pink 10"), lengths=(5.0, 10.0))
    parser.add_argument("--largest", type=int, default=100_000, help="tracks, 1,000 or more")
    arguments = parser.parse_args(words)
    print_machine()
    asked, sources = read_asked(arguments)
    if not sources:
        parser.error("there is no piece to splice tracks from but those that are asked for")
    clips = list(clips_of(asked, arguments))
    prints = [source.fingerprint for source in sources]
    made: dict[Kind, Splicer | Generator] = {
        Kind.SPLICED: Splicer(prints, SEED),
        Kind.INDEPENDENT: Generator(prints, SEED),
    }
    for kind, source in made.items():
        best = best_by_block(clips, source, arguments.largest, log_reporter(say, "tracks"))
        print(f"\n{kind}, {len(clips)} excerpts of {len(asked)} pieces\n")
        print(growth(clips, best).text(), flush=True)


if __name__ == "__main__":
    main()
