"""Immutable files of named sections, with a checksum for every block.

Layout (all integers little-endian)::

    0     8   magic: "SPSEALED"
    8     4   uint32: version of this layout
    12    4   uint32: bytes of the head, H
    16    8   uint64: bytes of the whole file
    24    8   uint64: xxh64 of the head
    32    H   head, JSON: {"content", "version", "info", "sections": {name: bytes, ...}}
    ...       sections in the order of the head, each from the next multiple of 64 on
    ...       block checksums: uint64 xxh64 of every 4 KiB from the first section on
    ...       group checksums: uint64 xxh64 of every 512 block checksums
    -8    8   uint64: xxh64 of the group checksums

A file is written under a temporary name, synced and renamed, so that it is there whole or not at
all. A reader maps it into memory, checks head, length and group checksums at once, and each block
and its group before it is first used: a truncated or flipped file is an error, whatever its size.
A block is what a disk reads at once: to look into a large file in many places costs no more.

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

__all__ = ["BLOCK_BYTES", "SealedFile", "SealedFileWriter", "writing_sealed_file"]

_MAGIC = b"SPSEALED"
_LAYOUT_VERSION = 3
_PREFIX = struct.Struct("<8sIIQQ")
_ALIGNMENT = 64
BLOCK_BYTES = 1 << 12
_GROUP = 512
_TEMPORARY = ".new"

_LONGEST_SIZE = 20
"""Digits that the size of a section can have: spaces follow the head where it has fewer."""

_BLOCKS_AHEAD = 1 << 12
"""So many blocks are asked for before the first of them is waited for."""


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
        groups = np.array(
            [_digest(sums[k : k + _GROUP]) for k in range(0, len(sums), _GROUP)], "<u8"
        )
        trailer = sums.tobytes() + groups.tobytes() + struct.pack("<Q", _digest(groups))
        os.pwrite(self._descriptor, trailer, self._end)
        head = msgspec.json.encode(self._head).ljust(self._head_bytes)
        prefix = _PREFIX.pack(
            _MAGIC,
            _LAYOUT_VERSION,
            len(head),
            self._end + len(trailer),
            xxhash.xxh64_intdigest(head),
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
        self._sums, self._groups = self._read_sums()
        self._checked = np.zeros(len(self._sums), np.bool_)
        self._checked_groups = np.zeros(len(self._groups), np.bool_)

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
        from spotify_pipeline.index.format.block_checks import unchecked_blocks

        base = self._places[section][0] - self._first
        first = (starts + base) // BLOCK_BYTES
        last = (np.maximum(ends, starts + 1) - 1 + base) // BLOCK_BYTES
        self._check_many(np.unique(unchecked_blocks(first, last, self._checked)))

    def check_range(self, section: str, start: int, end: int) -> None:
        """Check the blocks of one byte range of a section; see `check`."""
        base = self._places[section][0] - self._first
        first = (start + base) // BLOCK_BYTES
        last = (max(end, start + 1) - 1 + base) // BLOCK_BYTES
        self._check_blocks(first + np.flatnonzero(~self._checked[first : last + 1]))

    def check_section(self, section: str) -> None:
        """Check a whole section."""
        self.check_range(section, 0, self._places[section][1])

    def _check_many(self, blocks: npt.NDArray[np.int64]) -> None:
        """Check blocks that ascend, without the GIL."""
        from spotify_pipeline.index.format.block_checks import first_damaged, read_ahead

        self._check_groups(blocks)
        content = self._bytes[self._first : self._end]
        whole = len(content) // BLOCK_BYTES
        words = content[: whole * BLOCK_BYTES].view(np.uint64)
        inside = blocks[blocks < whole]
        for k in range(0, len(inside), _BLOCKS_AHEAD):
            chunk = inside[k : k + _BLOCKS_AHEAD]
            read_ahead(content.ctypes.data, chunk)
            damaged = first_damaged(words, chunk, self._sums[chunk])
            if damaged >= 0:
                raise self._damaged(self._first + damaged * BLOCK_BYTES, BLOCK_BYTES)
            self._checked[chunk] = True
        self._check_blocks(blocks[blocks >= whole])

    def _check_blocks(self, blocks: npt.NDArray[np.int64]) -> None:
        """Check blocks that ascend."""
        self._check_groups(blocks)
        self._check_stretches(
            blocks, self._checked, self._sums, self._first, BLOCK_BYTES, self._end - self._first
        )

    def _check_groups(self, blocks: npt.NDArray[np.int64]) -> None:
        """Check the checksums of blocks by those of their groups."""
        groups = np.unique(blocks // _GROUP)
        groups = groups[~self._checked_groups[groups]]
        self._check_stretches(
            groups, self._checked_groups, self._groups, self._end, 8 * _GROUP, self._sums.nbytes
        )

    def _check_stretches(
        self,
        numbers: npt.NDArray[np.int64],
        checked: npt.NDArray[np.bool_],
        sums: npt.NDArray[np.uint64],
        base: int,
        size: int,
        total: int,
    ) -> None:
        """Check some of the stretches, of so many bytes, of what begins at a byte of the file."""
        content = memoryview(self._map)[base : base + total]
        for k in range(0, len(numbers), _BLOCKS_AHEAD):
            chunk = numbers[k : k + _BLOCKS_AHEAD]
            self._read_ahead(base + chunk * size, size)
            for number, expected in zip(chunk.tolist(), sums[chunk].tolist(), strict=True):
                start = number * size
                if xxhash.xxh64_intdigest(content[start : start + size]) != expected:
                    raise self._damaged(base + start, min(size, total - start))
            checked[chunk] = True

    def _read_ahead(self, starts: npt.NDArray[np.int64], size: int) -> None:
        """Have stretches read all at once, where one by one would wait for each."""
        gaps = np.flatnonzero(np.diff(starts) > size)
        firsts, lasts = starts[np.append(0, gaps + 1)], starts[np.append(gaps, len(starts) - 1)]
        pages = firsts // PAGESIZE * PAGESIZE
        ends = np.minimum(lasts + size, len(self._map))
        for start, length in zip(pages.tolist(), (ends - pages).tolist(), strict=True):
            self._map.madvise(MADV_WILLNEED, start, length)

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
        if xxhash.xxh64_intdigest(head) != digest:
            raise self._error("its head is damaged")
        return msgspec.json.decode(head, type=_Head), size

    def _read_sums(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Give the checksums of blocks, as they lie in the file, and those of groups, checked."""
        trailer = self._bytes[self._end :]
        blocks = -(-(self._end - self._first) // BLOCK_BYTES)
        groups = -(-blocks // _GROUP)
        if len(trailer) != 8 * (blocks + groups + 1):
            raise self._error("its checksums are damaged")
        of_groups = np.frombuffer(trailer[8 * blocks :].tobytes(), "<u8")
        if _digest(of_groups[:-1]) != of_groups[-1]:
            raise self._error("its checksums are damaged")
        return trailer[: 8 * blocks].view("<u8"), of_groups[:-1]

    def _damaged(self, start: int, size: int) -> FeatureIndexError:
        return self._error(f"damaged between bytes {start:,} and {start + size:,}")

    def _error(self, what: str) -> FeatureIndexError:
        return FeatureIndexError(f"{self.path}: {what}; run the job 'index' again")


def _digest(array: npt.NDArray[Any]) -> int:
    return xxhash.xxh64_intdigest(array.data)


def _block_checksums(descriptor: int, start: int, end: int) -> npt.NDArray[np.uint64]:
    sums = np.empty(-(-(end - start) // BLOCK_BYTES), "<u8")
    blocks_at_once = 256
    for block in range(0, len(sums), blocks_at_once):
        offset = start + block * BLOCK_BYTES
        size = min(blocks_at_once * BLOCK_BYTES, end - offset)
        data = memoryview(os.pread(descriptor, size, offset))
        for k in range(-(-size // BLOCK_BYTES)):
            sums[block + k] = xxhash.xxh64_intdigest(data[k * BLOCK_BYTES : (k + 1) * BLOCK_BYTES])
    return sums
