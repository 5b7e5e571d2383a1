"""A compressed file, unpacked ahead by a process of its own.

Unpacking takes about as long as what is done with the content, so the two run side by side. Threads
would wait for each other (for the interpreter's lock, at every step); a process that unpacks into
memory shared with this one costs nothing. It needs no protection of ``__main__``, as
`multiprocessing` would, and ends when this process does, however it does.

The shared memory is a ring of chunks. The other process writes to its output, pickled, the length
of each chunk that it has filled and the compressed bytes read so far; in the end the checksum, or
the exception that it ran into. For each chunk that is free again it gets a byte.

Belongs here: both ends of that. Does not belong here: decoding (`compression`), lines (`lines`).
"""

import mmap
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from spotify_pipeline.dump.compression import open_compressed
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.space import naming_a_full_disk

__all__ = ["ReadAhead"]

CHUNK_BYTES = 2 * 2**20
CHUNKS = 6


class ReadAhead:
    """Reads a zstd file once.

    Attributes
    ----------
    bytes_read
        Compressed bytes so far.
    checksum
        After the last chunk: of all compressed bytes, see `compression.CompressedReader`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes_read = 0
        self.checksum = ""

    def __iter__(self) -> Iterator[memoryview]:
        """Give the content in chunks; each is valid until the next is asked for.

        Raises
        ------
        IncompleteFileError, CompressionError
            See `compression.CompressedReader`.
        PipelineError
            The other process was ended from outside.
        SpaceError
            The temporary folder's disk is full.
        OSError
            The file can't be read.
        """
        with tempfile.TemporaryFile() as memory:
            with naming_a_full_disk(Path(tempfile.gettempdir())):
                # not truncated: who then writes to a page without room is killed by the system
                memory.write(bytes(CHUNKS * CHUNK_BYTES))
                memory.flush()
            chunks = memoryview(mmap.mmap(memory.fileno(), CHUNKS * CHUNK_BYTES))
            with self._start(memory.fileno()) as process:
                try:
                    yield from self._filled(chunks.toreadonly(), process)
                finally:
                    process.kill()

    def _start(self, memory: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", __name__, os.fspath(self.path), str(memory)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[memory], bufsize=0
        )

    def _filled(
        self, chunks: memoryview, process: "subprocess.Popen[bytes]"
    ) -> Iterator[memoryview]:
        assert process.stdin is not None
        assert process.stdout is not None
        position = 0
        while True:
            try:
                message = pickle.load(process.stdout)
            except EOFError as error:
                raise PipelineError(
                    f"{self.path}: the process that unpacked it was ended from outside, most often"
                    " because memory ran out; try again when more is free"
                ) from error
            if isinstance(message, BaseException):
                raise message
            if isinstance(message, str):
                self.checksum = message
                return
            length, self.bytes_read = message
            yield chunks[position : position + length]
            position = (position + CHUNK_BYTES) % len(chunks)
            with suppress(BrokenPipeError):  # it may have ended already, after its last chunk
                process.stdin.write(b".")


def _fill(path: Path, chunks: memoryview, freed: IO[bytes], message: IO[bytes]) -> None:
    """Unpack a file into the ring."""
    free = CHUNKS
    position = 0
    with open_compressed(path) as reader:
        while True:
            if free == 0:
                free = len(freed.read(CHUNKS))
                if free == 0:
                    return  # nobody is there any more
            length = reader.readinto(chunks[position : position + CHUNK_BYTES])
            if length == 0:
                pickle.dump(reader.checksum, message)
                return
            pickle.dump((length, reader.bytes_read), message)
            position = (position + CHUNK_BYTES) % len(chunks)
            free -= 1


def _main() -> None:
    """Be the other process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who waits for this one decides
    path, memory = Path(sys.argv[1]), int(sys.argv[2])
    chunks = memoryview(mmap.mmap(memory, CHUNKS * CHUNK_BYTES))
    with open(0, "rb", buffering=0) as freed, open(1, "wb", buffering=0) as message:
        try:
            _fill(path, chunks, freed, message)
        except BrokenPipeError:
            return
        except Exception as error:
            pickle.dump(error, message)


if __name__ == "__main__":
    _main()
