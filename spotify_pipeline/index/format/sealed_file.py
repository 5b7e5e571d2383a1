"""Immutable files of named sections, with a checksum for every block.

Layout (all integers little-endian)::

    0     8   magic: "SPSEALED"
    8     4   uint32: version of this layout
    12    4   uint32: bytes of the head, H
    16    8   uint64: bytes of the whole file
    24    8   uint64: xxh3-64 of the head
    32    H   head, JSON: {"content", "version", "info", "sections": {name: bytes, ...}}
    ...       sections in the order of the head, each from the next multiple of 64 on
    ...       block checksums: uint64 xxh3-64 of every 16 KiB from the first section on
    -8    8   uint64: xxh3-64 of the block checksums

A file is written under a temporary name, synced and renamed, so that it is there whole or not at
all. A reader maps it into memory, checks head, length and checksum table at once, and each block
before it is first used: a truncated or flipped file is an error, whatever its size.

Reading one stretch does without numba, which takes longer to import than a look-up takes.

Belongs here: bytes and checksums. Does not belong here: what sections mean (`segment`).
"""

import os
import struct
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from mmap import ACCESS_READ, MADV_WILLNEED, PAGESIZE, mmap
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from spotify_pipeline.index.errors import FeatureIndexError, naming_a_failed_write

__all__ = ["SealedFile", "SealedFileWriter", "writing_sealed_file"]

_MAGIC = b"SPSEALED"
_LAYOUT_VERSION = 1
_PREFIX = struct.Struct("<8sIIQQ")
_ALIGNMENT = 64
_BLOCK_BYTES = 1 << 14
_TEMPORARY = ".new"

_LONGEST_SIZE = 20
"""Digits that the size of a section can have: spaces follow the head where it has fewer."""

_MOST_BLOCKS_AHEAD = 1 << 13
"""More than these are not read out of order: it would fill the memory with what comes late."""


class _Head(msgspec.Struct, frozen=True):
    content: str
    version: int
    info: msgspec.Raw
    sections: dict[str, int]

    def positions(self, head_bytes: int) -> tuple[int, dict[str, tuple[int, int]], int]:
        """Give where the first section begins, offset and size of each, and where the last ends."""
        first = end = _aligned(_PREFIX.size + head_bytes)
        positions = {}
        for name, size in self.sections.items():
            positions[name] = (_aligned(end), size)
            end = _aligned(end) + size
        return first, positions, end


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


class SealedFileWriter:
    """Writes the sections of a new file; they may be written in any order and by several threads.

    Parameters
    ----------
    descriptor
        Of an empty file, open for reading and writing.
    content, version
        What the sections are.
    info
        Encoded as JSON into the head.
    sections
        Bytes of each section; the last one grows by what is appended.
    """

    def __init__(
        self, descriptor: int, content: str, version: int, info: object, sections: Mapping[str, int]
    ) -> None:
        self._descriptor = descriptor
        encoded = msgspec.Raw(msgspec.json.encode(info))
        self._head = _Head(content, version, encoded, dict(sections))
        self._head_bytes = len(msgspec.json.encode(self._head)) + _LONGEST_SIZE
        self._first, self._places, self._end = self._head.positions(self._head_bytes)
        os.ftruncate(descriptor, self._end)

    def write(self, section: str, offset: int, content: npt.NDArray[Any]) -> None:
        """Write a contiguous buffer at an offset of a section."""
        start, size = self._places[section]
        if offset + content.nbytes > size:
            raise ValueError(
                f"{section}: {offset + content.nbytes} bytes where {size} were announced"
            )
        self._write_at(start + offset, content)

    def append(self, content: npt.NDArray[Any]) -> None:
        """Make the last section longer by a contiguous buffer; one thread at a time."""
        section = list(self._head.sections)[-1]
        self._write_at(self._end, content)
        self._end += content.nbytes
        self._head.sections[section] += content.nbytes

    def _write_at(self, position: int, content: npt.NDArray[Any]) -> None:
        data = content.reshape(-1).view(np.uint8).data
        while len(data):
            written = os.pwrite(self._descriptor, data[: 1 << 30], position)
            data, position = data[written:], position + written

    def seal(self) -> None:
        """Write the checksums and the head, and sync."""
        sums = _block_checksums(self._descriptor, self._first, self._end)
        trailer = sums.tobytes() + struct.pack("<Q", xxhash.xxh3_64_intdigest(sums.data))
        os.pwrite(self._descriptor, trailer, self._end)
        head = msgspec.json.encode(self._head).ljust(self._head_bytes)
        prefix = _PREFIX.pack(
            _MAGIC,
            _LAYOUT_VERSION,
            len(head),
            self._end + len(trailer),
            xxhash.xxh3_64_intdigest(head),
        )
        os.pwrite(self._descriptor, prefix + head, 0)
        os.fsync(self._descriptor)


@contextmanager
def writing_sealed_file(
    path: Path, content: str, version: int, info: object, sections: Mapping[str, int]
) -> Iterator[SealedFileWriter]:
    """Write a file that appears under its name when the context ends well, else not at all.

    Raises
    ------
    FeatureIndexError
        It can't be written; the message says why.
    """
    temporary = path.with_name(f"{path.name}{_TEMPORARY}")
    try:
        with naming_a_failed_write(path):
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
            try:
                writer = SealedFileWriter(descriptor, content, version, info, sections)
                yield writer
                writer.seal()
            finally:
                os.close(descriptor)
            temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


class SealedFile:
    """A mapped file whose blocks are checked before they are first used.

    Parameters
    ----------
    path
        Of the file.
    content, versions
        What it must hold, in one of these versions.

    Raises
    ------
    FeatureIndexError
        The file is missing, truncated, damaged, or of another kind or version.
    """

    def __init__(self, path: Path, content: str, versions: Collection[int]) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self._map = mmap(file.fileno(), 0, access=ACCESS_READ)
        except (OSError, ValueError) as error:  # an empty file can't be mapped
            raise self._error(f"missing or can't be read ({error})") from error
        self._bytes = np.frombuffer(self._map, np.uint8)
        head, head_bytes = self._read_head()
        if head.content != content or head.version not in versions:
            raise self._error(
                f"is {head.content} of version {head.version}, not {content} of"
                f" {' or '.join(map(str, versions))}"
            )
        self.info = head.info
        self._first, self._places, self._end = head.positions(head_bytes)
        self._sums = self._read_sums()
        self._checked = np.zeros(len(self._sums), np.bool_)

    def section(self, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Give a section as an array; not one block of it is checked by that."""
        start, size = self._places[name]
        return self._bytes[start : start + size].view(dtype)

    def check(
        self, section: str, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
    ) -> None:
        """Check the blocks of byte ranges of a section that were not checked before.

        Raises
        ------
        FeatureIndexError
            One is damaged.
        """
        from spotify_pipeline.index.format.unchecked_blocks import unchecked_blocks

        base = self._places[section][0] - self._first
        first = (starts + base) // _BLOCK_BYTES
        last = (np.maximum(ends, starts + 1) - 1 + base) // _BLOCK_BYTES
        self._check_blocks(np.sort(unchecked_blocks(first, last, self._checked)))

    def check_range(self, section: str, start: int, end: int) -> None:
        """Check the blocks of one byte range of a section; see `check`."""
        base = self._places[section][0] - self._first
        first = (start + base) // _BLOCK_BYTES
        last = (max(end, start + 1) - 1 + base) // _BLOCK_BYTES
        self._check_blocks(first + np.flatnonzero(~self._checked[first : last + 1]))

    def check_section(self, section: str) -> None:
        """Check a whole section."""
        self.check_range(section, 0, self._places[section][1])

    def _check_blocks(self, blocks: npt.NDArray[np.int64]) -> None:
        self._read_ahead(blocks)
        for block in blocks.tolist():
            self._check_block(block)

    def _read_ahead(self, blocks: npt.NDArray[np.int64]) -> None:
        """Have blocks that ascend read all at once, where one by one would wait for each."""
        if not 1 < len(blocks) <= _MOST_BLOCKS_AHEAD:
            return
        gaps = np.flatnonzero(np.diff(blocks) > 1)
        firsts, lasts = blocks[np.append(0, gaps + 1)], blocks[np.append(gaps, len(blocks) - 1)]
        starts = (self._first + firsts * _BLOCK_BYTES) // PAGESIZE * PAGESIZE
        ends = np.minimum(self._first + (lasts + 1) * _BLOCK_BYTES, self._end)
        for start, size in zip(starts.tolist(), (ends - starts).tolist(), strict=True):
            self._map.madvise(MADV_WILLNEED, start, size)

    def _check_block(self, block: int) -> None:
        start = self._first + block * _BLOCK_BYTES
        end = min(start + _BLOCK_BYTES, self._end)
        if xxhash.xxh3_64_intdigest(self._bytes[start:end].data) != self._sums[block]:
            raise self._error(f"damaged between bytes {start:,} and {end:,}")
        self._checked[block] = True

    def _read_head(self) -> tuple[_Head, int]:
        if len(self._bytes) < _PREFIX.size:
            raise self._error("cut off")
        magic, version, size, total, digest = _PREFIX.unpack_from(self._map)
        if magic != _MAGIC:
            raise self._error("is no file of an index")
        if version != _LAYOUT_VERSION:
            raise self._error(f"is of layout {version}, not {_LAYOUT_VERSION}")
        if total != len(self._bytes):
            raise self._error(f"has {len(self._bytes):,} bytes where {total:,} belong")
        head = self._map[_PREFIX.size : _PREFIX.size + size]
        if xxhash.xxh3_64_intdigest(head) != digest:
            raise self._error("its head is damaged")
        return msgspec.json.decode(head, type=_Head), size

    def _read_sums(self) -> npt.NDArray[np.uint64]:
        trailer = self._bytes[self._end :]
        blocks = -(-(self._end - self._first) // _BLOCK_BYTES)
        if len(trailer) != 8 * (blocks + 1):
            raise self._error("its checksums are damaged")
        sums = np.frombuffer(trailer.tobytes(), "<u8")
        if xxhash.xxh3_64_intdigest(sums[:-1].data) != sums[-1]:
            raise self._error("its checksums are damaged")
        return sums[:-1]

    def _error(self, what: str) -> FeatureIndexError:
        return FeatureIndexError(f"{self.path}: {what}; run the job 'index' again")


def _block_checksums(descriptor: int, start: int, end: int) -> npt.NDArray[np.uint64]:
    sums = np.empty(-(-(end - start) // _BLOCK_BYTES), "<u8")
    blocks_at_once = 64
    for block in range(0, len(sums), blocks_at_once):
        offset = start + block * _BLOCK_BYTES
        size = min(blocks_at_once * _BLOCK_BYTES, end - offset)
        data = memoryview(os.pread(descriptor, size, offset))
        for k in range(-(-size // _BLOCK_BYTES)):
            sums[block + k] = xxhash.xxh3_64_intdigest(
                data[k * _BLOCK_BYTES : (k + 1) * _BLOCK_BYTES]
            )
    return sums
