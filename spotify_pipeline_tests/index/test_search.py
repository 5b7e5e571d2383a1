"""Candidates for a query: its own track first, though onsets are lost or moved."""

import pytest

from spotify_pipeline.fingerprint import OnsetTrains
from spotify_pipeline.index.channel import Channel
from spotify_pipeline.index.feature_index import IndexedTrack
from spotify_pipeline.index.features import ECHOPRINT_FEATURES, RHYTHM_FEATURES
from spotify_pipeline.index.search import OFFSET_BIN, candidates
from spotify_pipeline_tests.tracks import (
    NO_ONSETS,
    fingerprint_of,
    make_track,
    make_tracks,
    shifted,
    together,
    worn,
)

TRACKS = 300


@pytest.fixture(scope="module")
def tracks() -> list[IndexedTrack]:
    return make_tracks(TRACKS)


@pytest.fixture(scope="module")
def rhythm(tracks: list[IndexedTrack]) -> Channel:
    return Channel.build((track.rhythm for track in tracks), RHYTHM_FEATURES)


@pytest.fixture(scope="module")
def echoprint(tracks: list[IndexedTrack]) -> Channel:
    return Channel.build((track.echoprint for track in tracks), ECHOPRINT_FEATURES)


@pytest.mark.parametrize("number", [0, 1, 77, 150, 298, TRACKS - 1])
def test_a_worn_excerpt_of_ten_seconds_finds_its_track_first(
    rhythm: Channel, tracks: list[IndexedTrack], number: int
) -> None:
    clean = fingerprint_of(tracks[number], start=23.4, seconds=10).rhythm
    query = worn(clean, number, lost=0.2, moved=1)
    assert candidates(rhythm, RHYTHM_FEATURES, query, 5)[0] == number


@pytest.mark.parametrize("number", [0, 150, TRACKS - 1])
def test_echoprint_onsets_find_their_track_first(
    echoprint: Channel, tracks: list[IndexedTrack], number: int
) -> None:
    clean = fingerprint_of(tracks[number], start=11.1, seconds=40).echoprint
    query = worn(clean, number, lost=0.1, moved=1)
    assert candidates(echoprint, ECHOPRINT_FEATURES, query, 5)[0] == number


def best_of(tracks: list[OnsetTrains], query: OnsetTrains) -> int:
    """Search for a query among a few tracks."""
    channel = Channel.build(tracks, RHYTHM_FEATURES)
    return int(candidates(channel, RHYTHM_FEATURES, query, 1)[0])


def stretch(number: int, start: float, seconds: float) -> OnsetTrains:
    """Cut the rhythm onsets out of a track; they begin at 0."""
    return fingerprint_of(make_track(number), start, seconds).rhythm


def test_features_at_one_offset_outweigh_more_of_them_at_many() -> None:
    parts = [stretch(3, start, 5) for start in (0, 5, 10, 15)]
    shuffled = [
        shifted(parts[k], place * 1_900) for place, k in enumerate((3, 1, 0, 2, 1, 3, 2, 0))
    ]
    assert best_of([together(*shuffled), stretch(3, 0, 20)], stretch(3, 0, 20)) == 1


def test_rare_features_outweigh_more_of_common_ones() -> None:
    common, rare = stretch(3, 0, 5), stretch(4, 0, 4)
    tracks = [*[common] * 40, rare]
    assert best_of(tracks, together(common, shifted(rare, 2_000))) == 40


def test_features_that_drift_by_a_frame_count_together() -> None:
    first, second = stretch(3, 0, 10), shifted(stretch(3, 10, 10), 3_445)
    border = 100 * OFFSET_BIN
    drifting = together(shifted(first, border - 1), shifted(second, border))
    part = shifted(stretch(3, 0, 13), border + OFFSET_BIN // 2)
    assert best_of([part, drifting], stretch(3, 0, 20)) == 1


def test_tracks_are_given_once_and_no_more_than_asked_for(
    rhythm: Channel, tracks: list[IndexedTrack]
) -> None:
    query = tracks[5].rhythm
    everything = candidates(rhythm, RHYTHM_FEATURES, query, 2 * TRACKS).tolist()
    assert len(everything) == len(set(everything)) > 10
    assert set(everything) <= set(range(TRACKS))
    assert candidates(rhythm, RHYTHM_FEATURES, query, 10).tolist() == everything[:10]


def test_nothing_is_found_for_an_empty_query(rhythm: Channel) -> None:
    assert len(candidates(rhythm, RHYTHM_FEATURES, NO_ONSETS, 10)) == 0


def test_nothing_is_found_in_an_empty_index() -> None:
    channel = Channel.build([], RHYTHM_FEATURES)
    assert len(candidates(channel, RHYTHM_FEATURES, make_track(1).rhythm, 10)) == 0
