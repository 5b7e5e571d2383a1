"""Noise that a phone records with the music, and its level below the music.

Ratios of signal to noise hold inside the band that fingerprints see, up to half of 11025 Hz. All
noise comes from the generator that is handed in.

Belongs here: noises, mixing them in, filters. Does not belong here: what else happens to music
(`degradations`).
"""

import numpy as np
from scipy import signal

from spotify_pipeline.fingerprint import SAMPLE_RATE
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s

__all__ = ["applause", "babble", "band", "pink_noise", "with_noise"]

VOICES = 8
CLAPS_PER_SECOND = 300


def with_noise(
    samples: Float32s, noise: Float32s | Float64s, decibel: float, rate: int
) -> Float32s:
    """Add noise of shape (n,) at a level below the signal's, both inside the fingerprint's band."""
    audible = signal.butter(8, SAMPLE_RATE / 2, fs=rate, output="sos")
    level_of_signal = np.std(signal.sosfilt(audible, samples))
    level_of_noise = max(float(np.std(signal.sosfilt(audible, noise))), 1e-12)
    gain = level_of_signal / level_of_noise / 10 ** (decibel / 20)
    mixed: Float32s = (samples + gain * noise).astype(np.float32)
    return mixed


def band(samples: Float32s, low: float, high: float, rate: int) -> Float32s:
    """Keep what lies between two frequencies."""
    sections = signal.butter(4, (low, high), "bandpass", fs=rate, output="sos")
    kept: Float32s = signal.sosfilt(sections, samples).astype(np.float32)
    return kept


def pink_noise(length: int, rng: np.random.Generator) -> Float32s:
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
    scaled: Float32s = noise.astype(np.float32)
    return scaled


def babble(length: int, rate: int, rng: np.random.Generator) -> Float64s:
    """Make the sound of eight voices: pulse trains through formants, in syllables."""
    times = np.arange(length) / rate
    voices = np.zeros(length)
    for _ in range(VOICES):
        pitch = rng.uniform(90, 240) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.3, 1) * times))
        pulses = signal.sawtooth(2 * np.pi * np.cumsum(pitch) / rate)
        for formant in rng.uniform((300, 900, 2200), (800, 2000, 3200)):
            peak = signal.iirpeak(formant, 6, rate)
            voices += signal.lfilter(*peak, pulses) * _syllables(length, rate, rng)
    return voices


def _syllables(length: int, rate: int, rng: np.random.Generator) -> Float64s:
    """Make loudness that comes and goes four times a second, with pauses."""
    points = rng.random(length * 8 // rate + 3) ** 2 * (rng.random(length * 8 // rate + 3) > 0.3)
    return np.interp(np.arange(length) * 8 / rate, np.arange(len(points)), points)


def applause(length: int, rate: int, rng: np.random.Generator) -> Float32s:
    """Make three hundred claps a second."""
    claps = np.zeros(length)
    positions = rng.integers(0, length, CLAPS_PER_SECOND * length // rate)
    np.add.at(claps, positions, rng.uniform(0.2, 1, len(positions)))
    size = rate // 50
    clap = rng.standard_normal(size) * np.exp(-np.arange(size) / (rate / 250))
    noise = signal.fftconvolve(claps, clap)[:length]
    return band(noise.astype(np.float32), 500, 8000, rate)
