"""Candidates for a query: its own track first, though onsets are lost or moved."""

from pathlib import Path

import pytest

from spotify_pipeline.fingerprint import Fingerprint, OnsetTrains
from spotify_pipeline.index.building.segment_writer import write_segment
from spotify_pipeline.index.format.key_setting import KEYS
from spotify_pipeline.index.format.segment import Segment, SegmentShard
from spotify_pipeline.index.search.searcher import QUICK, THOROUGH, Effort, Searcher
from spotify_pipeline_tests.tracks import (
    NO_ONSETS,
    Track,
    fingerprint_of,
    index_of,
    llr_of,
    make_track,
    make_tracks,
    packed,
    shifted,
    together,
    worn,
)

TRACKS = 300


@pytest.fixture(scope="module")
def tracks() -> list[Track]:
    return make_tracks(TRACKS)


@pytest.fixture(scope="module")
def index(tracks: list[Track], tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return index_of(tmp_path_factory.mktemp("index"), tracks)


def rhythm(trains: OnsetTrains) -> Fingerprint:
    """Give a query of rhythm onsets."""
    return Fingerprint(NO_ONSETS, trains)


def found(index: Searcher, query: Fingerprint, limit: int) -> list[int]:
    return [c.track for c in index.candidates(index.linked(llr_of(query)), limit, THOROUGH, query)]


@pytest.mark.parametrize("number", [0, 1, 77, 150, 298, TRACKS - 1])
def test_a_worn_excerpt_of_ten_seconds_finds_its_track_first(
    index: Searcher, tracks: list[Track], number: int
) -> None:
    clean = fingerprint_of(tracks[number], start=23.4, seconds=10).rhythm
    assert found(index, rhythm(worn(clean, number, lost=0.2, moved=1)), 5)[0] == number


@pytest.mark.parametrize("number", [0, 150, TRACKS - 1])
def test_echoprint_onsets_find_their_track_first(
    index: Searcher, tracks: list[Track], number: int
) -> None:
    clean = fingerprint_of(tracks[number], start=11.1, seconds=40).echoprint
    query = Fingerprint(worn(clean, number, lost=0.1, moved=1), NO_ONSETS)
    assert found(index, query, 5)[0] == number


@pytest.mark.parametrize("effort", [QUICK, THOROUGH])
@pytest.mark.parametrize("start", [0.0, 20.0, 45.0])
def test_the_offset_is_reported_to_within_the_reach(
    index: Searcher, tracks: list[Track], start: float, effort: Effort
) -> None:
    query = rhythm(fingerprint_of(tracks[9], start=start, seconds=12).rhythm)
    best = index.candidates(index.linked(llr_of(query)), 3, effort, query)[0]
    assert best.track == 9
    assert abs(best.offset - start * 11025 / 32) <= best.reach


@pytest.mark.parametrize("parts", [2, 5])
def test_segments_tell_together_what_one_tells(
    index: Searcher, tracks: list[Track], tmp_path: Path, parts: int
) -> None:
    query = rhythm(worn(tracks[5].rhythm, 1, lost=0.3, moved=0))
    opened = []
    for number in range(parts):
        chosen = packed(tracks[number * TRACKS // parts : (number + 1) * TRACKS // parts])
        path = tmp_path / f"{number}"
        write_segment(path, [SegmentShard("0a", "", len(chosen))], chosen, 10**8)
        opened.append((Segment.open(path), ["0a"]))
    parted = Searcher(opened)
    linked = parted.linked(llr_of(query))
    found = parted.candidates(linked, 3, THOROUGH, query)
    expected = index.candidates(index.linked(llr_of(query)), 3, THOROUGH, query)
    assert found[0].track == expected[0].track == 5
    assert found[0].offset == expected[0].offset
    assert found == Searcher(opened).candidates(linked, 3, THOROUGH, query)


def best_of(folder: Path, tracks: list[OnsetTrains], query: OnsetTrains) -> int:
    """Search for a query among a few tracks, others between them."""
    made = [
        Track(f"{n:021d}{own:d}", None, trains if own else make_track(50 + n).rhythm, NO_ONSETS)
        for n, trains in enumerate(tracks)
        for own in (True, False)
    ]
    return found(index_of(folder, made), rhythm(query), 1)[0] // 2


def stretch(number: int, start: float, seconds: float) -> OnsetTrains:
    """Cut the rhythm onsets out of a track; they begin at 0."""
    return fingerprint_of(make_track(number), start, seconds).rhythm


def test_keys_at_one_offset_outweigh_more_of_them_at_many(tmp_path: Path) -> None:
    parts = [stretch(3, start, 5) for start in (0, 5, 10, 15)]
    shuffled = [
        shifted(parts[k], place * 1_900) for place, k in enumerate((3, 1, 0, 2, 1, 3, 2, 0))
    ]
    assert best_of(tmp_path, [together(*shuffled), stretch(3, 0, 20)], stretch(3, 0, 20)) == 1


def test_rare_keys_outweigh_more_of_common_ones(tmp_path: Path) -> None:
    common, rare = stretch(3, 0, 5), stretch(4, 0, 4)
    tracks = [*[common] * 40, rare]
    assert best_of(tmp_path, tracks, together(rare, shifted(common, 2_000))) == 40


def test_a_query_that_begins_long_before_the_track_finds_it(
    index: Searcher, tracks: list[Track]
) -> None:
    query = together(fingerprint_of(tracks[7], 30, 10).rhythm, shifted(tracks[8].rhythm, 3_500))
    assert set(found(index, rhythm(query), 5)) >= {7, 8}
    late = shifted(stretch(8, 0, 20), 40_000)
    assert 8 in found(index, rhythm(together(make_track(TRACKS + 1).rhythm, late)), 5)


def test_keys_on_either_side_of_a_border_of_bins_count_together(tmp_path: Path) -> None:
    first, second = stretch(3, 0, 10), shifted(stretch(3, 10, 10), 3_445)
    border = 20 * KEYS.bin_frames
    drifting = together(shifted(first, border - 1), shifted(second, border))
    part = shifted(stretch(3, 0, 13), border + KEYS.bin_frames // 2)
    assert best_of(tmp_path, [part, drifting], stretch(3, 0, 20)) == 1


def test_tracks_are_given_once_and_no_more_than_asked_for(
    index: Searcher, tracks: list[Track]
) -> None:
    query = rhythm(tracks[5].rhythm)
    everything = found(index, query, 2 * TRACKS)
    assert len(everything) == len(set(everything)) > 10
    assert set(everything) <= set(range(TRACKS))
    assert found(index, query, 10) == everything[:10]


def test_nothing_is_found_for_an_empty_query(index: Searcher) -> None:
    assert found(index, rhythm(NO_ONSETS), 10) == []


def test_nothing_is_found_in_an_empty_index(tmp_path: Path) -> None:
    assert found(index_of(tmp_path, []), rhythm(make_track(1).rhythm), 10) == []
    assert found(Searcher([]), rhythm(make_track(1).rhythm), 10) == []
