"""A noisy excerpt of a recording, as a phone in a bar might have caught it.

Belongs here: cutting, noise, MP3. Does not belong here: composing (`composer`).
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from spotify_pipeline.recording import RecordingError, read_recording

__all__ = ["pink_noise", "write_noisy_excerpt"]

EXCERPT_RATE = 44100
MP3_64_KBIT = 0.89
"""libsndfile's compression level that gives about 64 kbit/s at 44.1 kHz."""


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


def pink_noise(length: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Make noise whose power falls by 3 dB an octave, root mean square 1; float32 (length,).

    Raises
    ------
    ValueError
        The length is 0.
    """
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    noise = np.fft.irfft(spectrum, length)
    noise /= max(float(np.sqrt(np.mean(noise**2))), 1e-12)
    scaled: npt.NDArray[np.float32] = noise.astype(np.float32)
    return scaled
