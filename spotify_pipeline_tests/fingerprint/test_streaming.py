"""Audio in blocks: the same fingerprint however it is cut, and nearly that of the whole."""

import tracemalloc

import numpy as np
import pytest

from spotify_pipeline.demo.composer import compose
from spotify_pipeline.fingerprint import (
    FRAME_SAMPLES,
    LLR_BIN_FRAMES,
    SAMPLE_RATE,
    AudioError,
    InferredRecording,
    OnsetTrains,
    bin_llr,
    fingerprint,
    frame_llr_of_onsets,
    infer_stream,
    onset_llr,
)
from spotify_pipeline.fingerprint.arrays import Float32s


@pytest.fixture(scope="module")
def music() -> Float32s:
    """Give five minutes."""
    pieces = [compose(seed) for seed in range(4)]
    return np.concatenate([piece.samples[:: piece.sample_rate // SAMPLE_RATE] for piece in pieces])


@pytest.fixture(scope="module")
def streamed(music: Float32s) -> InferredRecording:
    return infer_stream(np.array_split(music, 50))


def fraction_found(trains: OnsetTrains, among: OnsetTrains) -> float:
    common = [len(np.intersect1d(trains.band(band), among.band(band))) for band in range(8)]
    return sum(common) / len(trains)


def test_hardly_an_onset_differs_from_the_whole(
    music: Float32s, streamed: InferredRecording
) -> None:
    whole, found = fingerprint(music), streamed.fingerprint
    assert fraction_found(whole.rhythm, found.rhythm) > 0.98
    assert fraction_found(found.rhythm, whole.rhythm) > 0.98
    assert fraction_found(whole.echoprint, found.echoprint) > 0.85
    assert fraction_found(found.echoprint, whole.echoprint) > 0.85


def test_llr_are_nearly_those_of_the_whole(music: Float32s, streamed: InferredRecording) -> None:
    whole = onset_llr(music)
    found = bin_llr(streamed.frame_llr("rhythm", 0, len(whole)))
    assert np.corrcoef(found.ravel(), whole.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("kind", ["rhythm", "echoprint"])
def test_a_part_has_its_llr_and_nothing_is_known_beyond_the_end(
    streamed: InferredRecording, kind: str
) -> None:
    llr_bins = round(streamed.seconds * SAMPLE_RATE / FRAME_SAMPLES / LLR_BIN_FRAMES)
    whole = streamed.frame_llr(kind, 0, llr_bins + 50)
    assert (whole[(llr_bins + 10) * LLR_BIN_FRAMES :] == 0).all()
    part = streamed.frame_llr(kind, 300, 200)
    assert len(part) == 200 * LLR_BIN_FRAMES
    first, last = 302 * LLR_BIN_FRAMES, 498 * LLR_BIN_FRAMES
    inner = slice(2 * LLR_BIN_FRAMES, -2 * LLR_BIN_FRAMES)
    np.testing.assert_array_equal(part[inner], whole[first:last])


def test_onsets_alone_have_llr(streamed: InferredRecording) -> None:
    known = InferredRecording(streamed.fingerprint, streamed.seconds)
    llr_bins = 1000
    expected = frame_llr_of_onsets(streamed.fingerprint.rhythm)[: llr_bins * LLR_BIN_FRAMES]
    found = known.frame_llr("rhythm", 0, llr_bins)
    np.testing.assert_array_equal(found[:-20], expected[:-20])


@pytest.mark.parametrize("blocks", [1, 7, 1000])
def test_the_length_of_blocks_does_not_matter(
    music: Float32s, streamed: InferredRecording, blocks: int
) -> None:
    found = infer_stream(np.array_split(music, blocks))
    assert found.fingerprint == streamed.fingerprint
    assert found.seconds == len(music) / SAMPLE_RATE
    llr_bins = round(100 * streamed.seconds)
    assert np.array_equal(
        found.frame_llr("rhythm", 0, llr_bins), streamed.frame_llr("rhythm", 0, llr_bins)
    )


@pytest.mark.parametrize("seconds", [0, 0.01, 3, 59])
def test_short_audio_is_fingerprinted_as_a_whole(music: Float32s, seconds: float) -> None:
    samples = music[: round(seconds * SAMPLE_RATE)]
    assert infer_stream([samples]).fingerprint == fingerprint(samples)


def test_no_blocks_are_an_empty_fingerprint() -> None:
    recording = infer_stream([])
    assert recording.fingerprint == fingerprint(np.empty(0, np.float32))
    assert recording.seconds == 0


def test_a_sample_that_is_not_finite_is_an_error(music: Float32s) -> None:
    with pytest.raises(AudioError, match="NaN"):
        infer_stream([music, np.array([np.nan], np.float32)])


@pytest.mark.usefixtures("streamed")  # kernels are loaded by then
def test_memory_does_not_grow_with_the_audio(music: Float32s) -> None:
    def peak(times: int) -> int:
        tracemalloc.start()
        try:
            infer_stream(block for _ in range(times) for block in np.array_split(music, 30))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(2) < 1.1 * peak(1)
