"""CPU time of the fingerprint, both settings, per minute of audio; by stage.

    python -m benchmarks.fingerprint [--music DIR] [--runs 5]

Without --music, on a piece that the demo composes. Audio comes at 44100 Hz; *analyzer's way* brings
it to the front end as `resampling.analyzer_resampler` does, *straight* is one sharp resampling, for
comparison: all the rest is the same for both.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soxr

from benchmarks.command import command_line, print_machine
from spotify_pipeline.demo.composer import compose
from spotify_pipeline.fingerprint import (
    ECHOPRINT,
    RHYTHM,
    SAMPLE_RATE,
    codes_of_trains,
    detect_onsets,
    envelopes,
    fingerprint,
    trains_of_codes,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.recording import audio_files, read_recording
from spotify_pipeline.resampling import analyzer_samples

RATE = 44_100


def recordings(music: Path | None) -> list[Float32s]:
    """Decode up to eight files, or compose a piece; at `RATE`."""
    if music is None:
        piece = compose(0)
        return [np.asarray(soxr.resample(piece.samples, piece.sample_rate, RATE), np.float32)]
    return [read_recording(path, RATE).samples for path in audio_files(music)[:8]]


def fastest(work: Callable[[], object], runs: int) -> float:
    """Give the least CPU seconds of several runs, after one that does not count."""
    work()
    times = []
    for _ in range(runs):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument(
        "--music", type=Path, metavar="DIR", help="folder whose first 8 files count"
    )
    parser.add_argument("--runs", type=int, default=5, help="of each stage; the fastest counts")
    arguments = parser.parse_args(words)
    print_machine()
    recorded = recordings(arguments.music)
    minutes = sum(map(len, recorded)) / RATE / 60
    pieces = [analyzer_samples(samples, RATE) for samples in recorded]
    bands = [envelopes(samples) for samples in pieces]
    codes = [codes_of_trains(detect_onsets(band, ECHOPRINT)) for band in bands]
    stages: dict[str, Callable[[], object]] = {
        "straight to 11025 Hz": lambda: [soxr.resample(s, RATE, SAMPLE_RATE) for s in recorded],
        "the analyzer's way": lambda: [analyzer_samples(s, RATE) for s in recorded],
        "front end": lambda: [envelopes(samples) for samples in pieces],
        "onsets, Echoprint": lambda: [detect_onsets(band, ECHOPRINT) for band in bands],
        "onsets, rhythm": lambda: [detect_onsets(band, RHYTHM) for band in bands],
        "11025 Hz to both trains": lambda: [fingerprint(samples) for samples in pieces],
        "codes back to trains": lambda: [trains_of_codes(code) for code in codes],
    }
    print(f"{len(pieces)} pieces, {minutes:.1f} minutes; CPU seconds a minute of audio:")
    seconds = {name: fastest(work, arguments.runs) / minutes for name, work in stages.items()}
    for name, taken in seconds.items():
        print(f"  {name:<24} {taken:.4f}")
    straight, way, both = (
        seconds[name]
        for name in ("straight to 11025 Hz", "the analyzer's way", "11025 Hz to both trains")
    )
    print(f"from 44100 Hz to both trains: {(way + both) / (straight + both):.2f} x straight")


if __name__ == "__main__":
    main()
