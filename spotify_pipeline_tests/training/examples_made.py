"""Examples as `training.decision` gathers them, of evidence that is drawn.

Belongs here: evidence of which it is known whether it is right. Does not belong here: evidence of
music, which identifications give.
"""

import numpy as np

from training.decision import Examples

__all__ = ["made_examples"]


def made_examples(count: int) -> Examples:
    """Make matches that are right if they come near what is expected, most of the time."""
    rng = np.random.default_rng(1)
    expected = np.exp(rng.uniform(3, 6, count))
    fraction = rng.uniform(0, 1.2, count)
    right = fraction + 0.1 * rng.normal(size=count) > 0.7
    evidence = np.stack(
        (
            *(
                fraction * expected,
                expected,
                np.sqrt(expected),
                rng.uniform(0, 1, count) * expected,
            ),
            np.full(count, 5.0),
            *(rng.random(count), fraction.clip(0, 1), fraction.clip(0, 1) - 0.1),
            *(fraction.clip(0, 1) - 0.2, np.full(count, 50.0)),
            *(np.ones(count), np.ones(count), np.zeros(count)),
        ),
        axis=1,
    )
    pieces, best = rng.integers(0, 20, count), np.ones(count, np.bool_)
    known = right | (rng.random(count) < 0.3)
    return Examples(evidence, right, pieces, best, known, np.full(count, "clean 5 s"))
