"""Matches of one recording come back as one group, the most popular track first."""

from dataclasses import replace

from spotify_pipeline.catalog import TrackNames
from spotify_pipeline.identify.decision import TrackEvidence
from spotify_pipeline.identify.identifier import Match
from spotify_pipeline.identify.releases import group_releases
from spotify_pipeline_tests.tracks import make_tracks, shifted, worn

SAME = 3
"""The number of a track that is track 0 again, a second later and encoded anew."""


TRACKS = make_tracks(3)
TRACKS.append(replace(TRACKS[0], rhythm=shifted(worn(TRACKS[0].rhythm, 1, lost=0.2, moved=1), 345)))


def match(track: int, log_odds: float = 9.0) -> Match:
    return Match(
        track,
        log_odds,
        TrackEvidence(150.0, 140.0, 9.0, 20.0, 4.0, 0.2, 1.0, 1.0, 1.0, 90, 1.0, 1.0),
        0.0,
        track_id=str(track) * 22,
        duration=None,
        kind="rhythm",
        trains=TRACKS[track].rhythm,
    )


def named(isrc: str | None, popularity: int | None) -> TrackNames:
    return TrackNames("title", (), "", isrc, popularity)


def groups(matches: list[Match], names: dict[int, TrackNames]) -> list[list[int]]:
    return [[m.track for m in group] for group in group_releases(matches, names)]


def test_tracks_whose_onsets_line_up_are_one_recording() -> None:
    matches = [match(1), match(0), match(SAME), match(2)]
    assert groups(matches, {}) == [[1], [0, SAME], [2]]


def test_the_most_popular_release_comes_first() -> None:
    names = {0: named(None, 3), SAME: named(None, 70), 1: named(None, 99)}
    assert groups([match(0), match(1), match(SAME)], names) == [[SAME, 0], [1]]


def test_a_release_of_unknown_popularity_comes_last() -> None:
    assert groups([match(0), match(SAME)], {SAME: named(None, 0)}) == [[SAME, 0]]


def test_tracks_of_one_isrc_are_one_recording() -> None:
    names = {1: named("QQ1", 1), 2: named("QQ1", 1), 0: named("QQ2", 1)}
    assert groups([match(1), match(0), match(2)], names) == [[1, 2], [0]]


def test_tracks_without_an_isrc_are_not_one_recording_for_that() -> None:
    names = {1: named(None, 1), 2: named(None, 1)}
    assert groups([match(1), match(2)], names) == [[1], [2]]
