"""Agreement: the right track at the right place, and no other, has the recording's harmony."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.harmony import (
    PITCH_CLASSES,
    PackedHarmonyError,
    Segments,
    pack_harmony,
    unpack_harmony,
)
from spotify_pipeline.harmony.agreement import (
    Agreement,
    Sound,
    agreement,
    agreements,
    nats,
    pitches_between,
)
from spotify_pipeline.harmony.chroma import HOP_SECONDS

SECONDS = 60.0


def track_of(seed: int) -> tuple[Segments, Float32s]:
    """Draw segments, and the chroma of a recording of all of it that is half noise."""
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.uniform(0.1, 0.5, 400))
    starts = np.append(0, starts[starts < SECONDS])
    pitches = (rng.random((len(starts), PITCH_CLASSES)) ** 2).astype(np.float32)
    pitches /= pitches.max(axis=1, keepdims=True)
    segments = Segments(starts, pitches, np.full(len(starts), -10, np.float32))
    moments = np.arange(round(SECONDS / HOP_SECONDS)) * HOP_SECONDS
    chroma = pitches[np.searchsorted(starts, moments, side="right") - 1]
    noise = rng.random(chroma.shape, np.float32)
    return unpack_harmony(pack_harmony(segments)), chroma + noise


def excerpt(chroma: Float32s, start: float, seconds: float) -> Sound:
    first, count = round(start / HOP_SECONDS), round(seconds / HOP_SECONDS)
    return Sound.of(chroma[first : first + count])


def test_the_right_track_agrees_at_the_right_place_alone() -> None:
    track, chroma = track_of(1)
    others = [track_of(seed)[0] for seed in range(2, 22)]
    asked = excerpt(chroma, 20.0, 10.0)
    found = [agreement(asked, one, 20.0, 1.0) for one in (track, *others)]
    found.append(agreement(asked, track, 23.0, 1.0))
    worth = nats(found)
    assert found[0].correlation > 0.5
    assert worth[0] > 8
    assert (worth[1:] < 2).all()


def test_a_transposed_track_does_not_agree() -> None:
    track, chroma = track_of(1)
    asked = excerpt(chroma, 20.0, 10.0)
    for key in range(1, PITCH_CLASSES):
        other = Segments(track.starts, np.roll(track.pitches, key, axis=1), track.loudness)
        assert agreement(asked, other, 20.0, 1.0).correlation < 0.35


@pytest.mark.parametrize("semitones", [-1, 1])
def test_a_recording_that_is_a_semitone_higher_or_lower_agrees_and_is_worth_less(
    semitones: int,
) -> None:
    track, chroma = track_of(1)
    asked = excerpt(chroma, 20.0, 10.0)
    shifted = excerpt(np.roll(chroma, semitones, axis=1), 20.0, 10.0)
    found = agreement(shifted, track, 20.0, 1.0)
    assert max(found.higher, found.lower) == (found.higher if semitones > 0 else found.lower) > 0.5
    (plain,), (moved,) = nats([agreement(asked, track, 20.0, 1.0)]), nats([found])
    assert 5 < moved < plain - 3


@pytest.mark.parametrize("semitones", range(2, PITCH_CLASSES - 1))
def test_a_recording_in_a_distant_key_does_not_agree(semitones: int) -> None:
    track, chroma = track_of(1)
    shifted = excerpt(np.roll(chroma, semitones, axis=1), 20.0, 10.0)
    assert nats([agreement(shifted, track, 20.0, 1.0)])[0] < 2


def test_a_recording_that_is_played_faster_agrees_at_its_speed() -> None:
    track, chroma = track_of(1)
    faster = Sound.of(chroma[np.arange(0, len(chroma), 1.05).astype(int)])
    assert agreement(faster, track, 0.0, 1.05).correlation > 0.5
    assert agreement(faster, track, 0.0, 1.0).correlation < 0.3


def test_a_recording_that_is_played_faster_may_have_kept_its_key() -> None:
    other_key, same_key = Agreement(0.0, seconds=10.0), Agreement(0.0, seconds=10.0, key_kept=0.5)
    assert nats([other_key])[0] < 0
    assert 5 < nats([same_key])[0] < nats([Agreement(0.5, seconds=10.0)])[0]


@pytest.mark.parametrize("offset", [-9.5, SECONDS + 2, -100.0])
def test_where_hardly_anything_of_the_track_is_heard_nothing_is_reported(offset: float) -> None:
    track, chroma = track_of(1)
    found = agreement(excerpt(chroma, 0.0, 10.0), track, offset, 1.0)
    assert not found.tells
    assert nats([found, Agreement(0.5, seconds=10.0)])[0] == 0


def test_no_segments_and_silence_tell_nothing() -> None:
    track, chroma = track_of(1)
    assert not agreement(excerpt(chroma, 0.0, 10.0), Segments.none(), 0.0, 1.0).tells
    assert not agreement(Sound.of(np.zeros((200, PITCH_CLASSES), "f4")), track, 0.0, 1.0).tells
    assert len(nats([])) == 0


def test_more_agreement_is_worth_more() -> None:
    for seconds in (3.0, 10.0, 20.0):
        worth = [nats([Agreement(one, seconds=seconds)])[0] for one in np.linspace(-1, 0.7, 100)]
        assert (np.diff(worth) >= 0).all()
        assert worth[0] == worth[10]
        assert worth[0] < -1
        assert worth[-1] > 5


def test_in_little_time_harmony_speaks_less_against_a_track() -> None:
    found = [nats([Agreement(seconds=seconds)])[0] for seconds in (2.0, 5.0, 10.0, 20.0)]
    assert (np.diff(found) < 0).all()
    assert found[0] > -2 > found[-1]


def test_tracks_as_they_are_packed_agree_as_their_segments_do() -> None:
    drawn = [track_of(seed) for seed in range(4)]
    asked = excerpt(drawn[1][1], 20.0, 10.0)
    offsets = np.array([20.0, 20.0, 3.5, -4.0])
    parts = [pack_harmony(track) for track, _ in drawn]
    parts[2] = b""
    ends = np.cumsum([0, *map(len, parts)])
    content = np.frombuffer(b"".join(parts), np.uint8)
    found = agreements(asked, content, ends[:-1], ends[1:], offsets, 1.02)
    for one, (track, _), offset, part in zip(found, drawn, offsets, parts, strict=True):
        known = track if part else Segments.none()
        assert one == agreement(asked, known, float(offset), 1.02)
    assert found[1].tells


def test_packed_tracks_that_are_damaged_are_refused() -> None:
    track, chroma = track_of(1)
    content = np.frombuffer(pack_harmony(track), np.uint8)
    ends = np.array([0]), np.array([len(content) - 1])
    with pytest.raises(PackedHarmonyError, match="cut off"):
        agreements(excerpt(chroma, 0.0, 5.0), content, *ends, np.zeros(1), 1.0)


def test_pitches_of_segments_are_the_mean_of_their_frames() -> None:
    track, chroma = track_of(3)
    found = pitches_between(Sound.of(chroma), track.starts)
    assert found.shape == (len(track), PITCH_CLASSES)
    assert np.allclose(found.max(axis=1), 1)
    middle = int(np.searchsorted(track.starts, 30.0))
    first, last = (round(track.starts[middle + k] / HOP_SECONDS) for k in (0, 1))
    mean = chroma[first:last].mean(axis=0)
    assert np.corrcoef(found[middle], mean)[0, 1] > 0.9


def test_pitches_of_silence_are_all_the_same() -> None:
    silent = Sound.of(np.zeros((100, PITCH_CLASSES), np.float32))
    assert (pitches_between(silent, np.array([0.0, 1.0, 50.0])) == 1).all()
