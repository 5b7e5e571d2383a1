"""Which part of a query is looked at."""

from dataclasses import replace

import numpy as np
import pytest

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    LLR_BIN_FRAMES,
    LLR_BINS_PER_SECOND,
    Fingerprint,
    InferredRecording,
    frame_llr_of_onsets,
)
from spotify_pipeline.fingerprint.onset_llr import expected_evidence
from spotify_pipeline.identify.query_llr import INFERRED_SECONDS, JUDGED_SECONDS, QueryLlr
from spotify_pipeline_tests.tracks import NO_ONSETS, fingerprint_of, make_track, shifted


@pytest.fixture
def llr() -> QueryLlr:
    """Ten seconds of music between twenty and forty of hiss."""
    music = frame_llr_of_onsets(fingerprint_of(make_track(3), seconds=10).rhythm)
    llr_bins = round(20 * LLR_BINS_PER_SECOND)
    hiss = np.zeros((llr_bins * LLR_BIN_FRAMES, BANDS), np.float32)
    rhythm = np.concatenate((hiss, music, hiss, hiss))
    onsets = Fingerprint(NO_ONSETS, NO_ONSETS)
    return QueryLlr(rhythm, rhythm, onsets, recorded=True)


def test_the_stretch_that_tells_most_is_cut_out(llr: QueryLlr) -> None:
    cut = llr.stretch_of_highest_evidence(12)
    assert len(cut.rhythm) == round(12 * LLR_BINS_PER_SECOND)
    assert expected_evidence(cut.rhythm).sum() == pytest.approx(expected_evidence(llr.rhythm).sum())
    assert cut.first // LLR_BIN_FRAMES + len(cut.rhythm) >= 30 * LLR_BINS_PER_SECOND - 2


def test_a_short_query_is_taken_whole(llr: QueryLlr) -> None:
    assert llr.stretch_of_highest_evidence(100) is llr


@pytest.mark.parametrize("nats", [10.0, 40.0, 100.0])
def test_as_much_is_tried_as_is_enough(llr: QueryLlr, nats: float) -> None:
    tried = llr.least_with_evidence(nats, 15)
    bands = tried.shape[1]
    evidence = expected_evidence(np.pad(tried, ((0, 0), (0, BANDS - bands))))[:, :bands].sum()
    assert nats <= evidence < nats + 20


def test_a_recording_is_clear_if_it_tells_enough_and_onsets_alone_never_are(
    llr: QueryLlr,
) -> None:
    evidence = expected_evidence(llr.rhythm).sum()
    assert llr.has_evidence(evidence - 1, 12)
    assert not llr.has_evidence(evidence - 1, 6)
    assert not llr.has_evidence(evidence + 1, 100)
    assert not replace(llr, recorded=False).has_evidence(evidence - 1, 12)


def test_more_is_tried_if_more_is_asked_for(llr: QueryLlr) -> None:
    assert llr.least_with_evidence(20, 15).size < llr.least_with_evidence(100, 15).size


def test_where_nothing_is_enough_the_best_stretch_is_tried(llr: QueryLlr) -> None:
    assert llr.least_with_evidence(1e9, 15).shape == (round(15 * LLR_BINS_PER_SECOND), BANDS)
    assert llr.least_with_evidence(1e9, 1000).shape == llr.rhythm.shape


def test_the_busiest_stretch_of_a_long_query_is_heard() -> None:
    quiet = shifted(make_track(3).rhythm, round(200 * FRAMES_PER_SECOND))
    query = QueryLlr.of(Fingerprint(NO_ONSETS, quiet), None)
    assert len(query.rhythm) == round(JUDGED_SECONDS * LLR_BINS_PER_SECOND)
    assert 200 - INFERRED_SECONDS < query.first / FRAMES_PER_SECOND < 260
    assert query.rhythm.max() > 0


@pytest.mark.parametrize("kind", ["rhythm", "echoprint"])
def test_a_window_of_a_recording_begins_where_it_is_cut(kind: str) -> None:
    whole = fingerprint_of(make_track(3), seconds=50)
    window = QueryLlr.of_window(InferredRecording(whole, 50.0), 1_000, 800)
    part = whole.excerpt(1_000 * LLR_BIN_FRAMES, 800 * LLR_BIN_FRAMES)
    expected = frame_llr_of_onsets(getattr(part, kind), 800)
    np.testing.assert_array_equal(window.frames_of(kind), expected)
    assert window.first == 0


def test_trains_that_a_recording_lacks_have_no_llr() -> None:
    rhythm = fingerprint_of(make_track(3), seconds=50).rhythm
    window = QueryLlr.of_window(InferredRecording(Fingerprint(NO_ONSETS, rhythm), 50.0), 0, 800)
    assert (len(window.rhythm), len(window.echoprint)) == (800, 0)
