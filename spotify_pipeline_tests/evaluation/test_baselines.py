"""Other systems' scores: a track's own codes first, and as counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.evaluation.aligned_codes import AlignedCodes
from spotify_pipeline.evaluation.baselines import BASELINES, Baselines
from spotify_pipeline.evaluation.echoprint_server import Block
from spotify_pipeline.fingerprint import EchoprintCodes, codes_of_trains
from spotify_pipeline_tests.tracks import Track, fingerprint_of, make_tracks, packed, worn

TRACKS = make_tracks(12, 120.0)
ECHOPRINT = packed(TRACKS).echoprint
ALIGNED = AlignedCodes.of(ECHOPRINT)
BLOCK = Block.of(ECHOPRINT)


def codes_of(track: Track, start: float = 0.0, seconds: float = 120.0) -> EchoprintCodes:
    return codes_of_trains(fingerprint_of(track, start, seconds).echoprint)


SONGS = [codes_of(track) for track in TRACKS]


def counted_by_hand(query: EchoprintCodes, song: EchoprintCodes) -> int:
    """Count the pairs of equal codes at each offset; give the most at two neighbouring ones."""
    there, here = np.nonzero(song.codes[:, None] == query.codes[None, :])
    offsets = song.times[there].astype(int) - query.times[here].astype(int)
    return max((int(np.isin(offsets, (o, o + 1)).sum()) for o in offsets), default=0)


@settings(max_examples=15, deadline=None)
@given(
    number=st.integers(0, 11),
    start=st.floats(0, 100),
    seconds=st.floats(2, 60),
    lost=st.floats(0, 0.5),
)
def test_scores_are_those_counted_by_hand(
    number: int, start: float, seconds: float, lost: float
) -> None:
    recording = worn(
        fingerprint_of(TRACKS[number], start, seconds).echoprint, 1, lost=lost, moved=1
    )
    query = codes_of_trains(recording)
    aligned = [counted_by_hand(query, song) for song in SONGS]
    assert ALIGNED.scores(query).tolist() == aligned
    sets = [set(song.codes.tolist()) for song in SONGS]
    asked = set(query.codes.tolist())
    jaccard = [len(asked & song) / max(len(asked | song), 1) for song in sets]
    assert BLOCK.scores(query).tolist() == pytest.approx(jaccard)


@pytest.mark.parametrize("number", [0, 5, 11])
def test_every_baseline_finds_a_clean_excerpt_where_it_is_and_not_where_it_is_not(
    number: int,
) -> None:
    half = slice(0, 6) if number < 6 else slice(6, 12)
    scores = Baselines([ECHOPRINT]).scores(codes_of(TRACKS[number], 20, 60), number, half)
    assert set(scores) == set(BASELINES)
    for found in scores.values():
        assert found.first
        assert found.own > found.unknown


def test_tracks_are_numbered_through_all_parts() -> None:
    parts = [packed(TRACKS[:4]).echoprint, packed(TRACKS[4:9]).echoprint, packed([]).echoprint]
    parts.append(packed(TRACKS[9:]).echoprint)
    codes = codes_of(TRACKS[10], 20, 60)
    whole, joined = (Baselines(p).scores(codes, 10, slice(6, 12)) for p in ([ECHOPRINT], parts))
    assert whole == joined


def test_an_excerpt_without_codes_is_found_nowhere() -> None:
    nothing = EchoprintCodes(np.empty(0, np.uint32), np.empty(0, np.uint32))
    for found in Baselines([ECHOPRINT]).scores(nothing, 3, slice(0, 6)).values():
        assert not found.first
        assert found.most_wrong == -np.inf
