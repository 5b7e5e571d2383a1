"""The server under load: clips from several clients at a time, and a microphone.

    python -m benchmarks.serve --music DIR [DIR ...] [--tracks 20000] [--clients 1 4 16]
        [--requests 20] [--seconds 10] [--noise 10] [--seed 0]

Makes an index of the music and of synthetic tracks (`evaluation.synthetic`), serves it by the
command ``serve``, a process of its own, and sends it clips of the music in pink noise as WAV, each
client one after the other. Of each number of clients: clips a second, median and 99 % of
milliseconds, the fraction that was named rightly, and the memory of the server and its decoders
afterwards. *In Python* is the same without a server, one clip after the other: the file is read and
identified. The *overhead* is the median of the differences between the two, asked in turn, clip by
clip.

Then a microphone hears clips without noise, as fast as they can be sent: after how many seconds of
music the answer came.
"""

import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import psutil
import soundfile
from websockets.sync.client import connect

from benchmarks.command import add_music, command_line, print_machine
from benchmarks.timeline import write_index
from spotify_pipeline.evaluation.noise import pink_noise, with_noise
from spotify_pipeline.evaluation.tables import Table, number, percentage
from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.detector import Detector
from spotify_pipeline.identify.query import read_query
from spotify_pipeline.index.format.manifest import Manifest, SegmentEntry, publish
from spotify_pipeline.recording import audio_files, read_for_fingerprint, read_recording
from spotify_pipeline.serve.listening import TRY_SECONDS
from spotify_pipeline.settings import HOME_VARIABLE

__all__ = ["main"]

RATE = 22_050
LONGEST_WAIT = 300.0


@dataclass(frozen=True)
class Clip:
    """A piece of music to be identified.

    Attributes
    ----------
    content
        An audio file's.
    track_id
        Of the right answer.
    """

    content: bytes
    track_id: str


@dataclass(frozen=True)
class Asked:
    """One answer: the seconds that it took, and whether it was right."""

    seconds: float
    right: bool


def publish_index(folder: Path, files: Sequence[Path], tracks: int) -> None:
    """Publish an index of music and of synthetic tracks."""
    pieces = [read_for_fingerprint(file) for file in files]
    folder.mkdir()
    paths = write_index(
        folder,
        [fingerprint(piece.samples) for piece in pieces],
        [piece.duration for piece in pieces],
        tracks,
    )
    counts = [len(pieces), tracks]
    entries = [
        SegmentEntry(path.name, {f"{k}a": ""}, "both", {f"{k}a": counts[k]}, 0, 0)
        for k, path in enumerate(paths)
    ]
    publish(folder, Manifest(segments=entries))


def excerpts(
    files: Sequence[Path], count: int, seconds: float, seed: int
) -> Iterator[tuple[int, Float32s]]:
    """Cut so many excerpts, piece after piece; gives the piece's number and samples at `RATE`."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        samples = read_recording(files[k % len(files)], RATE).samples
        start = int(rng.integers(max(len(samples) - round(seconds * RATE), 1)))
        yield k % len(files), samples[start : start + round(seconds * RATE)]


def clips(
    files: Sequence[Path], count: int, seconds: float, decibel: float, seed: int
) -> list[Clip]:
    """Cut excerpts in noise."""
    rng = np.random.default_rng(seed)
    made = []
    for piece, samples in excerpts(files, count, seconds, seed):
        noisy = with_noise(samples, pink_noise(len(samples), rng), decibel, RATE)
        file = io.BytesIO()
        soundfile.write(file, noisy / max(float(np.abs(noisy).max()), 1.0), RATE, format="WAV")
        made.append(Clip(file.getvalue(), f"{piece:022d}"))
    return made


@contextmanager
def served(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Run the command on a free port; gives the address and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "spotify_pipeline.cli", "serve", "--port", "0"],
        env={**os.environ, HOME_VARIABLE: str(home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next(filter(None, (re.match(r"open (\S+)/", line) for line in process.stdout)))[1]
        ended = time.monotonic() + LONGEST_WAIT
        while True:
            try:
                httpx.get(f"{address}/health", timeout=5).raise_for_status()
                break
            except httpx.TransportError:
                if time.monotonic() > ended:
                    raise
                time.sleep(0.1)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def by_http(address: str, asked: Sequence[Clip]) -> list[Asked]:
    """Ask as one client does, one clip after the other."""
    answers = []
    with httpx.Client(base_url=address, timeout=LONGEST_WAIT) as client:
        for clip in asked:
            started = time.perf_counter()
            answer = client.post("/api/identify", content=clip.content)
            seconds = time.perf_counter() - started
            matches = answer.raise_for_status().json()["matches"]
            answers.append(
                Asked(seconds, bool(matches) and matches[0]["track_id"] == clip.track_id)
            )
    return answers


def in_python(home: Path, asked: Sequence[Clip]) -> list[Asked]:
    """Ask without a server."""
    answers = []
    file = home / "clip.wav"
    with Detector.opened(home / "index", home / "meta.duckdb") as detector:
        for clip in asked:
            started = time.perf_counter()
            file.write_bytes(clip.content)
            matches = detector.identify(read_query(file)).matches
            seconds = time.perf_counter() - started
            answers.append(Asked(seconds, bool(matches) and matches[0].track_id == clip.track_id))
    return answers


def overhead_of(home: Path, address: str, asked: Sequence[Clip]) -> float:
    """Give the median of the seconds that the server takes more than the same call in Python.

    They are asked in turn, so that what else the machine does is the same for both.
    """
    pairs = [(by_http(address, [clip])[0], in_python(home, [clip])[0]) for clip in asked]
    return float(np.median([http.seconds - plain.seconds for http, plain in pairs]))


def row(name: str, answers: Sequence[Asked], whole: float, memory: str) -> list[str]:
    """Write a row of the table."""
    milliseconds = [1000 * one.seconds for one in answers]
    return [
        name,
        number(len(answers) / whole, 2),
        number(float(np.median(milliseconds))),
        number(float(np.quantile(milliseconds, 0.99))),
        percentage(float(np.mean([one.right for one in answers]))),
        memory,
    ]


def memory_of(process: psutil.Process) -> str:
    """Give what a process and its children hold, in MB, without what is mapped of files."""
    family = [process, *process.children(recursive=True)]
    held = [one.memory_info() for one in family]
    return number(sum(one.rss - one.shared for one in held) / 1e6)


def heard_seconds(address: str, samples: Float32s) -> float:
    """Play samples to the server; gives the seconds of music after which it was sure, or NaN."""
    pcm = (samples.clip(-1, 1) * 32767).astype("<i2")
    with connect(f"{address.replace('http', 'ws', 1)}/api/listen") as listening:
        listening.send(json.dumps({"sample_rate": RATE}))
        sent = 0
        for seconds in TRY_SECONDS:
            # what comes between two tries is heard by the next one, as it would be if it were live
            until = round((seconds + 0.1) * RATE)
            listening.send(pcm[sent:until].tobytes())
            sent = until
            said = json.loads(listening.recv(LONGEST_WAIT))
            if said["type"] == "answer":
                return said["seconds"] if said["answer"]["identified"] else float("nan")
    return float("nan")


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    add_music(parser)
    option = parser.add_argument
    option("--tracks", type=int, default=20_000, metavar="N", help="synthetic tracks in the index")
    option("--clients", type=int, nargs="+", default=[1, 4, 16], metavar="N", help="at a time")
    option("--requests", type=int, default=20, metavar="N", help="clips that a client sends")
    option("--seconds", type=float, default=10.0, metavar="S", help="length of a clip")
    option("--noise", type=float, default=10.0, metavar="DB", help="pink noise below the music")
    option("--seed", type=int, default=0, metavar="N", help="of excerpts and noise")
    chosen = parser.parse_args(words)
    print_machine()
    files = [file for folder in chosen.music for file in audio_files(folder)]
    with TemporaryDirectory() as folder:
        home = Path(folder)
        publish_index(home / "index", files, chosen.tracks)
        asked = clips(files, chosen.requests, chosen.seconds, chosen.noise, chosen.seed)
        in_python(home, asked[:2])  # opens files and compiles
        started = time.perf_counter()
        plain = in_python(home, asked)
        rows = [row("in Python", plain, time.perf_counter() - started, "")]
        with served(home) as (address, process):
            by_http(address, asked[:2])
            for count in chosen.clients:
                started = time.perf_counter()
                with ThreadPoolExecutor(count) as pool:
                    each = list(pool.map(lambda _: by_http(address, asked), range(count)))
                whole = time.perf_counter() - started
                answers = [one for some in each for one in some]
                name = "1 client" if count == 1 else f"{count} clients"
                rows.append(row(name, answers, whole, memory_of(process)))
            overhead = overhead_of(home, address, asked)
            found = [
                heard_seconds(address, samples)
                for _, samples in excerpts(
                    files, chosen.requests, TRY_SECONDS[-1] + 1, chosen.seed + 1
                )
            ]
    columns = ["", "clips/s", "median ms", "99 % ms", "right", "memory MB"]
    print(f"{len(files)} pieces among {chosen.tracks:,} tracks, clips of {chosen.seconds:g} s")
    print(Table(columns, rows).text())
    print(f"overhead of one client, median: {1000 * overhead:.0f} ms")
    sure = [seconds for seconds in found if not np.isnan(seconds)]
    within = sum(seconds <= 5.5 for seconds in sure)
    print(
        f"microphone: {len(sure)} of {len(found)} named, {within} within 5 s of music;"
        f" median {np.median(sure) if sure else float('nan'):.1f} s"
    )


if __name__ == "__main__":
    main()
