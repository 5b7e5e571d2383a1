"""What plays when, told while it becomes known: of files and of microphones."""

import json
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline_tests.serve.served import KNOWN, RATE, SECONDS, Served, music, wav

BEFORE, AFTER = 20.0, 30.0


@pytest.fixture(scope="module")
def mix() -> Float32s:
    """Give music with the known track in its middle."""
    return np.concatenate((music(2, BEFORE), music(1), music(3, AFTER)))


def assert_known_in_the_middle(parts: list[dict[str, Any]]) -> None:
    unknown, known, rest = parts
    assert (unknown["start"], unknown["track"], rest["track"]) == (0, None, None)
    assert known["track"]["track_id"] == KNOWN
    assert known["start"] == pytest.approx(BEFORE, abs=2)
    assert known["end"] == pytest.approx(BEFORE + SECONDS, abs=2)
    assert (unknown["end"], known["end"]) == (known["start"], rest["start"])
    assert rest["end"] == pytest.approx(BEFORE + SECONDS + AFTER, abs=0.1)


def test_parts_of_a_file_follow_each_other_without_gaps(
    client: httpx.Client, mix: Float32s
) -> None:
    answer = client.post("/api/timeline", content=wav(mix))
    assert answer.headers["content-type"] == "application/x-ndjson"
    *parts, last = [json.loads(line) for line in answer.text.splitlines()]
    assert_known_in_the_middle(parts)
    assert last["duration"] == parts[-1]["end"]


def test_what_is_no_audio_is_a_problem(client: httpx.Client) -> None:
    answer = client.post("/api/timeline", content=b"no audio")
    assert (answer.status_code, answer.json()["status"]) == (422, 422)
    document = client.post("/api/timeline", json={"rhythmstring": ""})
    assert "not of a document" in document.json()["detail"]


def test_a_microphone_is_told_what_played(server: Served, mix: Float32s) -> None:
    pcm = (mix.clip(-1, 1) * 32767).astype("<i2")
    with connect(f"ws://127.0.0.1:{server.port}/api/listen?mode=tracklist") as socket:
        socket.send(json.dumps({"sample_rate": RATE}))
        for first in range(0, len(pcm), RATE):
            socket.send(pcm[first : first + RATE].tobytes())
        socket.send(json.dumps({"end": True}))
        said = [json.loads(message) for message in socket]
    assert said[-1] == {"type": "done"}
    assert_known_in_the_middle([one["part"] for one in said if one["type"] == "part"])


def test_a_microphone_is_told_what_plays_now(server: Served) -> None:
    pcm = (music(1, 15, start=10).clip(-1, 1) * 32767).astype("<i2")
    answers = []
    with connect(f"ws://127.0.0.1:{server.port}/api/listen?mode=tracklist") as socket:
        socket.send(json.dumps({"sample_rate": RATE}))
        for some in np.split(pcm, 3):
            socket.send(some.tobytes())
            answers.append(json.loads(socket.recv())["answer"])
    assert [one["duration"] for one in answers] == pytest.approx([5, 10, 15], abs=0.1)
    assert answers[-1]["identified"]
    assert answers[-1]["matches"][0]["track_id"] == KNOWN
