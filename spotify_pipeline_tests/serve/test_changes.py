"""The index is replaced, and the server killed, while clients ask."""

import re
import signal
import time
from pathlib import Path

import httpx
import pytest

from spotify_pipeline.serve import service
from spotify_pipeline_tests.catalogue_made import make_home
from spotify_pipeline_tests.serve.commands import (
    ended_with_its_children,
    free_port,
    server_process,
)
from spotify_pipeline_tests.serve.load import EXCERPT, Outcome, under_load
from spotify_pipeline_tests.serve.served import (
    KNOWN,
    Served,
    made_home,
    music,
    publish_known,
    serving,
    wav,
)

CLIENTS = 4


@pytest.mark.parametrize("times", [5, pytest.param(50, marks=pytest.mark.long)])
def test_an_index_is_replaced_under_load_without_losing_a_request(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOK_AGAIN", 0.01)
    settings = made_home(tmp_path)
    with serving(settings) as served, under_load(served.url, CLIENTS) as load:
        for number in range(times):
            publish_known(settings.index, seed=1, name=f"segment-{number + 1}.bin")
            published = time.monotonic()
            while opened(served) <= number or not load.right_since(published):
                assert time.monotonic() < published + 60
                time.sleep(0.01)
    assert {one.outcome for one in load.asked} == {Outcome.RIGHT}


def opened(served: Served) -> int:
    """Ask how many newer indexes the server has opened."""
    (count,) = re.findall(
        r"^spotify_pipeline_refreshes (\S+)", httpx.get(f"{served.url}/metrics").text, re.M
    )
    return int(float(count))


def test_what_is_published_later_is_identified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOK_AGAIN", 0.05)
    settings = made_home(tmp_path)
    with serving(settings) as served, served.client() as client:
        unknown = wav(music(5, 8))
        assert not client.post("/api/identify", content=unknown).json()["identified"]
        publish_known(settings.index, seed=5, name="segment-1.bin")
        ended = time.monotonic() + 30
        while not client.post("/api/identify", content=unknown).json()["identified"]:
            assert time.monotonic() < ended


def test_a_damaged_index_does_not_take_the_place_of_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "LOOK_AGAIN", 0.02)
    settings = made_home(tmp_path)
    with serving(settings) as served, served.client() as client:
        (settings.index / "manifest.json").write_text("{")
        ended = time.monotonic() + 30
        while "can't be opened yet" not in caplog.text:
            assert time.monotonic() < ended
            time.sleep(0.02)
        assert client.post("/api/identify", content=EXCERPT).json()["identified"]


def test_without_an_index_the_catalogue_answers_and_identify_says_what_to_do(
    tmp_path: Path,
) -> None:
    with serving(make_home(tmp_path)) as served, served.client() as client:
        assert client.get(f"/v1/tracks/{KNOWN}").json()["name"] == "Yesterday"
        assert client.get("/health").json()["tracks"] == 0
        for path in ("/api/identify", "/api/timeline", "/api/plot"):
            refused = client.post(path, content=EXCERPT)
            assert refused.status_code == 503
            assert "run 'spotify-pipeline ingest'" in refused.json()["detail"]


def test_a_server_that_is_killed_under_load_refuses_clients_only_until_it_runs_again(
    tmp_path: Path,
) -> None:
    made_home(tmp_path)
    options = ("--port", str(free_port()), "--tls", "--token", "secret")
    with server_process(tmp_path, *options) as (process, url):
        address, _, query = url.partition("?")
        assert query == "token=secret"
        with under_load(address, CLIENTS, "secret") as load:
            killed = time.monotonic()
            ended_with_its_children(process, signal.SIGKILL)
            with server_process(tmp_path, *options) as (again, _):
                runs = time.monotonic()
                while load.right_since(runs) < 2 * CLIENTS:
                    assert time.monotonic() < runs + 60
                    time.sleep(0.02)
                load.stop()
                ended_with_its_children(again, signal.SIGTERM)
    refused, cut = load.of(Outcome.REFUSED), load.of(Outcome.CUT)
    assert load.of(Outcome.WRONG) == []
    assert refused
    assert len(cut) <= CLIENTS  # what was under way
    assert all(killed <= one.settled <= runs for one in (*refused, *cut))
    assert (tmp_path / "serve" / "key.pem").stat().st_mode & 0o077 == 0
