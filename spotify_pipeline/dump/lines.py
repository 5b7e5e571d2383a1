"""Chunks of text to lines, without copying those that lie within a chunk.

Belongs here: line ends, blank and overlong lines. Does not belong here: where chunks come from
(`read_ahead`), what a line means (`document`).
"""

from collections.abc import Iterable, Iterator

import numpy as np

from spotify_pipeline.dump.scanning import find_byte

__all__ = ["LINE_FEED", "LINE_LIMIT", "line_batches", "numbered_lines"]

LINE_LIMIT = 32 * 2**20
"""Bytes; the longest real documents are under 1 MB."""

LINE_FEED = 10
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_MOST_LINES = 64  # at a time
_GLANCE = 64  # bytes that tell a blank line from nearly any other


def numbered_lines(chunks: Iterable[memoryview]) -> Iterator[tuple[int, memoryview]]:
    """Give the lines that are not blank, numbered from 1, without their line feeds.

    A line is valid until the next is asked for. Of one that is longer than `LINE_LIMIT` comes one
    byte more than that, and not the rest.
    """
    for batch in line_batches(chunks):
        yield from batch


def line_batches(chunks: Iterable[memoryview]) -> Iterator[list[tuple[int, memoryview]]]:
    """Give the same lines a few at a time, all valid until the next few are asked for."""
    number = 0
    for lines in _batches(chunks):
        batch = []
        for line in lines:
            number += 1
            text = _without_mark(line) if number == 1 else line
            if bytes(text[:_GLANCE]).strip(_BLANK) or bytes(text).strip(_BLANK):
                batch.append((number, text))
        yield batch


def _without_mark(line: memoryview) -> memoryview:
    marked = line[: len(_BYTE_ORDER_MARK)] == _BYTE_ORDER_MARK
    return line[len(_BYTE_ORDER_MARK) :] if marked else line


def _batches(chunks: Iterable[memoryview]) -> Iterator[list[memoryview]]:
    """Cut chunks into lines; the rest of an overlong line is dropped."""
    held = bytearray()  # the start of a line that goes on in the next chunk
    for chunk in chunks:
        text = np.frombuffer(chunk, np.uint8)
        lines: list[memoryview] = []
        start = 0
        while (end := find_byte(text, LINE_FEED, start)) < len(chunk):
            if held:
                held += chunk[start:end][: LINE_LIMIT + 1 - len(held)]
                lines.append(memoryview(held).toreadonly())
                held = bytearray()
            else:
                lines.append(chunk[start:end])
            start = end + 1
            if len(lines) == _MOST_LINES:
                yield lines
                lines = []
        yield lines
        held += chunk[start:][: LINE_LIMIT + 1 - len(held)]
    if held:
        yield [memoryview(held).toreadonly()]
