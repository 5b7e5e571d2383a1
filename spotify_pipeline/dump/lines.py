"""Chunks of text to lines, without copying those that lie within a chunk.

Belongs here: line ends, blank and overlong lines. Does not belong here: where chunks come from
(`read_ahead`), what a line means (`document`).
"""

from collections.abc import Iterable, Iterator

import numpy as np

from spotify_pipeline.dump.scanning import find_byte

__all__ = ["LINE_FEED", "LINE_LIMIT", "numbered_lines"]

LINE_LIMIT = 32 * 2**20
"""Bytes; the longest real documents are under 1 MB."""

LINE_FEED = 10
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_GLANCE = 64  # bytes that tell a blank line from nearly any other


def numbered_lines(chunks: Iterable[memoryview]) -> Iterator[tuple[int, memoryview]]:
    """Give the lines that are not blank, numbered from 1, without their line feeds.

    A line is valid until the next is asked for. Of one that is longer than `LINE_LIMIT` comes one
    byte more than that, and not the rest.
    """
    for number, line in enumerate(_lines(chunks), start=1):
        if number == 1 and line[: len(_BYTE_ORDER_MARK)] == _BYTE_ORDER_MARK:
            line = line[len(_BYTE_ORDER_MARK) :]  # noqa: PLW2901
        if bytes(line[:_GLANCE]).strip(_BLANK) or bytes(line).strip(_BLANK):
            yield number, line


def _lines(chunks: Iterable[memoryview]) -> Iterator[memoryview]:
    """Cut chunks into lines; the rest of an overlong line is dropped."""
    held = bytearray()  # the start of a line that goes on in the next chunk
    for chunk in chunks:
        text = np.frombuffer(chunk, np.uint8)
        start = 0
        while (end := find_byte(text, LINE_FEED, start)) < len(chunk):
            if held:
                held += chunk[start:end][: LINE_LIMIT + 1 - len(held)]
                yield memoryview(held).toreadonly()
                held = bytearray()
            else:
                yield chunk[start:end]
            start = end + 1
        held += chunk[start:][: LINE_LIMIT + 1 - len(held)]
    if held:
        yield memoryview(held).toreadonly()
