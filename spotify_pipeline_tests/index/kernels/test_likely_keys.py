"""Keys that are likely by a query's log-likelihood ratios: its track's, though onsets are lost."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import (
    BANDS,
    Fingerprint,
    OnsetTrains,
    frame_llr_of_onsets,
)
from spotify_pipeline.index.format.key_setting import BAND_BITS, KINDS, STEP_BITS, KeySetting
from spotify_pipeline.index.kernels.keys import keys_of
from spotify_pipeline.index.kernels.likely_keys import (
    LikelyKeys,
    LinkedOnsets,
    own_keys,
)
from spotify_pipeline_tests.documents import random_trains
from spotify_pipeline_tests.tracks import NO_ONSETS

SETTING = KeySetting(kept=1)
THREADS = ThreadPoolExecutor(2)
MANY = 200_000


def train(frames: list[int]) -> OnsetTrains:
    """Give trains with onsets in one band."""
    return OnsetTrains.from_bands([frames, *[[]] * (BANDS - 1)])


def sure(trains: OnsetTrains, bins: int) -> np.ndarray:
    """Give log-likelihood ratios of a recording whose onsets are beyond doubt."""
    llr = np.full((4 * bins, BANDS), -12, np.float32)
    for band in range(BANDS):
        llr[trains.band(band), band] = 12
    return llr


def likely(
    frames: np.ndarray,
    steps: int = 4,
    most: int = MANY,
    kind: str = "rhythm",
    setting: KeySetting = SETTING,
    speed: float = 1.0,
) -> LikelyKeys:
    """Give the likely keys of a recording of which one kind of LLRs is known."""
    nothing = np.empty((0, BANDS), np.float32)
    known = {one: frames if one == kind else nothing for one in KINDS}
    return LinkedOnsets(known, setting, THREADS).likely_keys(steps, most, speed)


def is_found(keys: LikelyKeys, key: int, frame: int) -> bool:
    """Tell whether a key that begins in a frame is in one of the ranges."""
    inside = (keys.keys <= key) & (key < keys.keys + keys.widths)
    return bool((inside & (keys.bins == frame // SETTING.bin_frames)).any())


def test_no_onsets_make_no_key_likely() -> None:
    assert len(likely(frame_llr_of_onsets(NO_ONSETS))) == 0
    assert len(likely(frame_llr_of_onsets(NO_ONSETS), kind="echoprint")) == 0
    assert len(likely(np.empty((0, BANDS), np.float32))) == 0


@given(seed=st.integers(0, 2**32 - 1), steps=st.sampled_from([2, 3, 4]))
@settings(deadline=None, max_examples=20)
def test_the_keys_of_sure_onsets_are_all_that_are_likely(seed: int, steps: int) -> None:
    trains = random_trains(seed, 5, 41, 120)
    found = likely(sure(trains, 500), steps)
    keys, frames = keys_of(trains, setting=SETTING)
    for key, frame in zip(keys.tolist(), frames.tolist(), strict=True):
        assert is_found(found, key, frame)
    # of those of two steps, it depends on the third whether they are indexed
    least = 0.5 if steps > 2 else 0.5 / SETTING.kept
    believed = set(found.keys[found.probabilities > least].tolist())
    shift = (4 - steps) * STEP_BITS
    expected = {key >> shift << shift for key in keys.tolist()}
    assert expected <= believed
    # within a bin nobody knows which comes first, an onset or that of the band above
    most = len(expected) // 20 + 2
    assert len(believed - expected) <= most or steps < 4


@pytest.mark.parametrize("kind", ["rhythm", "echoprint"])
def test_the_keys_of_a_recordings_own_onsets_are_likely(kind: str) -> None:
    trains = random_trains(1, 8, 41, 120)
    frames = frame_llr_of_onsets(trains)
    found = likely(frames, 3, kind=kind)
    own = zip(*(array.tolist() for array in keys_of(trains, kind, SETTING)), strict=True)
    assert np.mean([is_found(found, key, frame) for key, frame in own]) > 0.7


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("speed", [0.96, 0.98, 1.0, 1.01, 1.04])
@pytest.mark.parametrize("steps", [2, 3, 4])
def test_of_a_recording_at_another_speed_the_tracks_keys_are_likely(
    kind: str, speed: float, steps: int
) -> None:
    track = random_trains(1, 20, 41 if kind == "rhythm" else 130, 300)
    played = track.at_speed(1 / speed)
    # of few frames a step, most would differ by a frame that was rounded
    setting = KeySetting(kept=1, step=8, echoprint_step=16)
    found = likely(sure(played, 2_000), steps, kind=kind, setting=setting, speed=speed)
    own = keys_of(track, kind, setting)
    inside = [is_found(found, key, frame) for key, frame in zip(*own, strict=True)]
    assert len(inside) > 50
    assert np.mean(inside) > 0.5
    if abs(speed - 1) > 0.03:
        other = likely(sure(played, 2_000), steps, kind=kind, setting=setting)
        assert np.mean([is_found(other, *key) for key in zip(*own, strict=True)]) < 0.3


@pytest.mark.parametrize("kept", [1, 2])
def test_only_keys_that_are_indexed_are_likely(kept: int) -> None:
    setting = KeySetting(kept=kept)
    trains = random_trains(3, 5, 41, 120)
    found = likely(sure(trains, 500), 4, setting=setting)
    believed = found.keys[found.probabilities > 0.5]
    assert set(believed.tolist()) == set(keys_of(trains, setting=setting)[0].tolist())


def test_keys_come_in_order_and_each_once_a_bin() -> None:
    llr = np.random.default_rng(1).normal(-3, 3, (2_000, BANDS)).astype(np.float32)
    found = likely(llr, 3, 20_000)
    places = list(zip(found.keys.tolist(), found.bins.tolist(), strict=True))
    assert len(places) > 100
    assert all(one < other for one, other in pairwise(places))
    assert set(found.widths.tolist()) == {1 << STEP_BITS}
    assert int(found.keys.max()) >> BAND_BITS + 4 * STEP_BITS <= 1
    assert 0 < found.probabilities.min() <= found.probabilities.max() < 1


@pytest.mark.parametrize("missing", range(1, 7))
def test_a_faint_onset_costs_neither_the_keys_with_it_nor_those_without(missing: int) -> None:
    query = [0, 61, 230, 377, 560, 715, 902, 1_044]
    llr = sure(train(query), 300)
    llr[query[missing], 0] = 3.4 + np.log(4)  # as likely as not
    found = likely(llr)
    for track in (query, query[:missing] + query[missing + 1 :]):
        for key, frame in zip(*keys_of(train(track), setting=SETTING), strict=True):
            assert is_found(found, int(key), int(frame))


def test_an_onset_between_makes_a_key_unlikely() -> None:
    track = [0, 150, 300, 450, 600]
    (key,) = keys_of(train(track), setting=SETTING)[0].tolist()
    assert is_found(likely(sure(train(track), 200)), key, 0)
    between = likely(sure(train([0, 75, *track[1:]]), 200))
    assert between.probabilities[between.keys == key].sum() < 0.03


def test_where_an_onset_may_be_at_either_of_two_frames_neither_denies_the_other() -> None:
    frames = [0, 150, 300, 450, 600]
    llr = sure(train(frames), 200)
    llr[306, 0] = llr[300, 0]  # the bin after
    found = likely(llr)
    for at in (300, 306):
        (key,) = keys_of(train([0, 150, at, 450, 600]), setting=SETTING)[0].tolist()
        assert is_found(found, key, 0)
        assert found.probabilities[found.keys == key] > 0.4


def test_sure_onsets_make_likelier_keys_than_faint_ones() -> None:
    frames = [0, 150, 300, 450, 600]
    llr = sure(train(frames), 200)
    llr[frames, 1] = 6
    found = likely(llr)
    bands = found.keys >> 4 * STEP_BITS
    assert found.probabilities[bands == 0].sum() > 0.8
    assert 0 < found.probabilities[bands == 1].sum() < 0.8


def test_fewer_chains_are_the_likelier_ones() -> None:
    llr = np.random.default_rng(1).normal(-3, 3, (2_000, BANDS)).astype(np.float32)
    few, many = likely(llr, 3, 100), likely(llr, 3, MANY)
    assert 0 < len(few) < len(many)
    assert few.probabilities.mean() > many.probabilities.mean()


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_own_keys_are_those_of_a_recordings_onsets(steps: int) -> None:
    query = Fingerprint(random_trains(1, 20, 128, 300), random_trains(2, 20, 41, 120))
    own = own_keys(query, SETTING, steps)
    for kind in KINDS:
        for key, frame in zip(*keys_of(getattr(query, kind), kind, SETTING), strict=True):
            assert is_found(own, int(key), int(frame))
    assert len(own) == sum(len(keys_of(getattr(query, k), k, SETTING)[0]) for k in KINDS)


def test_of_a_key_that_is_likely_for_two_reasons_the_likelier_counts() -> None:
    def keys(*rows: tuple[int, int, float]) -> LikelyKeys:
        numbers, bins, probabilities = np.array(rows).T
        ones = np.ones(len(rows), np.int64)
        return LikelyKeys(numbers.astype(np.int64), ones, bins.astype(np.int64), probabilities)

    both = keys((3, 0, 0.1), (7, 0, 0.5), (7, 1, 0.2)).likelier(keys((7, 0, 0.3), (7, 1, 0.4)))
    assert both.keys.tolist() == [3, 7, 7]
    assert both.bins.tolist() == [0, 0, 1]
    assert both.probabilities.tolist() == [0.1, 0.5, 0.4]
