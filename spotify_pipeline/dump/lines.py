"""The lines of a stream, read ahead in a thread of their own.

Decompression and parsing take about the same time, so they run side by side: the thread fills a
short queue of chunks, and lines are cut from those without copying.

Belongs here: threads, chunks, line ends. Does not belong here: what a line means (`document`).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import IO

__all__ = ["LINE_LIMIT", "numbered_lines"]

LINE_LIMIT = 32 * 2**20
"""Bytes; the longest real documents are under 1 MB."""

CHUNK_BYTES = 2 * 2**20
CHUNKS_AHEAD = 4
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_GLANCE = 64  # bytes that tell a blank line from nearly any other

_Chunk = bytes | BaseException


def numbered_lines(stream: IO[bytes]) -> Iterator[tuple[int, memoryview]]:
    """Give the lines that are not blank, numbered from 1, without their line feeds.

    A line is valid until the next is asked for. Of one that is longer than `LINE_LIMIT` comes one
    byte more than that, and not the rest. Whatever reading the stream raises is raised here.
    """
    with _read_ahead(stream) as chunks:
        for number, line in enumerate(_lines(chunks), start=1):
            if number == 1 and line[: len(_BYTE_ORDER_MARK)] == _BYTE_ORDER_MARK:
                line = line[len(_BYTE_ORDER_MARK) :]  # noqa: PLW2901
            if bytes(line[:_GLANCE]).strip(_BLANK) or bytes(line).strip(_BLANK):
                yield number, line


def _lines(chunks: Iterator[bytes]) -> Iterator[memoryview]:
    """Cut chunks into lines; the rest of an overlong line is dropped."""
    held = bytearray()  # the start of a line that goes on in the next chunk
    for chunk in chunks:
        view = memoryview(chunk)
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            if held:
                held += view[start:end][: LINE_LIMIT + 1 - len(held)]
                yield memoryview(held).toreadonly()
                held = bytearray()
            else:
                yield view[start:end]
            start = end + 1
        held += view[start:][: LINE_LIMIT + 1 - len(held)]
    if held:
        yield memoryview(held).toreadonly()


@contextmanager
def _read_ahead(stream: IO[bytes]) -> Iterator[Iterator[bytes]]:
    """Read chunks in a thread, which has ended when the context has."""
    chunks: Queue[_Chunk] = Queue(CHUNKS_AHEAD)
    enough = threading.Event()
    thread = threading.Thread(target=_fill, args=(stream, chunks, enough), daemon=True)
    thread.start()
    try:
        yield _drain(chunks)
    finally:
        enough.set()
        while thread.is_alive():
            _discard(chunks)
            thread.join(timeout=0.01)


def _fill(stream: IO[bytes], chunks: "Queue[_Chunk]", enough: threading.Event) -> None:
    """Queue a stream's chunks; an empty one or an exception is the last."""
    chunk: _Chunk = b"."
    while chunk and not enough.is_set():
        try:
            chunk = stream.read(CHUNK_BYTES)
        except BaseException as error:  # raised again where the lines are wanted
            chunks.put(error)
            return
        chunks.put(chunk)


def _drain(chunks: "Queue[_Chunk]") -> Iterator[bytes]:
    while chunk := chunks.get():
        if isinstance(chunk, BaseException):
            raise chunk
        yield chunk


def _discard(chunks: "Queue[_Chunk]") -> None:
    try:
        while True:
            chunks.get_nowait()
    except Empty:
        return
