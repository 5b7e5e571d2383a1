"""Trees as they are fitted are the trees that decide; examples are kept as they are."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.identify.decision import BoostedTrees, TrackEvidence
from spotify_pipeline_tests.training.examples_made import made_examples
from training.decision import Examples, fitted, left_out, log_loss, trees_of


@pytest.fixture(scope="module")
def examples() -> Examples:
    return made_examples(600)


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
