"""Trees as they are fitted are the trees that decide; examples are kept as they are."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.identify.decision import BoostedTrees, TrackEvidence
from training.decision import Examples, fitted, left_out, log_loss, trees_of


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Make matches that are right if they come near what is expected, most of the time."""
    rng = np.random.default_rng(1)
    expected = np.exp(rng.uniform(3, 6, 600))
    fraction = rng.uniform(0, 1.2, 600)
    right = fraction + 0.1 * rng.normal(size=600) > 0.7
    evidence = np.stack(
        (
            *(fraction * expected, expected, np.sqrt(expected), rng.uniform(0, 1, 600) * expected),
            np.full(600, 5.0),
            *(rng.random(600), fraction.clip(0, 1), fraction.clip(0, 1) - 0.1),
            *(fraction.clip(0, 1) - 0.2, np.full(600, 50.0)),
            *(np.ones(600), np.ones(600), np.zeros(600)),
        ),
        axis=1,
    )
    every = np.ones(600, np.bool_)
    conditions = np.full(600, "clean 5 s")
    return Examples(evidence, right, rng.integers(0, 20, 600), every, every, conditions)


def odds_of(trees: BoostedTrees, examples: Examples) -> list[float]:
    return [trees.log_odds(TrackEvidence(*row)) for row in examples.evidence.tolist()]


def test_trees_decide_as_the_model_that_they_are_taken_from(examples: Examples) -> None:
    model = fitted(examples, 25)
    trees = trees_of(model)
    expected = model.decision_function(examples.figures)
    np.testing.assert_allclose(odds_of(trees, examples), expected, atol=1e-4)
    again = BoostedTrees.of(trees.arrays())
    np.testing.assert_allclose(odds_of(again, examples), expected, atol=1e-3)


def test_pieces_that_are_left_out_are_judged_well_but_not_perfectly(examples: Examples) -> None:
    odds = left_out(examples, 25)
    assert 0.05 < log_loss(examples, odds) < 0.4
    assert log_loss(examples, np.zeros(600)) == pytest.approx(np.log(2))


def test_examples_are_read_as_they_were_written(examples: Examples, tmp_path: Path) -> None:
    examples.write(tmp_path / "examples.npz")
    read = Examples.read([tmp_path / "examples.npz"] * 2)
    for field in fields(examples):
        twice = np.concatenate([getattr(examples, field.name)] * 2)
        np.testing.assert_array_equal(getattr(read, field.name), twice)
