"""Files of answers that runs are interrupted in and go on with."""

from pathlib import Path

import pytest

from spotify_pipeline.identify.answer_file import AnswerFile, AnswerFileError, form_of
from spotify_pipeline.identify.answer_form import CSV, FORMS, JSON_LINES, AnswerForm
from spotify_pipeline.identify.answers import Failure
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.identify.named_matches import NamedMatch

MATCH = NamedMatch("id", None, (), None, None, 0.98, 40, 12.5, None)
ANSWERS = (
    Answer("a.mp3", 10.0, True, (MATCH, MATCH), 0.1),
    Failure("b.mp3", "not audio"),
    Answer("c.mp3", None, False, (), 0.1),
)
RECORDINGS = [Path(answer.file) for answer in ANSWERS]

each_form = pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)


def write_all(path: Path, form: AnswerForm) -> AnswerFile:
    """Write what is not answered yet, as a run does."""
    with AnswerFile(path, form) as file:
        left = file.unanswered(RECORDINGS)
        for answer in ANSWERS:
            if Path(answer.file) in left:
                file.write(answer)
    return file


@each_form
def test_a_run_that_is_cut_off_at_any_byte_is_completed_by_the_next(
    form: AnswerForm, tmp_path: Path
) -> None:
    path = tmp_path / "answers"
    write_all(path, form)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        write_all(path, form)
        assert path.read_bytes() == whole


@each_form
def test_a_complete_file_stays_as_it_is(form: AnswerForm, tmp_path: Path) -> None:
    path = tmp_path / "answers"
    first = write_all(path, form)
    whole = path.read_bytes()
    again = write_all(path, form)
    assert path.read_bytes() == whole
    assert (first.earlier, again.earlier) == (0, len(ANSWERS))
    assert (first.failed, again.failed) == (1, 1)


@each_form
def test_an_answer_is_in_the_file_as_soon_as_it_is_written(
    form: AnswerForm, tmp_path: Path
) -> None:
    path = tmp_path / "answers"
    with AnswerFile(path, form) as file:
        file.write(ANSWERS[0])
        assert path.read_bytes() == form.head + form.encode(ANSWERS[0])


@pytest.mark.parametrize(("form", "other"), [(CSV, JSON_LINES), (JSON_LINES, CSV)])
def test_a_file_of_the_other_form_is_left_as_it_is(
    form: AnswerForm, other: AnswerForm, tmp_path: Path
) -> None:
    path = tmp_path / "answers"
    write_all(path, other)
    before = path.read_bytes()
    with pytest.raises(AnswerFileError, match=f"does not hold answers as {form.name}"):
        AnswerFile(path, form)
    assert path.read_bytes() == before


@each_form
def test_a_note_of_one_line_is_left_as_it_is(form: AnswerForm, tmp_path: Path) -> None:
    path = tmp_path / "answers"
    path.write_text("to do: tidy up")
    with pytest.raises(AnswerFileError):
        AnswerFile(path, form)
    assert path.read_text() == "to do: tidy up"


@pytest.mark.parametrize(
    ("name", "form"), [("a.jsonl", JSON_LINES), ("a.JSON", JSON_LINES), ("a.b.csv", CSV)]
)
def test_the_name_tells_the_form(name: str, form: AnswerForm) -> None:
    assert form_of(Path(name)) is form


def test_a_name_that_tells_no_form_is_an_error() -> None:
    with pytest.raises(AnswerFileError, match=r"ends in none of \.jsonl, \.json, \.csv"):
        form_of(Path("answers.txt"))
