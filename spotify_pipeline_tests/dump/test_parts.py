"""Parts kept on request: every value of a document is in its part's rows, as it is written."""

import json
from typing import Any

import pytest

from spotify_pipeline.dump.errors import DocumentError
from spotify_pipeline.dump.parts import PARTS, PartsParser, check_parts
from spotify_pipeline.errors import PipelineError
from spotify_pipeline_tests.documents import json_line, make_document
from spotify_pipeline_tests.shared import shared_path

DOCUMENT = make_document("0a00000000000000000001", 4.0)
ARRAYS = ["sections", "segments", "beats", "bars", "tatums"]


def rows_of(document: dict[str, Any], part: str) -> list[dict[str, Any]]:
    names = PARTS[part].names[1:]
    rows = PartsParser([part]).parse(json_line(document))[part]
    return [dict(zip(names, row, strict=True)) for row in rows]


def real_documents() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(shared_path("analysis").glob("*.json"))]


@pytest.mark.parametrize("part", ARRAYS)
def test_every_value_of_a_real_document_is_in_the_rows(part: str) -> None:
    for document in real_documents():
        rows = rows_of(document, part)
        assert [row.pop("position") for row in rows] == list(range(len(document[part])))
        for row, item in zip(rows, document[part], strict=True):
            assert {name: value for name, value in row.items() if value is not None} == item


@pytest.mark.parametrize("part", ["codestring", "synchstring"])
def test_strings_are_kept_as_they_are(part: str) -> None:
    for document in real_documents():
        assert rows_of(document, part) == [{"text": document["track"][part]}]


def test_a_document_without_a_part_has_no_rows_of_it() -> None:
    parts = PartsParser(tuple(PARTS)).parse(b"{}")
    assert parts == {part: [] for part in PARTS}


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("segments", [{"pitches": [0.5] * 11}]),
        ("segments", [{"timbre": [0.5] * 13}]),
        ("beats", {"start": 1}),
        ("beats", [{"start": "soon"}]),
        ("sections", [7]),
    ],
)
def test_a_part_of_another_shape_is_not_taken(part: str, value: object) -> None:
    with pytest.raises(DocumentError, match="parts can't be read"):
        PartsParser([part]).parse(json_line({**DOCUMENT, part: value}))


def test_a_part_that_is_not_asked_for_is_not_looked_at() -> None:
    PartsParser(["bars"]).parse(json_line({**DOCUMENT, "beats": "broken"}))


def test_parts_are_chosen_by_name_in_any_order() -> None:
    assert check_parts(["bars", "sections", "bars"]) == ("sections", "bars")
    assert check_parts([]) == ()
    with pytest.raises(PipelineError, match=r"PARTS, .* names 'chords', .* use sections, seg"):
        check_parts(["bars", "chords"])
