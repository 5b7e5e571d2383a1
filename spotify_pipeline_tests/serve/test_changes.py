"""The index is replaced, and the server killed, while clients ask."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from spotify_pipeline.serve import service
from spotify_pipeline_tests.catalogue_made import make_home
from spotify_pipeline_tests.processes import environment
from spotify_pipeline_tests.serve.served import (
    KNOWN,
    made_home,
    music,
    publish_known,
    serving,
    wav,
)

EXCERPT = wav(music(1, 8, start=4))
TIMES = 50


def test_an_index_is_replaced_under_load_without_losing_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOK_AGAIN", 0.01)
    settings = made_home(tmp_path)
    found: list[list[str]] = []
    with serving(settings) as served:
        stop = threading.Event()

        def ask() -> None:
            with served.client() as client:
                while not stop.is_set():
                    answer = client.post("/api/identify", content=EXCERPT)
                    assert answer.status_code == 200, answer.text
                    found.append([one["track_id"] for one in answer.json()["matches"]])
                    named = client.get(f"/v1/tracks/{KNOWN}")
                    assert named.json()["name"] == "Yesterday"

        asking = [threading.Thread(target=ask) for _ in range(2)]
        for thread in asking:
            thread.start()
        for number in range(TIMES):
            publish_known(settings.index, seed=1, name=f"segment-{number + 1}.bin")
            time.sleep(0.05)
        stop.set()
        for thread in asking:
            thread.join()
        with served.client() as client:
            counted = client.get("/metrics").text
    assert found
    assert all(one == [KNOWN] for one in found)
    (refreshes,) = [
        line for line in counted.splitlines() if line.startswith("spotify_pipeline_ref")
    ]
    assert float(refreshes.split()[1]) >= 5


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


@contextmanager
def command(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``serve`` as a process; gives it and the line that says where it is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "spotify_pipeline.cli", "serve", *options],
        env={**environment(home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("open "))
        yield process, line.removeprefix("open ").strip()
    finally:
        process.kill()
        process.wait()


def wait_for(url: str) -> None:
    ended = time.monotonic() + 120
    while True:
        try:
            assert httpx.get(f"{url}health", timeout=5, verify=False).json()["status"] == "ok"
            return
        except httpx.TransportError:
            assert time.monotonic() < ended
            time.sleep(0.1)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def ended_with_its_children(process: subprocess.Popen[str], ending: int) -> None:
    """Send a signal to a server, and wait for its decoders to be gone, too."""
    children = psutil.Process(process.pid).children()
    assert children
    process.send_signal(ending)
    process.wait(30)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_a_killed_server_starts_again_and_leaves_no_process(tmp_path: Path) -> None:
    made_home(tmp_path)
    port = str(free_port())
    with command(tmp_path, "--port", port) as (process, url):
        wait_for(url)
        named = httpx.post(f"{url}api/identify", content=EXCERPT, timeout=60).json()
        assert named["matches"][0]["track_id"] == KNOWN
        ended_with_its_children(process, signal.SIGKILL)
    options = ("--port", port, "--tls", "--token", "secret")
    with command(tmp_path, *options) as (process, url):
        assert url == f"https://127.0.0.1:{port}/?token=secret"
        address, _, query = url.partition("?")
        wait_for(address)
        with httpx.Client(base_url=address, verify=False) as client:
            assert client.get("/api/status").status_code == 401
            assert client.get(f"/api/status?{query}").status_code == 200
        ended_with_its_children(process, signal.SIGTERM)
    assert (tmp_path / "serve" / "key.pem").stat().st_mode & 0o077 == 0
