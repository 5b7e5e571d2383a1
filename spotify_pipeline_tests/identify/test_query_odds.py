"""Which part of a query is looked at."""

from dataclasses import replace

import numpy as np
import pytest

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    ODDS_CELL_FRAMES,
    ODDS_CELLS_PER_SECOND,
    Fingerprint,
    HeardRecording,
    frame_odds_of_onsets,
)
from spotify_pipeline.fingerprint.onset_odds import information
from spotify_pipeline.identify.query_odds import HEARD_SECONDS, JUDGED_SECONDS, QueryOdds
from spotify_pipeline_tests.tracks import NO_ONSETS, fingerprint_of, make_track, shifted


@pytest.fixture
def odds() -> QueryOdds:
    """Ten seconds of music between twenty and forty of hiss."""
    music = frame_odds_of_onsets(fingerprint_of(make_track(3), seconds=10).rhythm)
    cells = round(20 * ODDS_CELLS_PER_SECOND)
    hiss = np.zeros((cells * ODDS_CELL_FRAMES, BANDS), np.float32)
    rhythm = np.concatenate((hiss, music, hiss, hiss))
    onsets = Fingerprint(NO_ONSETS, NO_ONSETS)
    return QueryOdds(rhythm, rhythm, onsets, recorded=True)


def test_the_stretch_that_tells_most_is_cut_out(odds: QueryOdds) -> None:
    cut = odds.most_telling(12)
    assert len(cut.rhythm) == round(12 * ODDS_CELLS_PER_SECOND)
    assert information(cut.rhythm).sum() == pytest.approx(information(odds.rhythm).sum())
    assert cut.first // ODDS_CELL_FRAMES + len(cut.rhythm) >= 30 * ODDS_CELLS_PER_SECOND - 2


def test_a_short_query_is_taken_whole(odds: QueryOdds) -> None:
    assert odds.most_telling(100) is odds


@pytest.mark.parametrize("nats", [10.0, 40.0, 100.0])
def test_as_much_is_tried_as_is_enough(odds: QueryOdds, nats: float) -> None:
    tried = odds.telling(nats, 15)
    bands = tried.shape[1]
    told = information(np.pad(tried, ((0, 0), (0, BANDS - bands))))[:, :bands].sum()
    assert nats <= told < nats + 20


def test_a_recording_is_clear_if_it_tells_enough_and_onsets_alone_never_are(
    odds: QueryOdds,
) -> None:
    told = information(odds.rhythm).sum()
    assert odds.is_clear(told - 1, 12)
    assert not odds.is_clear(told - 1, 6)
    assert not odds.is_clear(told + 1, 100)
    assert not replace(odds, recorded=False).is_clear(told - 1, 12)


def test_no_more_is_taken_of_a_clear_recording_than_is_enough(odds: QueryOdds) -> None:
    told = information(odds.rhythm).sum()
    cut = odds.clear_enough(told / 2)
    cells = len(cut.rhythm)
    first = cut.first // ODDS_CELL_FRAMES
    np.testing.assert_array_equal(cut.rhythm, odds.rhythm[first : first + cells])
    assert information(cut.rhythm).sum() >= told / 2
    assert cells < 10 * ODDS_CELLS_PER_SECOND
    most = odds.most_telling((cells - 1) / ODDS_CELLS_PER_SECOND)
    assert information(most.rhythm).sum() < told / 2


def test_a_recording_that_is_not_clear_enough_is_taken_whole(odds: QueryOdds) -> None:
    for unclear in (odds, replace(odds, recorded=False)):
        np.testing.assert_array_equal(unclear.clear_enough(1e9).rhythm, odds.rhythm)
    assert len(replace(odds, recorded=False).clear_enough(1).rhythm) == len(odds.rhythm)


def test_a_recording_too_short_to_be_heard_is_taken_whole() -> None:
    nothing = np.empty((0, BANDS), np.float32)
    unheard = QueryOdds(nothing, nothing, Fingerprint(NO_ONSETS, NO_ONSETS), recorded=True)
    assert unheard.clear_enough(1) is unheard


def test_more_is_tried_if_more_is_asked_for(odds: QueryOdds) -> None:
    assert odds.telling(20, 15).size < odds.telling(100, 15).size


def test_where_nothing_is_enough_the_best_stretch_is_tried(odds: QueryOdds) -> None:
    assert odds.telling(1e9, 15).shape == (round(15 * ODDS_CELLS_PER_SECOND), BANDS)
    assert odds.telling(1e9, 1000).shape == odds.rhythm.shape


def test_the_busiest_stretch_of_a_long_query_is_heard() -> None:
    quiet = shifted(make_track(3).rhythm, round(200 * FRAMES_PER_SECOND))
    query = QueryOdds.of(Fingerprint(NO_ONSETS, quiet), None)
    assert len(query.rhythm) == round(JUDGED_SECONDS * ODDS_CELLS_PER_SECOND)
    assert 200 - HEARD_SECONDS < query.first / FRAMES_PER_SECOND < 260
    assert query.rhythm.max() > 0


def test_a_query_is_as_long_as_it_was_played_slower() -> None:
    query = QueryOdds.of(fingerprint_of(make_track(3), seconds=20), None)
    for kind, odds in query.at_speed(1.04).items():
        assert len(odds) == int(1.04 * len(query.of_kind(kind, 1)))


@pytest.mark.parametrize("kind", ["rhythm", "echoprint"])
def test_a_window_of_a_recording_begins_where_it_is_cut(kind: str) -> None:
    whole = fingerprint_of(make_track(3), seconds=50)
    window = QueryOdds.of_window(HeardRecording(whole, 50.0), 1_000, 800)
    part = whole.excerpt(1_000 * ODDS_CELL_FRAMES, 800 * ODDS_CELL_FRAMES)
    expected = frame_odds_of_onsets(getattr(part, kind), 800)
    np.testing.assert_array_equal(window.frames_of(kind), expected)
    assert window.first == 0


def test_trains_that_a_recording_lacks_have_no_odds() -> None:
    rhythm = fingerprint_of(make_track(3), seconds=50).rhythm
    window = QueryOdds.of_window(HeardRecording(Fingerprint(NO_ONSETS, rhythm), 50.0), 0, 800)
    assert (len(window.rhythm), len(window.echoprint)) == (800, 0)
