"""Reading zstd files so that a cut-off file is an error, not an early end.

The standard library's `compression.zstd` (Python 3.14; before that its backport) says when a
frame is incomplete, which the stream reader of the `zstandard` package keeps to itself.

Belongs here: opening compressed files of the dump. Does not belong here: what is in them.
"""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from spotify_pipeline.errors import PipelineError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["CompressionError", "IncompleteFileError", "content_size", "open_compressed"]

WINDOW_LOG_LIMIT = 31
"""Accept files made with ``zstd --long=31``; decoding one takes up to 2 GiB of memory."""

LONGEST_FRAME_HEADER = 18
"""Bytes (RFC 8878, 3.1.1)."""


class CompressionError(PipelineError):
    """A file that is not zstd, or damaged."""


class IncompleteFileError(CompressionError):
    """A file that ends before its last frame does: most likely still being downloaded."""


def content_size(path: Path) -> int | None:
    """Give the unpacked size that a file's first frame announces, in bytes; None if it does not.

    Raises
    ------
    IncompleteFileError, CompressionError
        The file is too short for a frame, or not zstd.
    """
    with path.open("rb") as file:
        header = file.read(LONGEST_FRAME_HEADER)
    with _errors_of(path):
        if not header:
            raise EOFError
        return zstd.get_frame_info(header).decompressed_size


@contextmanager
def open_compressed(path: Path, raw: IO[bytes] | io.RawIOBase | None = None) -> Iterator[IO[bytes]]:
    """Open a zstd file (several and skippable frames too) for reading, as a context.

    Parameters
    ----------
    path
        The file; named in errors.
    raw
        Where to read the compressed bytes from, when not from `path` itself.

    Raises
    ------
    IncompleteFileError
        The file ends within a frame, or is empty.
    CompressionError
        The file is not zstd, or its content does not match its checksum.
    """
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG_LIMIT}
    with _errors_of(path), zstd.ZstdFile(path if raw is None else raw, options=options) as file:
        yield file  # type: ignore[misc]


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """Word the library's errors for a user."""
    try:
        yield
    except EOFError as error:
        raise IncompleteFileError(
            f"{path}: the file ends in the middle of its data; it is incomplete"
            " (wait for the download, or fetch it again)"
        ) from error
    except zstd.ZstdError as error:
        raise CompressionError(
            f"{path}: not a zstd file, or damaged ({error}); fetch it again"
        ) from error
