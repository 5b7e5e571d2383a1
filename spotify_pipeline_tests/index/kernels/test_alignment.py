"""Onsets of a query that a track has too, at every offset, compared with counting pair by pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.index.kernels.alignment import aligned_onsets, offset_histogram
from spotify_pipeline_tests.documents import random_trains
from spotify_pipeline_tests.tracks import NO_ONSETS, make_track, shifted, worn

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


def best_of(query: OnsetTrains, track: OnsetTrains, tolerance: int) -> tuple[int, int]:
    """Give the offset that aligns most, and how many."""
    offsets, aligned = offset_histogram(query, track, tolerance)
    best = int(np.argmax(aligned))
    return int(offsets[best]), int(aligned[best])


@given(track=TRAINS, offset=st.integers(-100, 100))
@settings(deadline=None, max_examples=25)
def test_a_shifted_copy_is_aligned_where_it_lies(track: OnsetTrains, offset: int) -> None:
    query = shifted(track, 100)
    assert best_of(query, shifted(track, 100 + offset), 0) == (offset, len(track))


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
    assert best_of(query, track.rhythm, 0) == (-2_000, len(track.rhythm))


def test_jitter_within_the_tolerance_costs_nothing() -> None:
    track = make_track(1).rhythm
    query = worn(track, 1, lost=0, moved=1)
    assert best_of(query, track, 1)[1] == len(track)
    assert best_of(query, track, 0)[1] < len(track)


def test_bands_are_compared_with_themselves_alone() -> None:
    trains = make_track(1).rhythm
    moved_up = OnsetTrains.from_bands([trains.band((band + 1) % BANDS) for band in range(BANDS)])
    assert best_of(moved_up, trains, 1)[1] < len(trains) / 3


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
