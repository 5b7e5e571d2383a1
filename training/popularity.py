"""Tells what popularity is worth between tracks that fit a recording, to choose its weight.

    python -m training.popularity --model MODEL.npz --examples FOLDER [--catalog meta.duckdb]
        [--draws 40] [--seed 0]

The examples are those that `training.decision` keeps, of the validation set. Its pieces have no
popularity, so each gets one by lot: tracks of the index as the catalogue has them, the one that was
asked for by how often such tracks are played (`NATS_A_POINT`). Printed is, for each weight, how
surely the decision judges then: log loss, known excerpts accepted and right, and wrong ones. And
the same where people ask for obscure tracks as often as for any other, which a large weight harms.

What flatters: popularity is drawn by the law that the prior assumes, and the trees that judge were
fitted to these examples.

Without --catalog, 70 in 100 tracks have a popularity of 0 and the others one that falls off
exponentially, so that one in a thousand has 50: so it is in the catalogue as published (Anna's
Archive, "Backing up Spotify", 2025).

Belongs here: the weight of the prior. Does not belong here: the prior
(`spotify_pipeline.identify.popularity`).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.command import command_line
from spotify_pipeline.fingerprint.model_file import read_model_file
from spotify_pipeline.identify.decision import (
    SOURCES,
    THRESHOLD_LOG_ODDS,
    Decision,
    TrackEvidence,
    decisions_of,
)
from spotify_pipeline.identify.popularity import NATS_A_POINT
from training.decision import Examples

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
POINTS = np.arange(101)


def published() -> np.ndarray:
    """Give the fraction of tracks of each popularity, float64 of shape (101,)."""
    fractions = np.exp(-POINTS * np.log(300) / 49)
    fractions[1:] *= 0.3 / fractions[1:].sum()
    fractions[0] = 0.7
    return np.asarray(fractions)


def counted(catalog: Path) -> np.ndarray:
    """Count them in a catalogue."""
    with duckdb.connect(str(catalog), read_only=True) as connection:
        rows = connection.execute(
            "SELECT greatest(coalesce(popularity, 0), 0), count(*) FROM tracks GROUP BY 1"
        ).fetchall()
    counts = np.zeros(len(POINTS))
    for points, count in rows:
        counts[min(points, len(POINTS) - 1)] += count
    return np.asarray(counts / counts.sum())


def drawn(examples: Examples, fractions: np.ndarray, plays: bool, seed: int) -> np.ndarray:
    """Draw how many nats popularity puts each match ahead of its rival, at a weight of 1."""
    rng = np.random.default_rng(seed)
    asked = fractions * np.exp(NATS_A_POINT * POINTS) if plays else fractions
    points = rng.choice(POINTS, len(examples.right), p=fractions)
    points[examples.right] = rng.choice(POINTS, examples.right.sum(), p=asked / asked.sum())
    firsts = np.flatnonzero(examples.best)
    first_of = firsts[np.searchsorted(firsts, np.arange(len(points)), side="right") - 1]
    rivals = points[first_of]
    # the first one's rival is the second, or a track that is not among the examples
    seconds = np.minimum(firsts + 1, len(points) - 1)
    alone = np.append(examples.best[1:], True)[firsts]
    rivals[firsts] = np.where(alone, rng.choice(POINTS, len(firsts), p=fractions), points[seconds])
    return np.asarray(NATS_A_POINT * (points - rivals))


def odds_of(decision: Decision, examples: Examples, priors: np.ndarray) -> np.ndarray:
    """Judge examples with a prior each."""
    rows = zip(examples.evidence.tolist(), priors.tolist(), strict=True)
    evidence = (replace(TrackEvidence(*row), prior=prior) for row, prior in rows)
    return np.array([decision.log_odds(one) for one in evidence])


def main(words: Sequence[str] | None = None) -> None:
    """Draw, judge, print."""
    parser = command_line(__doc__)
    parser.add_argument("--model", type=Path, required=True, help="made by training.decision")
    parser.add_argument("--examples", type=Path, required=True, help="kept by training.decision")
    parser.add_argument("--catalog", type=Path, help="meta.duckdb, for its tracks' popularity")
    parser.add_argument("--draws", type=int, default=40, help="of every piece's popularity")
    parser.add_argument("--seed", type=int, default=0, help="of the first draw")
    arguments = parser.parse_args(words)
    source = SOURCES[0]
    examples = Examples.read(sorted(arguments.examples.glob(f"{source}-*.npz")))
    decision = decisions_of(read_model_file(arguments.model))[source]
    fractions = counted(arguments.catalog) if arguments.catalog else published()
    known = (examples.best & examples.known).sum() * arguments.draws
    print(f"{'requests':>12} {'weight':>6} {'log loss':>9} {'accepted and right':>18} {'wrong':>6}")
    for plays in (True, False):
        for weight in WEIGHTS:
            cost, accepted, wrong = 0.0, 0, 0
            for draw in range(arguments.draws):
                priors = weight * drawn(examples, fractions, plays, arguments.seed + draw)
                odds = odds_of(decision, examples, priors)
                signed = np.where(examples.right, -odds, odds).clip(-50, 50)
                cost += float(np.logaddexp(0, signed).mean()) / arguments.draws
                sure = odds >= THRESHOLD_LOG_ODDS
                accepted += int((sure & examples.right).sum())
                wrong += int((sure & ~examples.right).sum())
            name = "as plays" if plays else "any track"
            shown = f"{cost:9.4f} {accepted / known:18.1%} {wrong / known:6.2%}"
            print(f"{name:>12} {weight:6.2f} {shown}", flush=True)


if __name__ == "__main__":
    main()
