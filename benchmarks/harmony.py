"""What harmony and loudness tell of recordings whose analysis documents are known.

    python -m benchmarks.harmony --pairs DIR --documents FILE [FILE ...]
        [--lengths 5 10 20] [--degradations clean "pink 5" room telephone "white 0"] [--excerpts 20]
        [--plot FILE.png] [--music DIR [DIR ...]]

DIR holds recordings, each beside the document that the analyzer made of it, under the same name.
Excerpts are degraded, and compared with their own document, aligned as they should be, and with
`IMPOSTORS` others: random places of the other documents, half of them transposed at random. Shown
are, by *pitches*, by *loudness* and by *both*: of the right document, the median correlation and
nats, and the nats that nine in ten reach; of the impostors, the fraction above 0 nats and above 5,
and the highest of all. By pitches, also the fraction that is refused however well onsets agree
(`decision.beside_twins`).

With --music, clean excerpts of the pieces of an evaluation are compared with their disturbed
segments (`evaluation.harmonies`), as often and as long as the first length: how nearly they
correlate, part by part, beside the recordings of which both are known; loudness by the Fisher
transform of its correlation.

The constants of `harmony.chroma`, and what chance makes of a correlation (`harmony.agreement`),
were chosen on these recordings and documents, for there are few recordings of which anybody has
both; what the right track's correlation is, on the validation set, whose segments are disturbed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.command import command_line, print_machine, say
from benchmarks.pairs import (
    CONDITIONS,
    SHORTEST_DOCUMENT,
    add_pairs,
    packed,
    recordings_with_documents,
)
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE, Degradation
from spotify_pipeline.evaluation.documents import read_documents
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import read_pieces
from spotify_pipeline.evaluation.tables import Table, number, percentage
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.harmony import PITCH_CLASSES, Segments
from spotify_pipeline.harmony.agreement import Sound, agreement, nats, nats_of_loudness
from spotify_pipeline.harmony.chroma import Spectrum
from spotify_pipeline.harmony.loudness import loudness
from spotify_pipeline.identify.decision import THRESHOLD_LOG_ODDS, beside_twins
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import read_recording
from spotify_pipeline.resampling import analyzer_samples

EVIDENCE = ("pitches", "loudness", "both")

IMPOSTORS = 49
"""An identification judges about so many tracks."""


@dataclass(frozen=True)
class Pair:
    """A recording, float32 at `RATE`, and its segments, packed and unpacked."""

    name: str
    samples: Float32s
    segments: Segments


@dataclass(frozen=True)
class Correlations:
    """What excerpts of a recording tell of it, and of impostors.

    Attributes
    ----------
    correlations
        By "pitches" and "loudness", float64 of shape (excerpts,): with the own document.
    nats
        By `EVIDENCE`, float64 of shape (excerpts, 1 + impostors), the own document first.
    """

    correlations: Mapping[str, np.ndarray]
    nats: Mapping[str, np.ndarray]


def pairs_of(folder: Path) -> Iterator[Pair]:
    """Read recordings and the documents beside them."""
    for recording, file in recordings_with_documents(folder):
        (document,) = read_documents([file])
        yield Pair(file.stem, read_recording(recording, RATE).samples, packed(document.harmony))


def measured(
    pair: Pair,
    others: list[Segments],
    degradation: Degradation,
    seconds: float,
    excerpts: int,
) -> Correlations:
    """Compare excerpts."""
    rng = np.random.default_rng(1)
    last = min(float(pair.segments.starts[-1]), len(pair.samples) / RATE) - seconds
    agreements = []
    for _ in range(excerpts):
        start = rng.uniform(0, last)
        cut = pair.samples[round(start * RATE) :][: round(seconds * RATE)]
        heard = analyzer_samples(degradation(cut, rng), RATE)
        sound = Sound.of(Spectrum.of(heard).chroma(), loudness(heard))
        found = [agreement(sound, pair.segments, start, 1.0)]
        for _ in range(IMPOSTORS):
            other = others[rng.integers(len(others))]
            key = rng.integers(PITCH_CLASSES) * rng.integers(2)
            other = replace(other, pitches=np.roll(other.pitches, key, axis=1))
            begin = rng.uniform(0, other.starts[-1] - seconds)
            found.append(agreement(sound, other, begin, 1.0))
        agreements.append(found)
    right = [found[0] for found in agreements]
    pitches = np.array([nats(found) for found in agreements])
    loud = np.array([nats_of_loudness(found) for found in agreements])
    return Correlations(
        {
            "pitches": np.array([one.correlation for one in right]),
            "loudness": np.array([one.loudness for one in right]),
        },
        {"pitches": pitches, "loudness": loud, "both": pitches + loud},
    )


HEADINGS = (
    *("recording", "condition", "length", "by", "corr.", "nats", "10 %", "refused"),
    *("above 0", "above 5", "most", "refused"),
)


def row(name: str, condition: str, seconds: float, evidence: str, one: Correlations) -> list[str]:
    """Lay out a row of the table."""
    right, impostors = one.nats[evidence][:, 0], one.nats[evidence][:, 1:]
    known = evidence in one.correlations

    def refused_of(nats: np.ndarray) -> str:
        return percentage(refused(nats)) if evidence == "pitches" else ""

    return [
        *(name[:24], condition, f"{seconds:g} s", evidence),
        number(float(np.median(one.correlations[evidence])), 2) if known else "",
        number(float(np.median(right)), 1),
        number(float(np.quantile(right, 0.1)), 1),
        refused_of(right),
        percentage(float(np.mean(impostors > 0))),
        percentage(float(np.mean(impostors > 5))),
        number(float(impostors.max()), 1),
        refused_of(impostors),
    ]


def refused(harmony: np.ndarray) -> float:
    """Give the fraction that is refused whatever the onsets tell."""
    return float(np.mean(beside_twins(np.inf, harmony) < THRESHOLD_LOG_ODDS))


def print_disturbed(folders: Sequence[Path], seconds: float, excerpts: int) -> None:
    """Print how the disturbed segments of an evaluation's pieces correlate with the pieces."""
    found: dict[Part, list[tuple[float, float]]] = {part: [] for part in Part}
    for piece in read_pieces(folders, log_reporter(say, "files"), say):
        pair = Pair(piece.name, read_recording(piece.file, RATE).samples, packed(piece.harmony))
        one = measured(pair, [pair.segments], DEGRADATIONS["clean"], seconds, excerpts)
        heard = np.median(np.arctanh(one.correlations["loudness"]))
        found[piece.part].append((float(np.median(one.correlations["pitches"])), float(heard)))
    print(
        f"\ndisturbed segments, clean excerpts of {seconds:g} s, the median of {excerpts} a piece:"
    )
    for part, figures in found.items():
        if figures:
            of_part = ", ".join(
                f"{name} {middle:.2f} ({low:.2f} to {high:.2f} of four in five)"
                for name, (low, middle, high) in zip(
                    ("pitches", "loudness"),
                    np.quantile(figures, (0.1, 0.5, 0.9), axis=0).T,
                    strict=True,
                )
            )
            print(f"{part:>12} set, {len(figures):3} pieces: {of_part}")


def draw(file: Path, conditions: dict[tuple[str, str, float], Correlations]) -> None:
    """Draw how nats are distributed: a column of panels a condition, a row a length."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(condition for _, condition, _ in conditions))
    lengths = sorted({seconds for *_, seconds in conditions})
    bins = np.arange(-6, 42, 1.5)
    figure, axes = plt.subplots(
        len(lengths),
        len(names),
        figsize=(2.6 * len(names), 2.2 * len(lengths)),
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    for row, seconds in zip(axes, lengths, strict=True):
        for axis, condition in zip(row, names, strict=True):
            chosen = [one for key, one in conditions.items() if key[1:] == (condition, seconds)]
            right = np.concatenate([one.nats["both"][:, 0] for one in chosen])
            others = np.concatenate([one.nats["both"][:, 1:].ravel() for one in chosen])
            for nats_of, name in ((others, "impostors"), (right, "right track")):
                inside = np.clip(nats_of, bins[0], bins[-1])
                axis.hist(inside, bins, density=True, alpha=0.7, label=name)
            axis.set(title=f"{condition}, {seconds:g} s")
    for axis in axes[-1]:
        axis.set(xlabel="nats, pitches and loudness")
    axes[0, 0].legend()
    figure.tight_layout()
    figure.savefig(file, dpi=80)


def main(words: Sequence[str] | None = None) -> None:
    """Compare, and print."""
    parser = command_line(__doc__)
    add_pairs(parser, lengths=[5.0, 10.0, 20.0], excerpts=20)
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw how nats lie")
    parser.add_argument(
        "--music", type=Path, nargs="+", default=(), metavar="DIR", help="an evaluation's music"
    )
    arguments = parser.parse_args(words)
    print_machine()
    documents = [
        packed(document.harmony)
        for document in read_documents(arguments.documents)
        if len(document.harmony) and document.harmony.starts[-1] > SHORTEST_DOCUMENT
    ]
    pairs = list(pairs_of(arguments.pairs))
    say(f"{len(pairs)} recordings with their documents, {len(documents)} other documents")
    conditions = {}
    for pair in pairs:
        others = [*documents, *(other.segments for other in pairs if other is not pair)]
        for condition in arguments.degradations:
            for seconds in arguments.lengths:
                degradation = CONDITIONS[condition]
                one = measured(pair, others, degradation, seconds, arguments.excerpts)
                conditions[pair.name, condition, seconds] = one
                say(f"{pair.name}, {condition}, {seconds:g} s")
    rows = [row(*of, kind, one) for of, one in conditions.items() for kind in EVIDENCE]
    print(Table(HEADINGS, rows).text())
    if arguments.plot:
        draw(arguments.plot, conditions)
    if arguments.music:
        print_disturbed(arguments.music, arguments.lengths[0], arguments.excerpts)


if __name__ == "__main__":
    main()
