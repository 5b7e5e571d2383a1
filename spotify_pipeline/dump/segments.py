"""The segments of a document, read from its text without building the rest.

Of each segment, ``start``, ``loudness_max`` and ``pitches`` are read, wherever they stand in it;
everything else, most of it timbres, is passed over unchecked. A key that is written with an escape
is taken for another one.

Belongs here: JSON to arrays. Does not belong here: what is valid (`harmony.segments`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.dump.numbers import read_fraction, read_number
from spotify_pipeline.dump.scanning import has_byte, is_word, skip_blank
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int32s, UInt8s
from spotify_pipeline.harmony import MOST_SEGMENTS, PITCH_CLASSES, Segments, SegmentsError

__all__ = ["NO_SEGMENTS", "read_segments"]

NO_SEGMENTS = "segments are missing"

_OPEN, _CLOSE, _COMMA, _COLON, _QUOTE, _OPEN_ARRAY, _CLOSE_ARRAY = b'{},:"[]'
_START, _LOUDNESS, _PITCHES = (
    np.frombuffer(name, np.uint8) for name in (b"start", b"loudness_max", b"pitches")
)
_ALL_SEEN = 0b111
_FEWEST_MARKS = 24  # of a segment that has all three

_BROKEN, _NO_NUMBER, _OTHER_COUNT, _LACKS_ONE, _TOO_MANY = range(-2, -7, -1)
_FAULTS = {
    _BROKEN: "segments are no array of objects",
    _NO_NUMBER: "a start, loudness_max or pitch is no number",
    _OTHER_COUNT: f"a segment has other than {PITCH_CLASSES} pitches",
    _LACKS_ONE: "a segment lacks start, loudness_max or pitches",
    _TOO_MANY: f"more than {MOST_SEGMENTS:,} segments",
}


def read_segments(line: bytes | memoryview, marks: Int32s) -> Segments:
    """Read the segments of which `find_marks` found the marks.

    Raises
    ------
    SegmentsError
        They are no array of segments, or too many, or there are none; each reason is one of a few,
        so that they can be counted. Whether they are valid, `Segments.check` tells.
    """
    starts, pitches, loudness, fault = _read(np.frombuffer(line, np.uint8), marks)
    if fault:
        raise SegmentsError(_FAULTS[fault])
    if len(starts) == 0:
        raise SegmentsError(NO_SEGMENTS)
    return Segments(starts, pitches, loudness)


@njit(cache=True, nogil=True)
def _read(text: UInt8s, marks: Int32s) -> tuple[Float64s, Float32s, Float32s, int]:
    """Give starts, pitches and loudness, or none of them and what is wrong."""
    room = min(len(marks) // _FEWEST_MARKS, MOST_SEGMENTS) + 1
    starts = np.empty(room)
    pitches = np.empty((room, PITCH_CLASSES), np.float32)
    loudness = np.empty(room, np.float32)
    count = 0
    fault = 0 if len(marks) and text[marks[0]] == _OPEN_ARRAY else _BROKEN
    mark = 1
    more = fault == 0 and not has_byte(text, skip_blank(text, marks[0] + 1), _CLOSE_ARRAY)
    while more:
        mark = (
            _read_segment(text, marks, mark, count, starts, pitches, loudness)
            if count < MOST_SEGMENTS
            else _TOO_MANY
        )
        if mark < 0:
            return starts[:0], pitches[:0], loudness[:0], mark
        count += 1
        more = has_byte(text, marks[mark], _COMMA)
        if not more and not has_byte(text, marks[mark], _CLOSE_ARRAY):
            fault = _BROKEN
        mark += 1
    return starts[:count], pitches[:count], loudness[:count], fault


@njit(cache=True, nogil=True, forceinline=True)
def _read_segment(
    text: UInt8s,
    marks: Int32s,
    mark: int,
    segment: int,
    starts: Float64s,
    pitches: Float32s,
    loudness: Float32s,
) -> int:
    """Read the segment that begins at a mark; gives the mark behind it, or what is wrong."""
    if not has_byte(text, marks[mark], _OPEN):
        return _BROKEN
    if has_byte(text, marks[mark + 1], _CLOSE):
        return _LACKS_ONE
    seen = 0
    more = True
    while more:
        key, end = marks[mark + 1], marks[mark + 2]
        colon = skip_blank(text, end + 1)
        if not (has_byte(text, key, _QUOTE) and has_byte(text, colon, _COLON)):
            return _BROKEN
        value = skip_blank(text, colon + 1)
        mark += 3
        if is_word(text, key + 1, end, _START):
            starts[segment], end = read_number(text, value)
            mark = mark if _is_alone(text, value, end, marks[mark]) else _NO_NUMBER
            seen |= 1
        elif is_word(text, key + 1, end, _LOUDNESS):
            loudness[segment], end = read_number(text, value)
            mark = mark if _is_alone(text, value, end, marks[mark]) else _NO_NUMBER
            seen |= 2
        elif is_word(text, key + 1, end, _PITCHES):
            mark = _read_pitches(text, marks, mark, value, pitches[segment])
            seen |= 4
        else:
            mark = _skip_value(text, marks, mark, value)
        if mark < 0:
            return mark
        more = has_byte(text, marks[mark], _COMMA)
    if not has_byte(text, marks[mark], _CLOSE):
        return _BROKEN
    return mark + 1 if seen == _ALL_SEEN else _LACKS_ONE


@njit(cache=True, nogil=True, forceinline=True)
def _is_alone(text: UInt8s, start: int, end: int, mark: int) -> bool:
    """Tell whether a number that was read is there, and nothing else up to the next mark."""
    return end > start and skip_blank(text, end) == mark


@njit(cache=True, nogil=True, forceinline=True)
def _read_pitches(text: UInt8s, marks: Int32s, mark: int, value: int, pitches: Float32s) -> int:
    """Read an array of twelve numbers; gives the mark behind it, or what is wrong."""
    if marks[mark] != value or not has_byte(text, value, _OPEN_ARRAY):
        return _NO_NUMBER
    for pitch in range(PITCH_CLASSES):
        start = skip_blank(text, marks[mark] + 1)
        mark += 1
        pitches[pitch], end = read_fraction(text, start)
        if not _is_alone(text, start, end, marks[mark]):
            empty = pitch == 0 and has_byte(text, start, _CLOSE_ARRAY)
            return _OTHER_COUNT if empty else _NO_NUMBER
        last = pitch == PITCH_CLASSES - 1
        if not has_byte(text, marks[mark], _CLOSE_ARRAY if last else _COMMA):
            return _OTHER_COUNT
    return mark + 1


@njit(cache=True, nogil=True, forceinline=True)
def _skip_value(text: UInt8s, marks: Int32s, mark: int, value: int) -> int:
    """Give the mark behind a value, or what is wrong."""
    if marks[mark] != value:
        return mark
    depth = 0
    while marks[mark] < len(text):
        character = text[marks[mark]]
        if character == _QUOTE:
            mark += 1
        elif character in (_OPEN, _OPEN_ARRAY):
            depth += 1
        elif character != _COMMA:
            depth -= 1
        mark += 1
        if depth <= 0:
            return mark if depth == 0 and character != _COMMA else _BROKEN
    return _BROKEN
