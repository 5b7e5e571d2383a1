"""Chooses the weights of `identify.decision` on the validation set.

    python benchmarks/decision_weights.py --music DIR [DIR ...] [--documents FILE ...]
        [--known recording] [--distractors 20000] [--lengths 3 5 10]
        [--degradations clean room ...] [--seed 1]

Asks as `benchmarks/detection.py --part validation` does: of pieces that the network has not learned
from, among impostors spliced from the training set.

--known rhythm or echoprint gives the excerpts' onsets of a kind instead of the recording.

A match of the own piece at another place teaches neither: pieces repeat themselves. Printed are the
weights, and how they judge pieces that were left out when they were chosen.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from spotify_pipeline.evaluation.degradations import DEGRADATIONS
from spotify_pipeline.evaluation.impostors import Impostors, sources_of
from spotify_pipeline.evaluation.judge import Judge, Result
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece, asked_pieces, read_pieces
from spotify_pipeline.evaluation.queries import Query, queries
from spotify_pipeline.evaluation.reliability import Outcome, answers
from spotify_pipeline.fingerprint import BANDS, Fingerprint, OnsetTrains
from spotify_pipeline.identify.decision import evidence
from spotify_pipeline.index.features import KINDS
from spotify_pipeline.progress import log_reporter

HEARD = ("clean", "mp3 64k", "telephone", "pink 10", "white 0", "room", "speed +2")


def results(
    asked: Sequence[Piece], impostors: Impostors, arguments: argparse.Namespace
) -> Iterator[Result]:
    """Ask for excerpts of each piece."""
    with TemporaryDirectory() as folder:
        judge = Judge(Path(folder), asked, impostors)
        for query in queries(asked, arguments.degradations, arguments.lengths, 1, arguments.seed):
            yield judge.result(known(query, arguments.known))


def known(query: Query, kind: str) -> Query:
    """Leave only the onsets of a kind, or all."""
    if kind == "recording":
        return query
    trains = {other: OnsetTrains.from_bands([[]] * BANDS) for other in KINDS}
    trains[kind] = getattr(query.fingerprint, kind)
    return replace(query, fingerprint=Fingerprint(**trains), samples=None)


def fit(found: Sequence[Result]) -> None:
    """Choose weights, and print them."""
    told, right, piece = [], [], []
    for result in found:
        for match, outcome in answers([result]):
            if outcome is not Outcome.ELSEWHERE:
                told.append(evidence(match.agreement))
                right.append(outcome is Outcome.RIGHT)
                piece.append(result.excerpt.piece)
    # so much regularised, since right and wrong answers can all but be told apart
    model = LogisticRegression(C=10.0, max_iter=10_000)
    chances = cross_val_predict(
        model, told, right, groups=piece, cv=LeaveOneGroupOut(), method="predict_proba"
    )[:, 1]
    model.fit(told, right)
    weights = ", ".join(f"{weight:.2f}" for weight in model.coef_[0])
    print(f"intercept {model.intercept_[0]:.2f}, weights {weights}, of {len(told)} answers")
    for low, high in ((0.3, 0.7), (0.7, 0.9), (0.9, 1.0)):
        inside = (chances >= low) & (chances <= high)
        share = np.mean(np.array(right)[inside])
        print(f"confidence {low} to {high}: {inside.sum()} answers, {share:.1%} right")


def main() -> None:
    """Ask, choose, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--documents", type=Path, nargs="+", default=(), metavar="FILE")
    parser.add_argument("--known", choices=["recording", *KINDS], default="recording")
    parser.add_argument("--distractors", type=int, default=20_000)
    parser.add_argument("--lengths", type=float, nargs="+", default=(3.0, 5.0, 10.0))
    parser.add_argument("--degradations", nargs="+", choices=[*DEGRADATIONS], default=HEARD)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
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
    total = len(arguments.degradations) * len(arguments.lengths) * len(asked)
    report = log_reporter(say)
    found = []
    for result in results(asked, impostors, arguments):
        found.append(result)
        report(len(found), total, "identifying excerpts")
    fit(found)


if __name__ == "__main__":
    main()
