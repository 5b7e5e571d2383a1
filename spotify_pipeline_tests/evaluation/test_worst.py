"""The page of worst cases: the surest wrong answers first, then what was missed."""

from spotify_pipeline.evaluation.worst import worst_page
from spotify_pipeline_tests.evaluation.results import make_result

SURE, UNSURE = 9.0, -3.0


def section(page: str, title: str) -> list[str]:
    """Give the rows below a title, without the head of the table."""
    body = page.partition(f"## {title}\n\n")[2].partition("\n\n")[0]
    return body.strip().split("\n")[2:]


def test_wrong_answers_come_by_confidence_with_their_evidence() -> None:
    results = [
        make_result(1, UNSURE, wrong=SURE),
        make_result(2, UNSURE, wrong=SURE + 1),
        make_result(3, SURE, wrong=UNSURE),
    ]
    first, second = section(worst_page(results), "Known excerpts, another track in front")
    assert "piece\N{NO-BREAK SPACE}2," in first
    assert (
        "| spliced 99 | spliced | yes | 1.000 | 80 | 100 | 30 | 0 | 90.0% | 20.0% | 10 | 0.0 s"
        " | 1.000 | 90 |" in first
    )
    assert "piece\N{NO-BREAK SPACE}1," in second


def test_unknown_excerpts_are_listed_whether_accepted_or_not() -> None:
    results = [make_result(n, SURE, unknown=odds) for n, odds in ((1, UNSURE), (2, SURE))]
    first, second = section(worst_page(results), "Unknown excerpts")
    assert "| yes |" in first
    assert "| no |" in second


def test_missed_pieces_come_with_the_rival_or_without() -> None:
    results = [make_result(1, UNSURE, wrong=UNSURE - 1), make_result(2, None), make_result(3, SURE)]
    rows = section(worst_page(results), "Known excerpts not accepted, most expected evidence first")
    assert len(rows) == 2
    assert "spliced 99" in rows[0]
    assert "| 0 |  |  |" in rows[1]


def test_a_page_of_nothing_says_so() -> None:
    assert worst_page([]).count("None.") == 3
