"""Whatever is uploaded, the server answers, and goes on answering."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from spotify_pipeline.serve.limits import Limits
from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.serve.commands import server_process
from spotify_pipeline_tests.serve.hostile import FORM, Hostile, damaged, longest, made_by_hand
from spotify_pipeline_tests.serve.served import Served, made_home, music, serving, wav
from spotify_pipeline_tests.serve.waiting import PATIENCE, wait_until

MEGABYTE = 10**6
LIMITS = Limits(
    uploads=4,
    upload_bytes=4 * MEGABYTE,
    decode_seconds=120.0,
    idle_seconds=2.0,
)
GROWTH = 300 * MEGABYTE
"""What the server may take more after all of it than before."""

CLIENTS = 8
DECODED_BYTES = 53 * MEGABYTE
"""Of one upload, as `Limits` says."""

OTHER_FIELD = b"--border\r\nContent-Disposition: form-data; name=other\r\n\r\n"

TOO_SLOW = "decoding it takes longer"
"""Any upload may be answered so, on a machine that is busy."""


@pytest.fixture(scope="module")
def bounded(home: Settings) -> Iterator[Served]:
    with serving(home, limits=LIMITS) as served:
        yield served


def test_hostile_uploads_are_answered_and_take_no_memory(bounded: Served) -> None:
    process = psutil.Process()
    too_large = Hostile("too large", wav(music(1, 10)) + bytes(LIMITS.upload_bytes), (413,))
    around_it = Hostile("a form too large", OTHER_FIELD + bytes(LIMITS.upload_bytes), (413,), FORM)
    some_damaged = islice(damaged(np.random.default_rng(1)), 5)
    with bounded.client() as client:
        assert is_named(client)
        before = process.memory_info().rss
        for upload in (*made_by_hand(), too_large, around_it, *some_damaged):
            send(client, upload)
        assert is_named(client)
    assert process.memory_info().rss - before < GROWTH


def is_named(client: httpx.Client) -> bool:
    """Tell whether a recording that is not hostile is identified."""
    answer = client.post("/api/identify", content=wav(music(1, 10)))
    return bool(answer.json()["identified"])


def send(client: httpx.Client, upload: Hostile) -> None:
    """Have an upload identified; the answer must be one that it may get."""
    headers = {"Content-Type": upload.content_type}
    answer = client.post("/api/identify", content=upload.content, headers=headers)
    right = answer.status_code in upload.statuses or TOO_SLOW in answer.text
    assert right, (upload.name, answer.status_code, answer.text)


@pytest.mark.long
def test_a_thousand_hostile_uploads_from_several_clients_leave_memory_below_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, uploads = tmp_path / "home", tmp_path / "uploads"
    made_home(home)
    uploads.mkdir()
    monkeypatch.setenv("TMPDIR", str(uploads))
    limits = Limits()
    kinds, spoilt = cycle((*made_by_hand(), longest())), damaged(np.random.default_rng(1))
    sent = [next(kinds) if number % 2 else next(spoilt) for number in range(1000)]
    with (
        server_process(home) as (process, url),
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        server = psutil.Process(process.pid)
        assert is_named(client)
        before = peak_memory(server)
        decoder_before = max(map(peak_memory, decoders_of(server)))
        most_of_a_decoder = 0
        with ThreadPoolExecutor(CLIENTS) as pool:
            for _ in pool.map(partial(send, client), sent):
                most_of_a_decoder = max(most_of_a_decoder, *map(peak_memory, decoders_of(server)))
        assert is_named(client)
        after = peak_memory(server)
        assert len(decoders_of(server)) <= limits.decoders
        killed = re.search(r"^\S+decoders_killed (\S+)", metrics_of(client), re.M)
    print(
        f"\npeak memory of the server: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after"
        f" {len(sent)} uploads from {CLIENTS} clients; of a decoder: {decoder_before / 1e6:.0f} MB"
        f" before, {most_of_a_decoder / 1e6:.0f} MB after; decoders killed: {killed and killed[1]}"
    )
    assert after - before < CLIENTS * DECODED_BYTES + GROWTH
    assert most_of_a_decoder - decoder_before < limits.decode_memory
    assert list(uploads.iterdir()) == []


def decoders_of(server: psutil.Process) -> list[psutil.Process]:
    """Find the decoding processes of a server."""
    found = []
    for child in server.children():
        with suppress(psutil.NoSuchProcess):
            if "spotify_pipeline.serve.decoder" in child.cmdline():
                found.append(child)
    return found


def peak_memory(process: psutil.Process) -> int:
    """Give the most bytes that a process ever had in memory; 0 if it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except FileNotFoundError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


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
        decoders = decoders_of(psutil.Process())
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


def test_a_client_that_sends_a_byte_now_and_then_is_given_up(bounded: Served) -> None:
    head = b"POST /api/identify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", bounded.port)) as connection:
        connection.sendall(head)
        connection.settimeout(LIMITS.idle_seconds / 8)
        began, answer = time.monotonic(), b""
        while not answer and time.monotonic() - began < PATIENCE:
            connection.sendall(b"R")
            with suppress(TimeoutError):
                answer = connection.recv(100)
    assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("sent", [0.5, 1.0], ids=["while it sends", "while it waits"])
def test_a_client_that_goes_is_no_failure(
    bounded: Served, caplog: pytest.LogCaptureFixture, sent: float
) -> None:
    clip = wav(music(2, 10))
    head = f"POST /api/identify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(clip)}\r\n\r\n"
    with bounded.client() as client:
        before = counted_as_gone(client)
        with socket.create_connection(("127.0.0.1", bounded.port)) as connection:
            connection.sendall(head.encode() + clip[: round(sent * len(clip))])
        wait_until(lambda: counted_as_gone(client) > before)
    assert caplog.records == []


def counted_as_gone(client: httpx.Client) -> float:
    """Ask how many requests ended since their client was gone."""
    found = re.search(r'requests_total\{.*identify.*"499"\} (\S+)', metrics_of(client))
    return float(found[1]) if found else 0.0


def metrics_of(client: httpx.Client) -> str:
    """Get the server's figures."""
    return client.get("/metrics").text


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
