"""Tables as text and as Markdown."""

from spotify_pipeline.evaluation.tables import Table, number, percentage

TABLE = Table(("", "answers"), [("clean", "1,234"), ("room", "")])


def test_columns_of_text_are_aligned() -> None:
    assert TABLE.text() == "       answers\nclean    1,234\n room         "


def test_markdown_has_a_line_a_row() -> None:
    assert TABLE.markdown() == "|  | answers |\n| --- | ---: |\n| clean | 1,234 |\n| room |  |"


def test_names_of_rows_do_not_wrap_in_markdown() -> None:
    named = Table(("", "answers"), [("clean 5 s", "1")]).markdown()
    assert "| clean\N{NO-BREAK SPACE}5\N{NO-BREAK SPACE}s | 1 |" in named


def test_what_is_no_number_stays_empty() -> None:
    assert (percentage(0.1234), percentage(float("nan"))) == ("12.3%", "")
    assert (number(1234.5, 1), number(float("nan"))) == ("1,234.5", "")
