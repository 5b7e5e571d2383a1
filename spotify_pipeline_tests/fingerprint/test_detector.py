"""The onset detector on envelopes made by hand, one band at a time where that tells more."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import BANDS, ECHOPRINT, RHYTHM, DetectorSetting, detect_onsets
from spotify_pipeline.fingerprint.arrays import Float32s

both_settings = pytest.mark.parametrize("setting", [ECHOPRINT, RHYTHM], ids=["echoprint", "rhythm"])


def pulses(band: int, *frames: int, length: int = 2000, height: float = 1.0) -> Float32s:
    """Give silence in which one band is loud for four frames from each of these on."""
    envelopes = np.zeros((length, BANDS), np.float32)
    for frame in frames:
        envelopes[frame : frame + 4, band] = height
    return envelopes


@both_settings
@pytest.mark.parametrize("length", [0, 1, 5, 6, 7, 1000])
def test_silence_has_no_onsets(setting: DetectorSetting, length: int) -> None:
    trains = detect_onsets(np.zeros((length, BANDS), np.float32), setting)
    assert len(trains) == 0
    assert trains.counts.tolist() == [0] * BANDS


@both_settings
def test_a_steady_level_has_no_onsets(setting: DetectorSetting) -> None:
    assert len(detect_onsets(np.full((5000, BANDS), 0.7, np.float32), setting)) == 0


@both_settings
@pytest.mark.parametrize("band", range(BANDS))
def test_a_pulse_is_one_onset_in_its_band_alone(setting: DetectorSetting, band: int) -> None:
    trains = detect_onsets(pulses(band, 500), setting)
    assert trains.counts.tolist() == [int(b == band) for b in range(BANDS)]
    assert 500 < trains.band(band)[0] <= 510


@both_settings
def test_pulses_far_apart_are_onsets_about_as_far_apart(setting: DetectorSetting) -> None:
    onsets = detect_onsets(pulses(3, 500, 1400), setting).band(3)
    assert len(onsets) == 2
    assert onsets[1] - onsets[0] == pytest.approx(900, abs=4)


@both_settings
def test_an_onset_within_the_dead_time_overwrites_the_one_before(setting: DetectorSetting) -> None:
    alone = detect_onsets(pulses(2, 500), setting).band(2)
    second = pulses(2, 500) + pulses(2, 500 + setting.deadtime - 5, height=50)
    onsets = detect_onsets(second, setting).band(2)
    assert len(onsets) == 1
    assert alone[0] + setting.deadtime - 10 < onsets[0] < alone[0] + setting.deadtime


@both_settings
def test_an_onset_just_past_the_dead_time_stands_beside_the_one_before(
    setting: DetectorSetting,
) -> None:
    first = detect_onsets(pulses(2, 500), setting).band(2)[0]
    louder = pulses(2, 500) + pulses(2, 500 + setting.deadtime + 10, height=50)
    onsets = detect_onsets(louder, setting).band(2)
    assert onsets[0] == first
    assert len(onsets) == 2


def test_the_rhythm_setting_finds_more_onsets_than_the_echoprint_setting() -> None:
    envelopes = np.random.default_rng(0).gamma(1, 1, (20_000, BANDS)).astype(np.float32)
    sparse, dense = detect_onsets(envelopes, ECHOPRINT), detect_onsets(envelopes, RHYTHM)
    assert len(dense) > 3 * len(sparse) > 0


def test_the_envelopes_scale_does_not_move_onsets() -> None:
    envelopes = np.random.default_rng(1).gamma(1, 1, (5000, BANDS)).astype(np.float32)
    assert detect_onsets(envelopes, RHYTHM) == detect_onsets(envelopes * 1024, RHYTHM)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.integers(0, 3000),
    shape=st.sampled_from([0.05, 0.5, 5.0]),
    setting=st.sampled_from([ECHOPRINT, RHYTHM, DetectorSetting(deadtime=1, target_gap=1)]),
)
def test_onsets_ascend_by_at_least_the_dead_time(
    seed: int, length: int, shape: float, setting: DetectorSetting
) -> None:
    generator = np.random.default_rng(seed)
    envelopes = generator.gamma(shape, 1, (length, BANDS)).astype(np.float32)
    trains = detect_onsets(envelopes, setting)
    for band in range(BANDS):
        frames = trains.band(band)
        assert (np.diff(frames) >= setting.deadtime).all()
        assert ((frames >= 0) & (frames < length)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_envelopes_that_overflowed_end_onsets_without_an_error(bad: float) -> None:
    envelopes = pulses(0, 300, 1500)
    envelopes[900, 0] = bad
    assert detect_onsets(envelopes, ECHOPRINT).band(0)[0] < 320
