"""A long recording of several pieces: what is found, where are its borders, how fast, how big.

    python benchmarks/timeline.py --music DIR [--pieces 10] [--distractors 10000] [--seed 1 2 3]

Joins pieces of DIR, which are chosen at random, with cross-fades, and one more that the index lacks
in their midst; writes that as FLAC; and tells what plays when, against an index of all other pieces
and of made-up tracks (`synthetic`). A border's truth is the middle of its cross-fade. Pieces are
those of one half: settings are chosen on the tuning half.

Times are those of the whole, from file to segments, once kernels are compiled; memory is the most
that the process ever had resident beyond what it had before, index included.
"""

import argparse
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from synthetic import Generator

from spotify_pipeline.fingerprint import SAMPLE_RATE, Fingerprint, fingerprint, fingerprint_stream
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.segmentation import Stretch, segment
from spotify_pipeline.index.feature_index import FeatureIndex
from spotify_pipeline.index.segment import Segment, SegmentShard
from spotify_pipeline.index.segment_writer import Tracks, write_segment
from spotify_pipeline.recording import AUDIO_SUFFIXES, read_recording, stream_recording

HALVES = {"tuning": 0, "reporting": 1}
RATE = 44_100
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


def write_mix(folder: Path, files: Sequence[Path], pieces: list[int], fade: float) -> Mix:
    """Join pieces with linear cross-fades, as FLAC, piece by piece."""
    overlap = round(fade * RATE)
    ramp = np.linspace(0, 1, overlap, dtype=np.float32)
    borders: list[float] = []
    tail = np.empty(0, np.float32)
    written = 0
    path = folder / "mix.flac"
    with soundfile.SoundFile(path, "w", RATE, 1) as out:
        for piece in pieces:
            samples = read_recording(files[piece], RATE).samples.copy()
            if len(tail):
                borders.append((written + overlap / 2) / RATE)
                samples[:overlap] = samples[:overlap] * ramp + tail * ramp[::-1]
            tail = samples[-overlap:].copy()
            out.write(samples[:-overlap])
            written += len(samples) - overlap
        out.write(tail)
    return Mix(path, pieces, borders, (written + overlap) / RATE)


def index_of(
    folder: Path, pieces: Sequence[Fingerprint], durations: list[float], distractors: int
) -> FeatureIndex:
    """Index pieces, and made-up tracks after them."""
    real = Tracks.of(
        [f"{number:022d}" for number in range(len(pieces))],
        list(durations),
        [piece.rhythm for piece in pieces],
        [piece.echoprint for piece in pieces],
    )
    segments = []
    parts = [real]
    if distractors:
        parts.append(Generator(list(pieces), seed=1).tracks("0a", distractors))
    for number, tracks in enumerate(parts):
        path = folder / f"segment {number}"
        write_segment(path, [SegmentShard(f"{number}a", "", len(tracks))], tracks, MEMORY)
        segments.append((Segment.open(path), [f"{number}a"]))
    return FeatureIndex(segments)


def report(
    mix: Mix, stretches: Sequence[Stretch], names: list[str], tracks: dict[int, int]
) -> None:
    """Print the truth beside what was found, stretch by stretch."""
    edges = [0.0, *mix.borders, mix.seconds]
    errors = []
    found = 0
    print(
        f"{'piece':<34} {'start':>8} {'found':>8} {'error':>6}"
        f"  {'end':>8} {'found':>8} {'error':>6}  confidence"
    )
    for place, piece in enumerate(mix.pieces):
        start, end = edges[place], edges[place + 1]
        track = tracks.get(piece)
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
        errors += [abs(best.start - start)] * (place > 0)
        errors += [abs(best.end - end)] * (place < len(mix.pieces) - 1)
    extra = len(stretches) - found
    print(
        f"{found} of {len(mix.pieces)} found, {extra} stretches too many; errors of borders:"
        f" median {np.median(errors):.2f} s, most {max(errors):.2f} s"
    )


def resident() -> float:
    """Give the most megabytes that the process ever had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--pieces", type=int, default=10)
    parser.add_argument("--distractors", type=int, default=10_000)
    parser.add_argument("--half", choices=HALVES, default="reporting")
    parser.add_argument("--fade", type=float, default=5.0, help="seconds")
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    arguments = parser.parse_args()
    files = sorted(
        path for path in arguments.music.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES
    )
    recordings = [read_recording(file, SAMPLE_RATE) for file in files]
    prints = [fingerprint(recording.samples) for recording in recordings]
    durations = [recording.duration for recording in recordings]
    del recordings
    for seed in arguments.seed:
        rng = np.random.default_rng(seed)
        half = np.arange(len(files))[HALVES[arguments.half] :: 2]
        chosen = rng.choice(half, arguments.pieces + 1, replace=False).tolist()
        stranger = chosen[arguments.pieces // 2]
        known = [piece for piece in range(len(files)) if piece != stranger]
        tracks = {piece: track for track, piece in enumerate(known)}
        with TemporaryDirectory() as folder:
            index = index_of(
                Path(folder),
                [prints[piece] for piece in known],
                [durations[piece] for piece in known],
                arguments.distractors,
            )
            identifier = Identifier(index)
            mix = write_mix(Path(folder), files, chosen, arguments.fade)
            identifier.matches(prints[0].excerpt(5000, 4000))
            before = resident()
            started, cpu = time.perf_counter(), time.process_time()
            query, samples = fingerprint_stream(stream_recording(mix.file, SAMPLE_RATE))
            reading = time.perf_counter() - started
            stretches = segment(query, samples / SAMPLE_RATE, identifier)
            seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
            report(mix, stretches, [file.stem for file in files], tracks)
            print(
                f"{mix.seconds / 60:.1f} minutes in {seconds:.1f} s ({reading:.1f} s to read and"
                f" fingerprint), {mix.seconds / seconds:.0f} x real time; {cpu:.1f} s of CPU;"
                f" memory {resident():.0f} MB ({before:.0f} MB before)\n"
            )


if __name__ == "__main__":
    main()
