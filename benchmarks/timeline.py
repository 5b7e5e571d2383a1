"""A long recording of several pieces: what is found, where are its borders, how fast, how big.

    python -m benchmarks.timeline --music DIR [DIR ...] [--part test] [--pieces 10]
        [--distractors 10000] [--seed 1 2 3] [--degradation room]

Joins pieces of the test set, which are chosen at random, with cross-fades, and one more that the
index lacks in their midst; writes that as FLAC; and tells what plays when, against an index of all
other pieces and of synthetic tracks with independent gaps (`evaluation.synthetic`). A border's
truth is the middle of its cross-fade. Settings are chosen on the validation set (--part).
--degradation plays each piece through something first (`evaluation.degradations`).

Times are those of the whole, from file to timeline, once kernels are compiled; memory is the most
that a process ever had resident which does nothing else. --times makes a recording of many hours.
"""

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from benchmarks.command import add_music, command_line, print_machine
from benchmarks.segments import whole_segment
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE
from spotify_pipeline.evaluation.parts import Part, part_of
from spotify_pipeline.evaluation.synthetic import Generator
from spotify_pipeline.fingerprint import Fingerprint, fingerprint, infer_stream
from spotify_pipeline.harmony import Segments
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.segmentation import Stretch, segment
from spotify_pipeline.index.building.segment_writer import Tracks, write_segment
from spotify_pipeline.index.format.segment import SegmentShard
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline.recording import (
    audio_files,
    read_for_fingerprint,
    read_recording,
    stream_for_fingerprint,
)

MEMORY = 10**9
SHORTEST = 30.0


@dataclass(frozen=True)
class Mix:
    """A recording, and the truth about it.

    Attributes
    ----------
    pieces
        Numbers of the pieces in their order; the one that is not indexed too.
    borders
        Seconds: where each piece but the first begins.
    """

    file: Path
    pieces: list[int]
    borders: list[float]
    seconds: float


def write_mix(
    folder: Path, files: Sequence[Path], pieces: list[int], fade: float, degradation: str
) -> Mix:
    """Join pieces with linear cross-fades, as FLAC, piece by piece."""
    degrade, rng = DEGRADATIONS[degradation], np.random.default_rng(len(pieces))
    overlap = round(fade * RATE)
    ramp = np.linspace(0, 1, overlap, dtype=np.float32)
    borders: list[float] = []
    tail = np.empty(0, np.float32)
    written = 0
    path = folder / "mix.flac"
    with soundfile.SoundFile(path, "w", RATE, 1) as out:
        for piece in pieces:
            samples = degrade(read_recording(files[piece], RATE).samples, rng).copy()
            if len(tail):
                borders.append((written + overlap / 2) / RATE)
                samples[:overlap] = samples[:overlap] * ramp + tail * ramp[::-1]
            tail = samples[-overlap:].copy()
            out.write(samples[:-overlap])
            written += len(samples) - overlap
        out.write(tail)
    return Mix(path, pieces, borders, (written + overlap) / RATE)


def write_index(
    folder: Path, pieces: Sequence[Fingerprint], durations: list[float], distractors: int
) -> list[Path]:
    """Index pieces, and synthetic tracks after them; gives the segments."""
    real = Tracks.of(
        [f"{number:022d}" for number in range(len(pieces))],
        list(durations),
        [piece.rhythm for piece in pieces],
        [piece.echoprint for piece in pieces],
        [Segments.none()] * len(pieces),
    )
    paths = []
    parts = [real]
    if distractors:
        parts.append(Generator(list(pieces), seed=1).tracks("0a", distractors))
    for number, tracks in enumerate(parts):
        path = folder / f"segment {number}"
        write_segment(path, [SegmentShard(f"{number}a", "", len(tracks))], tracks, MEMORY)
        paths.append(path)
    return paths


def report(
    mix: Mix, stretches: Sequence[Stretch], names: Sequence[str], known: Sequence[int]
) -> None:
    """Print the truth beside what was found, stretch by stretch."""
    edges = [0.0, *mix.borders, mix.seconds]
    errors = []
    found = 0
    print(
        f"{'piece':<34} {'start':>8} {'found':>8} {'error':>6}"
        f"  {'end':>8} {'found':>8} {'error':>6}  confidence"
    )
    for position, piece in enumerate(mix.pieces):
        start, end = edges[position], edges[position + 1]
        track = known.index(piece) if piece in known else None
        overlaps = [s for s in stretches if s.track == track and s.start < end and s.end > start]
        name = names[piece] if track is not None else f"({names[piece]})"
        if not overlaps:
            print(f"{name:<34} {start:8.1f} {'missed':>8}")
            continue
        found += 1
        best = max(overlaps, key=lambda s: min(s.end, end) - max(s.start, start))
        print(
            f"{name:<34} {start:8.1f} {best.start:8.1f} {best.start - start:6.1f}"
            f"  {end:8.1f} {best.end:8.1f} {best.end - end:6.1f}  {best.confidence:10.4f}"
            + (" as unknown" if track is None else "")
        )
        errors += [abs(best.start - start)] * (position > 0)
        errors += [abs(best.end - end)] * (position < len(mix.pieces) - 1)
    extra = len(stretches) - found
    print(
        f"{found} of {len(mix.pieces)} found, {extra} stretches too many; errors of borders:"
        f" median {np.median(errors):.2f} s, most {max(errors):.2f} s"
    )


@dataclass(frozen=True)
class Run:
    """A timeline, and what it took: seconds (of CPU too), and megabytes before and at the most."""

    stretches: list[Stretch]
    seconds: float
    reading: float
    cpu: float
    before: float
    most: float


def measured(mix: Mix, segments: Sequence[Path]) -> Run:
    """Tell what plays when, in a process that does nothing else."""
    identifier = Identifier(Searcher([whole_segment(path) for path in segments]))
    identifier.matches(fingerprint(next(stream_for_fingerprint(mix.file))))
    before = resident()
    started, cpu = time.perf_counter(), time.process_time()
    recording = infer_stream(stream_for_fingerprint(mix.file))
    reading = time.perf_counter() - started
    stretches = segment(recording, identifier)
    return Run(
        stretches,
        time.perf_counter() - started,
        reading,
        time.process_time() - cpu,
        before,
        resident(),
    )


def resident() -> float:
    """Give the most megabytes that this process ever had resident.

    Not by `getrusage`, whose figure a process inherits from the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measured_apart(mix: Mix, segments: Sequence[Path]) -> Run:
    """Measure in a fresh process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measured, mix, segments).result()


def read_pieces(files: Sequence[Path]) -> tuple[list[Fingerprint], list[float]]:
    """Give fingerprints and durations of all pieces."""
    recordings = [read_for_fingerprint(file) for file in files]
    return [fingerprint(r.samples) for r in recordings], [r.duration for r in recordings]


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    add_music(parser, Part.TEST)
    parser.add_argument("--pieces", type=int, default=10, help="in a recording")
    parser.add_argument("--distractors", type=int, default=10_000, help="synthetic tracks to index")
    parser.add_argument("--fade", type=float, default=5.0, help="seconds of a cross-fade")
    parser.add_argument("--seed", type=int, nargs="+", default=[1], help="a recording each")
    parser.add_argument(
        "--degradation", choices=[*DEGRADATIONS], default="clean", help="of each piece"
    )
    parser.add_argument("--times", type=int, default=1, help="the pieces so many times over")
    arguments = parser.parse_args(words)
    print_machine()
    files = [file for folder in arguments.music for file in audio_files(folder)]
    own = [number for number, file in enumerate(files) if part_of(file) is arguments.part]
    prints, durations = read_pieces(files)
    for seed in arguments.seed:
        random = np.random.default_rng(seed)
        chosen = random.choice(own, arguments.pieces + 1, replace=False).tolist()
        stranger = chosen[arguments.pieces // 2]
        known = [piece for piece in range(len(files)) if piece != stranger]
        with TemporaryDirectory() as name:
            folder = Path(name)
            segments = write_index(
                folder,
                [prints[piece] for piece in known],
                [durations[piece] for piece in known],
                arguments.distractors,
            )
            mix = write_mix(
                folder, files, chosen * arguments.times, arguments.fade, arguments.degradation
            )
            run = measured_apart(mix, segments)
        report(mix, run.stretches, [file.stem for file in files], known)
        print(
            f"{mix.seconds / 60:.1f} minutes in {run.seconds:.1f} s,"
            f" {mix.seconds / run.seconds:.0f} x real time; {run.reading:.1f} s of it to read and"
            f" fingerprint, {run.cpu:.1f} s of CPU; {run.most:.0f} MB,"
            f" {run.before:.0f} of it before\n",
            flush=True,
        )


if __name__ == "__main__":
    main()
