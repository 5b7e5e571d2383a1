"""The catalogue as the command ``lookup`` answers, over HTTP."""

import json
from typing import Any

import httpx
import pytest

from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.catalogue_made import track_id
from spotify_pipeline_tests.processes import run_here


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_words_and_filters_answer_as_the_command_line_does(
    client: httpx.Client, home: Settings
) -> None:
    found = lines(client.get("/api/lookup", params={"q": "yesterd", "artist": "beatles"}))
    said = run_here(home.home, "lookup", "yesterd", "--artist", "beatles", "--json").stdout
    expected = [json.loads(line) for line in said.splitlines()]
    assert [one.pop("markets") for one in found] == [["DE", "FR", "US"]]
    assert found == expected
    assert found[0]["other_releases"]


def test_a_batch_answers_line_by_line(client: httpx.Client) -> None:
    found = lines(client.post("/api/lookup", content=f"GBAYE6500521\n{track_id(0)}\nnothing\n"))
    assert [one.get("title") for one in found] == ["Yesterday - Remastered 2009", "One", None]
    assert "neither an id" in found[2]["error"]


@pytest.mark.parametrize(
    ("asked", "detail"),
    [({}, "name words"), ({"id": "x"}, "x: neither an id"), ({"q": "a", "limit": 0}, "limit: ")],
)
def test_what_is_no_question_is_a_problem(
    client: httpx.Client, asked: dict[str, Any], detail: str
) -> None:
    answer = client.get("/api/lookup", params=asked)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(detail)
