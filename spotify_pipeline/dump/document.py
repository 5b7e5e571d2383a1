"""One analysis document to the fields that detection needs.

A document is the response of the former Spotify ``audio-analysis`` endpoint with ``meta.track_id``
added. Field order varies, and the same number is an integer in one document and a float in the
next; a failed analysis lacks fields. Everything that detection does not need is skipped, not built:
where ``meta`` and ``track`` come first, as they mostly do, the rest of the line (nine tenths of it)
is not parsed, only searched for another ``track``.

Belongs here: parsing one document. Does not belong here: files and lines (`shard`, `lines`).
"""

from dataclasses import dataclass

import msgspec
import numpy as np

from spotify_pipeline.dump.errors import DocumentError
from spotify_pipeline.dump.scanning import find_head
from spotify_pipeline.fingerprint import (
    EchoprintForm,
    StringError,
    decode_echoprint,
    decode_rhythm,
    pack_echoprint,
    pack_trains,
)
from spotify_pipeline.shards import is_track_id

__all__ = ["DetectionFields", "parse_document"]

LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True)
class DetectionFields:
    """What is kept of a document. Times are in seconds, loudness in dB, tempo in beats a minute.

    Fields that the document lacks are None; fingerprints that it lacks are empty. Fingerprints are
    packed as `fingerprint.packing` says.
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
    echoprint_form: EchoprintForm
    echoprint: bytes
    rhythm: bytes


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
_meta_decoder = msgspec.json.Decoder(_Meta)
_track_decoder = msgspec.json.Decoder(_Track)


def parse_document(line: bytes | memoryview) -> DetectionFields:
    """Parse a document.

    Raises
    ------
    DocumentError
        Not JSON, not of the shape, no valid track id, no track, or a fingerprint string is broken.
    """
    document = _parse_head(line)
    if document is None:
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
    form, echoprint = _echoprint(track.echoprintstring)
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
        echoprint_form=form,
        echoprint=echoprint,
        rhythm=_rhythm(track.rhythmstring),
    )


def _parse_head(line: bytes | memoryview) -> _Document | None:
    """Parse ``meta`` and ``track`` alone where `find_head` finds them; else None."""
    meta, meta_end, track, track_end = find_head(np.frombuffer(line, np.uint8))
    if meta < 0:
        return None
    text = memoryview(line)
    try:
        return _Document(
            _meta_decoder.decode(text[meta:meta_end]), _track_decoder.decode(text[track:track_end])
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _integer(name: str, value: float | None) -> int | None:
    if value is None:
        return None
    if not value.is_integer() or abs(value) > LARGEST_INTEGER:
        raise DocumentError(f"track.{name} {value} is not an integer in range")
    return int(value)


def _echoprint(string: str | None) -> tuple[EchoprintForm, bytes]:
    try:
        return pack_echoprint(decode_echoprint(string or ""))
    except StringError as error:
        raise DocumentError(f"track.echoprintstring: {error}") from error


def _rhythm(string: str | None) -> bytes:
    try:
        return pack_trains(decode_rhythm(string or ""))
    except StringError as error:
        raise DocumentError(f"track.rhythmstring: {error}") from error
