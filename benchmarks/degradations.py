"""What happens to music on its way to a recording: codecs, noise, rooms, speed.

Each takes float32 samples at `RATE` and gives as many at the same rate, or, where the speed
changes, as many fewer or more. Signal-to-noise ratios hold inside the band that fingerprints see,
up to half of 11025 Hz. All noise comes from the generator that is handed in.
"""

import io
from collections.abc import Callable

import librosa
import numpy as np
import soundfile
from scipy import signal

from spotify_pipeline.demo.excerpt import EXCERPT_RATE as RATE
from spotify_pipeline.demo.excerpt import MP3_64_KBIT, pink_noise
from spotify_pipeline.fingerprint import SAMPLE_RATE

Degradation = Callable[[np.ndarray, np.random.Generator], np.ndarray]

OPUS_RATE = 48_000
OPUS_32_KBIT = 0.896
TELEPHONE_RATE = 8_000
MP3_16_KBIT = 0.87


def through_codec(
    samples: np.ndarray, rate: int, form: str, level: float, subtype: str | None = None
) -> np.ndarray:
    """Encode at another rate, decode, and come back to `RATE`."""
    file = io.BytesIO()
    sent = resampled(samples, RATE, rate)
    mode = {"bitrate_mode": "CONSTANT"} if form == "MP3" else {}
    soundfile.write(file, sent, rate, format=form, subtype=subtype, compression_level=level, **mode)
    file.seek(0)
    decoded, decoded_rate = soundfile.read(file, dtype="float32")
    return resampled(decoded, decoded_rate, RATE)


def resampled(samples: np.ndarray, rate: float, target: float) -> np.ndarray:
    """Change the rate."""
    if rate == target:
        return samples
    return librosa.resample(samples, orig_sr=rate, target_sr=target).astype(np.float32)


def band(samples: np.ndarray, low: float, high: float) -> np.ndarray:
    """Keep what lies between two frequencies."""
    sections = signal.butter(4, (low, high), "bandpass", fs=RATE, output="sos")
    return signal.sosfilt(sections, samples).astype(np.float32)


def with_noise(samples: np.ndarray, noise: np.ndarray, decibel: float) -> np.ndarray:
    """Add noise at a level below the signal, both measured inside the fingerprint's band."""
    heard = signal.butter(8, SAMPLE_RATE / 2, fs=RATE, output="sos")
    level_of_signal = np.std(signal.sosfilt(heard, samples))
    level_of_noise = max(float(np.std(signal.sosfilt(heard, noise))), 1e-12)
    gain = level_of_signal / level_of_noise / 10 ** (decibel / 20)
    return (samples + gain * noise).astype(np.float32)


def white(decibel: float) -> Degradation:
    """Add white noise."""
    return lambda x, rng: with_noise(x, rng.standard_normal(len(x)), decibel)


def pink(decibel: float) -> Degradation:
    """Add pink noise."""
    return lambda x, rng: with_noise(x, pink_noise(len(x), rng), decibel)


def babble(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add eight voices at 10 dB: pulse trains through formants, in syllables."""
    times = np.arange(len(samples)) / RATE
    voices = np.zeros(len(samples))
    for _ in range(8):
        pitch = rng.uniform(90, 240) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.3, 1) * times))
        pulses = signal.sawtooth(2 * np.pi * np.cumsum(pitch) / RATE)
        for formant in rng.uniform((300, 900, 2200), (800, 2000, 3200)):
            peak = signal.iirpeak(formant, 6, RATE)
            voices += signal.lfilter(*peak, pulses) * _syllables(len(samples), rng)
    return with_noise(samples, voices, 10)


def _syllables(length: int, rng: np.random.Generator) -> np.ndarray:
    """Make loudness that comes and goes four times a second, with pauses."""
    points = rng.random(length * 8 // RATE + 3) ** 2 * (rng.random(length * 8 // RATE + 3) > 0.3)
    return np.interp(np.arange(length) * 8 / RATE, np.arange(len(points)), points)


def applause(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add three hundred claps a second, at 10 dB."""
    claps = np.zeros(len(samples))
    places = rng.integers(0, len(samples), 300 * len(samples) // RATE)
    np.add.at(claps, places, rng.uniform(0.2, 1, len(places)))
    length = RATE // 50
    clap = rng.standard_normal(length) * np.exp(-np.arange(length) / (RATE / 250))
    noise = signal.fftconvolve(claps, clap)[: len(samples)]
    return with_noise(samples, band(noise.astype(np.float32), 500, 8000), 10)


def telephone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keep 300 to 3400 Hz, at 8 kHz and in eight bits of mu-law."""
    sent = resampled(band(samples, 300, 3400), RATE, TELEPHONE_RATE)
    sent = sent / max(float(np.abs(sent).max()), 1e-9)
    coded = librosa.mu_compress(sent, mu=255, quantize=True)
    return resampled(librosa.mu_expand(coded, mu=255).astype(np.float32), TELEPHONE_RATE, RATE)


def room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reverberate for 0.3 to 0.7 s, as loud as the direct sound, with pink noise at 5 dB."""
    seconds = rng.uniform(0.3, 0.7)
    times = np.arange(round(seconds * RATE)) / RATE
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
    tail[: round(0.002 * RATE)] = 0
    tail /= np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    heard = signal.fftconvolve(samples, tail)[: len(samples)].astype(np.float32)
    return band(with_noise(heard, pink_noise(len(heard), rng), 5), 200, 4500)


def speed(percent: float) -> Degradation:
    """Play faster, tempo and pitch together."""
    return lambda x, _: resampled(x, RATE * (1 + percent / 100), RATE)


def pitch(semitones: float) -> Degradation:
    """Move the pitch and keep the tempo."""
    return lambda x, _: librosa.effects.pitch_shift(x, sr=RATE, n_steps=semitones)


def clipped(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut off all that is louder than a quarter of the peak."""
    peak = float(np.abs(samples).max())
    return np.clip(samples, -peak / 4, peak / 4)


DEGRADATIONS: dict[str, Degradation] = {
    "clean": lambda x, _: x,
    "mp3 64k": lambda x, _: through_codec(x, RATE, "MP3", MP3_64_KBIT),
    "opus 32k": lambda x, _: through_codec(x, OPUS_RATE, "OGG", OPUS_32_KBIT, "OPUS"),
    "telephone": telephone,
    "white 10": white(10),
    "white 0": white(0),
    "pink 10": pink(10),
    "pink 0": pink(0),
    "room": room,
    "speed +0.5": speed(0.5),
    "speed +1": speed(1),
    "speed -1": speed(-1),
    "speed +2": speed(2),
    "speed -2": speed(-2),
    "speed +4": speed(4),
    "speed -4": speed(-4),
    "pitch +1": pitch(1),
    "pitch -1": pitch(-1),
    "babble": babble,
    "applause": applause,
    "clipped": clipped,
    "mp3 16k": lambda x, _: through_codec(x, TELEPHONE_RATE, "MP3", MP3_16_KBIT),
}
