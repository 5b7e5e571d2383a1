"""A noisy excerpt of a recording, as a phone in a bar might have caught it.

Belongs here: cutting and mixing an excerpt. Does not belong here: noise and codecs themselves
(`evaluation`), composing (`composer`).
"""

from pathlib import Path

import numpy as np

from spotify_pipeline.evaluation.codecs import MP3_64_KBIT
from spotify_pipeline.evaluation.noise import pink_noise
from spotify_pipeline.recording import RecordingError, read_recording

__all__ = ["EXCERPT_RATE", "write_noisy_excerpt"]

EXCERPT_RATE = 44100


def write_noisy_excerpt(
    source: Path, target: Path, *, start: float, seconds: float, noise_decibel: float, seed: int
) -> None:
    """Cut an excerpt, add pink noise, and save it as an MP3 of 64 kbit/s.

    Parameters
    ----------
    source, target
        Audio file to read, MP3 file to write.
    start, seconds
        Where the excerpt begins, and its length.
    noise_decibel
        Level of the signal above the noise.
    seed
        Of the noise.

    Raises
    ------
    RecordingError
        The source can't be read, or is over before the excerpt begins.
    """
    import soundfile

    samples = read_recording(source, EXCERPT_RATE).samples
    first = round(start * EXCERPT_RATE)
    excerpt = samples[first : first + round(seconds * EXCERPT_RATE)]
    if len(excerpt) == 0:
        raise RecordingError(f"{source}: is over before {start:.2f} s; choose an earlier start")
    noise = pink_noise(len(excerpt), np.random.default_rng(seed))
    level = np.sqrt(np.mean(excerpt**2)) / 10 ** (noise_decibel / 20)
    mixed = excerpt + level * noise
    peak = max(float(np.abs(mixed).max(initial=0.0)), 1e-9)
    soundfile.write(
        target,
        mixed * min(1.0, 0.95 / peak),
        EXCERPT_RATE,
        format="MP3",
        bitrate_mode="CONSTANT",
        compression_level=MP3_64_KBIT,
    )
