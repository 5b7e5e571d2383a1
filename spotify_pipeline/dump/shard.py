"""A shard file as a stream of detection fields and rejects.

Belongs here: lines, their numbers, what was wrong with them, progress. Does not belong here: what
becomes of the rows (`reduction`).
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from spotify_pipeline.dump.compression import open_compressed
from spotify_pipeline.dump.document import DetectionFields, DocumentError, parse_document

__all__ = ["LINE_LIMIT", "Reject", "ShardReader"]

LINE_LIMIT = 32 * 2**20
"""Bytes; the longest real documents are under 1 MB."""

EXCERPT_LENGTH = 200
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"


@dataclass(frozen=True)
class Reject:
    """A line that was not taken."""

    line: int
    reason: str
    excerpt: bytes


class _DigestingReader(io.RawIOBase):
    """Pass bytes through, counting and digesting them."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.blake2b(digest_size=16)
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.digest.update(data)
        self.bytes_read += len(data)
        return data


class ShardReader:
    """Reads one shard once, from start to end.

    After the iteration `lines` is the number of lines that were not blank, `bytes_read` that of
    compressed bytes, and `checksum` their BLAKE2b digest in hex.

    Parameters
    ----------
    path
        A ``.jsonl.zst`` file.
    progress
        Called after every line with the compressed bytes read so far.
    """

    def __init__(self, path: Path, progress: Callable[[int], None] | None = None) -> None:
        self.path = path
        self.lines = 0
        self.bytes_read = 0
        self.checksum = ""
        self._progress = progress or (lambda _: None)

    def __iter__(self) -> Iterator[DetectionFields | Reject]:
        """Give each line's detection fields, or why it was rejected.

        Raises
        ------
        IncompleteFileError, CompressionError
            See `open_compressed`.
        """
        with self.path.open("rb") as file:
            raw = _DigestingReader(file)
            with open_compressed(self.path, raw) as stream:
                for number, line in _numbered_lines(stream):
                    self.lines += 1
                    yield _parse_line(number, line)
                    self._progress(raw.bytes_read)
            self.bytes_read = raw.bytes_read
            self.checksum = raw.digest.hexdigest()


def _parse_line(number: int, line: bytes) -> DetectionFields | Reject:
    if len(line) > LINE_LIMIT:
        return Reject(number, f"longer than {LINE_LIMIT} bytes", line[:EXCERPT_LENGTH])
    try:
        return parse_document(line)
    except DocumentError as error:
        return Reject(number, str(error), line[:EXCERPT_LENGTH])


def _numbered_lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give the lines that are not blank, numbered from 1; an overlong one is cut, not kept."""
    number = 0
    while line := stream.readline(LINE_LIMIT + 1):
        number += 1
        rest = line
        while not rest.endswith(b"\n") and len(rest) > LINE_LIMIT:
            rest = stream.readline(LINE_LIMIT + 1)
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if len(line) > LINE_LIMIT or line.strip(_BLANK):
            yield number, line
