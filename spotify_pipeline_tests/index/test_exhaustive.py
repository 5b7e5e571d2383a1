"""Every track at every offset, compared with counting cell by cell."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import BANDS, Fingerprint, OnsetTrains, pack_trains
from spotify_pipeline.index import feature_index
from spotify_pipeline.index.exhaustive import CELL_FRAMES, TOLERANCE, prominences
from spotify_pipeline.index.feature_index import EXHAUSTIVE, THOROUGH
from spotify_pipeline.index.segment_writer import PackedTrains
from spotify_pipeline_tests.onset_trains import onset_trains
from spotify_pipeline_tests.tracks import (
    NO_ONSETS,
    fingerprint_of,
    index_of,
    make_tracks,
    worn,
)

TRAINS = onset_trains(longest_gap=120)


def cells_of(track: OnsetTrains, band: int) -> set[int]:
    """Give the cells within the tolerance of an onset."""
    return {
        max(frame + apart, 0) // CELL_FRAMES
        for frame in track.band(band).tolist()
        for apart in range(-TOLERANCE, TOLERANCE + 1)
    }


def counted(query: OnsetTrains, track: OnsetTrains) -> dict[int, int]:
    """Count the query's onsets that meet one of the track's, by the offset in cells."""
    counts: dict[int, int] = {}
    for band in range(BANDS):
        for cell in cells_of(track, band):
            for onset in query.band(band).tolist():
                offset = cell - onset // CELL_FRAMES
                counts[offset] = counts.get(offset, 0) + 1
    return counts


@given(query=TRAINS, tracks=st.lists(TRAINS, min_size=1, max_size=3))
@settings(deadline=None, max_examples=40)
def test_the_best_offset_is_the_one_that_aligns_most(
    query: OnsetTrains, tracks: list[OnsetTrains]
) -> None:
    packed = PackedTrains.of([pack_trains(track) for track in tracks])
    bounds = packed.offsets.astype(np.int64)
    found, offsets = prominences(query, packed.content, bounds[:-1], bounds[1:])
    for track, prominence, offset in zip(tracks, found, offsets.tolist(), strict=True):
        counts = counted(query, track)
        if len(query) == 0 or len(track) == 0:
            assert prominence == -1
        elif counts:
            first = -int(query.frames.max()) // CELL_FRAMES - TOLERANCE
            last = (int(track.frames.max()) + TOLERANCE) // CELL_FRAMES
            mean = sum(counts.values()) / (last - first + 1)
            assert counts[offset // CELL_FRAMES] == max(counts.values())
            assert prominence == pytest.approx(
                (max(counts.values()) - mean) / np.sqrt(mean + 1), rel=0.1
            )


def test_what_has_lost_two_thirds_of_its_onsets_is_found_by_trying_all(tmp_path: Path) -> None:
    tracks = make_tracks(40)
    index = index_of(tmp_path, tracks)
    for number in (0, 21, 39):
        clean = fingerprint_of(tracks[number], start=12.3, seconds=10).rhythm
        noise = fingerprint_of(tracks[number - 1], start=31.0, seconds=8).rhythm
        noisy = OnsetTrains.joined([worn(clean, number, lost=0.65, moved=1), noise])
        query = Fingerprint(NO_ONSETS, noisy)
        found = index.candidates(query, 2, EXHAUSTIVE)
        assert number in [candidate.track for candidate in found]


def test_an_index_that_is_too_large_is_not_tried_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = make_tracks(10)
    index = index_of(tmp_path, tracks)
    query = fingerprint_of(tracks[3], start=5, seconds=10)
    assert index.candidates(query, 1, EXHAUSTIVE)[0].track == 3
    monkeypatch.setattr(feature_index, "MOST_PAIRS", 10 * len(query.rhythm) - 1)
    assert index.candidates(query, 1, EXHAUSTIVE) == []
    assert index.candidates(query, 1, THOROUGH)[0].track == 3
