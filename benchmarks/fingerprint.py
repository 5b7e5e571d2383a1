"""CPU time of the fingerprint, both settings, per minute of audio; by stage.

    python benchmarks/fingerprint.py [--music DIR] [--runs 5]

Without --music, on a piece that the demo composes.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import librosa

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
from spotify_pipeline.recording import AUDIO_SUFFIXES, Recording, read_for_fingerprint


def recordings(music: Path | None) -> list[Recording]:
    """Decode up to eight files, or compose a piece."""
    if music is None:
        piece = compose(0)
        samples = librosa.resample(piece.samples, orig_sr=piece.sample_rate, target_sr=SAMPLE_RATE)
        return [Recording(samples, SAMPLE_RATE, len(samples) / SAMPLE_RATE)]
    files = sorted(path for path in music.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    return [read_for_fingerprint(path) for path in files[:8]]


def fastest(work: Callable[[], object], runs: int) -> float:
    """Give the least CPU seconds of several runs, after one that does not count."""
    work()
    times = []
    for _ in range(runs):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    pieces = recordings(arguments.music)
    minutes = sum(piece.duration for piece in pieces) / 60
    bands = [envelopes(piece.samples) for piece in pieces]
    codes = [codes_of_trains(detect_onsets(band, ECHOPRINT)) for band in bands]
    stages: dict[str, Callable[[], object]] = {
        "front end": lambda: [envelopes(piece.samples) for piece in pieces],
        "onsets, Echoprint": lambda: [detect_onsets(band, ECHOPRINT) for band in bands],
        "onsets, rhythm": lambda: [detect_onsets(band, RHYTHM) for band in bands],
        "audio to both trains": lambda: [fingerprint(piece.samples) for piece in pieces],
        "codes back to trains": lambda: [trains_of_codes(code) for code in codes],
    }
    print(f"{len(pieces)} pieces, {minutes:.1f} minutes; CPU seconds a minute of audio:")
    for name, work in stages.items():
        print(f"  {name:<22} {fastest(work, arguments.runs) / minutes:.4f}")


if __name__ == "__main__":
    main()
