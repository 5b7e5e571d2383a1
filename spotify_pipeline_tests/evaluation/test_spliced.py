"""Spliced tracks: real trains at other speeds, as a detector could give them."""

import numpy as np
import pytest

from spotify_pipeline.evaluation.spliced import (
    LOOP_TIMES,
    LOOPS,
    OWN_SPEEDS,
    SECONDS,
    SPEEDS,
    Splicer,
    Stretches,
)
from spotify_pipeline.fingerprint import (
    BANDS,
    ECHOPRINT,
    FRAMES_PER_SECOND,
    RHYTHM,
    Fingerprint,
    OnsetTrains,
    unpack_trains,
)
from spotify_pipeline.fingerprint.arrays import Int64s
from spotify_pipeline.index.building.segment_writer import PackedTracks, Tracks
from spotify_pipeline.index.kernels.alignment import TOLERANCES, offset_histogram
from spotify_pipeline_tests.tracks import NO_ONSETS, fingerprint_of, make_track, make_tracks

LENGTHS = (np.array([30.0, 60.0, 200.0, 240.0, 300.0]) * FRAMES_PER_SECOND).astype(np.int64)


@pytest.fixture(scope="module")
def pieces() -> list[Fingerprint]:
    return [fingerprint_of(track) for track in make_tracks(5, 120.0)]


@pytest.fixture(scope="module")
def made(pieces: list[Fingerprint]) -> Tracks:
    return Splicer(pieces, seed=1).tracks("0A", 200)


@pytest.fixture(scope="module")
def stretches() -> Stretches:
    return Stretches.drawn(LENGTHS, 1000, np.random.default_rng(1))


def trains_of(packed: PackedTracks, track: int) -> OnsetTrains:
    first, last = packed.offsets[track : track + 2]
    return unpack_trains(packed.content[first:last].tobytes())


def onsets_a_second(packed: PackedTracks, seconds: float) -> float:
    count = sum(len(trains_of(packed, track)) for track in range(len(packed.offsets) - 1))
    return count / seconds


def pieces_by_track(stretches: Stretches) -> list[Int64s]:
    return np.split(stretches.pieces, stretches.tracks[1:-1])


@pytest.mark.parametrize(
    ("kind", "deadtime"), [("rhythm", RHYTHM.deadtime), ("echoprint", ECHOPRINT.deadtime)]
)
def test_onsets_ascend_from_0_with_the_dead_time_between_them(
    made: Tracks, kind: str, deadtime: int
) -> None:
    for track in range(len(made)):
        trains = trains_of(getattr(made, kind), track)
        for band in range(BANDS):
            frames = trains.band(band)
            assert (frames >= 0).all()
            assert (np.diff(frames) >= deadtime).all()


def test_onsets_are_as_frequent_as_in_the_pieces_and_fill_the_track(
    made: Tracks, pieces: list[Fingerprint]
) -> None:
    seconds = float(made.durations.sum())
    for kind in ("rhythm", "echoprint"):
        real = sum(len(getattr(piece, kind)) for piece in pieces) / (120.0 * len(pieces))
        assert onsets_a_second(getattr(made, kind), seconds) == pytest.approx(real, rel=0.2)
    for track in range(len(made)):
        end = int(trains_of(made.rhythm, track).frames.max()) / FRAMES_PER_SECOND
        assert made.durations[track] - 3 < end < made.durations[track] + 0.1


def test_a_seed_gives_the_same_tracks(made: Tracks, pieces: list[Fingerprint]) -> None:
    again, other = (Splicer(pieces, seed).tracks("0A", 200) for seed in (1, 2))
    assert made.ids.tolist() == again.ids.tolist()
    assert np.array_equal(made.rhythm.content, again.rhythm.content)
    assert np.array_equal(made.echoprint.content, again.echoprint.content)
    assert not np.array_equal(made.rhythm.content, other.rhythm.content)
    assert all(track_id.startswith(b"0A") and len(track_id) == 22 for track_id in made.ids.tolist())


def test_no_stretch_is_played_at_the_speed_of_its_piece(stretches: Stretches) -> None:
    assert stretches.speeds.min() >= SPEEDS[0]
    assert stretches.speeds.max() <= SPEEDS[1]
    slower, faster = stretches.speeds <= OWN_SPEEDS[0], stretches.speeds >= OWN_SPEEDS[1]
    assert (slower | faster).all()
    assert slower.any()
    assert faster.any()


def test_a_track_is_of_one_to_three_different_pieces(stretches: Stretches) -> None:
    by_track = pieces_by_track(stretches)
    assert {len(pieces) for pieces in by_track} == {1, 2, 3}
    assert all(len(set(pieces.tolist())) == len(pieces) for pieces in by_track)


def test_stretches_lie_within_their_pieces(stretches: Stretches) -> None:
    assert (stretches.firsts >= 0).all()
    assert (stretches.firsts + stretches.lengths <= LENGTHS[stretches.pieces]).all()
    once = stretches.times == 1
    seconds = stretches.lengths[once] / FRAMES_PER_SECOND
    assert seconds.min() > SECONDS[0] - 0.01
    assert seconds.max() <= SECONDS[1]


def test_three_in_ten_stretches_are_loops(stretches: Stretches) -> None:
    looped = stretches.times > 1
    assert looped.mean() == pytest.approx(LOOPS, abs=0.05)
    assert set(stretches.times[looped].tolist()) == set(range(LOOP_TIMES[0], LOOP_TIMES[1] + 1))


def test_what_is_played_is_the_piece_at_another_speed() -> None:
    piece = fingerprint_of(make_track(1, 60.0))
    splicer = Splicer([piece], seed=4)
    plan = Stretches.drawn(np.array([60 * 345]), 30, np.random.default_rng(4))
    made = splicer.tracks("0a", 30)
    assert made.durations == pytest.approx(plan.seconds, rel=0.02)
    own: list[float] = []
    other: list[float] = []
    for track in range(30):
        played = trains_of(made.rhythm, track).excerpt(0, round(9 * FRAMES_PER_SECOND))
        for found, speed in ((own, 1.0), (other, float(plan.speeds[track]))):
            _, aligned = offset_histogram(
                played.at_speed(speed), piece.rhythm, 2 * TOLERANCES["rhythm"]
            )
            found.append(aligned.max() / len(played))
    assert np.median(other) > 0.6
    assert np.median(own) < 0.3


def test_a_single_piece_and_none_but_silence_beside_it_are_enough() -> None:
    silent = Fingerprint(NO_ONSETS, NO_ONSETS)
    without_echoprint = Fingerprint(NO_ONSETS, make_track(1).rhythm)
    made = Splicer([silent, without_echoprint], seed=1).tracks("0a", 5)
    assert len(trains_of(made.rhythm, 0)) > 0
    assert made.echoprint.offsets[-1] == 0
    assert len(Splicer([without_echoprint], seed=1).tracks("0a", 0)) == 0
