"""A shard file as a stream of detection fields and rejects.

Belongs here: what becomes of each line, progress. Does not belong here: what becomes of the rows
(`reduction`).
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spotify_pipeline.dump.document import DetectionFields, load_kernels, parse_document
from spotify_pipeline.dump.errors import DocumentError
from spotify_pipeline.dump.lines import LINE_FEED, LINE_LIMIT, line_batches
from spotify_pipeline.dump.parts import Parts, PartsParser
from spotify_pipeline.dump.read_ahead import ReadAhead
from spotify_pipeline.dump.scanning import count_byte
from spotify_pipeline.errors import PipelineError

__all__ = ["Document", "NotAShardError", "Reject", "ShardReader"]

EXCERPT_LENGTH = 200

PARSERS = 2
"""Threads: what takes time are kernels, which run side by side, and two keep up with unpacking."""

MOST_LINES = 2_000_000
"""The dump's shards have about 75,000."""

MOST_UNPACKED, LARGEST_RATIO = 2**30, 200
"""Bytes beyond those that so many times the packed ones give; documents give some four times."""


class NotAShardError(PipelineError):
    """A file that no shard can be, whatever is in the rest of it."""


@dataclass(frozen=True)
class Document:
    """A line that was taken."""

    fields: DetectionFields
    parts: Parts


@dataclass(frozen=True)
class Reject:
    """A line that was not taken."""

    line: int
    reason: str
    excerpt: bytes


class ShardReader:
    """Reads one shard once, from start to end.

    After the iteration `lines` is the number of lines that were not blank, `bytes_read` that of
    compressed bytes, and `checksum` their XXH3 digest of 128 bits in hex.

    Parameters
    ----------
    path
        A ``.jsonl.zst`` file.
    shard
        Its name: the first characters of the track ids in it. A document of another one is a
        reject, for its own shard will bring it, and this may not be the file that it is named.
    progress
        Called after every line with the compressed bytes read so far.
    parts
        What to keep beside the detection fields, as `check_parts` gives it.
    with_harmony
        Whether to read harmony too.
    """

    def __init__(
        self,
        path: Path,
        shard: str,
        progress: Callable[[int], None] | None = None,
        parts: Sequence[str] = (),
        with_harmony: bool = True,
    ) -> None:
        self.path = path
        self.shard = shard
        self.lines = 0
        self.bytes_read = 0
        self.checksum = ""
        self._progress = progress or (lambda _: None)
        self._parser = PartsParser(parts) if parts else None
        self._with_harmony = with_harmony

    def __iter__(self) -> Iterator[Document | Reject]:
        """Give what each line holds, or why it was rejected.

        Raises
        ------
        IncompleteFileError, CompressionError
            See `compression.CompressedReader`.
        NotAShardError
            It has more lines, blank ones too, or unpacks to more than any shard: reading all of it
            might take days.
        """
        content = ReadAhead(self.path)
        with ThreadPoolExecutor(PARSERS) as parsers:
            parsers.submit(load_kernels)  # while the other process starts
            for batch in line_batches(self._within_reason(content)):
                for row in parsers.map(self._parse, *zip(*batch, strict=True)) if batch else ():
                    self.lines += 1
                    yield row
                    self._progress(content.bytes_read)
        self.bytes_read = content.bytes_read
        self.checksum = content.checksum

    def _within_reason(self, content: ReadAhead) -> Iterator[memoryview]:
        """Pass chunks on for as long as they may be a shard's."""
        lines = unpacked = 0
        for chunk in content:
            lines += count_byte(np.frombuffer(chunk, np.uint8), LINE_FEED)
            unpacked += len(chunk)
            if lines > MOST_LINES:
                raise NotAShardError(
                    f"{self.path}: has more than {MOST_LINES:,} lines, so it is no shard; fetch it"
                    " again, or remove it"
                )
            if unpacked > MOST_UNPACKED + LARGEST_RATIO * content.bytes_read:
                raise NotAShardError(
                    f"{self.path}: {content.bytes_read:,} bytes of it unpack to {unpacked:,}, so it"
                    " is no shard; fetch it again, or remove it"
                )
            yield chunk

    def _parse(self, number: int, line: memoryview) -> Document | Reject:
        if len(line) > LINE_LIMIT:
            return Reject(number, f"longer than {LINE_LIMIT} bytes", _excerpt(line))
        try:
            fields = parse_document(line, with_harmony=self._with_harmony)
            parts = self._parser.parse(line) if self._parser else {}
        except DocumentError as error:
            return Reject(number, str(error), _excerpt(line))
        if not fields.track_id.startswith(self.shard):
            reason = f"meta.track_id {fields.track_id} is not one of shard {self.shard}"
            return Reject(number, reason, _excerpt(line))
        return Document(fields, parts)


def _excerpt(line: memoryview) -> bytes:
    return bytes(line[:EXCERPT_LENGTH])
