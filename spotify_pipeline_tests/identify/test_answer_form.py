"""What answers look like in each form, and that whole ones are told from half-written ones."""

import csv
import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotify_pipeline.identify.answer_form import (
    CSV,
    FORMS,
    JSON_LINES,
    AnswerForm,
    ForeignTextError,
)
from spotify_pipeline.identify.answers import Failure
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.identify.named_matches import NamedMatch
from spotify_pipeline_tests.identify.answers_made import answers

MATCH = NamedMatch("id", "Title, with comma", ("A", "B & C"), None, None, 0.98, 40, 12.5, 200.0)
FOUND = Answer("clip.mp3", 10.0, True, (MATCH, MATCH), 0.1)
UNKNOWN = Answer("hum.mp3", 5.0, False, (), 0.1)
UNREADABLE = Failure("text.mp3", "not audio")


def rows(*found: Answer | Failure) -> list[dict[str, str]]:
    text = CSV.head + b"".join(map(CSV.encode, found))
    return list(csv.DictReader(io.StringIO(text.decode(), newline=""), strict=True))


def files(form: AnswerForm, text: bytes) -> list[tuple[str, bool]]:
    """Give the recordings of the whole answers in a text, and which could not be read."""
    return [(found.file, found.failed) for found in form.answers(io.BytesIO(text))]


def test_json_has_an_object_a_line() -> None:
    assert msgspec.json.decode(JSON_LINES.encode(FOUND), type=Answer) == FOUND
    assert JSON_LINES.encode(UNREADABLE) == b'{"file":"text.mp3","error":"not audio"}\n'


def test_csv_has_a_row_a_match() -> None:
    first, second = rows(FOUND)
    assert (first["match"], second["match"], first["matches"]) == ("1", "2", "2")
    assert (first["file"], first["duration"], first["elapsed"]) == ("clip.mp3", "10.0", "0.1")
    assert (first["track_id"], first["title"], first["album"]) == ("id", "Title, with comma", "")
    assert first["artists"] == "A; B & C"
    assert (first["confidence"], first["score"], first["offset"]) == ("0.98", "40", "12.5")
    assert (first["track_duration"], first["error"]) == ("200.0", "")


def test_an_unknown_recording_has_one_row_without_a_track() -> None:
    (row,) = rows(UNKNOWN)
    reported = {name: value for name, value in row.items() if value}
    assert reported == {
        "file": "hum.mp3",
        "duration": "5.0",
        "matches": "0",
        "elapsed": "0.1",
        "complete": "True",
    }


def test_an_unreadable_file_has_one_row_with_its_error() -> None:
    (row,) = rows(UNREADABLE)
    assert {name: value for name, value in row.items() if value} == {
        "file": "text.mp3",
        "error": "not audio",
    }


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)
@given(found=st.lists(answers(), max_size=4))
def test_what_was_written_is_found_again(form: AnswerForm, found: list[Answer | Failure]) -> None:
    text = form.head + b"".join(map(form.encode, found))
    expected = [(answer.file, isinstance(answer, Failure)) for answer in found]
    assert files(form, text) == expected


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)
@given(found=st.lists(answers(), max_size=3), data=st.data())
def test_of_a_text_that_is_cut_off_the_whole_answers_are_found(
    form: AnswerForm, found: list[Answer | Failure], data: st.DataObject
) -> None:
    ends = [len(form.head)]
    for answer in found:
        ends.append(ends[-1] + len(form.encode(answer)))
    text = form.head + b"".join(map(form.encode, found))
    length = data.draw(st.integers(0, len(text)))
    whole = list(form.answers(io.BytesIO(text[:length])))
    assert [answer.end for answer in whole] == [end for end in ends[1:] if end <= length]


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)
@pytest.mark.parametrize(
    "text",
    [
        b"hello",
        b"hello\n",
        b"\n",
        b"\xff\xfe\n",
        b"[\n",
        b'{"file":"clip.mp3","duration":10.0,"echoprintstring":""}\n',
        b"file,duration\r\n",
        b'"half a quote\n',
    ],
)
def test_another_text_is_refused(form: AnswerForm, text: bytes) -> None:
    with pytest.raises(ForeignTextError):
        files(form, text)


@pytest.mark.parametrize(("form", "other"), [(CSV, JSON_LINES), (JSON_LINES, CSV)])
def test_answers_in_the_other_form_are_refused(form: AnswerForm, other: AnswerForm) -> None:
    with pytest.raises(ForeignTextError):
        files(form, other.head + other.encode(FOUND))


def test_rows_of_another_table_behind_the_head_are_refused() -> None:
    with pytest.raises(ForeignTextError):
        files(CSV, CSV.head + b"one,two\r\n")
