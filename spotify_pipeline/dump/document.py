"""One analysis document to the fields that detection needs.

A document is the response of the former Spotify ``audio-analysis`` endpoint with ``meta.track_id``
added. Field order varies, and the same number is an integer in one document and a float in the
next; a failed analysis lacks fields. Everything that detection does not need is skipped, not built
and not checked: ``meta`` and ``track`` alone are parsed and, for harmony, some of ``segments``.
Documents in which that fails, or that are written in an odd way, are parsed whole.

Belongs here: parsing one document. Does not belong here: files and lines (`shard`, `lines`).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np

from spotify_pipeline.dump.columns import COLUMNS, Member, TrackRow
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
class DetectionFields(TrackRow):
    """What is kept of a document, and why it has no harmony.

    Harmony is None if it was not asked for, or segments are missing or not valid: `without_harmony`
    says why.
    """

    without_harmony: str | None


_SCALARS = [(column, column.member) for column in COLUMNS if column.member is not None]
"""The columns that a document has as they are, and where."""

_TYPES = {str: str | None, float: float | None, int: float | None}  # 4.0 is an integer, too


def _values(member: Member) -> list[tuple[str, Any, None]]:
    """Give name, type and default of the scalars that stand in a member of documents."""
    return [(column.name, _TYPES[column.kind], None) for column, of in _SCALARS if of is member]


_Meta: Any = msgspec.defstruct("_Meta", [("track_id", str, ""), *_values(Member.META)])
_Track: Any = msgspec.defstruct(
    "_Track",
    [
        *_values(Member.TRACK),
        ("echoprintstring", str | None, None),
        ("rhythmstring", str | None, None),
    ],
)

_Document: Any = msgspec.defstruct(
    "_Document",
    [
        ("meta", _Meta | None, None),
        ("track", _Track | None, None),
        ("segments", msgspec.Raw, msgspec.Raw()),
    ],
)

_decoder = msgspec.json.Decoder(_Document)
_meta_decoder = msgspec.json.Decoder(_Meta | None)
_track_decoder = msgspec.json.Decoder(_Track | None)


class _Members(NamedTuple):
    """What a document holds; marks as `find_marks` gives them, None if segments are missing."""

    meta: Any
    track: Any
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
        **_scalars(document),
        echoprint_form=form,
        echoprint=echoprint,
        rhythm=_rhythm(track.rhythmstring),
        harmony=harmony,
        without_harmony=without_harmony,
    )


def _scalars(document: _Members) -> dict[str, Any]:
    """Give the columns that a document has as they are."""
    members = {Member.META: document.meta, Member.TRACK: document.track}
    values = ((column, getattr(members[member], column.name)) for column, member in _SCALARS)
    return {
        column.name: _integer(column.name, value) if column.kind is int else value
        for column, value in values
    }


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
