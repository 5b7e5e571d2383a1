"""The server under load: clips from several clients at a time, and a microphone.

    python -m benchmarks.serve --music DIR [DIR ...] [--part test] [--tracks 20000]
        [--clients 1 4 16] [--requests 100] [--seconds 10] [--noise 10] [--seed 0] [--folder DIR]

Indexes the pieces of a set, and synthetic tracks as `benchmarks.index` does. Serves the index by
the command ``serve``, a process of its own, and sends it clips of the pieces in pink noise as WAV:
each client one after the other, from an address of its own, since clients take turns by their
address. Of each number of clients: clips a second; the median and 99 % of milliseconds from sending
a clip to its answer; the fraction that was named rightly; and the most memory that the server and
its decoders had meanwhile, without what is mapped of files. *In Python* is the same call without a
server, one clip after the other: the file is decoded and identified. The *overhead* is the median
of the differences between the two, clip by clip; which of the two is asked first alternates.

Then a microphone hears clips without noise, sent as fast as the server takes them: after how many
seconds of music the answer came, and how long after their last sample.
"""

import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import psutil
import soundfile
from websockets.sync.client import connect

from benchmarks.among_impostors import read_asked
from benchmarks.command import add_music, command_line, print_machine
from benchmarks.index import Growing
from spotify_pipeline.evaluation.impostors import Source, tracks_of
from spotify_pipeline.evaluation.noise import pink_noise, with_noise
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.evaluation.tables import Table, number, percentage
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.detector import Detector
from spotify_pipeline.identify.query import read_query
from spotify_pipeline.index.format.key_setting import KEYS
from spotify_pipeline.index.format.manifest import Manifest, SegmentEntry, publish
from spotify_pipeline.index.format.segment import Segment
from spotify_pipeline.recording import read_recording
from spotify_pipeline.serve.listening import TRY_SECONDS
from spotify_pipeline.settings import HOME_VARIABLE

__all__ = ["main"]

RATE = 22_050
LONGEST_WAIT = 300.0
MICROPHONES = 20
"""Clips that the microphone hears."""

SOON = 5.0
"""Seconds of music after which a clear recording should be named."""

DELAY = 0.1
"""Seconds of music beyond those of a try, of which resampling holds back some."""

LOOK_AGAIN = 0.1
"""Seconds between two looks at the memory of processes."""


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


Ask = Callable[[bytes], str | None]
"""Has a file's content identified; gives the best match's track."""


def publish_index(
    folder: Path, pieces: Sequence[Piece], sources: Sequence[Source], tracks: int
) -> None:
    """Publish an index of music and of synthetic tracks; a handful of music is its own source."""
    folder.mkdir()
    spliced = sources or [Source(piece.fingerprint, piece.harmony) for piece in pieces]
    growing = Growing(folder, tracks_of(pieces), spliced, "rhythm", KEYS)
    growing.grow(tracks)
    publish(folder, Manifest(segments=[entry_of(path) for path in growing.paths]))


def entry_of(path: Path) -> SegmentEntry:
    """Describe a segment, of which all tracks count."""
    segment = Segment.open(path)
    shards = segment.info.shards
    return SegmentEntry(
        path.name,
        {shard.shard: shard.checksum for shard in shards},
        "rhythm",
        {shard.shard: shard.tracks for shard in shards},
        segment.info.postings,
        path.stat().st_size,
    )


def excerpts(
    pieces: Sequence[Piece], count: int, seconds: float, seed: int
) -> Iterator[tuple[int, Float32s]]:
    """Cut so many excerpts, piece after piece; gives the piece's number and samples at `RATE`."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        samples = read_recording(pieces[k % len(pieces)].file, RATE).samples
        start = int(rng.integers(max(len(samples) - round(seconds * RATE), 1)))
        yield k % len(pieces), samples[start : start + round(seconds * RATE)]


def clips(
    pieces: Sequence[Piece], count: int, seconds: float, decibel: float, seed: int
) -> list[Clip]:
    """Cut excerpts in noise."""
    rng = np.random.default_rng(seed)
    made = []
    for piece, samples in excerpts(pieces, count, seconds, seed):
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


@contextmanager
def over_http(address: str, client: int = 0) -> Iterator[Ask]:
    """Ask a server, as the client of a number; Linux gives each an address of its own."""
    transport = httpx.HTTPTransport(local_address=f"127.0.0.{1 + client}")
    with httpx.Client(base_url=address, timeout=LONGEST_WAIT, transport=transport) as http:

        def ask(content: bytes) -> str | None:
            answer = http.post("/api/identify", content=content).raise_for_status().json()
            return answer["matches"][0]["track_id"] if answer["matches"] else None

        yield ask


@contextmanager
def in_python(home: Path) -> Iterator[Ask]:
    """Ask without a server."""
    file = home / "clip.wav"
    with Detector.opened(home / "index", home / "meta.duckdb") as detector:

        def ask(content: bytes) -> str | None:
            file.write_bytes(content)
            matches = detector.identify(read_query(file)).matches
            return matches[0].track_id if matches else None

        yield ask


def asked_for(ask: Ask, clip: Clip) -> Asked:
    """Ask for a clip, and judge the answer."""
    started = time.perf_counter()
    found = ask(clip.content)
    return Asked(time.perf_counter() - started, found == clip.track_id)


def from_clients(address: str, asked: Sequence[Clip], clients: int) -> list[Asked]:
    """Divide clips among clients, which ask at a time."""

    def one(client: int) -> list[Asked]:
        with over_http(address, client) as ask:
            return [asked_for(ask, clip) for clip in asked[client::clients]]

    with ThreadPoolExecutor(clients) as pool:
        return [answer for answers in pool.map(one, range(clients)) for answer in answers]


def overhead_of(server: Ask, python: Ask, asked: Sequence[Clip]) -> list[float]:
    """Give the seconds that the server takes more than the same call in Python, clip by clip.

    Who is asked second finds the processor's caches warm, so they take turns.
    """
    differences = []
    for k, clip in enumerate(asked):
        order = (server, python) if k % 2 else (python, server)
        seconds = {ask: asked_for(ask, clip).seconds for ask in order}
        differences.append(seconds[server] - seconds[python])
    return differences


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


class MemoryWatch:
    """The most memory that a process and its children have at a time, but for mapped files."""

    def __init__(self, process: psutil.Process) -> None:
        self.most = 0
        self._process = process
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            held = 0
            for one in (self._process, *self._process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    memory = one.memory_info()
                    held += memory.rss - memory.shared
            self.most = max(self.most, held)
            if self._stopped.wait(LOOK_AGAIN):
                return


@dataclass(frozen=True)
class Heard:
    """What became of a microphone's audio.

    Attributes
    ----------
    seconds
        Of music, after which the server was sure; NaN if it never was.
    delay
        Seconds from the last sample of these to the answer.
    """

    seconds: float
    delay: float


def heard(address: str, samples: Float32s) -> Heard:
    """Play samples to the server."""
    pcm = (samples.clip(-1, 1) * 32767).astype("<i2")
    with connect(f"{address.replace('http', 'ws', 1)}/api/listen") as listening:
        listening.send(json.dumps({"sample_rate": RATE}))
        sent = 0
        for seconds in TRY_SECONDS:
            # what comes between two tries is heard by the next one, as it would be if it were live
            until = round((seconds + DELAY) * RATE)
            listening.send(pcm[sent:until].tobytes())
            started = time.perf_counter()
            sent = until
            said = json.loads(listening.recv(LONGEST_WAIT))
            if said["type"] == "answer":
                sure = said["answer"]["identified"]
                return Heard(said["seconds"] if sure else np.nan, time.perf_counter() - started)
    return Heard(np.nan, np.nan)


def print_microphone(found: Sequence[Heard]) -> None:
    """Print after how much music a microphone's was named."""
    sure = [one for one in found if not np.isnan(one.seconds)]
    soon = sum(one.seconds <= SOON + 2 * DELAY for one in sure)
    print(
        f"microphone: {len(sure)} of {len(found)} named, {soon} within {SOON:g} s of music;"
        f" median {np.median([one.seconds for one in sure] or [np.nan]):.1f} s of music and"
        f" {1000 * np.median([one.delay for one in sure] or [np.nan]):.0f} ms"
    )


def measured(
    home: Path, asked: Sequence[Clip], clients: Sequence[int], address: str, process: psutil.Process
) -> None:
    """Ask the server and Python, and print the table and the overhead."""
    rows = []
    with in_python(home) as python, over_http(address) as server:
        for ask in (python, server):
            asked_for(ask, asked[0])  # compiles, and maps files
        started = time.perf_counter()
        answers = [asked_for(python, clip) for clip in asked]
        rows.append(row("in Python", answers, time.perf_counter() - started, ""))
        for count in clients:
            with MemoryWatch(process) as memory:
                started = time.perf_counter()
                answers = from_clients(address, asked, count)
                whole = time.perf_counter() - started
            name = "1 client" if count == 1 else f"{count} clients"
            rows.append(row(name, answers, whole, number(memory.most / 1e6)))
        overhead = 1000 * np.array(overhead_of(server, python, asked))
    columns = ["", "clips/s", "median ms", "99 % ms", "right", "memory MB"]
    print(Table(columns, rows).text())
    low, median, high = np.quantile(overhead, (0.25, 0.5, 0.75))
    print(
        f"overhead of one client, median: {median:.0f} ms"
        f" (half of the differences: {low:.0f} to {high:.0f} ms)",
        flush=True,
    )


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    add_music(parser, Part.TEST)
    option = parser.add_argument
    option("--tracks", type=int, default=20_000, metavar="N", help="synthetic tracks in the index")
    option("--clients", type=int, nargs="+", default=[1, 4, 16], metavar="N", help="at a time")
    option("--requests", type=int, default=100, metavar="N", help="clips, of all clients together")
    option("--seconds", type=float, default=10.0, metavar="S", help="length of a clip")
    option("--noise", type=float, default=10.0, metavar="DB", help="pink noise below the music")
    option("--seed", type=int, default=0, metavar="N", help="of excerpts and noise")
    option("--folder", type=Path, help="where the index is built, and removed again")
    chosen = parser.parse_args(words)
    print_machine()
    pieces, sources = read_asked(chosen)
    with TemporaryDirectory(dir=chosen.folder) as folder:
        home = Path(folder)
        publish_index(home / "index", pieces, sources, chosen.tracks)
        asked = clips(pieces, chosen.requests, chosen.seconds, chosen.noise, chosen.seed)
        print(f"{len(pieces)} pieces among {chosen.tracks:,} tracks, clips of {chosen.seconds:g} s")
        with served(home) as (address, process):
            measured(home, asked, chosen.clients, address, process)
            longest = TRY_SECONDS[-1] + 1
            played = excerpts(pieces, min(chosen.requests, MICROPHONES), longest, chosen.seed + 1)
            print_microphone([heard(address, samples) for _, samples in played])


if __name__ == "__main__":
    main()
