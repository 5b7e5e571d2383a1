"""Finding things in a line, as fast as memory gives it.

What is passed over is not checked: a bracket may be closed by a brace, and a word may be any.

Belongs here: kernels over bytes. Does not belong here: what is made of the places found.
"""

import numpy as np
from numba import njit, types

from spotify_pipeline.dump.blocks import BLOCK, byte_at, marks_at, toggled
from spotify_pipeline.fingerprint.arrays import Int32s, Int64s, UInt8s
from spotify_pipeline.fingerprint.bits import count_ones, trailing_zeros

__all__ = [
    "MARKS_BEHIND",
    "count_byte",
    "find_byte",
    "find_marks",
    "find_members",
    "has_byte",
    "is_word",
    "skip_blank",
]

MARKS_BEHIND = 16
"""So that a reader of a few marks may look at them before it looks for the end."""

MOST_NESTED = 64
"""Objects and arrays within each other; documents have four."""

_memchr = types.ExternalFunction("memchr", types.intp(types.intp, types.intc, types.uintp))
"""The C library's; no loop of ours comes near it."""

_NOT_FOUND = -1
_OPEN, _CLOSE, _COMMA, _COLON, _QUOTE, _BACKSLASH = b'{},:"\\'
_OPEN_ARRAY = ord("[")

_META_NAME, _TRACK_NAME, _SEGMENTS_NAME = (
    np.frombuffer(name, np.uint8) for name in (b"meta", b"track", b"segments")
)
_META, _TRACK, _SEGMENTS, _UNKNOWN, _ESCAPED = 0, 1, 2, -1, -2


@njit(cache=True, nogil=True)
def find_byte(text: UInt8s, byte: int, start: int) -> int:
    """Give the first place of a byte from `start` on; the text's length if there is none."""
    if start >= len(text):
        return len(text)
    address = text.ctypes.data
    found = _memchr(address + start, byte, len(text) - start)
    return found - address if found else len(text)


@njit(cache=True, nogil=True)
def count_byte(text: UInt8s, byte: int) -> int:
    """Count a byte that is rare."""
    count = 0
    position = find_byte(text, byte, 0)
    while position < len(text):
        count += 1
        position = find_byte(text, byte, position + 1)
    return count


@njit(cache=True, nogil=True)
def find_members(line: UInt8s, with_marks: bool) -> tuple[Int64s, Int32s]:
    """Find the values of ``meta``, ``track`` and ``segments`` in a document.

    Gives start and end of each, int64 (3, 2), both -1 where it is missing; the last one where it
    stands twice. No rows, if the line is not one object, is nested too deep, or has a key with an
    escape. On demand it also gives the marks of ``segments``, see `find_marks`; none, if they are
    no object or array.
    """
    spans = np.full((3, 2), _NOT_FOUND)
    marks = np.empty(0, np.int32)
    nothing = spans[:0], marks
    position = skip_blank(line, 0)
    more = has_byte(line, position, _OPEN)
    if not more:
        return nothing
    while more:
        key = skip_blank(line, position + 1)
        key_end = _skip_text(line, key)
        if key_end == _NOT_FOUND:
            return nothing
        member = _member(line, key + 1, key_end - 1)
        position = skip_blank(line, key_end)
        if member == _ESCAPED or not has_byte(line, position, _COLON):
            return nothing
        start = skip_blank(line, position + 1)
        if member == _SEGMENTS and with_marks:
            marks = find_marks(line, start)
        if member == _SEGMENTS and len(marks):
            end = marks[len(marks) - MARKS_BEHIND - 1] + 1
        else:
            end = _skip_value(line, start)
        if end == _NOT_FOUND:
            return nothing
        if member != _UNKNOWN:
            spans[member, 0], spans[member, 1] = start, end
        position = skip_blank(line, end)
        more = has_byte(line, position, _COMMA)
    if not has_byte(line, position, _CLOSE) or skip_blank(line, position + 1) < len(line):
        return nothing
    return spans, marks


@njit(cache=True, nogil=True)
def _member(line: UInt8s, start: int, end: int) -> int:
    """Tell which of the members a key names."""
    if is_word(line, start, end, _META_NAME):
        return _META
    if is_word(line, start, end, _TRACK_NAME):
        return _TRACK
    if is_word(line, start, end, _SEGMENTS_NAME):
        return _SEGMENTS
    return _ESCAPED if find_byte(line[:end], _BACKSLASH, start) < end else _UNKNOWN


@njit(cache=True, nogil=True)
def find_marks(text: UInt8s, start: int) -> Int32s:
    """Find what the object or array at a place is made of, up to its end.

    Gives the places of all quotes, and outside of texts of braces, brackets and commas, int32; the
    last is its end, and `MARKS_BEHIND` times the text's length stands behind. None of them, if none
    begins here, or it has no end or is nested too deep.
    """
    if not _is_nested(text, start):
        return np.empty(0, np.int32)
    positions = np.empty(len(text) // 4 + BLOCK + MARKS_BEHIND, np.int32)
    count = np.uint64(0)  # a signed index would be compared with 0 each time
    depth = end = 0
    within_text = escaped = np.uint64(0)
    for block in range(start, len(text), BLOCK):
        if count + np.uint64(BLOCK + MARKS_BEHIND) > np.uint64(len(positions)):
            positions = np.concatenate((positions, positions))
        quotes, opens, closes, commas, within_text, escaped = _structure(
            text, block, within_text, escaped
        )
        depth, end = _descend(opens, closes, depth)
        marks = quotes | opens | closes | commas
        if end:
            marks &= ~np.uint64(0) >> np.uint64(BLOCK - end)
        while marks:
            positions[count] = np.int32(block) + np.int32(trailing_zeros(marks))
            count += np.uint64(1)
            marks &= marks - np.uint64(1)
        if end or depth > MOST_NESTED:
            break
    if not end:
        return positions[:0]
    last = np.int64(count)
    positions[last : last + MARKS_BEHIND] = len(text)
    return positions[: last + MARKS_BEHIND]


@njit(cache=True, nogil=True)
def _skip_value(text: UInt8s, start: int) -> int:
    """Give the place behind a value; `_NOT_FOUND` if none begins here, or it has no end."""
    end: int
    if has_byte(text, start, _QUOTE):
        end = _skip_text(text, start)
    elif _is_nested(text, start):
        end = _skip_nested(text, start)
    else:
        end = _skip_word(text, start)
    return end


@njit(cache=True, nogil=True)
def _skip_word(text: UInt8s, start: int) -> int:
    """Do the same for a number or another value that is neither text nor nested."""
    for block in range(start, len(text), BLOCK):
        _, _, _, closes, commas = marks_at(text, block)
        if closes | commas:
            end = block + int(trailing_zeros(closes | commas))
            return end if end > start else _NOT_FOUND
    return _NOT_FOUND


@njit(cache=True, nogil=True)
def _skip_text(text: UInt8s, start: int) -> int:
    """Do the same for a text in quotes."""
    if not has_byte(text, start, _QUOTE):
        return _NOT_FOUND
    end = find_byte(text, _QUOTE, start + 1)
    while end < len(text):
        before = end - 1
        while text[before] == _BACKSLASH:
            before -= 1
        if (end - before) % 2:
            return int(end) + 1
        end = find_byte(text, _QUOTE, end + 1)
    return _NOT_FOUND


@njit(cache=True, nogil=True)
def _skip_nested(text: UInt8s, start: int) -> int:
    """Do the same for an object or array, by its marks alone."""
    depth = end = 0
    within_text = escaped = np.uint64(0)
    for block in range(start, len(text), BLOCK):
        _, opens, closes, _, within_text, escaped = _structure(text, block, within_text, escaped)
        depth, end = _descend(opens, closes, depth)
        if end:
            return block + int(end)
        if depth > MOST_NESTED:
            break
    return _NOT_FOUND


@njit(cache=True, nogil=True, forceinline=True)
def _descend(opens: np.uint64, closes: np.uint64, depth: int) -> tuple[int, int]:
    """Give the depth behind a block, and how many of its bytes it takes to come to 0, or 0."""
    closed = int(count_ones(closes))
    if closed < depth:  # so it does not come to 0
        return depth + int(count_ones(opens)) - closed, 0
    marks = opens | closes
    while marks:
        others = marks & (marks - np.uint64(1))
        depth += 1 if opens & (marks ^ others) else -1
        if depth == 0:
            return 0, int(trailing_zeros(marks)) + 1
        marks = others
    return depth, 0


@njit(cache=True, nogil=True, forceinline=True)
def _structure(
    text: UInt8s, block: int, within_text: np.uint64, escaped: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]:
    """Mark all quotes, and outside of texts what opens, what closes, and commas, in 64 bytes.

    The last two arguments say whether the bytes begin within a text (all bits) and behind a
    backslash (the lowest one); the last two results say so of the next.
    """
    quotes, backslashes, opens, closes, commas = marks_at(text, block)
    if backslashes | escaped:
        quotes, escaped = _unescaped(quotes, backslashes, escaped)
    texts = toggled(quotes) ^ within_text
    within_text = np.uint64(np.int64(texts) >> np.int64(BLOCK - 1))
    return quotes, opens & ~texts, closes & ~texts, commas & ~texts, within_text, escaped


@njit(cache=True, nogil=True)
def _unescaped(
    quotes: np.uint64, backslashes: np.uint64, escaped: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Drop the quotes behind a backslash; also tells whether the next block begins behind one."""
    one = np.uint64(1)
    for position in range(BLOCK):
        bit = one << np.uint64(position)
        if escaped:
            quotes &= ~bit
            escaped = np.uint64(0)
        elif backslashes & bit:
            escaped = one
    return quotes, escaped


@njit(cache=True, nogil=True, forceinline=True)
def _is_nested(text: UInt8s, start: int) -> bool:
    return bool(has_byte(text, start, _OPEN)) or bool(has_byte(text, start, _OPEN_ARRAY))


@njit(cache=True, nogil=True, forceinline=True)
def is_word(text: UInt8s, start: int, end: int, word: UInt8s) -> bool:
    """Tell whether a word stands between two places within a text."""
    if end - start != len(word):
        return False
    same = True
    for k in range(len(word)):
        same &= byte_at(text, start + k) == word[k]
    return same


@njit(cache=True, nogil=True, forceinline=True)
def has_byte(text: UInt8s, position: int, byte: int) -> bool:
    """Tell whether a byte stands at a place, which is not negative and may lie behind the end."""
    return position < len(text) and byte_at(text, position) == byte


@njit(cache=True, nogil=True, forceinline=True)
def skip_blank(text: UInt8s, start: int) -> int:
    """Give the first place from `start` on, which is not negative, that is not blank."""
    while start < len(text) and _is_blank(byte_at(text, start)):
        start += 1
    return start


@njit(cache=True, nogil=True, forceinline=True)
def _is_blank(character: int) -> bool:
    return character <= 32 and (character == 32 or 9 <= character <= 10 or character == 13)
