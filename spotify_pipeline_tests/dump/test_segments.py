"""Segments of a document's text: what `json.loads` finds in it, on real and synthetic documents."""

import json
import string
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spotify_pipeline.dump.scanning import find_members
from spotify_pipeline.dump.segments import read_segments
from spotify_pipeline.harmony import Segments, SegmentsError, pack_harmony
from spotify_pipeline_tests.shared import shared_path


def segments_in(line: bytes) -> Segments:
    return read_segments(line, find_members(np.frombuffer(line, np.uint8), True)[1])


def segments_by_json(line: bytes) -> Segments:
    found = json.loads(line)["segments"]
    return Segments(
        np.array([segment["start"] for segment in found], np.float64),
        np.array([segment["pitches"] for segment in found], np.float64).astype(np.float32),
        np.array([segment["loudness_max"] for segment in found], np.float64).astype(np.float32),
    )


def real_lines() -> Iterator[bytes]:
    packed = shared_path("real-documents", "documents.jsonl.zst")
    with packed.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read()
    yield from text.splitlines()
    for folder in ("analysis", "pairs"):
        for path in sorted(shared_path(folder).glob("*.json")):
            yield path.read_bytes()


def test_segments_of_real_documents_are_those_that_json_finds() -> None:
    sizes = []
    for line in real_lines():
        segments = segments_in(line)
        assert segments == segments_by_json(line)
        sizes.append(len(pack_harmony(segments)))
    assert len(sizes) >= 29
    assert np.mean(sizes) < 2500


numbers = st.integers(-100, 100) | st.floats(-1e6, 1e6) | st.floats(0, 1).map(lambda x: round(x, 3))
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8) | st.text('\\\\"[]{},:', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=14) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
other_keys = st.sampled_from(["timbre", "start ", "tart", "loudness_end", "pitche", '"', "\\"]) | (
    st.text(max_size=6)
)


def shuffled(draw: st.DrawFn, members: dict[str, Any]) -> dict[str, Any]:
    return dict(draw(st.permutations(list(members.items()))))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw documents with segments, their keys in any order, others between, of any depth."""
    segments = []
    for _ in range(draw(st.integers(1, 4))):
        others = draw(st.dictionaries(other_keys, values, max_size=4))
        needed = {
            "start": draw(numbers),
            "loudness_max": draw(numbers),
            "pitches": draw(st.lists(numbers, min_size=12, max_size=12)),
        }
        segments.append(shuffled(draw, {**others, **needed}))
    others = draw(st.dictionaries(st.text(string.printable, max_size=6), values, max_size=4))
    return shuffled(draw, {**others, "segments": segments})


@settings(deadline=None, max_examples=500)
@given(documents(), st.sampled_from([None, 1]), st.booleans())
def test_segments_are_those_that_json_finds(
    document: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    line = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode(
        errors="surrogatepass"
    )
    spans, _ = find_members(np.frombuffer(line, np.uint8), True)
    if len(spans) == 0:  # a key has an escape: the document is parsed whole
        assert any("\\" in json.dumps(key, ensure_ascii=ascii_only) for key in document)
        return
    assert segments_in(line) == segments_by_json(line)


SEGMENT = {"start": 0.25, "pitches": [1, *[0.001] * 11], "loudness_max": -7.5, "timbre": [0.5] * 12}
LINE = json.dumps({"meta": {"a": 'x"y'}, "segments": [SEGMENT] * 3, "tatums": []}).encode()


@settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(st.integers(0, len(LINE) - 1), st.binary(max_size=3)), max_size=4))
@example([(len(LINE) - 1, b"")])
def test_a_mutated_document_is_read_or_refused(changes: list[tuple[int, bytes]]) -> None:
    line = bytearray(LINE)
    for position, replacement in changes:
        line[position : position + 2] = replacement
    try:
        segments = segments_in(bytes(line))
    except SegmentsError as error:
        assert str(error)
        return
    try:
        expected = segments_by_json(bytes(line))
    except (ValueError, TypeError, KeyError):
        return  # what is passed over is not checked
    assert segments == expected


@pytest.mark.parametrize("length", range(len(LINE)))
def test_a_document_that_is_cut_off_has_no_segments(length: int) -> None:
    with pytest.raises(SegmentsError):
        segments_in(LINE[:length])


@settings(deadline=None, max_examples=300)
@given(st.text('[]{}",:\\ 01.e-', max_size=40).map(str.encode) | st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(value: bytes) -> None:
    with pytest.raises(SegmentsError):
        segments_in(b'{"segments":[' + value + b"]}")


def test_texts_longer_than_blocks_and_escapes_at_their_ends_are_passed_over() -> None:
    for length in range(130):
        text = "\\" * (length % 3) + "x" * length + '"]}'
        line = json.dumps({"a": [text], "segments": [{"b": {text: text}, **SEGMENT}]}).encode()
        assert segments_in(line) == segments_by_json(line)
