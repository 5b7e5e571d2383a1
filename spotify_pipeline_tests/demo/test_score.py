"""The notes are the same for a seed and differ between seeds, and people seem to play them."""

from functools import cache

import numpy as np
import pytest

from spotify_pipeline.demo.score import Score, write_score
from spotify_pipeline.demo.styles import STYLES

SEEDS = range(24)

written = cache(write_score)


def test_same_seed_gives_the_same_notes() -> None:
    assert written(1) == write_score(1)


def test_seed_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        write_score(-1)


def test_pieces_differ_in_tempo_meter_and_melody() -> None:
    scores = [written(seed) for seed in SEEDS]
    tempos = sorted(_tempo(score) for score in scores)
    assert min(np.diff(tempos)) > 1e-3
    assert tempos[0] < 80
    assert tempos[-1] > 140
    assert {score.style.steps for score in scores} == {12, 14, 16, 20}
    melodies = {tuple(note.pitch for note in s.notes if note.part == "melody") for s in scores}
    assert len(melodies) == len(SEEDS)


def test_seeds_of_one_style_differ_in_groove_and_tempo() -> None:
    first, second = written(0), written(len(STYLES))
    assert first.style.genre == second.style.genre
    assert first.style != second.style
    assert abs(_tempo(first) - _tempo(second)) > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_score_lasts_60_to_90_seconds_with_every_part(seed: int) -> None:
    score = written(seed)
    assert 60 <= score.bar_times[-1] < 88
    assert {note.part for note in score.notes} >= {"melody", "chords", "bass", "kick", "snare"}
    assert all(0 <= note.time <= score.bar_times[-1] for note in score.notes)
    assert all(0 < note.loudness <= 1.2 for note in score.notes)


def test_notes_are_a_few_milliseconds_off_the_grid() -> None:
    score = written(0)
    sixteenths = np.diff(score.bar_times) / score.style.steps
    kicks = np.array([note.time for note in score.notes if note.part == "kick"])
    bar = np.searchsorted(score.bar_times[:-1], kicks + sixteenths.mean() / 2) - 1
    position = (kicks - np.array(score.bar_times)[bar]) / sixteenths[bar]
    error = np.abs(position - np.round(position)) * sixteenths[bar]
    assert 0.001 < np.median(error) < 0.012


def _tempo(score: Score) -> float:
    """Give the average tempo in quarter notes per minute."""
    return float(15 * score.style.steps / np.diff(score.bar_times).mean())
