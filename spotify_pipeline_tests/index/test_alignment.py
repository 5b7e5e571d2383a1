"""The best offset of a query in a track, compared with counting pair by pair."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import BANDS, OnsetTrains, pack_trains
from spotify_pipeline.index.alignment import (
    NEIGHBOURHOOD,
    Alignment,
    align,
    aligned_onsets,
    count_aligned,
    offset_histogram,
)
from spotify_pipeline.index.segment_writer import PackedTrains
from spotify_pipeline_tests.documents import random_trains
from spotify_pipeline_tests.tracks import NO_ONSETS, fingerprint_of, make_track, shifted, worn

TOLERANCES = st.integers(0, 4)
TRAINS = st.builds(
    random_trains,
    seed=st.integers(0, 2**32 - 1),
    duration=st.floats(0.3, 1.5),
    shortest_gap=st.just(20),
    mean_gap=st.just(40),
)
"""Gaps of twice the tolerance at least, so that an onset has one partner at the most."""


def onsets_within(query: OnsetTrains, track: OnsetTrains, offset: int, tolerance: int) -> int:
    """Count the query's onsets that have one of the track's beside them."""
    return sum(
        any(abs(onset + offset - other) <= tolerance for other in track.band(band).tolist())
        for band in range(BANDS)
        for onset in query.band(band).tolist()
    )


def all_offsets(query: OnsetTrains, track: OnsetTrains, tolerance: int) -> range:
    """Give every offset at which an onset may be aligned."""
    return range(-int(query.frames.max()) - tolerance, int(track.frames.max()) + tolerance + 1)


@given(query=TRAINS, track=TRAINS)
@settings(deadline=None, max_examples=15)
def test_without_tolerance_no_offset_aligns_more(query: OnsetTrains, track: OnsetTrains) -> None:
    found = align(query, track, 0)
    counts = [onsets_within(query, track, offset, 0) for offset in all_offsets(query, track, 0)]
    assert found.aligned == max(counts)


@given(query=TRAINS, track=TRAINS, tolerance=TOLERANCES)
@settings(deadline=None, max_examples=15)
def test_counts_are_those_of_the_offset(
    query: OnsetTrains, track: OnsetTrains, tolerance: int
) -> None:
    found = align(query, track, tolerance)
    counts = {
        offset: onsets_within(query, track, offset, tolerance)
        for offset in all_offsets(query, track, tolerance)
    }
    elsewhere = {o: n for o, n in counts.items() if abs(o - found.offset) > NEIGHBOURHOOD}
    inside = range(max(int(track.frames.max()) - int(query.frames.max()), 0) + 1)
    expected = [elsewhere[offset] for offset in inside if offset in elsewhere]
    assert found.aligned == counts[found.offset]
    assert found.second == max(elsewhere.values(), default=0)
    assert found.expected == pytest.approx(sum(expected) / max(len(expected), 1))


@given(track=TRAINS, offset=st.integers(-100, 100), tolerance=TOLERANCES)
@settings(deadline=None, max_examples=25)
def test_a_shifted_copy_is_found_where_it_lies(
    track: OnsetTrains, offset: int, tolerance: int
) -> None:
    query = shifted(track, 100)
    found = align(query, shifted(track, 100 + offset), tolerance)
    assert (found.offset, found.aligned, found.onsets) == (offset, len(track), len(track))


def test_onsets_before_and_after_the_track_are_not_counted() -> None:
    track = make_track(1, duration=20)
    before = make_track(2, duration=5).rhythm
    after = shifted(make_track(3, duration=5).rhythm, 10_000)
    query = OnsetTrains.from_bands(
        [
            [*before.band(b), *shifted(track.rhythm, 2_000).band(b), *after.band(b)]
            for b in range(BANDS)
        ]
    )
    found = align(query, track.rhythm, 1)
    assert found.offset == -2_000
    assert found.aligned == found.onsets == len(track.rhythm)


def test_an_excerpt_stands_out_from_every_other_offset() -> None:
    track = make_track(1)
    found = align(fingerprint_of(track, start=30, seconds=10).rhythm, track.rhythm, 1)
    assert found.offset == round(30 * 11025 / 32)
    assert found.aligned == found.onsets > 3 * found.second
    assert found.expected < found.second


def test_jitter_within_the_tolerance_costs_nothing() -> None:
    track = make_track(1).rhythm
    query = worn(track, 1, lost=0, moved=1)
    assert align(query, track, 1).aligned == len(track)
    assert align(query, track, 0).aligned < len(track)


def test_bands_are_compared_with_themselves_alone() -> None:
    trains = make_track(1).rhythm
    moved_up = OnsetTrains.from_bands([trains.band((band + 1) % BANDS) for band in range(BANDS)])
    found = align(moved_up, trains, 1)
    assert found.aligned < len(trains) / 3


@pytest.mark.parametrize("empty", ["query", "track"])
def test_nothing_to_align_is_no_alignment(empty: str) -> None:
    trains = {"query": make_track(1).rhythm, "track": make_track(1).rhythm} | {empty: NO_ONSETS}
    assert align(trains["query"], trains["track"], tolerance=1) == Alignment(0, 0, 0, 0, 0.0)


def test_a_lone_onset_is_aligned_with_a_lone_onset() -> None:
    query = OnsetTrains.from_bands([[5], *[()] * 7])
    track = replace(query, frames=query.frames + 70)
    assert align(query, track, 2) == Alignment(70, 1, 0, 1, 0.0)


@given(
    query=TRAINS,
    tracks=st.lists(st.tuples(TRAINS | st.just(NO_ONSETS), st.integers(-600, 600)), max_size=4),
    tolerance=TOLERANCES,
)
@settings(deadline=None, max_examples=15)
def test_near_an_offset_the_best_count_of_the_offsets_around_it_is_found(
    query: OnsetTrains, tracks: list[tuple[OnsetTrains, int]], tolerance: int
) -> None:
    packed = PackedTrains.of([pack_trains(track) for track, _ in tracks])
    offsets = np.array([offset for _, offset in tracks], np.int64)
    found, _ = count_aligned(
        query,
        packed.content,
        packed.offsets[:-1],
        packed.offsets[1:],
        tolerance,
        offsets,
        50,
        np.ones(1),
    )
    assert found.tolist() == [
        max(
            onsets_within(query, track, other, tolerance)
            for other in range(offset - 50, offset + 51)
        )
        if len(track)
        else -1
        for track, offset in tracks
    ]


@pytest.mark.parametrize("speed", [0.98, 1.0, 1.03])
def test_the_speed_that_aligns_most_is_told(speed: float) -> None:
    track = make_track(1).rhythm
    packed = PackedTrains.of([pack_trains(track)])
    speeds = np.array([0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 1.03])
    counts, best = count_aligned(
        track.excerpt(3000, 4000).at_speed(1 / speed),
        packed.content,
        packed.offsets[:-1],
        packed.offsets[1:],
        1,
        np.array([2900]),
        256,
        speeds,
    )
    assert speeds[best[0]] == speed
    assert counts[0] == len(track.excerpt(3000, 4000))


def test_counts_of_several_starts_are_means_over_them() -> None:
    track = make_track(1).rhythm
    query = track.excerpt(3000, 4000)
    worse = worn(query, 1, lost=0.5, moved=0)
    both = align(OnsetTrains.joined([query, worse]), track, 1, starts=2)
    assert both.offset == 3000
    assert both.aligned == both.onsets == (len(query) + len(worse)) / 2


@given(query=TRAINS, track=TRAINS, tolerance=TOLERANCES)
@settings(deadline=None, max_examples=15)
def test_the_histogram_counts_at_every_offset(
    query: OnsetTrains, track: OnsetTrains, tolerance: int
) -> None:
    offsets, aligned = offset_histogram(query, track, tolerance)
    found = dict(zip(offsets.tolist(), aligned.tolist(), strict=True))
    every = set(found) | set(all_offsets(query, track, tolerance))
    assert {offset: found.get(offset, 0) for offset in every} == {
        offset: onsets_within(query, track, offset, tolerance) for offset in every
    }


@pytest.mark.parametrize("empty", ["query", "track"])
def test_without_onsets_the_histogram_is_empty(empty: str) -> None:
    trains = {"query": make_track(1).rhythm, "track": make_track(1).rhythm} | {empty: NO_ONSETS}
    offsets, aligned = offset_histogram(**trains, tolerance=1)
    assert len(offsets) == len(aligned) == 0


@given(query=TRAINS, track=TRAINS, tolerance=TOLERANCES, offset=st.integers(-300, 300))
@settings(deadline=None, max_examples=25)
def test_an_onset_is_aligned_if_one_of_the_track_is_beside_it(
    query: OnsetTrains, track: OnsetTrains, tolerance: int, offset: int
) -> None:
    mask = aligned_onsets(query, track, tolerance, offset)
    assert mask.sum() == onsets_within(query, track, offset, tolerance)
    kept = OnsetTrains.from_bands(
        [query.band(band)[mask[query.bounds[band] : query.bounds[band + 1]]] for band in range(8)]
    )
    assert onsets_within(kept, track, offset, tolerance) == len(kept)
