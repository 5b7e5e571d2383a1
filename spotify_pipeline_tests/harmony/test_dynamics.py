"""Dynamics: a recording's loudness goes with the right track's segments at the right place."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.harmony import PITCH_CLASSES, Segments
from spotify_pipeline.harmony.agreement import Sound, agreement, nats_of_loudness
from spotify_pipeline.harmony.dynamics import LEAST_NATS, compare_loudness, loudness_nats
from spotify_pipeline.harmony.loudness import LOUDNESS_HOP_SECONDS

SECONDS = 60.0


def track_of(seed: int) -> Segments:
    """Draw segments that are loud and soft."""
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.uniform(0.15, 0.5, 400))
    starts = np.append(0, starts[starts < SECONDS])
    loudness = rng.normal(-20, 6, len(starts)).astype(np.float32)
    return Segments(starts, np.ones((len(starts), PITCH_CLASSES), np.float32), loudness)


def heard(track: Segments, start: float, seconds: float, speed: float = 1.0) -> Float32s:
    """Give the loudness of a recording in which each segment begins loud and fades."""
    times = np.arange(round(seconds / LOUDNESS_HOP_SECONDS)) * LOUDNESS_HOP_SECONDS * speed + start
    segment = np.searchsorted(track.starts, times, side="right") - 1
    fade = 40 * (times - track.starts[segment])
    return (track.loudness[segment] - fade).astype(np.float32)


def compared(track: Segments, levels: Float32s, offset: float, speed: float = 1.0) -> float:
    correlation, segments = compare_loudness(levels, track.starts, track.loudness, offset, speed)
    return float(loudness_nats(np.array([correlation]), np.array([segments]))[0])


def test_the_right_track_agrees_at_the_right_place_alone() -> None:
    track = track_of(1)
    levels = heard(track, 20.0, 10.0)
    assert compared(track, levels, 20.0) > 8
    assert compared(track, levels, 26.0) < 2
    assert max(compared(track_of(seed), levels, 20.0) for seed in range(2, 22)) < 4


@pytest.mark.parametrize("late", [-0.02, 0.02, 0.05])
def test_an_offset_may_be_a_little_off(late: float) -> None:
    track = track_of(1)
    assert compared(track, heard(track, 20.0, 10.0), 20.0 + late) > 6


def test_a_recording_that_is_louder_or_faster_agrees_as_well() -> None:
    track = track_of(1)
    exact = compared(track, heard(track, 20.0, 10.0), 20.0)
    assert compared(track, heard(track, 20.0, 10.0) + 30, 20.0) == pytest.approx(exact)
    faster = heard(track, 20.0, 10.0, speed=1.05)
    assert compared(track, faster, 20.0, 1.05) > 8
    assert compared(track, faster, 20.0, 1.0) < 3


def test_opposite_loudness_speaks_against_a_track_by_little() -> None:
    track = track_of(1)
    assert compared(track, -heard(track, 20.0, 10.0), 20.0) == LEAST_NATS


@pytest.mark.parametrize("offset", [-9.5, SECONDS, SECONDS + 30, -100.0])
def test_where_hardly_anything_of_the_track_is_heard_nothing_is_told(offset: float) -> None:
    track = track_of(1)
    assert compared(track, heard(track, 0.0, 10.0), offset) == 0


def test_segments_of_one_loudness_and_silence_tell_nothing() -> None:
    track = track_of(1)
    level = Segments(track.starts, track.pitches, np.full(len(track), -20, np.float32))
    assert compared(level, heard(track, 0.0, 10.0), 0.0) == 0
    assert compared(track, np.zeros(900, np.float32), 0.0) == 0
    assert compared(track, np.empty(0, np.float32), 0.0) == 0
    assert len(loudness_nats(np.empty(0), np.empty(0))) == 0


def test_segments_of_no_length_do_not_count() -> None:
    track = track_of(1)
    twice = Segments(
        np.repeat(track.starts, 2), np.repeat(track.pitches, 2, axis=0), track.loudness.repeat(2)
    )
    levels = heard(track, 20.0, 10.0)
    assert compared(twice, levels, 20.0) == compared(track, levels, 20.0)


def test_more_correlation_is_worth_more() -> None:
    for segments in (5, 12, 40, 90):
        found = loudness_nats(np.linspace(-1, 0.95, 100), np.full(100, segments))
        assert (np.diff(found) >= 0).all()
        assert found[0] == LEAST_NATS
        assert found[-1] > 1


def test_an_agreement_holds_what_loudness_tells() -> None:
    track = track_of(1)
    chroma = np.ones((100, PITCH_CLASSES), np.float32)
    levels = heard(track, 20.0, 10.0)
    found = agreement(Sound.of(chroma, levels), track, 20.0, 1.0)
    without = agreement(Sound.of(chroma), track, 20.0, 1.0)
    assert nats_of_loudness([found, without]).tolist() == [compared(track, levels, 20.0), 0]
