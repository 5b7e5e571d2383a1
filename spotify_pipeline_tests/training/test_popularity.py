"""What popularity is worth: popular tracks are asked for more often, so their right matches are."""

import numpy as np
import pytest

from training.decision import Examples
from training.popularity import drawn, published


def test_published_fractions_are_those_of_a_catalogue() -> None:
    fractions = published()
    assert fractions.sum() == pytest.approx(1)
    assert fractions[50:].sum() == pytest.approx(0.001, rel=0.1)


@pytest.mark.parametrize("plays", [True, False])
def test_right_matches_are_ahead_where_people_ask_for_what_is_played(plays: bool) -> None:
    answers = 4_000
    best = np.tile([True, False, False], answers)
    kept = np.ones(len(best), np.bool_)
    none = np.zeros((len(best), 13))
    examples = Examples(none, best, np.zeros(len(best)), best, kept, np.full(len(best), "clean"))
    priors = drawn(examples, published(), plays, 3)
    right, wrong = priors[best].mean(), priors[~best].mean()
    if plays:
        assert right > 3 > -3 > wrong
    else:
        assert abs(right) < 0.2
        assert abs(wrong) < 0.2
