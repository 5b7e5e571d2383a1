"""One analysis document to the fields that detection needs.

A document is the response of the former Spotify ``audio-analysis`` endpoint with ``meta.track_id``
added. Field order varies, and the same number is an integer in one document and a float in the
next; a failed analysis lacks fields. Everything that detection does not need is skipped, not built
and not checked: ``meta`` and ``track`` alone are parsed and, for harmony, some of ``segments``.
Documents in which that fails, or that are written in an odd way, are parsed whole.

Belongs here: parsing one document. Does not belong here: files and lines (`shard`, `lines`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from spotify_pipeline.dump.errors import DocumentError
from spotify_pipeline.dump.scanning import find_marks, find_members
from spotify_pipeline.dump.segments import NO_SEGMENTS, read_segments
from spotify_pipeline.fingerprint import (
    EchoprintForm,
    StringError,
    decode_echoprint,
    decode_rhythm,
    pack_echoprint,
    pack_trains,
)
from spotify_pipeline.fingerprint.arrays import Int32s
from spotify_pipeline.harmony import SegmentsError, pack_harmony
from spotify_pipeline.shards import is_track_id

__all__ = ["DetectionFields", "load_kernels", "parse_document"]

LARGEST_INTEGER = 2**31 - 1

_SHORTEST = (
    b'{"meta":{"track_id":"0000000000000000000000"},"track":{},'
    b'"segments":[{"start":0,"loudness_max":0,"pitches":[1,0,0,0,0,0,0,0,0,0,0,0]}]}'
)


@dataclass(frozen=True)
class DetectionFields:
    """What is kept of a document. Times are in seconds, loudness in dB, tempo in beats a minute.

    Fields that the document lacks are None; fingerprints that it lacks are empty. Fingerprints are
    packed as `fingerprint.packing` says, harmony as `harmony.packing` does. Harmony is None if it
    was not asked for, or segments are missing or not valid: `without_harmony` says why.
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
    harmony: bytes | None
    without_harmony: str | None


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
    segments: msgspec.Raw = msgspec.Raw()


_decoder = msgspec.json.Decoder(_Document)
_meta_decoder = msgspec.json.Decoder(_Meta | None)
_track_decoder = msgspec.json.Decoder(_Track | None)


class _Members(NamedTuple):
    """What a document holds; marks as `find_marks` gives them, None if segments are missing."""

    meta: _Meta | None
    track: _Track | None
    text: bytes | memoryview
    marks: Int32s | None


def parse_document(line: bytes | memoryview, *, with_harmony: bool = True) -> DetectionFields:
    """Parse a document; segments that are not valid leave it without harmony, and no more.

    Raises
    ------
    DocumentError
        Not JSON, not of the shape, no valid track id, no track, or a fingerprint string is broken.
    """
    document = _parse_members(line, with_harmony) or _parse_whole(line)
    meta, track = document.meta, document.track
    if meta is None or not meta.track_id:
        raise DocumentError("meta.track_id is missing")
    if not is_track_id(meta.track_id):
        raise DocumentError(f"meta.track_id {meta.track_id[:40]!r} is not 22 base62 characters")
    if track is None:
        raise DocumentError("track is missing (a failed analysis)")
    form, echoprint = _echoprint(track.echoprintstring)
    harmony, without_harmony = _harmony(document) if with_harmony else (None, None)
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
        harmony=harmony,
        without_harmony=without_harmony,
    )


def load_kernels() -> None:
    """Load most kernels that parsing takes; that takes as long as a thousand lines do."""
    parse_document(_SHORTEST)


def _parse_members(line: bytes | memoryview, with_harmony: bool) -> _Members | None:
    """Parse ``meta`` and ``track`` alone; None if that fails."""
    spans, marks = find_members(np.frombuffer(line, np.uint8), with_harmony)
    if len(spans) == 0:
        return None
    text = memoryview(line)
    (meta, meta_end), (track, track_end), (segments, _) = spans.tolist()
    try:
        return _Members(
            _meta_decoder.decode(text[meta:meta_end]) if meta_end > 0 else None,
            _track_decoder.decode(text[track:track_end]) if track_end > 0 else None,
            text,
            marks if segments > 0 else None,
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _parse_whole(line: bytes | memoryview) -> _Members:
    """Parse a document that may be none."""
    try:
        document = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(f"not an analysis document: {error}") from error
    text = bytes(document.segments)
    marks = find_marks(np.frombuffer(text, np.uint8), 0) if text else None
    return _Members(document.meta, document.track, text, marks)


def _harmony(document: _Members) -> tuple[bytes | None, str | None]:
    """Give the packed harmony, or why there is none."""
    if document.marks is None:
        return None, NO_SEGMENTS
    try:
        return pack_harmony(read_segments(document.text, document.marks)), None
    except SegmentsError as error:
        return None, str(error)


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
