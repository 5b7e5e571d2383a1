"""Recordings over HTTP: audio, forms, documents, and what can't be read."""

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.resampling import analyzer_samples
from spotify_pipeline.settings import HOME_VARIABLE, Settings
from spotify_pipeline_tests.serve.served import KNOWN, RATE, music, wav

EXCERPT = wav(music(1, 10, start=7.5))


def test_an_excerpt_is_named_as_the_command_line_names_it(
    client: httpx.Client, home: Settings, tmp_path: Path
) -> None:
    answer = client.post("/api/identify", content=EXCERPT)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    file = tmp_path / "excerpt.wav"
    file.write_bytes(EXCERPT)
    runner = CliRunner(env={HOME_VARIABLE: str(home.home)})
    expected = json.loads(runner.invoke(main, ["identify", "--json", str(file)]).stdout)
    assert found["matches"] == expected["matches"]
    assert (found["identified"], found["duration"]) == (True, 10.0)
    assert found["matches"][0]["track_id"] == KNOWN
    assert found["matches"][0]["offset"] == pytest.approx(7.5, abs=0.05)


def test_an_excerpt_of_other_music_is_unknown(client: httpx.Client) -> None:
    answer = client.post("/api/identify", content=wav(music(2, 10)))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["identified"], found["matches"]) == (False, [])


def test_an_answer_that_is_wanted_at_once_says_that_not_all_was_tried(
    client: httpx.Client,
) -> None:
    music_of_another = wav(music(2, 10))
    found = client.post("/api/identify?deadline=0.000001", content=music_of_another).json()
    assert (found["identified"], found["complete"]) == (False, False)
    assert client.post("/api/identify", content=music_of_another).json()["complete"]


def test_matches_that_are_not_sure_are_given_if_wished(client: httpx.Client) -> None:
    strict = client.post("/api/identify?false_accepts=1e-12", content=EXCERPT).json()
    assert strict["matches"] == []
    unsure = client.post("/api/identify?false_accepts=1e-12&unsure=true", content=EXCERPT).json()
    assert not unsure["identified"]
    assert unsure["matches"][0]["track_id"] == KNOWN


def test_a_form_names_its_file(client: httpx.Client) -> None:
    found = client.post("/api/identify", files={"file": ("my clip.wav", EXCERPT)}).json()
    assert (found["file"], found["identified"]) == ("my clip.wav", True)


def test_a_form_without_the_field_is_refused(client: httpx.Client) -> None:
    answer = client.post("/api/identify", files={"other": ("clip.wav", EXCERPT)})
    assert answer.status_code == 422
    assert "no field 'file'" in answer.json()["detail"]


def test_the_two_strings_of_a_document_are_identified(client: httpx.Client) -> None:
    strings = fingerprint(analyzer_samples(music(1, 30), RATE))
    document = {"track": {"rhythmstring": strings.rhythm_string(), "duration": 30.0}}
    found = client.post("/api/identify", json=document).json()
    assert found["matches"][0]["track_id"] == KNOWN
    assert found["duration"] == 30.0


@pytest.mark.parametrize(
    ("content", "content_type", "detail"),
    [
        (b"", "audio/wav", "the body is empty"),
        (b"no audio " * 1000, "audio/wav", "recording: not a format that libsndfile reads"),
        (EXCERPT[:30], "audio/wav", "recording: "),
        (b"{}", "application/json", "holds neither an echoprintstring nor a rhythmstring"),
        (b"[" * 100_000, "application/json", "no fingerprint can be read from it"),
    ],
)
def test_what_cannot_be_read_is_a_problem(
    client: httpx.Client, content: bytes, content_type: str, detail: str
) -> None:
    answer = client.post("/api/identify", content=content, headers={"Content-Type": content_type})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json()["detail"]
    assert "/tmp" not in answer.json()["detail"]


def test_a_parameter_out_of_range_is_a_problem(client: httpx.Client) -> None:
    answer = client.post("/api/identify?limit=0", content=EXCERPT)
    assert (answer.status_code, answer.json()["status"]) == (422, 422)
    assert answer.json()["detail"].startswith("limit: ")


def test_a_plot_is_a_picture_of_the_match_that_is_asked_for(client: httpx.Client) -> None:
    drawn = client.post("/api/plot", content=EXCERPT)
    assert drawn.headers["content-type"] == "image/png"
    assert drawn.content.startswith(b"\x89PNG")
    assert client.post("/api/plot", params={"track": "0" * 22}, content=EXCERPT).status_code == 404
