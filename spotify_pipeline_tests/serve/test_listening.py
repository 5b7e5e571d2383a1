"""Audio that is identified while it is played."""

import json
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.serve.listening import TRY_SECONDS
from spotify_pipeline_tests.serve.served import KNOWN, RATE, Served, music

CHUNK = RATE // 5


def listen(server: Served, samples: Float32s, *, end: bool = True) -> list[dict[str, Any]]:
    """Play samples to the server, and give all that it says."""
    address = f"ws://127.0.0.1:{server.port}/api/listen?mode=track"
    with connect(address) as socket:
        socket.send(json.dumps({"sample_rate": RATE}))
        pcm = (samples.clip(-1, 1) * 32767).astype("<i2")
        for first in range(0, len(pcm), CHUNK):
            socket.send(pcm[first : first + CHUNK].tobytes())
        if end:
            socket.send(json.dumps({"end": True}))
        return [json.loads(message) for message in socket]


def test_music_is_named_before_it_ends(server: Served) -> None:
    *_, last = listen(server, music(1, 20, start=5), end=False)
    assert (last["type"], last["answer"]["identified"]) == ("answer", True)
    assert last["answer"]["matches"][0]["track_id"] == KNOWN
    assert last["answer"]["matches"][0]["offset"] == pytest.approx(5, abs=0.1)
    assert TRY_SECONDS[0] <= last["seconds"] <= TRY_SECONDS[-1]
    assert not last["silent"]


def test_other_music_is_unknown_at_its_end(server: Served) -> None:
    *_, last = listen(server, music(2, 6))
    assert (last["type"], last["answer"]["identified"]) == ("answer", False)
    assert last["seconds"] == pytest.approx(6, abs=0.1)


def test_silence_is_called_silent(server: Served) -> None:
    *_, last = listen(server, np.zeros(4 * RATE, np.float32))
    assert (last["silent"], last["level_db"]) == (True, -120.0)
    assert last["answer"]["matches"] == []


@pytest.mark.parametrize(
    ("first", "detail"),
    [
        ("hello", "the first message must be text"),
        ('{"sample_rate": 3}', "sample_rate must be from 8000 to 192000"),
        (b"\x00\x00", "the first message must be text"),
    ],
)
def test_what_is_no_beginning_is_a_problem(server: Served, first: str | bytes, detail: str) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/api/listen") as socket:
        socket.send(first)
        said = json.loads(socket.recv())
    assert (said["type"], said["status"]) == ("problem", 422)
    assert detail in said["detail"]


def test_a_page_of_another_site_may_not_listen(server: Served) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{server.port}/api/listen", origin=Origin("https://other.example")),
    ):
        pass
    assert refused.value.response.status_code == 403
