"""LLRs summed over a track's onsets at every offset, compared with summing onset by onset."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import (
    BANDS,
    LLR_BIN_FRAMES,
    OnsetTrains,
    frame_llr_of_onsets,
    llr_at_speed,
    llr_of_onsets,
    pack_trains,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.index.building.segment_writer import PackedTracks
from spotify_pipeline.index.kernels.likelihood import (
    Alignment,
    align,
    best_likelihoods,
    likelihoods_apart,
    likelihoods_near,
    peaks,
)
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline_tests.documents import random_trains
from spotify_pipeline_tests.tracks import NO_ONSETS, fingerprint_of, index_of, make_tracks, worn

TRAINS = st.builds(
    random_trains,
    seed=st.integers(0, 2**32 - 1),
    duration=st.floats(0.3, 1.5),
    shortest_gap=st.just(20),
    mean_gap=st.just(40),
)


@st.composite
def random_llr(draw: st.DrawFn) -> Float32s:
    """Quarters of a nat, as sums of 16 bits hold them, in pairs of LLR bins."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    quarters = generator.integers(-12, 20, (draw(st.integers(1, 60)), BANDS))
    return np.repeat(quarters / 4, 2, axis=0).astype(np.float32)


def likelihood_at(llr: Float32s, track: OnsetTrains, offset: int) -> float:
    """Sum the LLRs of the LLR bins in which the track has onsets."""
    total = 0.0
    for band in range(BANDS):
        for frame in track.band(band).tolist():
            llr_bin = (frame - offset) // LLR_BIN_FRAMES
            if 0 <= llr_bin < len(llr):
                total += float(llr[llr_bin, band])
    return total


def packed(tracks: list[OnsetTrains]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    content = PackedTracks.of([pack_trains(track) for track in tracks])
    bounds = content.offsets.astype(np.int64)
    return content.content, bounds[:-1], bounds[1:]


def every_offset(llr: Float32s, track: OnsetTrains, step: int) -> range:
    """Give the offsets of whole steps at which an onset may fall on an LLR bin."""
    reach = LLR_BIN_FRAMES * len(llr)
    return range(-reach // step * step, int(track.frames.max()) + step, step)


@given(llr=random_llr(), tracks=st.lists(TRAINS | st.just(NO_ONSETS), min_size=1, max_size=3))
@settings(deadline=None, max_examples=30)
def test_the_best_of_all_offsets_is_found(llr: Float32s, tracks: list[OnsetTrains]) -> None:
    found, offsets = best_likelihoods(llr, *packed(tracks))
    for track, likelihood, offset in zip(tracks, found, offsets.tolist(), strict=True):
        if len(track) == 0:
            assert likelihood == -np.inf
        else:
            sums = {
                at: likelihood_at(llr, track, at)
                for at in every_offset(llr, track, 2 * LLR_BIN_FRAMES)
            }
            assert likelihood == pytest.approx(max(0.0, *sums.values()))
            assert likelihood == 0 or sums[offset] == pytest.approx(likelihood)


@st.composite
def random_frame_llr(draw: st.DrawFn) -> Float32s:
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return generator.normal(-1, 2, (draw(st.integers(1, 240)), BANDS)).astype(np.float32)


def likelihood_of(llr: Float32s, track: OnsetTrains, offset: float, speed: float) -> float:
    """Sum the LLRs of the frames in which the track has onsets."""
    total = 0.0
    for band in range(BANDS):
        for frame in track.band(band).tolist():
            position = round((frame - offset) / speed)
            if 0 <= position < len(llr):
                total += float(llr[position, band])
    return total


@given(
    llr=random_frame_llr(),
    track=TRAINS,
    offset=st.integers(-200, 400),
    reach=st.integers(0, 40),
)
@settings(deadline=None, max_examples=40)
def test_an_alignment_is_the_best_offset_near_another_to_the_frame(
    llr: Float32s, track: OnsetTrains, offset: int, reach: int
) -> None:
    found = align(llr, track, offset, reach)
    sums = [likelihood_of(llr, track, offset + apart, 1) for apart in range(-reach, reach + 1)]
    assert found.likelihood == pytest.approx(max(sums), abs=1e-3)
    assert abs(found.offset - offset) <= reach
    assert likelihood_of(llr, track, found.offset, 1) == pytest.approx(max(sums), abs=1e-3)


@pytest.mark.parametrize("speed", [0.97, 0.999, 1.0, 1.0008, 1.02])
def test_an_alignment_tells_speed_and_place(speed: float) -> None:
    track = make_tracks(1)[0].rhythm
    llr = frame_llr_of_onsets(track.excerpt(3000, 4000).at_speed(1 / speed))
    speeds = [1.0, 0.97, 0.999, 1.0008, 1.02]
    found = align(llr, track, 2990, 40, speeds)
    assert found.speed == speed
    assert found.offset == pytest.approx(3000, abs=1)


def test_peaks_are_the_best_offsets_apart_from_each_other() -> None:
    track = make_tracks(1)[0].rhythm
    query = track.excerpt(3000, 3000)
    twice = OnsetTrains.from_bands(
        [np.concatenate((track.band(b), query.band(b) + 40_000)) for b in range(BANDS)]
    )
    found = peaks(llr_of_onsets(query), twice, 4)
    assert sorted(found[:2]) == [pytest.approx(3000, abs=4), pytest.approx(40_000, abs=4)]
    assert len(found) == 4
    assert np.diff(sorted(found)).min() > 2 * LLR_BIN_FRAMES


def test_likelihoods_of_stretches_and_bands_sum_up_to_that_of_the_alignment() -> None:
    track = make_tracks(1)[0].rhythm
    llr = frame_llr_of_onsets(worn(track.excerpt(2000, 3000), 1, lost=0.3, moved=1))
    found = align(llr, track, 2001, 8, [1.0, 1.0005])
    edges = np.array([0, 800, 1700, len(llr)])
    apart, onsets = likelihoods_apart(llr, track, found, edges)
    assert apart.shape == (3, BANDS)
    assert apart.sum() == pytest.approx(found.likelihood, rel=1e-5)
    first = llr.copy()
    first[800:] = 0
    again = likelihoods_apart(first, track, found, np.array([0, len(llr)]))
    np.testing.assert_allclose(again[0][0], apart[0], atol=1e-4)
    assert again[1] == onsets


@given(
    llr=random_llr(),
    tracks=st.lists(st.tuples(TRAINS | st.just(NO_ONSETS), st.integers(-600, 600)), max_size=4),
)
@settings(deadline=None, max_examples=30)
def test_near_an_offset_the_best_of_those_around_it_is_found(
    llr: Float32s, tracks: list[tuple[OnsetTrains, int]]
) -> None:
    offsets = np.array([offset for _, offset in tracks], np.int64)
    found, _ = likelihoods_near([llr], *packed([track for track, _ in tracks]), offsets, 40)
    assert found.tolist() == [
        pytest.approx(
            max(likelihood_at(llr, track, other) for other in range(offset - 44, offset + 45, 4))
            if len(track)
            else -np.inf,
            abs=1e-3,
        )
        for track, offset in tracks
    ]


@pytest.mark.parametrize("speed", [0.98, 1.0, 1.03])
def test_the_speed_that_is_likeliest_is_reported(speed: float) -> None:
    track = make_tracks(1)[0].rhythm
    llr = llr_of_onsets(track.excerpt(3000, 4000).at_speed(1 / speed))
    speeds = [0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 1.03]
    _, best = likelihoods_near(
        [llr_at_speed(llr, one) for one in speeds], *packed([track]), np.array([2900]), 256
    )
    assert speeds[best[0]] == speed


def test_an_excerpt_stands_out_from_every_other_offset() -> None:
    track = make_tracks(1)[0]
    query = fingerprint_of(track, start=30, seconds=10).rhythm
    llr, frames = llr_of_onsets(query), frame_llr_of_onsets(query)
    first, second = (align(frames, track.rhythm, p, 8) for p in peaks(llr, track.rhythm, 2))
    assert first.offset == pytest.approx(30 * 11025 / 32, abs=1)
    assert first.likelihood > 2 * len(query) > 4 * second.likelihood


@pytest.mark.parametrize("empty", ["query", "track"])
def test_nothing_aligns_with_nothing(empty: str) -> None:
    trains = {"query": make_tracks(1)[0].rhythm, "track": make_tracks(1)[0].rhythm}
    trains |= {empty: NO_ONSETS}
    assert peaks(llr_of_onsets(trains["query"]), trains["track"], 3) == []
    found = align(frame_llr_of_onsets(trains["query"]), trains["track"], 5, 8)
    assert found == Alignment(5, 1.0, 0.0)


def test_what_has_lost_two_thirds_of_its_onsets_is_found_by_trying_all(tmp_path: Path) -> None:
    tracks = make_tracks(40)
    index = index_of(tmp_path, tracks)
    for number in (0, 21, 39):
        clean = fingerprint_of(tracks[number], start=12.3, seconds=10).rhythm
        noise = fingerprint_of(tracks[number - 1], start=31.0, seconds=8).rhythm
        noisy = worn(clean, number, lost=0.65, moved=1)
        query = OnsetTrains.from_bands(
            [np.union1d(noisy.band(band), noise.band(band)) for band in range(BANDS)]
        )
        found = index.likeliest(llr_of_onsets(query), 2)
        assert number in [candidate.track for candidate in found]


@given(llr=random_llr(), track=TRAINS, bands=st.integers(1, BANDS))
@settings(deadline=None, max_examples=20)
def test_llr_of_the_first_bands_leave_out_the_others(
    llr: Float32s, track: OnsetTrains, bands: int
) -> None:
    few = OnsetTrains.from_bands([track.band(band) if band < bands else () for band in range(8)])
    found, offsets = best_likelihoods(llr[:, :bands], *packed([track]))
    without, positions = best_likelihoods(llr, *packed([few]))
    if len(few):
        assert found.tolist() == without.tolist()
        assert found[0] == 0 or likelihood_at(llr, few, int(offsets[0])) == pytest.approx(found[0])
        assert len(positions) == 1


def test_tracks_to_rank_can_be_named(tmp_path: Path) -> None:
    tracks = make_tracks(12)
    index = index_of(tmp_path, tracks)
    llr = llr_of_onsets(fingerprint_of(tracks[7], start=20, seconds=5).rhythm)
    assert index.likeliest(llr, 1)[0].track == 7
    assert index.likeliest(llr, 1, [9, 7, 2])[0].track == 7
    assert {candidate.track for candidate in index.likeliest(llr, 5, [9, 2])} <= {2, 9}


def test_only_a_small_index_is_tried_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = make_tracks(10)
    index = index_of(tmp_path, tracks)
    assert index.can_score_every_track
    monkeypatch.setattr("spotify_pipeline.index.search.searcher.SMALL_INDEX", 9)
    assert not index.can_score_every_track


def test_an_index_without_rhythm_trains_is_not_tried_through(tmp_path: Path) -> None:
    tracks = [replace(track, rhythm=NO_ONSETS) for track in make_tracks(10)]
    assert not index_of(tmp_path, tracks).can_score_every_track


def test_an_empty_index_has_nothing_likely() -> None:
    assert Searcher([]).likeliest(llr_of_onsets(make_tracks(1)[0].rhythm), 5) == []
