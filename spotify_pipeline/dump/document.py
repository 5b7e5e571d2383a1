"""One analysis document to the fields that detection needs.

A document is the response of the former Spotify ``audio-analysis`` endpoint with ``meta.track_id``
added. Field order varies, and the same number is an integer in one document and a float in the
next; a failed analysis lacks fields. Everything that detection does not need is skipped, not built.

Belongs here: parsing one document. Does not belong here: files and lines (`shard`).
"""

from dataclasses import dataclass

import msgspec

from spotify_pipeline.fingerprint import (
    EchoprintCodes,
    OnsetTrains,
    StringError,
    decode_echoprint,
    decode_rhythm,
)
from spotify_pipeline.shards import is_track_id

__all__ = ["DetectionFields", "DocumentError", "parse_document"]

LARGEST_INTEGER = 2**31 - 1


class DocumentError(ValueError):
    """A document that is not taken; the message is the reason."""


@dataclass(frozen=True)
class DetectionFields:
    """What is kept of a document. Times are in seconds, loudness in dB, tempo in beats a minute.

    Fields that the document lacks are None; fingerprints that it lacks are empty.
    """

    track_id: str
    duration: float | None
    tempo: float | None
    tempo_confidence: float | None
    key: int | None
    key_confidence: float | None
    mode: int | None
    mode_confidence: float | None
    time_signature: int | None
    time_signature_confidence: float | None
    loudness: float | None
    end_of_fade_in: float | None
    start_of_fade_out: float | None
    analyzer_version: str | None
    echoprint_version: float | None
    rhythm_version: float | None
    echoprint: EchoprintCodes
    rhythm: OnsetTrains


class _Meta(msgspec.Struct):
    track_id: str = ""
    analyzer_version: str | None = None


class _Track(msgspec.Struct):
    duration: float | None = None
    tempo: float | None = None
    tempo_confidence: float | None = None
    key: float | None = None
    key_confidence: float | None = None
    mode: float | None = None
    mode_confidence: float | None = None
    time_signature: float | None = None
    time_signature_confidence: float | None = None
    loudness: float | None = None
    end_of_fade_in: float | None = None
    start_of_fade_out: float | None = None
    echoprintstring: str | None = None
    echoprint_version: float | None = None
    rhythmstring: str | None = None
    rhythm_version: float | None = None


class _Document(msgspec.Struct):
    meta: _Meta | None = None
    track: _Track | None = None


_decoder = msgspec.json.Decoder(_Document)


def parse_document(line: bytes) -> DetectionFields:
    """Parse a document.

    Raises
    ------
    DocumentError
        Not JSON, not of the shape, no valid track id, no track, or a fingerprint string is broken.
    """
    try:
        document = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(f"not an analysis document: {error}") from error
    meta, track = document.meta, document.track
    if meta is None or not meta.track_id:
        raise DocumentError("meta.track_id is missing")
    if not is_track_id(meta.track_id):
        raise DocumentError(f"meta.track_id {meta.track_id[:40]!r} is not 22 base62 characters")
    if track is None:
        raise DocumentError("track is missing (a failed analysis)")
    return DetectionFields(
        track_id=meta.track_id,
        analyzer_version=meta.analyzer_version,
        duration=track.duration,
        tempo=track.tempo,
        tempo_confidence=track.tempo_confidence,
        key=_integer("key", track.key),
        key_confidence=track.key_confidence,
        mode=_integer("mode", track.mode),
        mode_confidence=track.mode_confidence,
        time_signature=_integer("time_signature", track.time_signature),
        time_signature_confidence=track.time_signature_confidence,
        loudness=track.loudness,
        end_of_fade_in=track.end_of_fade_in,
        start_of_fade_out=track.start_of_fade_out,
        echoprint_version=track.echoprint_version,
        rhythm_version=track.rhythm_version,
        echoprint=_echoprint(track.echoprintstring),
        rhythm=_rhythm(track.rhythmstring),
    )


def _integer(name: str, value: float | None) -> int | None:
    if value is None:
        return None
    if not value.is_integer() or abs(value) > LARGEST_INTEGER:
        raise DocumentError(f"track.{name} {value} is not an integer in range")
    return int(value)


def _echoprint(string: str | None) -> EchoprintCodes:
    try:
        return decode_echoprint(string or "")
    except StringError as error:
        raise DocumentError(f"track.echoprintstring: {error}") from error


def _rhythm(string: str | None) -> OnsetTrains:
    try:
        return decode_rhythm(string or "")
    except StringError as error:
        raise DocumentError(f"track.rhythmstring: {error}") from error
