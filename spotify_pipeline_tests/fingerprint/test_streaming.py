"""Audio in blocks: the same fingerprint however it is cut, and nearly that of the whole."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from spotify_pipeline.demo.composer import compose
from spotify_pipeline.fingerprint import (
    SAMPLE_RATE,
    AudioError,
    Fingerprint,
    OnsetTrains,
    fingerprint,
    fingerprint_stream,
)
from spotify_pipeline.fingerprint.arrays import Float32s


@pytest.fixture(scope="module")
def music() -> Float32s:
    """Give five minutes."""
    pieces = [compose(seed) for seed in range(4)]
    return np.concatenate([piece.samples[:: piece.sample_rate // SAMPLE_RATE] for piece in pieces])


@pytest.fixture(scope="module")
def streamed(music: Float32s) -> Fingerprint:
    return fingerprint_stream(np.array_split(music, 50))[0]


def share_found(trains: OnsetTrains, among: OnsetTrains) -> float:
    common = [len(np.intersect1d(trains.band(band), among.band(band))) for band in range(8)]
    return sum(common) / len(trains)


def test_hardly_an_onset_differs_from_the_whole(music: Float32s, streamed: Fingerprint) -> None:
    whole = fingerprint(music)
    assert share_found(whole.rhythm, streamed.rhythm) > 0.98
    assert share_found(streamed.rhythm, whole.rhythm) > 0.98
    assert share_found(whole.echoprint, streamed.echoprint) > 0.85
    assert share_found(streamed.echoprint, whole.echoprint) > 0.85


@pytest.mark.parametrize("blocks", [1, 7, 1000])
def test_the_length_of_blocks_does_not_matter(
    music: Float32s, streamed: Fingerprint, blocks: int
) -> None:
    found, samples = fingerprint_stream(np.array_split(music, blocks))
    assert found == streamed
    assert samples == len(music)


@pytest.mark.parametrize("seconds", [0, 0.01, 3, 59])
def test_short_audio_is_fingerprinted_as_a_whole(music: Float32s, seconds: float) -> None:
    samples = music[: round(seconds * SAMPLE_RATE)]
    assert fingerprint_stream([samples]) == (fingerprint(samples), len(samples))


def test_no_blocks_are_an_empty_fingerprint() -> None:
    assert fingerprint_stream([]) == (fingerprint(np.empty(0, np.float32)), 0)


def test_a_sample_that_is_not_finite_is_an_error(music: Float32s) -> None:
    with pytest.raises(AudioError, match="NaN"):
        fingerprint_stream([music, np.array([np.nan], np.float32)])


def test_memory_does_not_grow_with_the_audio(music: Float32s) -> None:
    def hours() -> Iterator[Float32s]:
        for _ in range(12):
            yield from np.array_split(music, 30)

    tracemalloc.start()
    try:
        fingerprint_stream(hours())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * 12 * music.nbytes
