"""Fits the decision on the validation set, with a network that was not trained on it.

    python -m training.decision --music DIR [DIR ...] --network NETWORK.npz --out MODEL.npz
        [--documents FILE ...] [--distractors 20000] [--lengths 3 5 10 20]
        [--examples FOLDER [--only recording] [--seed 1]] [--earlier MODEL.npz]

Asks as `benchmarks.detection --part validation` does: among impostors spliced from the training
set, with the piece in the index and without it. Four times: with the recording, among tracks whose
harmony is known and among tracks without, and with its onsets of either kind alone. What was found,
and whether it is right, are the examples; --examples keeps them, so that fitting can be repeated;
--only asks in one of the four ways and stops, so that several commands can do that side by side.
Those of several seeds, each of which asks for other excerpts, are taken together. --earlier asks
for nothing, and takes the decisions for which there are no examples from a model of before.

Boosted trees of depth 3, none of which lets better evidence lower the odds, are fitted to them.
How many, cross-validation tells that leaves out pieces (`fit`); it also tells how surely the
decision judges pieces that it was not fitted to, which is printed: log loss, answers of a stated
confidence that are right, and known excerpts accepted at a confidence of 0.9. The file written
holds the network and the decisions, and what both were made of.

Belongs here: examples and fitting. Does not belong here: what decides
(`spotify_pipeline.identify.decision`).
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

from benchmarks.among_impostors import add_documents
from benchmarks.command import add_lengths, add_music, command_line, say
from spotify_pipeline.evaluation.impostors import Impostors, sources_of
from spotify_pipeline.evaluation.judge import Found, Judge, Result
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import (
    Piece,
    asked_pieces,
    read_pieces,
    without_harmony,
)
from spotify_pipeline.evaluation.queries import Query, queries
from spotify_pipeline.fingerprint import BANDS, Fingerprint, OnsetTrains
from spotify_pipeline.fingerprint.model_file import ModelFile, Section, digest, read_model_file
from spotify_pipeline.fingerprint.onset_network import OnsetModel, inferring_with
from spotify_pipeline.identify.decision import (
    FIGURES,
    RISING,
    SOURCES,
    THRESHOLD,
    THRESHOLD_LOG_ODDS,
    BoostedTrees,
    Decision,
    TrackEvidence,
    beside_twins,
)
from spotify_pipeline.index.format.key_setting import KINDS
from spotify_pipeline.progress import log_reporter
from training.provenance import made_now

CONDITIONS = (
    "clean",
    "mp3 64k",
    "telephone",
    "pink 10",
    "white 0",
    "room",
    "speed +2",
    "speed -2",
    "pitch +1",
    "tempo -4",
    "babble",
)
"""What recordings go through."""

FINGERPRINTED = ("clean", "mp3 64k", "pink 10")
"""What they go through of which only a fingerprint is known: it is of a file, as a rule."""

RECORDED = SOURCES[:2]

DEPTH = 3
RATE = 0.06
LEAST_LEAF = 12
REGULARISATION = 3.0
ROUNDS = (30, 45, 70, 100, 140, 200, 280)
FOLDS = 7

MOST_ACCEPTED = 0.005
FEWEST_ACCEPTED = 2
"""Of the recordings of unknown tracks, this fraction may be accepted at the most, but so many in
any case: of few recordings, one or two tell nothing."""

CERTAIN_NATS = 40.0
"""Less than this is nothing to be certain of, while examples are gathered; set by hand."""

LONE_NATS = 150.0
"""What is so likely has rivals, if it is not the right track; set by hand."""


@dataclass(frozen=True)
class Examples:
    """Matches, and whether they are right.

    Attributes
    ----------
    evidence
        float64 of shape (n, attributes): those of `TrackEvidence`, in its order.
    right
        bool of shape (n,).
    piece
        int64 of shape (n,): the piece that was asked for.
    best
        bool of shape (n,): it is the likeliest match, so the answer if it is accepted.
    known
        bool of shape (n,): the piece was in the index.
    condition
        str of shape (n,): degradation and seconds of the excerpt.
    """

    evidence: np.ndarray
    right: np.ndarray
    piece: np.ndarray
    best: np.ndarray
    known: np.ndarray
    condition: np.ndarray

    @cached_property
    def figures(self) -> np.ndarray:
        """What trees are fitted to, float64 of shape (n, figures), as of `FIGURES`."""
        return np.array([TrackEvidence(*row).figures for row in self.evidence.tolist()])

    def chosen(self, rows: np.ndarray) -> Self:
        """Take some of them."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @classmethod
    def of(cls, results: Sequence[Result]) -> Self:
        """Take the likeliest match of each answer, and those two that follow."""
        matches = [
            (astuple(one.match.evidence), known and one.match.track == r.track, r, position, known)
            for r in results
            for known, found in ((True, r.known), (False, r.unknown))
            for position, one in enumerate(_likeliest(found))
        ]
        return cls(
            evidence=np.array([evidence for evidence, *_ in matches]),
            right=np.array([right for _, right, *_ in matches]),
            piece=np.array([result.excerpt.piece for _, _, result, _, _ in matches]),
            best=np.array([position == 0 for *_, position, _ in matches]),
            known=np.array([known for *_, known in matches]),
            condition=np.array(
                [f"{r.excerpt.degradation} {r.excerpt.seconds:g} s" for _, _, r, _, _ in matches]
            ),
        )

    def write(self, file: Path) -> None:
        """Keep them."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(file, allow_pickle=False, **columns)

    @classmethod
    def read(cls, files: Sequence[Path]) -> Self:
        """Take together what `write` kept."""
        loaded = [np.load(file) for file in files]
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([one[name] for one in loaded]) for name in names})


def _likeliest(found: Sequence[Found]) -> list[Found]:
    """Give the three likeliest matches."""
    return sorted(found, key=lambda one: -one.match.evidence.joint)[:3]


class ProvisionalDecision:
    """Is certain of what is as likely as expected and far ahead, so that a search ends there."""

    def log_odds(self, evidence: TrackEvidence) -> float:
        """Give the natural logarithm of the odds, roughly."""
        figures = dict(zip(FIGURES, evidence.figures.tolist(), strict=True))
        fraction, margin = figures["fraction"], figures["margin_fraction"]
        # where little is expected, any track reaches it
        missing = max(CERTAIN_NATS - evidence.joint, 0)
        return float(12 * (fraction - 0.75) + 14 * (margin - 0.15) - 1 - missing)


def asked_results(
    asked: Sequence[Piece],
    impostors: Impostors,
    source: str,
    decision: Decision,
    arguments: argparse.Namespace,
) -> Iterator[Result]:
    """Ask for excerpts of each piece."""
    excerpts = queries(asked, degradations_of(source), arguments.lengths, 1, arguments.seed)
    if source == "recording":
        asked, impostors = without_harmony(asked), impostors.without_harmony()
    with TemporaryDirectory() as folder:
        judge = Judge(Path(folder), asked, impostors, decisions=dict.fromkeys(SOURCES, decision))
        for query in excerpts:
            yield judge.result(only(query, source))


def degradations_of(source: str) -> Sequence[str]:
    """Tell what excerpts go through, by what is known of them."""
    return CONDITIONS if source in RECORDED else FINGERPRINTED


def only(query: Query, source: str) -> Query:
    """Leave what a query may be made of: the recording, or its onsets of a kind alone."""
    if source in RECORDED:
        return query
    trains = {kind: OnsetTrains.from_bands([[]] * BANDS) for kind in KINDS}
    trains[source] = getattr(query.fingerprint, source)
    return replace(query, fingerprint=Fingerprint(**trains), samples=None)


def fitted(examples: Examples, rounds: int) -> HistGradientBoostingClassifier:
    """Fit so many trees."""
    model = HistGradientBoostingClassifier(
        learning_rate=RATE,
        max_iter=rounds,
        max_depth=DEPTH,
        min_samples_leaf=LEAST_LEAF,
        l2_regularization=REGULARISATION,
        monotonic_cst=list(RISING),
        early_stopping=False,
        random_state=0,
    )
    return model.fit(examples.figures, examples.right)


def left_out(examples: Examples, rounds: int) -> np.ndarray:
    """Give the logarithmic odds of each example by trees that were fitted to other pieces."""
    odds = np.empty(len(examples.right))
    folds = GroupKFold(FOLDS).split(examples.figures, groups=examples.piece)
    for chosen, other in folds:
        part = examples.chosen(chosen)
        odds[other] = fitted(part, rounds).decision_function(examples.figures[other])
    return odds


def stated(source: str, examples: Examples, odds: np.ndarray) -> np.ndarray:
    """Give the logarithmic odds as an answer states them, by those of the trees."""
    if source != "recording with harmony":
        return odds
    harmony = examples.figures[:, FIGURES.index("harmony")]
    return np.where(harmony == 0, odds, beside_twins(odds, harmony))


def log_loss(examples: Examples, odds: np.ndarray) -> float:
    """Give the mean cost of stating these odds, in nats an answer."""
    return float(np.logaddexp(0, np.where(examples.right, -odds, odds)).mean())


def trees_of(model: HistGradientBoostingClassifier) -> BoostedTrees:
    """Take the trees out of scikit-learn's model."""
    columns: dict[str, list[np.ndarray]] = {
        name: [] for name in ("figure", "threshold", "left", "right", "value")
    }
    roots, count = [], 0
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        roots.append(count)
        columns["figure"].append(np.where(leaf, -1, nodes["feature_idx"].astype(np.int64)))
        columns["threshold"].append(np.where(leaf, 0, nodes["num_threshold"]))
        columns["left"].append(nodes["left"].astype(np.int64) + count)
        columns["right"].append(nodes["right"].astype(np.int64) + count)
        columns["value"].append(np.where(leaf, nodes["value"], 0))
        count += len(nodes)
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    base = float(model._baseline_prediction.item())
    return BoostedTrees.of({**joined, "roots": np.array(roots), "base": np.array(base)})


def report(examples: Examples, odds: np.ndarray) -> dict[str, float]:
    """Print how odds judge the pieces that they were not fitted to; gives the main figures."""
    confidence = 1 / (1 + np.exp(-odds))
    best = examples.best
    for low, high in ((0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 0.99), (0.99, 0.999), (0.999, 1)):
        inside = best & (confidence >= low) & (confidence < high)
        if inside.any():
            print(
                f"  confidence {low:5.3f} to {high:5.3f}: {inside.sum():5} answers,"
                f" stated {confidence[inside].mean():.3f},"
                f" right {examples.right[inside].mean():.3f}"
            )
    accepted = best & (confidence >= THRESHOLD)
    known, right = best & examples.known, examples.right
    figures = {
        "log loss": log_loss(examples, odds),
        "accepted and right": float((accepted & right).sum() / known.sum()),
        "likeliest": float((known & right).sum() / known.sum()),
        "wrong": float((accepted & known & ~right).sum() / known.sum()),
        "unknown accepted": _accepted(examples, odds),
    }
    print("  " + ", ".join(f"{name} {value:.4f}" for name, value in figures.items()), flush=True)
    return figures


def _beside_rivals(examples: Examples) -> np.ndarray:
    """Choose all but wrong matches that stand alone, as no search that goes on leaves them.

    The provisional decision has ended it there; one that knows better would not have.
    """
    # figures that came later have defaults
    evidence = dict(zip(TrackEvidence.__annotations__, examples.evidence.T, strict=False))
    alone = (evidence["rival"] == 0) & (evidence["likelihood"] > LONE_NATS)
    return np.flatnonzero(~alone | examples.right | ~examples.best)


def _accepted(examples: Examples, odds: np.ndarray) -> float:
    """Give the fraction of recordings of unknown tracks that are accepted."""
    unknown = examples.best & ~examples.known
    return float((odds[unknown] >= THRESHOLD_LOG_ODDS).mean())


def fit(source: str, examples: Examples) -> tuple[BoostedTrees, dict[str, float]]:
    """Choose how many trees, report, and fit them to everything.

    Of those that accept no more than `MOST_ACCEPTED`, those that state their odds best.
    """
    examples = examples.chosen(_beside_rivals(examples))
    tried = {rounds: stated(source, examples, left_out(examples, rounds)) for rounds in ROUNDS}
    unknown = int((examples.best & ~examples.known).sum())
    most = max(MOST_ACCEPTED, FEWEST_ACCEPTED / unknown)
    allowed = [rounds for rounds in ROUNDS if _accepted(examples, tried[rounds]) <= most]
    rounds = min(allowed or ROUNDS[:1], key=lambda rounds: log_loss(examples, tried[rounds]))
    print(f"{source}: {len(examples.right)} matches, {rounds} trees of up to {ROUNDS[-1]}")
    figures = report(examples, tried[rounds])
    return trees_of(fitted(examples, rounds)), {"trees": rounds, **figures}


def gathered(arguments: argparse.Namespace, network: OnsetModel) -> Mapping[str, Examples]:
    """Ask for everything, or take what was kept."""
    folder: Path | None = arguments.examples
    kept = {} if folder is None else {s: sorted(folder.glob(f"{s}-*.npz")) for s in SOURCES}
    found = {source: Examples.read(files) for source, files in kept.items() if files}
    wanted = [arguments.only] if arguments.only else [s for s in SOURCES if s not in found]
    if arguments.earlier:
        wanted = []
    if not wanted:
        return found
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    asked = asked_pieces(pieces, Part.VALIDATION, say)
    impostors = Impostors.made(
        [piece.fingerprint for piece in asked],
        sources_of(pieces, asked, Part.VALIDATION),
        arguments.distractors,
        arguments.distractors // 2,
        arguments.documents,
        say,
    )
    progress = log_reporter(say)
    for source in wanted:
        total = len(degradations_of(source)) * len(arguments.lengths) * len(asked)
        results = []
        with inferring_with(network):
            for result in asked_results(asked, impostors, source, ProvisionalDecision(), arguments):
                results.append(result)
                progress(len(results), total, f"identifying excerpts by {source}")
        found[source] = Examples.of(results)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            found[source].write(folder / f"{source}-{arguments.seed}.npz")
    return found


def fitted_to(source: str, network: Section) -> Mapping[str, str]:
    """Tell which network a decision belongs to: none if it decides by onsets alone."""
    return {"network": digest(network)} if source in RECORDED else {}


def main(words: Sequence[str] | None = None) -> None:
    """Ask, fit, write."""
    parser = command_line(__doc__)
    add_music(parser)
    add_documents(parser)
    parser.add_argument("--network", type=Path, required=True, help="made by training.network")
    parser.add_argument("--out", type=Path, required=True, help="file to write, .npz")
    parser.add_argument("--examples", type=Path, help="folder to keep examples in")
    parser.add_argument("--only", choices=SOURCES, help="keep the examples of one kind, and stop")
    parser.add_argument(
        "--earlier",
        type=Path,
        help="model whose decisions are taken where there are no examples; none are asked for",
    )
    parser.add_argument(
        "--distractors",
        type=int,
        default=20_000,
        help="synthetic tracks to index; half of them are spliced",
    )
    add_lengths(parser, (3.0, 5.0, 10.0, 20.0))
    parser.add_argument("--seed", type=int, default=1, help="another one asks for other excerpts")
    arguments = parser.parse_args(words)
    if arguments.only and arguments.examples is None:
        parser.error("--only keeps examples: say where with --examples")
    read = read_model_file(arguments.network)
    network = read.section("network")
    sections, provenance = {"network": network}, {"network": read.provenance["network"]}
    settings = {name: getattr(arguments, name) for name in ("distractors", "lengths", "seed")}
    found = gathered(arguments, OnsetModel.of(network))
    if arguments.only:
        return
    for source, examples in found.items():
        trees, figures = fit(source, examples)
        name = f"decision for {source}"
        sections[name] = trees.arrays()
        provenance[name] = made_now(
            settings=settings,
            figures=list(FIGURES),
            left_out=figures,
            matches=len(examples.right),
            fitted_to=fitted_to(source, network),
        )
    if arguments.earlier:
        earlier = read_model_file(arguments.earlier)
        for source in (one for one in SOURCES if one not in found):
            name = f"decision for {source}"
            if earlier.provenance[name]["fitted_to"] != fitted_to(source, network):
                parser.error(f"{arguments.earlier}: the {name} was fitted to another network")
            sections[name], provenance[name] = earlier.section(name), earlier.provenance[name]
    ModelFile(sections, provenance).write(arguments.out)


if __name__ == "__main__":
    main()
