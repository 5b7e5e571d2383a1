"""Reading zstd files so that a cut-off file is an error, not an early end.

zstd's streaming decoders take the end of their input for the end of the data, wherever it comes. So
a frame of our own is fed in after a file's last byte: its content comes out at the end if, and only
if, the file's own frames were complete; otherwise it is swallowed by the one that was not.

Belongs here: opening compressed files of the dump. Does not belong here: what is in them.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import xxhash
import zstandard

from spotify_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = [
    "CompressedReader",
    "CompressionError",
    "IncompleteFileError",
    "checksum_of",
    "content_size",
    "open_compressed",
]

LARGEST_WINDOW = 2**31
"""Accept files made with ``zstd --long=31``; decoding one takes up to 2 GiB of memory."""

LONGEST_FRAME_HEADER = 18
"""Bytes (RFC 8878, 3.1.1)."""

SKIPPABLE_MAGIC = range(0x184D2A50, 0x184D2A60)
"""First four bytes of a frame that only has a size and that many bytes (RFC 8878, 3.1.2)."""

_PACKED_BYTES = 2**18
_END = b"end of the file\0"
_END_FRAME = zstandard.ZstdCompressor(write_checksum=True).compress(_END)


class CompressionError(PipelineError):
    """A file that is not zstd, or damaged."""


class IncompleteFileError(CompressionError):
    """A file that ends before its last frame does: most likely still being downloaded."""


class CompressedReader(io.RawIOBase):
    """The content of a zstd file: several and skippable frames too.

    Attributes
    ----------
    path
        The file; named in errors.
    bytes_read
        Compressed bytes so far.
    checksum
        XXH3 digest, of 128 bits, of the compressed bytes so far, in hex.

    Raises
    ------
    IncompleteFileError
        When read: the file ends within a frame, or is empty.
    CompressionError
        When read: the file is not zstd, or its content does not match its checksum.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._packed = _EndMarkedFile(file)
        decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
        self._content = decompressor.stream_reader(
            self._packed,  # type: ignore[arg-type]
            read_size=_PACKED_BYTES,
            read_across_frames=True,
        )
        self._held = b""  # what may be the end mark

    @property
    def bytes_read(self) -> int:  # noqa: D102
        return self._packed.bytes_read

    @property
    def checksum(self) -> str:  # noqa: D102
        return self._packed.digest.hexdigest()

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer longer than 16 bytes; gives how many bytes were read, 0 at the end."""
        view = memoryview(buffer).cast("B")
        filled = len(self._held)
        view[:filled] = self._held
        try:
            while filled <= len(_END) and (read := self._content.readinto(view[filled:])):
                filled += read
        except zstandard.ZstdError as error:
            if self._packed.ended:
                raise _incomplete(self.path) from error
            raise CompressionError(
                f"{self.path}: not a zstd file, or damaged ({error}); fetch it again"
            ) from error
        self._held = bytes(view[max(filled - len(_END), 0) : filled])
        if filled <= len(_END) and (self._held != _END or not self.bytes_read):
            raise _incomplete(self.path)
        return filled - len(self._held)

    def read(self, size: int = -1) -> bytes:
        """Read up to so many bytes, or all."""
        if 0 <= size <= len(_END):
            raise ValueError(f"fewer than {len(_END)} bytes can't be read")
        return super().read(size) or b""


class _EndMarkedFile:
    """Passes a file's bytes through, counting and digesting them, and then the end mark."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = xxhash.xxh3_128()
        self.bytes_read = 0
        self.ended = False

    def read(self, size: int = -1) -> bytes:
        if self.ended:
            return b""
        data = self.file.read(size)
        self.digest.update(data)
        self.bytes_read += len(data)
        self.ended = not data
        return data or _END_FRAME


def _incomplete(path: Path) -> IncompleteFileError:
    return IncompleteFileError(
        f"{path}: the file ends in the middle of its data; it is incomplete"
        " (wait for the download, or fetch it again)"
    )


@contextmanager
def open_compressed(path: Path) -> Iterator[CompressedReader]:
    """Open a zstd file for reading, as a context."""
    with path.open("rb", buffering=0) as file:
        yield CompressedReader(path, file)


def checksum_of(path: Path, progress: Callable[[int], None] = lambda done: None) -> str:
    """Give the checksum that `CompressedReader` has after a file's last byte, without unpacking it.

    Parameters
    ----------
    path
        The file.
    progress
        Called with the bytes read so far.
    """
    with path.open("rb", buffering=0) as file:
        marked = _EndMarkedFile(file)
        while not marked.ended:
            marked.read(_PACKED_BYTES)
            progress(marked.bytes_read)
    return marked.digest.hexdigest()


def content_size(path: Path) -> int | None:
    """Give the unpacked size that a file's first frame announces, in bytes; None if it does not.

    Raises
    ------
    IncompleteFileError, CompressionError
        The file is too short for a frame, or not zstd.
    """
    with path.open("rb") as file:
        header = file.read(LONGEST_FRAME_HEADER)
        while int.from_bytes(header[:4], "little") in SKIPPABLE_MAGIC:
            size = int.from_bytes(header[4:8], "little")
            file.seek(8 + size - len(header), io.SEEK_CUR)
            header = file.read(LONGEST_FRAME_HEADER)
    try:
        size = zstandard.get_frame_parameters(header).content_size
    except zstandard.ZstdError as error:
        if len(header) < LONGEST_FRAME_HEADER:
            raise _incomplete(path) from error
        raise CompressionError(f"{path}: not a zstd file ({error}); fetch it again") from error
    return None if size == zstandard.CONTENTSIZE_UNKNOWN else size
