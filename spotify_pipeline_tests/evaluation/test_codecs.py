"""What codecs do to the time of music: nothing."""

import numpy as np
import pytest
from scipy import signal

from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE


@pytest.mark.parametrize("name", ["mp3 64k", "mp3 16k", "opus 32k"])
def test_coded_music_is_as_long_and_begins_at_the_same_time(name: str) -> None:
    rng = np.random.default_rng(1)
    samples = (0.1 * rng.standard_normal(3 * RATE)).astype(np.float32)
    coded = DEGRADATIONS[name](samples, rng)
    assert len(coded) == len(samples)
    likeness = signal.fftconvolve(coded, samples[::-1])
    late = (int(likeness.argmax()) - len(samples) + 1) / RATE
    assert abs(late) < 0.002
