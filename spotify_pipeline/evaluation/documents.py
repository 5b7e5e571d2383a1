"""Analysis documents as impostors: whole tracks of real music, of which there is no audio.

A document of the dump has its track id in ``meta``; others may have a ``name`` instead.

Belongs here: files of documents to their onset trains. Does not belong here: the dump's documents
with all that is kept of them (`dump.document`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from spotify_pipeline.dump.compression import open_compressed
from spotify_pipeline.dump.lines import LINE_LIMIT, numbered_lines
from spotify_pipeline.dump.scanning import find_marks
from spotify_pipeline.dump.segments import read_segments
from spotify_pipeline.evaluation.errors import EvaluationError
from spotify_pipeline.fingerprint import (
    BANDS,
    CodesError,
    Fingerprint,
    OnsetTrains,
    StringError,
    decode_echoprint,
    decode_rhythm,
    trains_of_codes,
)
from spotify_pipeline.harmony import Segments, SegmentsError
from spotify_pipeline.recording import printable

__all__ = ["Document", "read_documents"]

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Document:
    """What an impostor is made of.

    Attributes
    ----------
    name
        The document's name, or the id of its track.
    duration
        Seconds; None if it is not reported.
    fingerprint
        Echoprint trains are empty where no trains give the codes.
    harmony
        Its segments; none if they are not valid.
    """

    name: str
    duration: float | None
    fingerprint: Fingerprint
    harmony: Segments


class _Meta(msgspec.Struct):
    track_id: str = ""


class _Track(msgspec.Struct):
    duration: float | None = None
    echoprintstring: str = ""
    rhythmstring: str = ""


class _Line(msgspec.Struct):
    track: _Track
    segments: msgspec.Raw = msgspec.Raw()
    meta: _Meta | None = None
    name: str = ""


_decoder = msgspec.json.Decoder(_Line)


def read_documents(files: Iterable[Path]) -> Iterator[Document]:
    """Read files of documents line by line, ``.zst`` ones compressed and all others as they are.

    Raises
    ------
    EvaluationError
        A file can't be read, or a line is no document; the message names both.
    CompressionError
        A compressed file is damaged or incomplete.
    """
    for file in files:
        try:
            for number, line in numbered_lines(_chunks(file)):
                yield _document(line, f"{printable(file)}, line {number}")
        except OSError as error:
            raise EvaluationError(f"{printable(file)}: can't be read: {error.strerror}") from error


def _chunks(file: Path) -> Iterator[memoryview]:
    """Read a file bit by bit."""
    opened = open_compressed(file) if file.suffix == ".zst" else file.open("rb")
    with opened as content:
        while chunk := content.read(CHUNK_BYTES):
            yield memoryview(chunk)


def _document(line: memoryview, where: str) -> Document:
    if len(line) > LINE_LIMIT:
        raise EvaluationError(f"{where}: longer than {LINE_LIMIT} bytes")
    try:
        read = _decoder.decode(line)
        rhythm = decode_rhythm(read.track.rhythmstring)
        echoprint = _echoprint(read.track.echoprintstring)
    except (msgspec.MsgspecError, UnicodeDecodeError, StringError) as error:
        raise EvaluationError(f"{where}: not an analysis document: {error}") from error
    name = read.name or (read.meta.track_id if read.meta else "") or where
    made = Fingerprint(echoprint=echoprint, rhythm=rhythm)
    return Document(name, read.track.duration, made, _harmony(bytes(read.segments)))


def _harmony(text: bytes) -> Segments:
    try:
        found = read_segments(text, find_marks(np.frombuffer(text, np.uint8), 0))
        found.check()
    except SegmentsError:
        return Segments.none()
    return found


def _echoprint(string: str) -> OnsetTrains:
    try:
        return trains_of_codes(decode_echoprint(string))
    except CodesError:
        return OnsetTrains.from_bands([()] * BANDS)
