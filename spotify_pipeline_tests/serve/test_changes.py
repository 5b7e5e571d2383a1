"""The index is replaced, and the server killed, while clients ask."""

import re
import signal
import time
from functools import partial
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
from spotify_pipeline_tests.serve.load import EXCERPT, Load, Outcome, under_load
from spotify_pipeline_tests.serve.served import (
    KNOWN,
    Served,
    made_home,
    publish_known,
    serving,
)
from spotify_pipeline_tests.serve.waiting import PATIENCE, wait_until

CLIENTS = 2


@pytest.mark.parametrize(
    ("clients", "times"), [(CLIENTS, 3), pytest.param(4, 50, marks=pytest.mark.long)]
)
def test_an_index_is_replaced_under_load_without_losing_a_request(
    clients: int, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOK_AGAIN", 0.1)
    settings = made_home(tmp_path)
    with serving(settings) as served, under_load(served.url, clients) as load:
        for number in range(times):
            publish_known(settings.index, seed=1, name=f"segment-{number + 1}.bin")
            wait_until(partial(is_opened_and_asked, served, number + 1, load, time.monotonic()))
    assert {one.outcome for one in load.asked} == {Outcome.RIGHT}


def is_opened_and_asked(served: Served, count: int, load: Load, published: float) -> bool:
    """Tell whether so many newer indexes were opened, and a request answered since the last one."""
    metrics = httpx.get(f"{served.url}/metrics", timeout=PATIENCE).text
    (opened,) = re.findall(r"^spotify_pipeline_refreshes (\S+)", metrics, re.M)
    return float(opened) >= count and load.right_since(published) > 0


def test_an_index_is_opened_once_it_is_published_and_stays_if_what_comes_next_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "LOOK_AGAIN", 0.1)
    settings = make_home(tmp_path)
    with serving(settings) as served, served.client() as client:
        assert client.get(f"/v1/tracks/{KNOWN}").json()["name"] == "Yesterday"
        assert client.get("/health").json()["tracks"] == 0
        for path in ("/api/identify", "/api/timeline", "/api/plot"):
            refused = client.post(path, content=EXCERPT)
            assert refused.status_code == 503
            assert "run 'spotify-pipeline ingest'" in refused.json()["detail"]
        publish_known(settings.index)
        wait_until(lambda: client.get("/health").json()["tracks"] == 1)
        assert client.post("/api/identify", content=EXCERPT).json()["identified"]
        (settings.index / "manifest.json").write_text("{")
        wait_until(lambda: "can't be opened yet" in caplog.text)
        assert client.post("/api/identify", content=EXCERPT).json()["identified"]


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
                wait_until(lambda: load.right_since(runs) >= 2 * CLIENTS)
                load.stop()
                ended_with_its_children(again, signal.SIGTERM)
    refused, cut = load.of(Outcome.REFUSED), load.of(Outcome.CUT)
    assert load.of(Outcome.WRONG) == []
    assert refused
    assert len(cut) <= CLIENTS  # what was under way
    assert all(killed <= one.settled <= runs for one in (*refused, *cut))
    assert (tmp_path / "serve" / "key.pem").stat().st_mode & 0o077 == 0
