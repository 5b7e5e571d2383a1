"""A little music in files, for tests that read it."""

import shutil
from pathlib import Path

import soundfile

from spotify_pipeline.demo.composer import compose
from spotify_pipeline.fingerprint.arrays import Float32s

__all__ = ["MUSIC_RATE", "compose_music", "copied_music", "no_report"]

MUSIC_RATE = 11025
"""Low, so that files are read fast."""


def compose_music(folder: Path, count: int) -> None:
    """Write so many pieces."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        piece = compose(seed)
        step = piece.sample_rate // MUSIC_RATE
        samples: Float32s = piece.samples[: len(piece.samples) // step * step]
        path = folder / f"piece {seed}.flac"
        soundfile.write(path, samples.reshape(-1, step).mean(axis=1), MUSIC_RATE)


def copied_music(music: Path, folder: Path, count: int) -> None:
    """Copy the first pieces of a folder to another one."""
    for path in sorted(music.iterdir())[:count]:
        shutil.copy(path, folder)


def no_report(done: int, total: int, what: str) -> None:
    """Take progress and do nothing with it."""
