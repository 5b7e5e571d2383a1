"""The web UI of an installation without a checkout: it has the settings that the databases need."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import yaml

from spotify_pipeline.defs.instance import INSTANCE_SETTINGS
from spotify_pipeline.settings import HOME_VARIABLE, INCOMING_VARIABLE
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE

LONGEST = 120.0

QUERY = """{
    instance { info }
    sensorsOrError(repositorySelector: {
        repositoryName: "__repository__", repositoryLocationName: "spotify_pipeline.definitions"
    }) { ... on Sensors { results { name description sensorState { status } } } }
}"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ask(port: int) -> dict[str, dict[str, object]]:
    """Ask a web UI for its instance and sensors, once it is there."""
    body = json.dumps({"query": QUERY}).encode()
    request = Request(
        f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"}
    )
    started = time.monotonic()
    while True:
        try:
            with urlopen(request, timeout=30) as answer:
                found: dict[str, dict[str, object]] = json.load(answer)["data"]
                return found
        except (URLError, ConnectionError):
            assert time.monotonic() - started < LONGEST
            time.sleep(0.5)


def test_the_web_ui_opens_anywhere_on_the_home_with_the_settings_it_needs(tmp_path: Path) -> None:
    port = free_port()
    left_out = {HOME_VARIABLE, INCOMING_VARIABLE, "DAGSTER_HOME"}
    with subprocess.Popen(
        [SPOTIFY_PIPELINE, "ui", "--port", str(port)],
        env={name: value for name, value in os.environ.items() if name not in left_out},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            found = ask(port)
        finally:
            process.send_signal(signal.SIGINT)
            _, later = process.communicate(timeout=LONGEST)
    assert said == f"the web UI shows the data home {tmp_path / 'data'}\n"
    assert not re.findall(r"\w+Warning: .*", later)
    assert (tmp_path / "data" / "dagster" / "history" / "runs.db").is_file()
    assert (tmp_path / "data" / "incoming").is_dir()
    settings = yaml.safe_load(str(found["instance"]["info"]))
    wanted = yaml.safe_load(INSTANCE_SETTINGS)
    assert settings["concurrency"] == wanted["concurrency"]
    assert settings["telemetry"] == wanted["telemetry"]
    sensors = found["sensorsOrError"]["results"]
    assert isinstance(sensors, list)
    assert {sensor["name"] for sensor in sensors} == {
        "finished_shards",
        "interrupted_downloads",
        "ingested_shards",
        "new_audio_features",
        "new_metadata",
        "new_redirects",
    }
    assert all(sensor["description"] for sensor in sensors)


def test_the_web_ui_refuses_an_instance_that_was_not_set_up(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    refused = subprocess.run(
        [SPOTIFY_PIPELINE, "ui"],
        env=os.environ | {HOME_VARIABLE: str(tmp_path / "home"), "DAGSTER_HOME": str(other)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert f"Error: {other}: this Dagster instance was not set up" in refused.stderr
