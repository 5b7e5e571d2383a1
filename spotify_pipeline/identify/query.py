"""What a user hands in, as a fingerprint: audio, or a fingerprint made elsewhere.

Belongs here: files to fingerprints. Does not belong here: what they match (`identifier`).
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from spotify_pipeline.fingerprint import (
    Fingerprint,
    FingerprintError,
    decode_echoprint,
    decode_rhythm,
    fingerprint,
    trains_of_codes,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.recording import RecordingError, printable, read_for_fingerprint

__all__ = ["Query", "query_of_document", "read_query"]

LARGEST_JSON = 1 << 25
"""Bytes; the longest real documents are under 1 MB."""


@dataclass(frozen=True)
class Query:
    """A fingerprinted recording.

    Attributes
    ----------
    name
        What it is called, as a person may be shown it.
    duration
        Seconds; None where it is not known.
    samples
        Mono, at 11025 Hz; None where a fingerprint was handed in.
    """

    name: str
    fingerprint: Fingerprint
    duration: float | None
    samples: Float32s | None


class _Strings(msgspec.Struct):
    duration: float | None = None
    echoprintstring: str | None = None
    rhythmstring: str | None = None


class _Document(_Strings):
    track: _Strings | None = None


def read_query(path: Path) -> Query:
    """Fingerprint a recording, or read a fingerprint from a ``.json`` file.

    The JSON is an analysis document, or an object with ``echoprintstring`` or ``rhythmstring`` or
    both, such as a line of ``spotify-pipeline fingerprint``.

    Raises
    ------
    RecordingError
        The file can't be read as either.
    """
    if path.suffix.lower() == ".json":
        return _read_strings(path)
    recording = read_for_fingerprint(path)
    return Query(
        printable(path), fingerprint(recording.samples), recording.duration, recording.samples
    )


def _read_strings(path: Path) -> Query:
    name = printable(path)
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise RecordingError(f"{name}: larger than {LARGEST_JSON} bytes: no document is")
        return query_of_document(path.read_bytes(), name)
    except OSError as error:
        raise RecordingError(f"{name}: can't be read: {error.strerror}") from error


def query_of_document(content: bytes, name: str) -> Query:
    """Read a fingerprint from the JSON that `read_query` takes.

    Parameters
    ----------
    content
        The JSON.
    name
        Of where it comes from, for errors.

    Raises
    ------
    RecordingError
        There is no fingerprint in it.
    """
    try:
        document = msgspec.json.decode(content, type=_Document)
        strings = document.track or document
        codes = decode_echoprint(strings.echoprintstring or "")
        found = Fingerprint(trains_of_codes(codes), decode_rhythm(strings.rhythmstring or ""))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, FingerprintError) as error:
        raise RecordingError(f"{name}: no fingerprint can be read from it: {error}") from error
    if len(found.echoprint) == len(found.rhythm) == 0:
        raise RecordingError(f"{name}: holds neither an echoprintstring nor a rhythmstring")
    return Query(name, found, strings.duration, None)
