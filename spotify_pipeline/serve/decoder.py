"""A process that decodes untrusted audio: ``python -m spotify_pipeline.serve.decoder BYTES``.

It reads jobs from its standard input, an object of JSON a line: the ``path`` of a file and how many
``seconds`` a recording may have. To each it answers frames: a length (int32, little endian) and so
many bytes, float32 samples as the fingerprint takes them. A frame of length 0 ends a recording; of
negative length, it is an error, so many bytes of text. The first frame, empty, says that it is
ready.

It may use so many bytes of memory more than it has when it is ready, and writes no large files. It
can crash or be killed at any moment without harm to the server.

Belongs here: the process. Does not belong here: starting and ending it (`decoding`).
"""

import json
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from spotify_pipeline.recording import RecordingError, printable, stream_for_fingerprint
from spotify_pipeline.resampling import ANALYZER_RATE, analyzer_resampler

__all__ = ["LENGTH", "LONGEST_FRAME"]

LENGTH = struct.Struct("<i")
"""What stands before a frame."""

LONGEST_FRAME = 1 << 24
"""Bytes."""

LARGEST_FILE = 1 << 20
"""Bytes that the process may write into a file: complaints of ffmpeg."""


def main() -> None:
    """Answer jobs until the standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no frame
    _warm_up()
    _bound(int(sys.argv[1]))
    _send(answers, b"")
    for line in sys.stdin.buffer:
        job = json.loads(line)
        _decode(Path(job["path"]), job["seconds"], answers)


def _decode(path: Path, seconds: float, answers: BinaryIO) -> None:
    left = int(seconds * ANALYZER_RATE)
    try:
        for block in stream_for_fingerprint(path):
            left -= len(block)
            if left < 0:
                raise RecordingError(f"longer than {seconds:.0f} s")
            if len(block):
                _send(answers, np.ascontiguousarray(block, "<f4").tobytes())
    except RecordingError as error:
        _fail(answers, str(error).removeprefix(f"{printable(path)}: "))
    except MemoryError:
        _fail(answers, "decoding it takes too much memory")
    else:
        _send(answers, b"")


def _send(answers: BinaryIO, content: bytes) -> None:
    answers.write(LENGTH.pack(len(content)) + content)
    answers.flush()


def _fail(answers: BinaryIO, message: str) -> None:
    content = message.encode()
    answers.write(LENGTH.pack(-len(content)) + content)
    answers.flush()


def _warm_up() -> None:
    """Load what decoding needs, before memory is bounded."""
    import soundfile  # noqa: F401

    analyzer_resampler(44_100).push(np.zeros(44_100, np.float32), last=True)


def _bound(memory: int) -> None:
    """Bound what the process can take; where the system can't, it can be killed all the same."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
