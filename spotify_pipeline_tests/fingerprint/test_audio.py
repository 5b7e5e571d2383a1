"""Fingerprints of audio that no music collection should hold, and of audio that is moved."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import (
    BANDS,
    ECHOPRINT,
    FRAME_SAMPLES,
    RHYTHM,
    SAMPLE_RATE,
    AudioError,
    DetectorSetting,
    Fingerprint,
    OnsetTrains,
    decode_echoprint,
    decode_rhythm,
    fingerprint,
    trains_of_codes,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.frontend import MINIMUM_SAMPLES, warmed_up


def noise(seconds: float, seed: int = 0, level: float = 0.1) -> Float32s:
    generator = np.random.default_rng(seed)
    return (level * generator.standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


def tone(seconds: float, hertz: float = 440.0) -> Float32s:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.sin(2 * np.pi * hertz * times).astype(np.float32)


def assert_well_formed(trains: OnsetTrains, setting: DetectorSetting, samples: int) -> None:
    assert trains.frames.dtype == np.int32
    for band in range(BANDS):
        frames = trains.band(band)
        assert (np.diff(frames) >= setting.deadtime).all()
        assert (frames >= 0).all()
        assert (frames < samples // FRAME_SAMPLES).all()


def assert_same(first: Fingerprint, second: Fingerprint) -> None:
    assert first.echoprint == second.echoprint
    assert first.rhythm == second.rhythm


@pytest.mark.parametrize("count", [0, 1, 2, 41, MINIMUM_SAMPLES - 1])
def test_audio_shorter_than_an_energy_frame_has_no_onsets(count: int) -> None:
    found = fingerprint(noise(1)[:count])
    assert len(found.echoprint) == len(found.rhythm) == 0
    assert found.echoprint_string() == found.rhythm_string() == ""


@pytest.mark.parametrize("count", [MINIMUM_SAMPLES, MINIMUM_SAMPLES + 1, 10_000, 10_001, 10_041])
def test_audio_that_ends_at_the_edge_of_a_block_is_fingerprinted(count: int) -> None:
    found = fingerprint(noise(1)[:count])
    assert_well_formed(found.rhythm, RHYTHM, count)


def test_half_a_second_of_noise_has_onsets() -> None:
    found = fingerprint(noise(0.5))
    assert len(found.rhythm) > 0
    assert_well_formed(found.rhythm, RHYTHM, SAMPLE_RATE // 2)


def test_silence_has_no_onsets() -> None:
    found = fingerprint(np.zeros(20 * SAMPLE_RATE, np.float32))
    assert len(found.rhythm) == len(found.echoprint) == 0


def test_noise_is_found_after_twenty_minutes_of_silence() -> None:
    silence = np.zeros(20 * 60 * SAMPLE_RATE, np.float32)
    sound = noise(20)
    found = fingerprint(np.concatenate((silence, sound)))
    first = len(silence) // FRAME_SAMPLES
    assert (found.rhythm.frames >= first - 4).all()
    alone = fingerprint(sound)
    assert 0.9 < len(found.rhythm) / len(alone.rhythm) < 1.1
    assert 0.8 < len(found.echoprint) / len(alone.echoprint) < 1.2


@pytest.mark.parametrize(
    "samples",
    [
        np.full(20 * SAMPLE_RATE, 0.5, np.float32),
        np.sign(tone(20)),
        tone(20),
        tone(20, SAMPLE_RATE / 2),
        np.clip(noise(20, level=10), -1, 1),
        np.tile(np.array([1, -1], np.float32), 10 * SAMPLE_RATE),
        np.eye(1, 20 * SAMPLE_RATE, 9 * SAMPLE_RATE, dtype=np.float32)[0],
        noise(20, level=1e-30),
        noise(20, level=1e30),
        np.full(20 * SAMPLE_RATE, np.finfo(np.float32).max),
        np.full(20 * SAMPLE_RATE, np.finfo(np.float32).smallest_subnormal),
    ],
    ids=(
        "constant square tone nyquist clipped alternating impulse faint loud largest subnormal"
    ).split(),
)
def test_strange_audio_gives_well_formed_onsets_that_can_be_written(samples: Float32s) -> None:
    found = fingerprint(samples)
    assert_well_formed(found.echoprint, ECHOPRINT, len(samples))
    assert_well_formed(found.rhythm, RHYTHM, len(samples))
    assert decode_rhythm(found.rhythm_string()) == found.rhythm
    decode_echoprint(found.echoprint_string())


def test_an_impulse_is_an_onset_in_every_band_where_it_is() -> None:
    samples = noise(20, level=1e-4)
    samples[10 * SAMPLE_RATE] = 1
    trains = fingerprint(samples).rhythm
    where = 10 * SAMPLE_RATE / FRAME_SAMPLES
    for band in range(BANDS):
        assert np.abs(trains.band(band) - where).min() <= 4


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_not_finite_is_an_error(bad: float) -> None:
    samples = noise(1)
    samples[777] = bad
    with pytest.raises(AudioError, match="NaN or infinite"):
        fingerprint(samples)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_a_double_that_no_float_holds_is_an_error() -> None:
    with pytest.raises(AudioError, match="NaN or infinite"):
        fingerprint(np.full(1000, 1e300))


@pytest.mark.parametrize("shape", [(), (2, 5000), (5000, 1), (0, 2), (1, 2, 3)])
def test_an_array_of_other_than_one_dimension_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match="one channel"):
        fingerprint(np.zeros(shape, np.float32))


def test_the_same_audio_gives_the_same_fingerprint_and_is_left_as_it_was() -> None:
    samples = noise(10)
    before = samples.copy()
    assert_same(fingerprint(samples), fingerprint(samples))
    np.testing.assert_array_equal(samples, before)


def test_the_memory_layout_and_width_of_the_samples_do_not_matter() -> None:
    samples = noise(10)
    expected = fingerprint(samples)
    assert len(expected.rhythm) > 100
    interleaved = np.stack((samples, noise(10, seed=1)), axis=1)
    backwards = np.ascontiguousarray(samples[::-1])
    read_only = samples.copy()
    read_only.flags.writeable = False
    layouts: list[npt.NDArray[np.floating]] = [
        samples.astype(np.float64),
        samples.astype(">f4"),
        interleaved[:, 0],
        backwards[::-1],
        read_only,
    ]
    for same in layouts:
        assert_same(fingerprint(same), expected)


def test_integer_samples_have_the_onsets_of_the_same_audio_at_full_scale_one() -> None:
    integers = (noise(20) * 32768).astype(np.int16)
    scaled = fingerprint((integers / 32768).astype(np.float32))
    assert_same(fingerprint(integers), scaled)  # type: ignore[arg-type]


@pytest.mark.parametrize("frames", [1_250, 12_500])
def test_a_delayed_copy_has_the_same_onsets_later(frames: int) -> None:
    """Delays are whole whitening blocks, so that only the very first blocks differ."""
    sound = noise(20)
    delayed = np.concatenate((np.zeros(frames * FRAME_SAMPLES, np.float32), sound))
    original, later = fingerprint(sound), fingerprint(delayed)
    for here, there in ((original.echoprint, later.echoprint), (original.rhythm, later.rhythm)):
        for band in range(BANDS):
            kept = np.isin(here.band(band) + frames, there.band(band))
            assert kept.mean() > 0.85
        assert (there.frames >= frames - 4).all()


def kept(excerpt: Fingerprint, whole: Fingerprint, first: int, until: int) -> float:
    """Give the fraction of a track's rhythm onsets, up to a frame of an excerpt, that it shows."""
    expected = whole.excerpt(first, until).rhythm
    shown = [np.isin(expected.band(band), excerpt.rhythm.band(band)).sum() for band in range(BANDS)]
    return float(sum(shown) / len(expected))


def test_a_warm_start_shows_onsets_of_the_first_seconds_that_a_cold_one_misses() -> None:
    track, frame, seconds = noise(40), 4_000, 3
    cut = track[frame * FRAME_SAMPLES :][: 10 * SAMPLE_RATE]
    whole, until = fingerprint(track), seconds * SAMPLE_RATE // FRAME_SAMPLES
    longer, lead = warmed_up(cut)
    warm, cold = fingerprint(longer).excerpt(lead), fingerprint(cut)
    assert kept(warm, whole, frame, until) > kept(cold, whole, frame, until)


def test_an_excerpt_of_a_fingerprint_begins_at_frame_0() -> None:
    found = fingerprint(noise(20)).rhythm
    cut = Fingerprint(found, found).excerpt(1_000, 2_000).rhythm
    for band in range(BANDS):
        onsets = found.band(band)
        inside = onsets[(onsets >= 1_000) & (onsets < 3_000)]
        assert (cut.band(band) + 1_000).tolist() == inside.tolist()


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    lengths=st.lists(st.integers(0, 30_000), min_size=1, max_size=5),
    levels=st.lists(st.sampled_from([0.0, 1e-5, 0.01, 1.0]), min_size=5, max_size=5),
)
def test_onsets_ascend_by_at_least_the_dead_time_within_the_audio(
    seed: int, lengths: list[int], levels: list[float]
) -> None:
    generator = np.random.default_rng(seed)
    pieces = [
        level * generator.uniform(-1, 1, n) for n, level in zip(lengths, levels, strict=False)
    ]
    samples = np.concatenate(pieces).astype(np.float32)
    found = fingerprint(samples)
    assert_well_formed(found.echoprint, ECHOPRINT, len(samples))
    assert_well_formed(found.rhythm, RHYTHM, len(samples))


def test_the_strings_of_a_fingerprint_read_back_as_its_trains() -> None:
    found = fingerprint(noise(30))
    assert decode_rhythm(found.rhythm_string()) == found.rhythm
    recovered = trains_of_codes(decode_echoprint(found.echoprint_string()))
    assert recovered.counts.tolist() == found.echoprint.counts.tolist()
