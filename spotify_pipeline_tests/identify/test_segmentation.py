"""What plays when, on random onset trains: all that plays, its borders, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from spotify_pipeline.fingerprint import (
    FRAMES_PER_SECOND,
    Fingerprint,
    InferredRecording,
    OnsetTrains,
)
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.identifier import Identifier, Match
from spotify_pipeline.identify.passes import PASSES, Pass
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.identify.segmentation import Stretch, segment
from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline_tests.tracks import (
    NO_ONSETS,
    Track,
    fingerprint_of,
    index_of,
    make_track,
    make_tracks,
    shifted,
    together,
    worn,
)

TRACKS = 20
DURATION = 100.0
STRANGER = make_track(TRACKS, 400.0)
"""A track that is not indexed."""

LOOP = 99
"""The number of a track that is a loop of 20 s, five times, one in three onsets lost each time."""


class FirstWindowOnly(Identifier):
    """Finds nothing any more after its first query."""

    asked = False

    def matches_of(
        self,
        query: QueryLlr,
        passes: Sequence[Pass] = PASSES,
        deadline: Deadline | None = None,
    ) -> list[Match]:
        """Give the matches of the first query."""
        found = [] if self.asked else super().matches_of(query, passes, deadline)
        self.asked = True
        return found


Part = tuple[Track, float, float]
"""A track, and the seconds of it that are played: from, to."""


def looped(track: Track) -> Track:
    def repeated(trains: OnsetTrains) -> OnsetTrains:
        period = round(20 * FRAMES_PER_SECOND)
        loop = trains.excerpt(0, period)
        return together(*(shifted(worn(loop, k, lost=0.33, moved=0), k * period) for k in range(5)))

    return replace(track, rhythm=repeated(track.rhythm), echoprint=repeated(track.echoprint))


@pytest.fixture(scope="module")
def tracks() -> dict[int, Track]:
    return {
        **dict(enumerate(make_tracks(TRACKS, DURATION))),
        LOOP: looped(make_track(LOOP, DURATION)),
    }


@pytest.fixture(scope="module")
def identifier(tracks: dict[int, Track], tmp_path_factory: pytest.TempPathFactory) -> Identifier:
    return Identifier(index_of(tmp_path_factory.mktemp("index"), tracks.values()))


def played(*parts: Part) -> InferredRecording:
    """Play parts of tracks one after the other, a fifth of the onsets lost."""
    seconds = 0.0
    rhythm, echoprint = [], []
    for track, first, last in parts:
        part = fingerprint_of(track, first, last - first)
        position = round(seconds * FRAMES_PER_SECOND)
        rhythm.append(shifted(part.rhythm, position))
        echoprint.append(shifted(part.echoprint, position))
        seconds += last - first
    whole = Fingerprint(together(*echoprint), together(*rhythm))
    worn_down = Fingerprint(
        worn(whole.echoprint, 1, lost=0.2, moved=1), worn(whole.rhythm, 1, lost=0.2, moved=1)
    )
    return InferredRecording(worn_down, seconds)


def assert_found(found: list[Stretch], expected: Sequence[tuple[int | None, float, float]]) -> None:
    """Compare with tracks, ends and positions at the start."""
    assert [stretch.track for stretch in found] == [track for track, _, _ in expected]
    assert found[0].start == 0
    for stretch, following in pairwise(found):
        assert stretch.end == following.start
    for stretch, (track, end, position) in zip(found, expected, strict=True):
        assert stretch.end == pytest.approx(end, abs=2)
        if track is not None:
            assert stretch.position == pytest.approx(position, abs=2)
            assert stretch.confidence >= THRESHOLD


def test_tracks_are_found_in_their_order_with_their_borders(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((tracks[3], 0, 100), (tracks[5], 20, 70), (tracks[1], 10, 100))
    expected = [(3, 100, 0), (5, 150, 20), (1, 240, 10)]
    assert_found(segment(recording, identifier), expected)


def test_what_is_not_indexed_is_unknown(identifier: Identifier, tracks: dict[int, Track]) -> None:
    recording = played(
        (STRANGER, 0, 50), (tracks[3], 30, 70), (STRANGER, 100, 180), (tracks[5], 0, 100)
    )
    expected = [(None, 50, 0), (3, 90, 30), (None, 170, 0), (5, 270, 0)]
    assert_found(segment(recording, identifier), expected)


def test_a_track_is_found_each_time_it_plays(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((tracks[3], 0, 100), (tracks[5], 0, 100), (tracks[3], 0, 100))
    expected = [(3, 100, 0), (5, 200, 0), (3, 300, 0)]
    assert_found(segment(recording, identifier), expected)


def test_a_track_that_is_played_again_at_once_plays_twice(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((tracks[3], 0, 100), (tracks[3], 0, 100))
    assert_found(segment(recording, identifier), [(3, 100, 0), (3, 200, 0)])


@pytest.mark.parametrize("jump", [0, 20, 40])
def test_a_loop_is_not_cut_where_it_repeats_itself(
    identifier: Identifier, tracks: dict[int, Track], jump: int
) -> None:
    loop = tracks[LOOP]
    recording = played((tracks[3], 0, 100), (loop, 0, 40), (loop, 40 + jump, 100))
    assert_found(segment(recording, identifier), [(3, 100, 0), (TRACKS, 200 - jump, 0)])


def test_a_track_that_jumps_to_another_part_of_it_is_cut_there(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((tracks[3], 0, 40), (tracks[3], 60, 100))
    assert_found(segment(recording, identifier), [(3, 40, 0), (3, 80, 60)])


def test_a_track_goes_on_after_it_was_talked_over(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((tracks[3], 0, 40), (STRANGER, 0, 25), (tracks[3], 65, 100))
    assert_found(segment(recording, identifier), [(3, 100, 0)])


def test_a_moment_of_a_track_is_not_believed(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((tracks[3], 0, 60), (tracks[5], 30, 31), (tracks[1], 20, 100))
    assert_found(segment(recording, identifier), [(3, 60, 0), (1, 141, 19)])


def test_a_track_that_is_not_heard_at_first_follows_the_last_one_at_once(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((tracks[3], 0, 100), (STRANGER, 0, 8), (tracks[5], 8, 100))
    assert_found(segment(recording, identifier), [(3, 100, 0), (5, 200, 0)])


def test_a_track_that_is_not_heard_at_first_begins_midway_after_the_unknown(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((STRANGER, 0, 68), (tracks[5], 8, 92), (STRANGER, 100, 168))
    assert_found(segment(recording, identifier), [(None, 64, 0), (5, 156, 4), (None, 220, 0)])


def test_a_recording_that_begins_with_noise_is_of_its_track_from_the_start(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((STRANGER, 0, 1), (tracks[5], 31, 100))
    assert_found(segment(recording, identifier), [(5, 70, 30)])


def test_a_track_that_one_window_of_many_finds_is_unknown(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((tracks[3], 0, 100))
    assert segment(recording, FirstWindowOnly(identifier.index)) == [Stretch(0.0, 100.0)]


@pytest.mark.parametrize("seconds", [8, 15, 24, 26, 35])
def test_a_recording_of_any_length_is_covered(
    identifier: Identifier, tracks: dict[int, Track], seconds: int
) -> None:
    recording = played((tracks[3], 30, 30 + seconds))
    assert_found(segment(recording, identifier), [(3, seconds, 30)])


def test_a_track_with_echoprint_onsets_alone_is_found(tmp_path: Path) -> None:
    tracks = [replace(make_track(number, DURATION), rhythm=NO_ONSETS) for number in range(5)]
    identifier = Identifier(index_of(tmp_path, tracks))
    recording = played((make_track(3, DURATION), 0, 100), (make_track(1, DURATION), 0, 100))
    found = segment(recording, identifier)
    assert [stretch.track for stretch in found] == [3, 1]
    assert found[0].end == pytest.approx(100, abs=3)


def test_a_track_of_unknown_duration_ends_with_its_last_onset(tmp_path: Path) -> None:
    tracks = [replace(make_track(number, DURATION), duration=None) for number in range(5)]
    identifier = Identifier(index_of(tmp_path, tracks))
    recording = played((tracks[3], 0, 100), (STRANGER, 0, 50))
    assert_found(segment(recording, identifier), [(3, 100, 0), (None, 150, 0)])


@pytest.mark.parametrize("seconds", [0.0, 0.1, 60.0])
def test_silence_is_unknown(identifier: Identifier, seconds: float) -> None:
    silence = Fingerprint(NO_ONSETS, NO_ONSETS)
    assert segment(InferredRecording(silence, seconds), identifier) == [Stretch(0.0, seconds)]


def test_what_is_not_sure_enough_is_unknown(
    identifier: Identifier, tracks: dict[int, Track]
) -> None:
    recording = played((tracks[3], 0, 100))
    assert segment(recording, identifier, threshold=1.01) == [Stretch(0.0, 100.0)]
