"""What happens to a stretch of music between the record and the microphone, drawn at random.

Rooms, small loudspeakers and microphones, noise, voices, applause, automatic gain, clipping,
codecs, other rates, other speeds. Rooms and loud noise come more often than not, since little else
is missed.

Belongs here: the chain, and its links that an evaluation has no fixed recipe for. Does not belong
here: rooms (`rooms`); recipes that are reported on (`evaluation.degradations`).
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import signal

from spotify_pipeline.evaluation import noise
from spotify_pipeline.evaluation.codecs import resampled
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE
from spotify_pipeline.fingerprint.arrays import Float32s
from training.rooms import reverberated

__all__ = ["Play", "Played", "played"]

CODED = ("telephone", "mp3 64k", "mp3 16k", "opus 32k", "clipped")
MOST_SPEED = 0.045
DRIFT = 0.001
"""Clocks of two devices differ by at most so much of themselves."""

CORNERS = np.array([80, 160, 315, 630, 1250, 2500, 5000])
"""Hertz, between which a loudspeaker's response is interpolated."""

LEVEL_SECONDS = 0.25
"""Automatic gain follows the level over so long."""


class Played(NamedTuple):
    """What a microphone has of a stretch of music.

    Attributes
    ----------
    samples
        float32 of shape (n,), at `RATE`.
    speed
        The music was played so many times as fast.
    """

    samples: Float32s
    speed: float


Play = Callable[[Float32s, np.random.Generator], Played]


def played(samples: Float32s, rng: np.random.Generator) -> Played:
    """Play a stretch through something, seldom through nothing."""
    if rng.random() < 0.08:
        return Played(samples, 1.0)
    if rng.random() < 0.06:
        return Played(DEGRADATIONS[str(rng.choice(["pitch +1", "pitch -1"]))](samples, rng), 1.0)
    if rng.random() < 0.35:
        samples = through_a_loudspeaker(samples, rng)
    if rng.random() < 0.55:
        samples = reverberated(samples, RATE, rng)
    if rng.random() < 0.6:
        samples = in_noise(samples, rng)
    if rng.random() < 0.35:
        samples = noise.band(samples, rng.uniform(80, 300), rng.uniform(3000, 5400), RATE)
    if rng.random() < 0.15:
        samples = with_automatic_gain(samples, rng)
    if rng.random() < 0.45:
        samples = DEGRADATIONS[str(rng.choice(CODED))](samples, rng)
    chosen = rng.random()
    if chosen < 0.25:
        return at_speed(samples, 1 + rng.uniform(-MOST_SPEED, MOST_SPEED))
    if chosen < 0.4:
        return at_speed(samples, 1 + rng.uniform(-DRIFT, DRIFT))
    return Played(samples, 1.0)


def at_speed(samples: Float32s, speed: float) -> Played:
    """Play faster, tempo and pitch together."""
    return Played(resampled(samples, RATE * speed, RATE), speed)


def through_a_loudspeaker(samples: Float32s, rng: np.random.Generator) -> Float32s:
    """Color the sound as small loudspeakers and microphones do: by up to 10 dB here and there."""
    gains = rng.normal(0, 5, len(CORNERS)).clip(-10, 10)
    gains[0] -= rng.uniform(0, 15)
    hertz = np.array([0, *CORNERS, RATE / 2])
    decibels = np.array([gains[0] - 20, *gains, gains[-1] - rng.uniform(0, 15)])
    response = signal.firwin2(1025, hertz, 10 ** (decibels / 20), fs=RATE)
    return np.asarray(signal.fftconvolve(samples, response, "same"), np.float32)


def with_automatic_gain(samples: Float32s, rng: np.random.Generator) -> Float32s:
    """Even out the level as a phone does, by a fraction of its logarithm."""
    fraction = rng.uniform(0.3, 0.9)
    pole = np.exp(-1 / (LEVEL_SECONDS * RATE))
    power = signal.lfilter([1 - pole], [1, -pole], samples.astype(np.float64) ** 2)
    floor = 1e-3 * float(np.mean(samples**2)) + 1e-12
    return np.asarray(samples * (power + floor) ** (-fraction / 2), np.float32)


def in_noise(samples: Float32s, rng: np.random.Generator) -> Float32s:
    """Add noise of some kind, at -4 to 20 dB, around 0 dB the most often."""
    length = len(samples)
    kinds: list[Callable[[int], np.ndarray]] = [
        rng.standard_normal,
        partial(noise.pink_noise, rng=rng),
        partial(noise.babble, rate=RATE, rng=rng),
        partial(noise.applause, rate=RATE, rng=rng),
    ]
    added = kinds[int(rng.integers(len(kinds)))](length)
    return noise.with_noise(samples, added, rng.triangular(-4, 0, 20), RATE)
