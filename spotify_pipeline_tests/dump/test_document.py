"""Documents as the dump holds them and as a hostile one might: fields, or the reason why not."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.dump import document
from spotify_pipeline.dump.document import DetectionFields, load_kernels, parse_document
from spotify_pipeline.dump.errors import DocumentError
from spotify_pipeline.fingerprint import (
    EchoprintForm,
    codes_of_trains,
    decode_echoprint,
    decode_rhythm,
    unpack_codes,
    unpack_trains,
)
from spotify_pipeline.harmony import Segments, pack_harmony, unpack_harmony
from spotify_pipeline_tests.documents import (
    Document,
    echoprint_trains,
    json_line,
    make_document,
    make_track_id,
    rhythm_trains,
)
from spotify_pipeline_tests.shared import shared_path

TRACK_ID = make_track_id("0a", 7)
DOCUMENT = make_document(TRACK_ID, duration=5.0)
LINE = json_line(DOCUMENT)

NUMBERS = [
    "duration",
    "tempo",
    "tempo_confidence",
    "key",
    "key_confidence",
    "mode",
    "mode_confidence",
    "time_signature",
    "time_signature_confidence",
    "loudness",
    "end_of_fade_in",
    "start_of_fade_out",
    "echoprint_version",
    "rhythm_version",
]
INTEGERS = ["key", "mode", "time_signature"]
STRINGS = ["echoprintstring", "rhythmstring"]


def with_track(**fields: Any) -> bytes:
    """Give the line of the document with fields of ``track`` set."""
    return json_line({**DOCUMENT, "track": DOCUMENT["track"] | fields})


def with_number(name: str, literal: str) -> bytes:
    """Give the line with a field of ``track`` written just so."""
    return with_track(**{name: msgspec.Raw(literal.encode())})


def with_track_id(track_id: Any) -> bytes:
    return json_line({**DOCUMENT, "meta": DOCUMENT["meta"] | {"track_id": track_id}})


def shuffled(value: Any, seed: int) -> Any:
    """Shuffle the keys of every object, at all levels."""
    if isinstance(value, list):
        return [shuffled(item, seed) for item in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    random.Random(seed).shuffle(keys)
    return {key: shuffled(value[key], seed) for key in keys}


def test_the_fields_of_a_document_come_out() -> None:
    fields, track = parse_document(LINE), DOCUMENT["track"]
    assert fields.track_id == TRACK_ID
    assert fields.analyzer_version == "4.0.0"
    assert {name: getattr(fields, name) for name in NUMBERS} == {
        name: track[name] for name in NUMBERS
    }
    codes = codes_of_trains(echoprint_trains(TRACK_ID, 5.0))
    assert unpack_codes(fields.echoprint_form, fields.echoprint) == codes
    assert unpack_trains(fields.rhythm) == rhythm_trains(TRACK_ID, 5.0)
    assert len(codes) > 0
    assert len(fields.rhythm) > 0


@pytest.mark.parametrize(
    "name",
    [
        "03UrZgTINDqvnUMbbIMhql.json",
        "7nWUDDCpTDYle0Ppi8i5K1.json",
        "7nWUDDCpTDYle0Ppi8i5K1.pretty.json",
    ],
)
def test_real_documents_come_out_as_their_strings_decode(name: str) -> None:
    document: Document = json.loads(shared_path("analysis", name).read_text(encoding="utf-8"))
    track_id, track = name.split(".", maxsplit=1)[0], document["track"]
    document["meta"]["track_id"] = track_id
    fields = parse_document(json_line(document))
    assert fields.track_id == track_id
    codes = unpack_codes(fields.echoprint_form, fields.echoprint)
    assert codes == decode_echoprint(track["echoprintstring"])
    assert unpack_trains(fields.rhythm) == decode_rhythm(track["rhythmstring"])
    assert fields.echoprint_form == EchoprintForm.TRAINS
    assert len(codes) > 1000
    assert [getattr(fields, name) for name in NUMBERS] == [track[name] for name in NUMBERS]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_fields_does_not_matter(seed: int) -> None:
    line = json_line(shuffled(DOCUMENT, seed))
    assert line != LINE
    assert parse_document(line) == parse_document(LINE)


def test_the_last_of_several_tracks_counts_wherever_it_stands() -> None:
    other = json_line(make_document(TRACK_ID, 3.0)["track"]).strip()
    line = LINE.rstrip()[:-1] + b',"track":' + other + b"}"
    assert parse_document(line).duration == 3.0


def test_what_is_not_needed_is_not_parsed() -> None:
    broken = LINE.replace(b'"bars":[', b'"bars":[broken,')
    assert parse_document(broken) == parse_document(LINE)


def test_keys_with_escapes_are_understood() -> None:
    escaped = LINE.replace(b'"track":', rb'"tr\u0061ck":').replace(
        b'"segments":', rb'"\u0073egments":'
    )
    assert parse_document(escaped) == parse_document(LINE)


def test_brackets_in_texts_do_not_matter() -> None:
    text = b'"name":"]}\\"{[\\\\",'
    assert parse_document(b"{" + text + LINE[1:]) == parse_document(LINE)
    assert parse_document(LINE.replace(b'"confidence"', text + b'"confidence"')) == (
        parse_document(LINE)
    )


def test_harmony_is_that_of_the_segments() -> None:
    segments = DOCUMENT["segments"]
    fields = parse_document(LINE)
    assert fields.harmony == pack_harmony(
        Segments(
            np.array([segment["start"] for segment in segments]),
            np.array([segment["pitches"] for segment in segments], np.float32),
            np.array([segment["loudness_max"] for segment in segments], np.float32),
        )
    )
    assert fields.without_harmony is None


def test_loading_kernels_takes_a_document_with_harmony() -> None:
    assert parse_document(document._SHORTEST).harmony
    load_kernels()


def test_harmony_that_is_not_wanted_is_not_read() -> None:
    fields = parse_document(LINE, with_harmony=False)
    assert fields == replace(parse_document(LINE), harmony=None)


def with_segments(literal: bytes) -> bytes:
    """Give the line with segments written just so."""
    return json_line({**DOCUMENT, "segments": msgspec.Raw(literal)})


def segment_line(**fields: str) -> bytes:
    """Give the line with one segment more, some of its fields written just so."""
    usual = {
        "start": "4.5",
        "loudness_max": "-7",
        "pitches": "[1" + 11 * ",0" + "]",
        "timbre": "[]",
    }
    members = ",".join(f'"{name}":{value}' for name, value in (usual | fields).items() if value)
    return with_segments(
        msgspec.json.encode(DOCUMENT["segments"])[:-1] + f",{{{members}}}]".encode()
    )


PITCHES = "a start, loudness_max or pitch is no number"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (json_line({k: v for k, v in DOCUMENT.items() if k != "segments"}), "segments are missing"),
        (with_segments(b"[]"), "segments are missing"),
        (with_segments(b"[ ]"), "segments are missing"),
        (with_segments(b"null"), "segments are no array of objects"),
        (with_segments(b"7"), "segments are no array of objects"),
        (with_segments(b'"[]"'), "segments are no array of objects"),
        (with_segments(b"{}"), "segments are no array of objects"),
        (with_segments(b"[1]"), "segments are no array of objects"),
        (with_segments(b"[[]]"), "segments are no array of objects"),
        (with_segments(b"[{}]"), "a segment lacks start, loudness_max or pitches"),
        *(
            (segment_line(**{name: ""}), "a segment lacks start, loudness_max or pitches")
            for name in ("start", "loudness_max", "pitches")
        ),
        *(
            (segment_line(**{name: value}), PITCHES)
            for name in ("start", "loudness_max", "pitches")
            for value in ('"1"', "null", "true", "NaN", "-Infinity", "{}", "01", "+1", "1.", ".5")
        ),
        *(
            (segment_line(pitches=f"[{value}{11 * ',0'}]"), PITCHES)
            for value in ('"1"', "null", "NaN", "Infinity", "[1]", "{}", "1 1", "0.1.2", "0.", "-")
        ),
        (segment_line(pitches="[]"), "a segment has other than 12 pitches"),
        (segment_line(pitches="[1" + 10 * ",0" + "]"), "a segment has other than 12 pitches"),
        (segment_line(pitches="[1" + 12 * ",0" + "]"), "a segment has other than 12 pitches"),
        (segment_line(pitches="[1.5" + 11 * ",0" + "]"), "a pitch is not from 0 to 1"),
        (segment_line(pitches="[-0.5" + 11 * ",0" + "]"), "a pitch is not from 0 to 1"),
        (segment_line(start="0"), "segments are not in order of time"),
        (segment_line(start="-1"), "a segment begins before 0 or after 86,400 s"),
        (segment_line(start="1e999"), "a segment begins before 0 or after 86,400 s"),
        (segment_line(start="86401"), "a segment begins before 0 or after 86,400 s"),
        (segment_line(loudness_max="-1e999"), "a loudness is not finite"),
    ],
)
def test_segments_that_are_not_valid_leave_a_document_without_harmony_and_no_more(
    line: bytes, reason: str
) -> None:
    expected = replace(parse_document(LINE), harmony=None, without_harmony=reason)
    assert parse_document(line) == expected


@pytest.mark.parametrize("literal", [b"[]", b"null", b"[{}]"])
def test_a_document_that_is_parsed_whole_is_left_without_harmony_for_the_same_reasons(
    literal: bytes,
) -> None:
    line = with_segments(literal)
    assert parse_document(line.replace(b'"bars"', rb'"b\u0061rs"')) == parse_document(line)


@pytest.mark.parametrize("start", ["4.5", "4", "4.0", "45e-1", "4.4999999999999999", "0.4500E+1"])
def test_segments_may_overlap_and_be_of_no_length_and_numbers_have_any_form(start: str) -> None:
    harmony = parse_document(segment_line(start=start, duration="0")).harmony
    assert harmony is not None
    (*_, last) = unpack_harmony(harmony).starts
    assert abs(last - float(start)) < 0.006
    assert parse_document(segment_line(start="4.5") + b" ").harmony is not None


def test_more_segments_than_a_track_can_have_are_refused() -> None:
    one = b'{"start":0,"loudness_max":0,"pitches":[0,0,0,0,0,0,0,0,0,0,0,1]}'
    assert parse_document(with_segments(b"[" + b",".join([one] * 2**18) + b"]")).harmony
    line = with_segments(b"[" + b",".join([one] * 10**6) + b"]")
    assert parse_document(line).without_harmony == "more than 262,144 segments"


def test_white_space_between_tokens_does_not_matter() -> None:
    assert parse_document(json.dumps(DOCUMENT, indent=4).encode()) == parse_document(LINE)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("literal", ["3", "3.0", "0.3e1", "30E-1"])
def test_a_number_may_be_written_as_an_integer_or_a_float(name: str, literal: str) -> None:
    value = getattr(parse_document(with_number(name, literal)), name)
    assert value == 3
    assert type(value) is (int if name in INTEGERS else float)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_missing_or_null_is_none(name: str) -> None:
    track = {key: value for key, value in DOCUMENT["track"].items() if key != name}
    missing = parse_document(json_line({**DOCUMENT, "track": track}))
    assert getattr(missing, name) is None
    assert parse_document(with_track(**{name: None})) == missing


def test_a_document_of_nothing_but_a_track_id_and_an_empty_track_is_taken() -> None:
    fields = parse_document(json_line({"meta": {"track_id": TRACK_ID}, "track": {}}))
    assert fields.track_id == TRACK_ID
    assert fields.analyzer_version is None
    assert {getattr(fields, name) for name in NUMBERS} == {None}
    assert (len(fields.echoprint), len(fields.rhythm)) == (0, 0)


@pytest.mark.parametrize("string", ["", None])
def test_fingerprints_that_are_empty_or_null_have_nothing_in_them(string: str | None) -> None:
    fields = parse_document(with_track(echoprintstring=string, rhythmstring=string))
    assert (len(fields.echoprint), len(fields.rhythm)) == (0, 0)
    assert fields.duration == 5.0


@pytest.mark.parametrize("track", [None, "missing"])
def test_a_failed_analysis_is_not_taken(track: str | None) -> None:
    document = {
        "meta": DOCUMENT["meta"] | {"status_code": 1, "detailed_status": "Unknown error"},
        **({} if track == "missing" else {"track": None}),
    }
    with pytest.raises(DocumentError, match=r"track is missing \(a failed analysis\)"):
        parse_document(json_line(document))


@pytest.mark.parametrize("name", STRINGS)
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda string: "not base64!", "base64"),
        (lambda string: "ÄÖÜ", "not ASCII"),
        (lambda string: "AAAA", "zlib"),
        (lambda string: string[: len(string) // 8 * 4], "cut off"),
    ],
    ids=["not base64", "not ASCII", "not zlib", "cut off"],
)
def test_a_broken_string_is_named_with_the_reason(
    name: str, broken: Callable[[str], str], reason: str
) -> None:
    with pytest.raises(DocumentError, match=rf"^track\.{name}: .*{reason}"):
        parse_document(with_track(**{name: broken(DOCUMENT["track"][name])}))


def test_the_two_strings_are_not_taken_for_each_other() -> None:
    track = DOCUMENT["track"]
    with pytest.raises(DocumentError, match=r"track\.echoprintstring"):
        parse_document(with_track(echoprintstring=track["rhythmstring"]))
    with pytest.raises(DocumentError, match=r"track\.rhythmstring"):
        parse_document(with_track(rhythmstring=track["echoprintstring"]))


@pytest.mark.parametrize(
    "literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + 400 * "0"]
)
def test_a_number_that_is_not_finite_is_not_taken(literal: str) -> None:
    with pytest.raises(DocumentError, match="not an analysis document"):
        parse_document(with_number("duration", literal))


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("literal", ["4.5", "1e300", "2147483648", "-2147483648", "1" + 40 * "0"])
def test_an_integer_that_is_none_or_too_large_is_not_taken(name: str, literal: str) -> None:
    with pytest.raises(DocumentError, match=rf"track\.{name} .* is not an integer in range"):
        parse_document(with_number(name, literal))


def test_the_last_of_duplicate_keys_counts() -> None:
    line = (
        b'{"meta":{"track_id":"x","track_id":"%s"},"track":{"key":1,"key":2}}' % TRACK_ID.encode()
    )
    assert parse_document(line).key == 2


@pytest.mark.parametrize(
    "nested",
    [
        pytest.param(b"[" * 100_000, id="unclosed"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="arrays"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="objects"),
    ],
)
def test_deep_nesting_is_not_taken(nested: bytes) -> None:
    with pytest.raises(DocumentError):
        parse_document(nested)
    with pytest.raises(DocumentError):
        parse_document(b'{"more":' + nested + b"," + LINE[1:])


@pytest.mark.parametrize(
    "version", [b'"\xff"', b'"\xed\xa0\x80"', rb'"\ud800"', rb'"\udc00\ud800"', b'"\n"']
)
def test_a_text_that_is_not_unicode_is_not_taken(version: bytes) -> None:
    with pytest.raises(DocumentError, match="not an analysis document"):
        parse_document(LINE.replace(b'"4.0.0"', version))


def test_bytes_that_are_not_utf8_do_not_matter_in_what_is_skipped() -> None:
    assert parse_document(LINE.replace(b"libvorbis", b"\xff\xfe")) == parse_document(LINE)


@pytest.mark.parametrize(
    "track_id",
    [
        pytest.param(TRACK_ID[:-1], id="short"),
        pytest.param(TRACK_ID + "0", id="long"),
        pytest.param(TRACK_ID[:-1] + "-", id="not base62"),
        pytest.param(TRACK_ID[:-1] + "\n", id="newline"),
        pytest.param(TRACK_ID[:-1] + "é", id="letter outside ASCII"),
        pytest.param(22 * "\u0663", id="digits outside ASCII"),
        pytest.param("spotify:track:" + TRACK_ID, id="URI"),
        pytest.param(10_000 * "0", id="very long"),
    ],
)
def test_a_malformed_track_id_is_not_taken(track_id: str) -> None:
    with pytest.raises(DocumentError, match="is not 22 base62 characters") as error:
        parse_document(with_track_id(track_id))
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    "document",
    [
        {"track": DOCUMENT["track"]},
        {**DOCUMENT, "meta": None},
        {**DOCUMENT, "meta": {}},
        {**DOCUMENT, "meta": {"track_id": ""}},
    ],
    ids=["no meta", "null meta", "no track id", "empty track id"],
)
def test_a_document_without_track_id_is_not_taken(document: Document) -> None:
    with pytest.raises(DocumentError, match=r"meta\.track_id is missing"):
        parse_document(json_line(document))


@pytest.mark.parametrize(
    "line",
    [
        *(pytest.param(with_track(**{name: "3"}), id=f"text for {name}") for name in NUMBERS),
        *(pytest.param(with_track(**{name: [3]}), id=f"array for {name}") for name in NUMBERS),
        *(pytest.param(with_track(**{name: 3}), id=f"number for {name}") for name in STRINGS),
        pytest.param(with_track(key=True), id="boolean for key"),
        pytest.param(with_track_id(7), id="number for the track id"),
        pytest.param(with_track_id(None), id="null for the track id"),
        pytest.param(json_line({**DOCUMENT, "track": []}), id="array for track"),
        pytest.param(json_line({**DOCUMENT, "meta": "4.0.0"}), id="text for meta"),
    ],
)
def test_a_wrong_type_is_not_taken(line: bytes) -> None:
    with pytest.raises(DocumentError, match="not an analysis document: Expected"):
        parse_document(line)


@pytest.mark.parametrize(
    "line",
    [b"", b" ", b"null", b"[]", b"7", b'"text"', LINE + LINE, LINE.rstrip()[:-1], LINE + b"]"],
)
def test_what_is_not_one_object_is_not_taken(line: bytes) -> None:
    with pytest.raises(DocumentError, match="not an analysis document"):
        parse_document(line)


def parse_or_refuse(line: bytes) -> None:
    """Parse a line; whatever comes out is of the declared shape, and nothing else is raised."""
    try:
        fields = parse_document(line)
    except DocumentError as error:
        assert str(error)
    else:
        assert isinstance(fields, DetectionFields)
        assert len(fields.track_id) == 22
        assert all(type(getattr(fields, name)) in (int, type(None)) for name in INTEGERS)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_as_documents(line: bytes) -> None:
    with pytest.raises(DocumentError):
        parse_document(line)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(LINE) - 1), st.binary(max_size=3)), max_size=4))
def test_a_mutated_line_is_parsed_or_refused(changes: list[tuple[int, bytes]]) -> None:
    line = bytearray(LINE)
    for position, replacement in changes:
        line[position : position + 2] = replacement
    parse_or_refuse(bytes(line))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(st.sampled_from(list(DOCUMENT["meta"])), JSON_VALUES, max_size=3),
    st.dictionaries(st.sampled_from(list(DOCUMENT["track"])), JSON_VALUES, max_size=4),
)
def test_a_document_with_odd_values_is_parsed_or_refused(
    meta: dict[str, Any], track: dict[str, Any]
) -> None:
    document = {**DOCUMENT, "meta": DOCUMENT["meta"] | meta, "track": DOCUMENT["track"] | track}
    parse_or_refuse(json.dumps(document).encode())
