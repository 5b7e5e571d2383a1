"""Whatever is uploaded, the server answers, and goes on answering."""

import io
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from spotify_pipeline.serve.limits import Limits
from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.serve.served import RATE, Served, music, serving, wav

MEGABYTE = 10**6
LIMITS = Limits(
    uploads=4,
    upload_bytes=4 * MEGABYTE,
    recording_seconds=60.0,
    decode_seconds=120.0,
    idle_seconds=2.0,
)
GROWTH = 300 * MEGABYTE
"""What the server may take more after all of it than before."""


@pytest.fixture(scope="module")
def bounded(home: Settings) -> Iterator[Served]:
    with serving(home, limits=LIMITS) as served:
        yield served


def flac(samples: np.ndarray, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC")
    return file.getvalue()


def hostile(rng: np.random.Generator) -> Iterator[tuple[bytes, int]]:
    """Give uploads, and the status that each is answered with."""
    good = wav(music(1, 10))
    text = b"\x00".join(b"%d no audio" % number for number in range(100))
    for content in (b"\x00" * 1000, text, b"RIFF" + text, b"fLaC" + text, b"OggS" + text):
        yield content, 422
    yield flac(np.zeros((RATE, 8), np.float32), RATE), 200
    wide = io.BytesIO()
    soundfile.write(wide, np.zeros((RATE // 4, 96), np.float32), RATE, format="WAV")
    yield wide.getvalue(), 200
    yield flac(np.zeros(10 * 3600 * 1000, np.int16), 1000), 422  # ten hours of silence
    yield good[: len(good) // 2], 200
    yield good[:100], 200
    yield good[:40], 422
    yield good + bytes(LIMITS.upload_bytes), 413
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n"
    yield playlist, 422
    yield b"ffconcat version 1.0\nfile /etc/passwd\n", 422
    whole = flac(music(1, 10), RATE)
    for _ in range(10):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(damaged), 20):
            damaged[place] = rng.integers(256)
        yield bytes(damaged), 0


def test_hostile_uploads_are_answered_and_take_no_memory(bounded: Served) -> None:
    process = psutil.Process()
    with bounded.client() as client:
        assert client.post("/api/identify", content=wav(music(1, 10))).json()["identified"]
        before = process.memory_info().rss
        for content, expected in hostile(np.random.default_rng(1)):
            answer = client.post("/api/identify", content=content)
            assert answer.status_code == expected or (
                expected == 0 and answer.status_code in (200, 422)
            ), (content[:20], answer.text)
        assert client.post("/api/identify", content=wav(music(1, 10))).json()["identified"]
    assert process.memory_info().rss - before < GROWTH


def test_nothing_of_an_upload_is_left(
    bounded: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with bounded.client() as client:
        for content in (wav(music(1, 5)), b"no audio"):
            client.post("/api/identify", content=content)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_decoder_is_replaced(bounded: Served) -> None:
    with bounded.client() as client:
        client.post("/api/identify", content=wav(music(1, 5)))
        decoders = [
            child
            for child in psutil.Process().children()
            if "spotify_pipeline.serve.decoder" in child.cmdline()
        ]
        assert decoders
        for decoder in decoders:
            decoder.kill()
        answers = [client.post("/api/identify", content=wav(music(1, 10))) for _ in range(3)]
    assert [answer.status_code for answer in answers][-1] == 200
    assert {answer.status_code for answer in answers} <= {200, 422}


def test_slow_clients_hold_no_worker(bounded: Served) -> None:
    head = b"POST /api/identify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", bounded.port)) for _ in range(3)]
    try:
        for connection in slow:
            connection.sendall(head + b"RIFF")
        with bounded.client() as client:
            assert client.post("/api/identify", content=wav(music(1, 10))).json()["identified"]
        for connection in slow:
            connection.settimeout(60)
            assert connection.recv(100).startswith(b"HTTP/1.1 408")
    finally:
        for connection in slow:
            connection.close()


def test_beyond_a_number_of_uploads_clients_are_told_when_to_come_again(bounded: Served) -> None:
    clip = wav(music(2, 10))
    ready = threading.Barrier(12)

    def ask(_: int) -> tuple[int, str | None]:
        with bounded.client() as client:
            ready.wait()
            answer = client.post("/api/identify", content=clip)
            return answer.status_code, answer.headers.get("retry-after")

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(12)))
    refused = [after for status, after in answers if status == 429]
    assert {status for status, _ in answers} == {200, 429}
    assert all(after is not None and int(after) >= 1 for after in refused)
