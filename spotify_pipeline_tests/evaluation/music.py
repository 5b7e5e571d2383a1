"""A little music in files, for tests that read it."""

from pathlib import Path

import numpy as np
import soundfile

from spotify_pipeline.demo.composer import compose

__all__ = ["compose_music", "no_report", "write_piece"]

RATE = 11025
"""Low, so that files are read fast."""


def write_piece(path: Path, seed: int, seconds: float | None = None) -> Path:
    """Compose a piece and write it as FLAC, or its first seconds."""
    piece = compose(seed)
    step = piece.sample_rate // RATE
    samples = piece.samples[: len(piece.samples) // step * step].reshape(-1, step).mean(axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    end = None if seconds is None else round(seconds * RATE)
    soundfile.write(path, samples[:end].astype(np.float32), piece.sample_rate // step)
    return path


def compose_music(folder: Path, count: int) -> list[Path]:
    """Write so many pieces."""
    return [write_piece(folder / f"piece {seed}.flac", seed) for seed in range(count)]


def no_report(done: int, total: int, what: str) -> None:
    """Take progress and do nothing with it."""
