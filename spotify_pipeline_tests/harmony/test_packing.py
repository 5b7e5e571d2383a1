"""Packed harmony: what its precision leaves comes back, and damaged bytes are reported."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spotify_pipeline.harmony import (
    LATEST_START,
    PITCH_CLASSES,
    PackedHarmonyError,
    Segments,
    SegmentsError,
    pack_harmony,
    unpack_harmony,
)
from spotify_pipeline.harmony.packing import (
    LOUDNESS_STEP,
    PITCH_THRESHOLD,
    STEP_SECONDS,
)


def segments_at(*starts: float, pitch: float = 1, loudness: float = -20) -> Segments:
    """Make segments that sound alike."""
    count = len(starts)
    return Segments(
        np.array(starts, np.float64),
        np.full((count, PITCH_CLASSES), pitch, np.float32),
        np.full(count, loudness, np.float32),
    )


@st.composite
def any_segments(draw: st.DrawFn) -> Segments:
    """Draw valid segments, with steps of all lengths."""
    gaps = draw(st.lists(st.floats(0, 1) | st.floats(0, 1000), max_size=40))
    count = len(gaps)
    pitches = draw(
        hnp.arrays(np.float32, (count, PITCH_CLASSES), elements=st.floats(0, 1, width=32))
    )
    loudness = draw(hnp.arrays(np.float32, count, elements=st.floats(-200, 50, width=32)))
    return Segments(np.cumsum(np.array(gaps, np.float64)), pitches, loudness)


@settings(deadline=None)
@given(any_segments())
@example(segments_at())
@example(segments_at(0))
@example(segments_at(LATEST_START))
@example(segments_at(0, 0, 0))
@example(segments_at(*(count * STEP_SECONDS for count in (0, 254, 509, 764 + 255))))
def test_segments_come_back_as_precise_as_the_layout_says(segments: Segments) -> None:
    unpacked = unpack_harmony(pack_harmony(segments))
    unpacked.check()
    assert len(unpacked) == len(segments)
    assert np.abs(unpacked.starts - segments.starts).max(initial=0) <= STEP_SECONDS / 2 + 1e-9
    assert np.array_equal(unpacked.pitches, segments.pitches >= PITCH_THRESHOLD)
    below = segments.loudness - segments.loudness.max(initial=-np.inf)
    kept = below.clip(-16 * LOUDNESS_STEP, 0)
    assert np.abs(unpacked.loudness - kept).max(initial=0) <= LOUDNESS_STEP / 2
    assert unpack_harmony(pack_harmony(unpacked)) == unpacked


def test_the_layout_is_as_written() -> None:
    segments = Segments(
        np.array([2, 256 + 2, 511 + 2]) * STEP_SECONDS,
        np.eye(PITCH_CLASSES, dtype=np.float32)[[0, 11, 4]],
        np.array([-60, -10, -12.1], np.float32),
    )
    words = [1 << 0 | 15 << 12, 1 << 11, 1 << 4 | 1 << 12]
    assert pack_harmony(segments) == (
        b"\x02\x03\0\0\0"
        + b"".join(word.to_bytes(2, "little") for word in words)
        + bytes([2, 255, 255])
        + b"\x00\x01\x00"
        + b"\xff\x00\x00"
    )


def test_what_was_packed_with_levels_of_4_db_is_read() -> None:
    words = [1 << 0 | 0 << 12, 1 << 11 | 15 << 12, 1 << 4 | 11 << 12]
    packed = b"\x01\x03\0\0\0" + b"".join(word.to_bytes(2, "little") for word in words)
    found = unpack_harmony(packed + bytes([2, 3, 4]))
    assert found.loudness.tolist() == [-58, 2, -14]
    assert np.array_equal(found.pitches, np.eye(PITCH_CLASSES)[[0, 11, 4]])
    assert found.starts == pytest.approx(np.array([2, 5, 9]) * STEP_SECONDS)


def test_a_usual_segment_takes_three_bytes() -> None:
    starts = np.cumsum(np.full(800, 0.25))
    assert len(pack_harmony(segments_at(*starts))) == 5 + 3 * 800


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        (segments_at(1, 0.5), "order of time"),
        (segments_at(-0.1, 0), "begins before 0"),
        (segments_at(float("nan")), "begins before 0"),
        (segments_at(float("inf")), "begins before 0"),
        (segments_at(np.nextafter(LATEST_START, np.inf)), "begins before 0 or after 86,400 s"),
        (segments_at(0, pitch=1.001), "pitch is not from 0 to 1"),
        (segments_at(0, pitch=-0.001), "pitch is not from 0 to 1"),
        (segments_at(0, pitch=float("nan")), "pitch is not from 0 to 1"),
        (segments_at(0, loudness=float("-inf")), "loudness is not finite"),
        (segments_at(0, loudness=float("nan")), "loudness is not finite"),
        (segments_at(*[0] * (2**18 + 1)), "262,145 segments are more than 262,144"),
        (Segments(np.zeros(1), np.zeros((1, 11), np.float32), np.zeros(1, np.float32)), "number"),
        (Segments(np.zeros(1), np.zeros((1, 12), np.float32), np.zeros(2, np.float32)), "number"),
    ],
)
def test_segments_that_are_not_valid_are_refused_by_name(segments: Segments, reason: str) -> None:
    with pytest.raises(SegmentsError, match=reason):
        pack_harmony(segments)


PACKED = pack_harmony(segments_at(0, 0.2, 5.3, 5.4))


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        *((PACKED[:length], "cut off") for length in range(len(PACKED))),
        (PACKED + b"\0", "more than they say"),
        (b"\x03" + PACKED[1:], "of neither version 1 nor 2"),
        (b"\x00" + PACKED[1:], "of neither version 1 nor 2"),
        (PACKED[:1] + b"\x03" + PACKED[2:], "cut off, or more"),
        (PACKED[:1] + b"\xff\xff\xff\xff" + PACKED[5:], "cut off"),
        (PACKED[:-3] + b"\xfe\x00\x00", "less than 255 is a long one"),
        (PACKED[:-3] + b"\xff\xff\xff", "begins after 86,400 s"),
    ],
)
def test_damaged_bytes_are_named(packed: bytes, reason: str) -> None:
    with pytest.raises(PackedHarmonyError, match=f"{len(packed)} bytes are no.*{reason}"):
        unpack_harmony(packed)


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=60)
    | st.binary(max_size=60).map(lambda rest: b"\x01\x04\0\0\0" + rest)
    | st.binary(max_size=60).map(lambda rest: b"\x02\x04\0\0\0" + rest)
)
def test_bytes_are_read_as_valid_segments_or_refused(packed: bytes) -> None:
    try:
        segments = unpack_harmony(packed)
    except PackedHarmonyError:
        return
    segments.check()
    again = unpack_harmony(pack_harmony(segments))
    assert np.array_equal(again.starts, segments.starts)
    assert np.array_equal(again.pitches, segments.pitches)
