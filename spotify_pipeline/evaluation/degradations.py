"""What happens to music on its way to a recording: codecs, noise, rooms, speed.

Each degradation takes float32 samples at `RATE` and gives as many at the same rate, or, where speed
or tempo change, as many fewer or more. The recipes stay as they are: figures of different versions
are compared.

Belongs here: the recipes, by name. Does not belong here: noises (`noise`) and codecs (`codecs`).
"""

from collections.abc import Callable

import librosa
import numpy as np
from librosa.effects import pitch_shift, time_stretch
from scipy import signal

from spotify_pipeline.evaluation.codecs import (
    MP3_16_KBIT,
    MP3_64_KBIT,
    OPUS_32_KBIT,
    OPUS_RATE,
    resampled,
    through_codec,
)
from spotify_pipeline.evaluation.noise import applause, babble, band, pink_noise, with_noise
from spotify_pipeline.fingerprint.arrays import Float32s

__all__ = ["DEGRADATIONS", "RATE", "Degradation", "changes_speed"]

RATE = 44_100
TELEPHONE_RATE = 8_000

Degradation = Callable[[Float32s, np.random.Generator], Float32s]


def changes_speed(name: str) -> bool:
    """Tell whether a degradation changes the number of samples."""
    return name.startswith(("speed", "tempo"))


def _white(decibel: float) -> Degradation:
    """Add white noise."""
    return lambda x, rng: with_noise(x, rng.standard_normal(len(x)), decibel, RATE)


def _pink(decibel: float) -> Degradation:
    """Add pink noise."""
    return lambda x, rng: with_noise(x, pink_noise(len(x), rng), decibel, RATE)


def _babble(samples: Float32s, rng: np.random.Generator) -> Float32s:
    """Add voices at 10 dB."""
    return with_noise(samples, babble(len(samples), RATE, rng), 10, RATE)


def _applause(samples: Float32s, rng: np.random.Generator) -> Float32s:
    """Add claps at 10 dB."""
    return with_noise(samples, applause(len(samples), RATE, rng), 10, RATE)


def _telephone(samples: Float32s, _: np.random.Generator) -> Float32s:
    """Keep 300 to 3400 Hz, at 8 kHz and in eight bits of mu-law."""
    sent = resampled(band(samples, 300, 3400, RATE), RATE, TELEPHONE_RATE)
    sent = sent / max(float(np.abs(sent).max()), 1e-9)
    coded = librosa.mu_compress(sent, mu=255, quantize=True)
    return resampled(librosa.mu_expand(coded, mu=255).astype(np.float32), TELEPHONE_RATE, RATE)


def _room(samples: Float32s, rng: np.random.Generator) -> Float32s:
    """Reverberate for 0.3 to 0.7 s, as loud as the direct sound, with pink noise at 5 dB."""
    seconds = rng.uniform(0.3, 0.7)
    times = np.arange(round(seconds * RATE)) / RATE
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
    tail[: round(0.002 * RATE)] = 0
    tail /= np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    reverberant = signal.fftconvolve(samples, tail)[: len(samples)].astype(np.float32)
    return band(
        with_noise(reverberant, pink_noise(len(reverberant), rng), 5, RATE), 200, 4500, RATE
    )


def _speed(percent: float) -> Degradation:
    """Play faster, tempo and pitch together."""
    return lambda x, _: resampled(x, RATE * (1 + percent / 100), RATE)


def _pitch(semitones: float) -> Degradation:
    """Move the pitch and keep the tempo."""

    def moved(samples: Float32s, _: np.random.Generator) -> Float32s:
        shifted: Float32s = pitch_shift(samples, sr=RATE, n_steps=semitones)
        return shifted

    return moved


def _tempo(percent: float) -> Degradation:
    """Play faster and keep the pitch, by a phase vocoder."""

    def played(samples: Float32s, _: np.random.Generator) -> Float32s:
        stretched: Float32s = time_stretch(samples, rate=1 + percent / 100)
        return stretched

    return played


def _clipped(samples: Float32s, _: np.random.Generator) -> Float32s:
    """Cut off all that is louder than a quarter of the peak."""
    peak = float(np.abs(samples).max())
    return np.clip(samples, -peak / 4, peak / 4)


DEGRADATIONS: dict[str, Degradation] = {
    "clean": lambda x, _: x,
    "mp3 64k": lambda x, _: through_codec(x, RATE, RATE, "MP3", MP3_64_KBIT),
    "opus 32k": lambda x, _: through_codec(x, RATE, OPUS_RATE, "OGG", OPUS_32_KBIT, "OPUS"),
    "telephone": _telephone,
    "white 10": _white(10),
    "white 0": _white(0),
    "pink 10": _pink(10),
    "pink 0": _pink(0),
    "room": _room,
    "speed +0.5": _speed(0.5),
    "speed +1": _speed(1),
    "speed -1": _speed(-1),
    "speed +2": _speed(2),
    "speed -2": _speed(-2),
    "speed +4": _speed(4),
    "speed -4": _speed(-4),
    "pitch +1": _pitch(1),
    "pitch -1": _pitch(-1),
    "babble": _babble,
    "applause": _applause,
    "clipped": _clipped,
    "mp3 16k": lambda x, _: through_codec(x, RATE, TELEPHONE_RATE, "MP3", MP3_16_KBIT),
    "tempo +4": _tempo(4),
    "tempo -4": _tempo(-4),
    "speed +1.5": _speed(1.5),
    "speed -2.7": _speed(-2.7),
}
"""By name; the order seeds the excerpts, so new ones stand at the end."""
