"""Synthetic fingerprints against an index: the right track, the right place, and no guesses."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.fingerprint import BANDS, FRAMES_PER_SECOND, Fingerprint, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.decision import THRESHOLD, TrackEvidence
from spotify_pipeline.identify.identifier import Identifier, Match
from spotify_pipeline.identify.passes import PASSES
from spotify_pipeline.identify.query_llr import INFERRED_SECONDS, QueryLlr
from spotify_pipeline.index.kernels.likely_keys import LinkedOnsets
from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline.index.search.searcher import (
    QUICK,
    SHORT,
    SKETCHY,
    SLIGHT,
    THOROUGH,
    Candidate,
    Effort,
)
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

TRACKS = 60
DURATION = 150.0
SECOND = 345
"""Frames, about."""


@pytest.fixture(scope="module")
def tracks() -> list[Track]:
    return make_tracks(TRACKS, DURATION)


@pytest.fixture(scope="module")
def identifier(tracks: list[Track], tmp_path_factory: pytest.TempPathFactory) -> Identifier:
    return Identifier(index_of(tmp_path_factory.mktemp("index"), tracks))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Identifier:
    """Index tracks of which every other one has no rhythm, and one in three no Echoprint."""
    tracks = [
        Track(
            track.track_id,
            track.duration,
            NO_ONSETS if number % 2 else track.rhythm,
            NO_ONSETS if number % 3 == 0 else track.echoprint,
        )
        for number, track in enumerate(make_tracks(12, DURATION))
    ]
    return Identifier(index_of(tmp_path_factory.mktemp("index"), tracks))


def assert_identified(
    identifier: Identifier, query: Fingerprint, track: int, offset: float
) -> None:
    best = identifier.matches(query)[0]
    assert best.track == track
    assert best.offset == pytest.approx(offset, abs=0.1)
    assert best.confidence >= THRESHOLD
    assert best.score > 0


@pytest.mark.parametrize(
    ("log_odds", "confidence"), [(-np.inf, 0.0), (-1e4, 0.0), (0.0, 0.5), (2.0, 0.8808), (1e4, 1.0)]
)
def test_any_llr_are_a_probability(log_odds: float, confidence: float) -> None:
    evidence = TrackEvidence(*[1.0] * 12)
    match = Match(
        0, log_odds, evidence, 0.0, track_id="", duration=None, kind="rhythm", trains=NO_ONSETS
    )
    assert match.confidence == pytest.approx(confidence, abs=1e-4)


@pytest.mark.parametrize("start", [0.0, 41.7, DURATION - 10])
@pytest.mark.parametrize("number", [0, 30, TRACKS - 1])
def test_an_excerpt_is_identified_with_its_offset(
    identifier: Identifier, tracks: list[Track], number: int, start: float
) -> None:
    query = fingerprint_of(tracks[number], start, seconds=10)
    assert_identified(identifier, query, number, start)


@pytest.mark.parametrize("number", [7, 33])
def test_a_worn_excerpt_is_identified_with_its_offset(
    identifier: Identifier, tracks: list[Track], number: int
) -> None:
    query = fingerprint_of(tracks[number], start=80.5, seconds=10)
    noisy = Fingerprint(
        worn(query.echoprint, number, lost=0.2, moved=1),
        worn(query.rhythm, number, lost=0.2, moved=1),
    )
    assert_identified(identifier, noisy, number, 80.5)


@pytest.mark.parametrize("seconds", [3.0, 10.0, 60.0, DURATION])
@pytest.mark.parametrize("number", [TRACKS, TRACKS + 1, TRACKS + 2])
def test_a_track_that_is_not_indexed_stays_unknown(
    identifier: Identifier, number: int, seconds: float
) -> None:
    query = fingerprint_of(make_track(number, DURATION), seconds=seconds)
    assert all(match.confidence < THRESHOLD for match in identifier.matches(query))


def test_the_best_match_comes_first(identifier: Identifier, tracks: list[Track]) -> None:
    first = fingerprint_of(tracks[8], start=40, seconds=12)
    second = fingerprint_of(tracks[3], start=60, seconds=9)
    query = Fingerprint(NO_ONSETS, together(first.rhythm, shifted(second.rhythm, 13 * SECOND)))
    matches = identifier.matches(query)
    assert [match.track for match in matches] == [8, 3]
    assert matches[0].confidence >= matches[1].confidence


def test_tracks_that_align_far_worse_than_the_best_are_no_matches(
    identifier: Identifier, tracks: list[Track]
) -> None:
    matches = identifier.matches(fingerprint_of(tracks[4], seconds=20))
    assert [match.track for match in matches] == [4]


def test_every_track_of_one_recording_is_a_match(tracks: list[Track], tmp_path: Path) -> None:
    twice = Identifier(index_of(tmp_path, [*tracks[:9], replace(tracks[4], track_id="4" * 22)]))
    matches = twice.matches(fingerprint_of(tracks[4], start=50, seconds=10))
    assert [match.track for match in matches] == [4, 9]


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_release_of_the_same_recording_is_no_rival(tracks: list[Track], tmp_path: Path) -> None:
    query = fingerprint_of(tracks[4], start=50, seconds=10)
    alone = Identifier(index_of(made(tmp_path / "alone"), tracks[:9])).matches(query)
    again = Track("4" * 22, DURATION, shifted(tracks[4].rhythm, 3 * SECOND), NO_ONSETS)
    twice = Identifier(index_of(made(tmp_path / "twice"), [*tracks[:9], again])).matches(query)
    assert [match.track for match in twice] == [4, 9]
    for match in twice:
        assert match.evidence.rival < 0.5 * match.evidence.likelihood
        assert match.confidence == pytest.approx(alone[0].confidence, abs=0.01)
    assert twice[1].offset == pytest.approx(53, abs=0.05)


def looped(track: Track, seconds: float, times: int) -> Track:
    """Repeat the beginning of a track, and let the rest of it follow."""
    frames = round(seconds * FRAMES_PER_SECOND)
    loop = track.rhythm.excerpt(0, frames)
    parts = [shifted(loop, number * frames) for number in range(times)]
    rest = shifted(track.rhythm.excerpt(frames), times * frames)
    return replace(track, rhythm=together(*parts, rest), echoprint=NO_ONSETS)


def test_a_loop_is_identified_and_every_place_of_it_is_given(
    tracks: list[Track], tmp_path: Path
) -> None:
    loop = looped(tracks[5], seconds=12, times=4)
    identifier = Identifier(index_of(tmp_path, [*tracks[:5], loop, *tracks[6:20]]))
    (match,) = identifier.matches(fingerprint_of(loop, start=13, seconds=9))
    assert match.track == 5
    assert match.confidence >= THRESHOLD
    positions = sorted((match.offset, *match.also_at))
    assert positions == [pytest.approx(at, abs=0.05) for at in (1, 13, 25, 37)]


def test_what_stands_in_a_track_once_is_at_no_other_place(
    identifier: Identifier, tracks: list[Track]
) -> None:
    assert identifier.matches(fingerprint_of(tracks[6], start=30, seconds=9))[0].also_at == ()


@pytest.mark.parametrize("drift", [-0.0009, 0.0008])
def test_clocks_that_drift_apart_cost_nothing(
    identifier: Identifier, tracks: list[Track], drift: float
) -> None:
    query = fingerprint_of(tracks[15], start=40, seconds=25)
    alone, drifted = (identifier.matches(q)[0] for q in (query, query.at_speed(1 + drift)))
    assert drifted.track == 15
    assert drifted.offset == pytest.approx(40, abs=0.03)
    assert drifted.evidence.likelihood > 0.93 * alone.evidence.likelihood


@pytest.mark.parametrize("number", [1, 5, 7])
def test_a_track_without_rhythm_is_found_by_its_echoprint_onsets(
    mixed: Identifier, number: int
) -> None:
    query = fingerprint_of(make_track(number, DURATION), start=30, seconds=60)
    assert_identified(mixed, query, number, 30.0)


@pytest.mark.parametrize("number", [0, 6])
def test_a_track_without_echoprint_onsets_is_found_by_its_rhythm(
    mixed: Identifier, number: int
) -> None:
    assert_identified(
        mixed, fingerprint_of(make_track(number, DURATION), start=30, seconds=10), number, 30.0
    )


@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("kind", ["echoprint", "rhythm"])
def test_a_query_of_one_kind_of_onsets_is_identified(
    mixed: Identifier, number: int, kind: str
) -> None:
    whole = fingerprint_of(make_track(number, DURATION), start=30, seconds=60)
    query = Fingerprint(
        whole.echoprint if kind == "echoprint" else NO_ONSETS,
        whole.rhythm if kind == "rhythm" else NO_ONSETS,
    )
    assert_identified(mixed, query, number, 30.0)


def test_a_whole_track_is_identified_from_its_start(
    identifier: Identifier, tracks: list[Track]
) -> None:
    assert_identified(identifier, fingerprint_of(tracks[8]), 8, 0.0)


@pytest.mark.parametrize("kind", ["echoprint", "rhythm"])
def test_a_long_excerpt_keeps_its_place(
    identifier: Identifier, tracks: list[Track], kind: str
) -> None:
    whole = fingerprint_of(tracks[9], start=20, seconds=INFERRED_SECONDS + 50)
    query = Fingerprint(
        whole.echoprint if kind == "echoprint" else NO_ONSETS,
        whole.rhythm if kind == "rhythm" else NO_ONSETS,
    )
    assert_identified(identifier, query, 9, 20.0)


@pytest.mark.parametrize("silence", [5.0, 400.0])
def test_a_recording_that_begins_before_the_track_has_a_negative_offset(
    identifier: Identifier, tracks: list[Track], silence: float
) -> None:
    frames = round(silence * 11025 / 32)
    track = tracks[10]
    query = Fingerprint(shifted(track.echoprint, frames), shifted(track.rhythm, frames))
    assert_identified(identifier, query, 10, -silence)


def test_the_busiest_stretch_of_a_long_recording_is_searched_for(
    identifier: Identifier, tracks: list[Track]
) -> None:
    sparse = worn(make_track(TRACKS, 200).rhythm, 1, lost=0.9, moved=0)
    busy = shifted(fingerprint_of(tracks[11], start=40, seconds=60).rhythm, 220 * SECOND)
    query = Fingerprint(NO_ONSETS, together(sparse, busy))
    assert_identified(identifier, query, 11, 40 - 220 * SECOND * 32 / 11025)


@pytest.mark.parametrize("last", [2**31 - 1, 2**30])
def test_an_onset_at_the_end_of_all_time_does_no_harm(
    identifier: Identifier, tracks: list[Track], last: int
) -> None:
    far = OnsetTrains.from_bands([[last]] * BANDS)
    query = Fingerprint(NO_ONSETS, together(tracks[12].rhythm, far))
    assert_identified(identifier, query, 12, 0.0)


@pytest.mark.parametrize(
    ("clarity", "recorded", "size", "tried"),
    [
        (1.0, True, "small", True),
        (3.0, True, "small", False),
        (3.0, False, "small", True),
        (1.0, True, "large", False),
        (1.0, True, "of single keys", False),
        (3.0, True, "large", False),
    ],
)
def test_an_unknown_recording_that_is_clear_is_searched_for_quickly_alone(
    identifier: Identifier,
    monkeypatch: pytest.MonkeyPatch,
    clarity: float,
    recorded: bool,
    size: str,
    tried: bool,
) -> None:
    small = size == "small"
    if not small:
        monkeypatch.setattr("spotify_pipeline.index.search.searcher.SMALL_INDEX", TRACKS - 1)
    index, done = identifier.index, set[str]()
    if size == "of single keys":
        monkeypatch.setattr(index, "_steps", 4)
    search, trial = index.candidates, index.likeliest

    def candidates(
        linked: LinkedOnsets,
        limit: int,
        effort: Effort,
        onsets: Fingerprint | None,
        speed: float,
    ) -> list[Candidate]:
        done.add(f"{effort}")
        return search(linked, limit, effort, onsets, speed)

    def likeliest(
        llr: Float32s,
        limit: int,
        among: Sequence[int] | None = None,
        deadline: Deadline | None = None,
    ) -> list[Candidate]:
        if among is None:
            done.add("exhaustive")
        return trial(llr, limit, among, deadline)

    monkeypatch.setattr(index, "candidates", candidates)
    monkeypatch.setattr(index, "likeliest", likeliest)
    query = QueryLlr.of(fingerprint_of(make_track(TRACKS + 1), 20, 10), None)
    query = replace(
        query, rhythm_frames=np.float32(clarity) * query.rhythm_frames, recorded=recorded
    )
    assert not any(match.confidence > THRESHOLD for match in identifier.matches_of(query))
    assert f"{QUICK}" in done
    assert f"{SKETCHY}" in done
    clear = recorded and clarity > 1
    assert (f"{SLIGHT}" in done) == clear
    assert (f"{THOROUGH}" in done) == (not small and not clear)
    assert (f"{SHORT}" in done) == (size == "large" and not clear)
    assert ("exhaustive" in done) == tried


def test_a_track_that_was_found_at_a_wrong_offset_is_compared_at_the_likeliest(
    identifier: Identifier, tracks: list[Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Candidate(9, 0, 1.0, 2_000)]
    monkeypatch.setattr(identifier.index, "candidates", lambda *_: found)
    query = QueryLlr.of(fingerprint_of(tracks[9], 30, 10), None)
    (match,) = identifier.matches_of(query, PASSES[1:2])
    assert match.track == 9
    assert match.offset == pytest.approx(30, abs=0.1)


def test_an_empty_fingerprint_matches_nothing(identifier: Identifier) -> None:
    assert identifier.matches(Fingerprint(NO_ONSETS, NO_ONSETS)) == []


@pytest.mark.parametrize("speed", [0.96, 0.984, 1.02, 1.0375])
@pytest.mark.parametrize("number", [13, 44])
def test_a_recording_played_at_another_speed_is_identified(
    identifier: Identifier, tracks: list[Track], number: int, speed: float
) -> None:
    query = fingerprint_of(tracks[number], start=50, seconds=15).at_speed(1 / speed)
    assert_identified(identifier, query, number, 50.0)
    assert identifier.matches(query)[0].speed == pytest.approx(speed, abs=0.001)


@pytest.mark.parametrize("speed", [0.975, 1.03])
def test_a_long_recording_at_another_speed_keeps_its_place(
    identifier: Identifier, tracks: list[Track], speed: float
) -> None:
    query = fingerprint_of(tracks[14], start=10, seconds=130).at_speed(1 / speed)
    assert_identified(identifier, query, 14, 10.0)


def test_of_two_tracks_that_fit_as_well_the_popular_one_is_surer(
    tracks: list[Track], tmp_path: Path
) -> None:
    """Two tracks with their beginning in common are not releases of one recording."""
    first, second = tracks[0], tracks[1]
    common = round(35 * FRAMES_PER_SECOND)
    later = shifted(second.rhythm.excerpt(common), common)
    both = replace(second, rhythm=together(first.rhythm.excerpt(0, common), later))
    index = index_of(tmp_path, [first, both, *tracks[2:]])
    query = fingerprint_of(first, 10.0, 20.0)

    def popular(favoured: int) -> dict[int, float]:
        def prior(numbers: Sequence[int]) -> np.ndarray:
            return np.array([12.0 * (number == favoured) for number in numbers])

        found = Identifier(index, prior=prior).matches(query)
        return {match.track: match.log_odds for match in found}

    assert popular(0)[0] > popular(1)[0]
    assert popular(1)[1] > popular(0)[1]
