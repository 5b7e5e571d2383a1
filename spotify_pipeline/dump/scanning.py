"""Finding things in a line, as fast as memory gives it.

Belongs here: kernels over bytes. Does not belong here: what is made of the places found.
"""

import numpy as np
from numba import njit, types

from spotify_pipeline.fingerprint.arrays import UInt8s

__all__ = ["find_byte", "find_head"]

_memchr = types.ExternalFunction("memchr", types.intp(types.intp, types.intc, types.uintp))
"""The C library's; no loop of ours comes near it."""

_NOT_FOUND = -1
_OPEN, _CLOSE, _COMMA, _COLON, _RARE = b"{},:k"  # the k of "track" is rare in a document
_BEFORE_META = np.frombuffer(b'{"meta":{', np.uint8)
_BEFORE_TRACK = np.frombuffer(b',"track":{', np.uint8)
_BEFORE_RARE = np.frombuffer(b"trac", np.uint8)


@njit(cache=True, nogil=True)
def find_byte(text: UInt8s, byte: int, start: int) -> int:
    """Give the first place of a byte from `start` on; the text's length if there is none."""
    if start >= len(text):
        return len(text)
    address = text.ctypes.data
    found = _memchr(address + start, byte, len(text) - start)
    return found - address if found else len(text)


@njit(cache=True, nogil=True)
def find_head(line: UInt8s) -> tuple[int, int, int, int]:
    """Find the objects ``meta`` and ``track`` where they are a document's first, and flat.

    Gives start and end of each. The start of ``meta`` is -1 if the document does not begin with the
    two, if "track" stands somewhere behind them (a key that stands twice, or a second document on
    the line), or if the line does not end with a brace. A brace within a text counts as one: what
    is given is then no JSON.
    """
    nothing = _NOT_FOUND, 0, 0, 0
    meta = _skip(line, 0, _BEFORE_META) - 1
    if meta < 0:
        return nothing
    meta_end = find_byte(line, _CLOSE, meta) + 1
    track = _skip(line, meta_end, _BEFORE_TRACK) - 1
    if track < 0:
        return nothing
    track_end = find_byte(line, _CLOSE, track) + 1
    after = _skip_blank(line, track_end)
    if after >= len(line) or (line[after] != _COMMA and line[after] != _CLOSE):
        return nothing
    last = len(line) - 1
    while _is_blank(line[last]):
        last -= 1
    if line[last] != _CLOSE or _mentions_track(line, track_end):
        return nothing
    return meta, meta_end, track, track_end


@njit(cache=True, nogil=True)
def _skip(text: UInt8s, start: int, tokens: UInt8s) -> int:
    """Give the place behind tokens, which may have blanks between; -1 if they are not there."""
    previous = _COMMA
    for token in tokens:
        if token in (_OPEN, _COMMA, _COLON) or previous in (_OPEN, _COMMA):  # not within a name
            start = _skip_blank(text, start)
        if start >= len(text) or text[start] != token:
            return _NOT_FOUND
        start += 1
        previous = token
    return start


@njit(cache=True, nogil=True)
def _skip_blank(text: UInt8s, start: int) -> int:
    while start < len(text) and _is_blank(text[start]):
        start += 1
    return start


@njit(cache=True, nogil=True)
def _is_blank(character: int) -> bool:
    return character == 32 or 9 <= character <= 10 or character == 13


@njit(cache=True, nogil=True)
def _mentions_track(text: UInt8s, start: int) -> bool:
    """Tell whether "track" stands in a text from `start` on."""
    place = find_byte(text, _RARE, start + len(_BEFORE_RARE))
    while place < len(text):
        same = True
        for back in range(len(_BEFORE_RARE)):
            same &= text[place - len(_BEFORE_RARE) + back] == _BEFORE_RARE[back]
        if same:
            return True
        place = find_byte(text, _RARE, place + 1)
    return False
