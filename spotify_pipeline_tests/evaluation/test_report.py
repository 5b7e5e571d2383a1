"""Figures of results made by hand: thresholds of one half, reported on the other."""

import numpy as np
import pytest

from spotify_pipeline.evaluation.peers import PEERS
from spotify_pipeline.evaluation.report import (
    cell_table,
    cells_of,
    headline,
    peer_table,
    step_table,
)
from spotify_pipeline.evaluation.scores import Scores
from spotify_pipeline.evaluation.timing import Step
from spotify_pipeline_tests.evaluation.results import make_result

SURE, UNSURE = 9.0, -3.0
TUNED = [make_result(0, SURE, wrong=1.0), make_result(2, None, wrong=2.0, unknown=1.5)]


def test_accepted_is_what_is_surer_than_every_wrong_answer_of_the_other_half() -> None:
    found = [make_result(1, own=odds, wrong=-9.0) for odds in (SURE, 2.5, 1.9, UNSURE)]
    (cell,) = cells_of([*TUNED, *found])
    assert cell.excerpts == 4
    assert cell.top_1 == 1
    assert cell.accepted == 0.5
    assert cell.given == 0.5  # a confidence of 0.9 is log odds of 2.2


def test_what_a_wrong_piece_beats_is_not_accepted() -> None:
    (cell,) = cells_of([*TUNED, make_result(1, SURE, wrong=SURE + 1), make_result(3, SURE)])
    assert (cell.top_1, cell.accepted, cell.given) == (0.5, 0.5, 0.5)


def test_a_false_answer_is_one_given_where_the_piece_is_not_in_the_index() -> None:
    found = [make_result(1, SURE, unknown=odds) for odds in (None, UNSURE, SURE)]
    (cell,) = cells_of([*TUNED, *found])
    assert cell.false == pytest.approx(1 / 3)


def test_errors_of_the_position_are_of_those_that_come_first() -> None:
    errors = [-0.010, 0.020, 0.030, 5.0]
    found = [make_result(1, SURE, error=error) for error in errors]
    (cell,) = cells_of([*TUNED, *found, make_result(3, SURE, wrong=SURE + 1, error=60)])
    assert cell.error == pytest.approx(25)
    assert cell.error_90 == pytest.approx(3509)
    assert cell.elsewhere == 0.25


def test_cells_have_thresholds_of_their_own_and_one_together() -> None:
    results = [
        *(make_result(0, None, wrong=float(odds), kind="room") for odds in range(5)),
        *TUNED,
        make_result(1, 3.0, kind="room"),
        make_result(1, 3.0),
    ]
    room, clean = cells_of(results)
    assert (room.degradation, room.accepted) == ("room", 0.0)
    assert (clean.degradation, clean.accepted) == ("clean", 1.0)
    assert room.rarely_wrong == clean.rarely_wrong == 0.0


def test_figures_without_anything_to_rest_on_stay_empty() -> None:
    (cell,) = cells_of([make_result(1, None)])
    assert np.isnan([cell.accepted, cell.rarely_wrong, cell.error, cell.elsewhere]).all()
    assert "nan" not in cell_table([cell]).text().lower()
    assert "accepted_at_0" not in headline([cell])
    assert headline([cell])["top_1"] == 0
    assert cells_of([]) == []
    assert headline([]) == {}


def test_headline_figures_are_means_over_cells_and_by_degradation() -> None:
    results = [make_result(1, SURE, kind="room"), make_result(1, None), make_result(1, SURE)]
    figures = headline(cells_of(results))
    assert figures["top_1"] == 0.75
    assert figures["top_1 room"] == 1
    assert figures["top_1 clean"] == 0.5


def test_peers_are_judged_by_their_own_scores() -> None:
    low, high = Scores(0.1, 0.2, 0.3), Scores(0.5, 0.2, 0.3)
    results = [make_result(0, SURE, peers=dict.fromkeys(PEERS, low))]
    results += [make_result(1, SURE, peers=dict.fromkeys(PEERS, s)) for s in (low, high)]
    (cell,) = cells_of(results)
    for name in PEERS:
        assert (cell.peers[name].top_1, cell.peers[name].accepted) == (0.5, 0.5)
    assert len(peer_table([cell]).rows) == 1


def test_steps_stand_in_order_with_the_share_that_takes_them() -> None:
    quick, thorough = Step("1 quick", "search"), Step("2 thorough", "search")
    results = [make_result(1, SURE, seconds={quick: 0.002}) for _ in range(3)]
    results.append(make_result(1, SURE, seconds={thorough: 0.1, quick: 0.004}))
    first, second, whole = step_table(results).rows
    assert first == ("1 quick", "search", "100.0%", "2.0", "3.4", "100.0%", "2.0", "3.4")
    assert second == ("2 thorough", "search", "25.0%", "100.0", "100.0", "25.0%", "100.0", "100.0")
    assert whole[0] == "whole"
