"""Figures of results made by hand."""

import numpy as np
import pytest

from spotify_pipeline.evaluation.baselines import BASELINES
from spotify_pipeline.evaluation.impostors import Kind
from spotify_pipeline.evaluation.rates import Rate
from spotify_pipeline.evaluation.report import (
    Figures,
    baseline_table,
    conditions_of,
    figures_table,
    headline,
    index_table,
    step_table,
    totals_of,
)
from spotify_pipeline.evaluation.scores import Scores
from spotify_pipeline.evaluation.timing import Step
from spotify_pipeline_tests.evaluation.results import make_result

SURE, UNSURE = 9.0, -3.0


def test_right_and_wrong_answers_are_accepted_at_the_confidence_of_users() -> None:
    # a confidence of 0.9 is log odds of 2.2
    results = [make_result(1, own=odds, wrong=2.1) for odds in (SURE, 2.3, 2.15, UNSURE)]
    results += [make_result(1, own=UNSURE, wrong=odds) for odds in (SURE, 2.3)]
    figures = Figures.of("all", results)
    assert figures.right == Rate(2, 6)
    assert figures.wrong == Rate(2, 6)
    assert figures.top_1 == Rate(3, 6)


def test_what_is_accepted_without_the_piece_in_the_index_is_counted() -> None:
    results = [make_result(1, SURE, unknown=odds) for odds in (None, UNSURE, SURE)]
    assert Figures.of("all", results).unknown_accepted == Rate(1, 3)


def test_the_likeliest_piece_need_not_be_the_surest() -> None:
    results = [
        make_result(1, UNSURE, wrong=SURE, likelihoods=(90.0, 80.0)),
        make_result(1, SURE, wrong=UNSURE, likelihoods=(80.0, 90.0)),
        make_result(1, SURE, wrong=UNSURE, likelihoods=(90.0, 80.0)),
        make_result(1, None, wrong=UNSURE),
    ]
    figures = Figures.of("all", results)
    assert (figures.top_1, figures.likeliest) == (Rate(2, 4), Rate(2, 4))
    assert [result.likelihoods.first for result in results] == [True, False, True, False]


def test_errors_of_the_position_are_of_those_that_come_first() -> None:
    errors = [-0.010, 0.020, 0.030, 5.0]
    results = [make_result(1, SURE, error=error) for error in errors]
    figures = Figures.of("all", [*results, make_result(3, SURE, wrong=SURE + 1, error=60)])
    assert figures.error == pytest.approx(25)
    assert figures.error_90 == pytest.approx(3509)
    assert figures.elsewhere == 0.25


def test_each_condition_has_a_row_and_all_together_another() -> None:
    results = [make_result(n, SURE, kind=kind) for kind in ("room", "clean") for n in range(3)]
    assert [row.name for row in conditions_of(results)] == ["room   5 s", "clean   5 s"]
    (total,) = totals_of(results, loops=[])[:1]
    assert (total.name, total.right) == ("all", Rate(6, 6))


def test_loops_and_other_pieces_stand_apart() -> None:
    results = [make_result(0, SURE), make_result(1, UNSURE), make_result(2, UNSURE)]
    rows = {row.name: row.right for row in totals_of(results, loops={0})}
    assert rows == {"all": Rate(1, 3), "loops": Rate(1, 1), "other pieces": Rate(0, 2)}
    assert [row.name for row in totals_of(results, loops=set())] == ["all", "other pieces"]


def test_figures_without_anything_to_rest_on_stay_empty() -> None:
    results = [make_result(1, None)]
    figures = Figures.of("all", results)
    assert np.isnan([figures.error, figures.elsewhere]).all()
    assert "nan" not in figures_table([figures]).text().lower()
    assert "error_ms" not in headline(results)
    assert headline(results)["top_1"] == 0
    assert conditions_of([]) == totals_of([], []) == []
    assert headline([]) == {}


def test_rates_are_written_with_their_intervals() -> None:
    (row,) = figures_table([Figures.of("all", [make_result(1, SURE)] * 8)]).rows
    assert row[:4] == ("all", "8", "100.0% (68-100)", "0.0% (0-32)")


def test_headline_figures_are_of_all_excerpts_and_by_degradation() -> None:
    results = [make_result(1, SURE, kind="room"), make_result(1, None), make_result(1, SURE)]
    figures = headline(results)
    assert figures["given"] == figures["top_1"] == pytest.approx(2 / 3)
    assert figures["given room"] == figures["top_1 room"] == 1
    assert figures["given clean"] == 0.5


def test_baselines_are_judged_by_their_own_scores() -> None:
    low, high = Scores(0.1, 0.2, 0.3), Scores(0.5, 0.2, 0.3)
    results = [make_result(0, SURE, baselines=dict.fromkeys(BASELINES, low))]
    results += [make_result(1, SURE, baselines=dict.fromkeys(BASELINES, s)) for s in (low, high)]
    (row,) = baseline_table(results).rows
    top_1, accepted = row[2:4], row[5:7]
    assert top_1 == accepted == ("33.3%", "33.3%")


def test_what_is_above_the_wrong_answers_of_the_other_group_is_accepted_at_0() -> None:
    score, lower = Scores(0.5, 0.1, 0.4), Scores(0.3, 0.1, 0.0)
    baselines = [dict.fromkeys(BASELINES, s) for s in (score, lower)]
    results = [make_result(n, SURE, baselines=baselines[n]) for n in (0, 1)]
    # the second one is below the first one's wrong answer
    assert baseline_table(results).rows[0][5:7] == ("50.0%", "50.0%")
    assert baseline_table(results[:1]).rows[0][4:7] == ("", "", "")


def test_the_impostors_are_counted_by_kind() -> None:
    rows = index_table(25, {Kind.DOCUMENT: 24, Kind.SPLICED: 10_000}).rows
    assert rows == [
        ("pieces that are asked for", "25"),
        ("of them where the excerpt's is unknown", "12 or 13"),
        ("impostors: document", "24"),
        ("impostors: spliced", "10,000"),
    ]


def test_steps_stand_in_order_with_the_fraction_that_takes_them() -> None:
    quick, thorough = Step("1 quick", "search"), Step("2 thorough", "search")
    results = [make_result(1, SURE, seconds={quick: 0.002}) for _ in range(3)]
    results.append(make_result(1, SURE, seconds={thorough: 0.1, quick: 0.004}))
    first, second, whole = step_table(results).rows
    assert first == ("1 quick", "search", "100.0%", "2.0", "3.4", "100.0%", "2.0", "3.4")
    assert second == ("2 thorough", "search", "25.0%", "100.0", "100.0", "25.0%", "100.0", "100.0")
    assert whole[0] == "whole"
