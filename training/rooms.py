"""Impulse responses of rooms: shoeboxes by the image-source model, and decaying noise.

Belongs here: responses. Does not belong here: what else happens to music (`playback`).
"""

from functools import cache

import numpy as np
from scipy import signal

from spotify_pipeline.fingerprint.arrays import Float32s

__all__ = ["reverberated"]

SHOEBOXES = 500
"""Responses are drawn from so many, for each takes half a second to make."""

MOST_IMAGES = 12
"""Reflections of a path."""


def reverberated(samples: Float32s, rate: int, rng: np.random.Generator) -> Float32s:
    """Play samples in a room: half of the rooms are shoeboxes, half decaying noise."""
    response = (
        _shoebox(int(rng.integers(SHOEBOXES)), rate) if rng.random() < 0.5 else _noise(rate, rng)
    )
    return np.asarray(signal.fftconvolve(samples, response)[: len(samples)], np.float32)


def _noise(rate: int, rng: np.random.Generator) -> Float32s:
    """Draw noise that decays in 0.15 to 0.9 s, half to twice as loud as the direct sound."""
    seconds = rng.uniform(0.15, 0.9)
    times = np.arange(round(seconds * rate)) / rate
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
    tail[: round(rng.uniform(0.001, 0.01) * rate)] = 0
    tail *= 10 ** (rng.uniform(-6, 6) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail.astype(np.float32)


@cache
def _shoebox(number: int, rate: int) -> Float32s:
    """Draw a room, a loudspeaker and a microphone (Allen & Berkley, JASA 1979)."""
    import pyroomacoustics

    rng = np.random.default_rng(number)
    size = rng.uniform((2.5, 2.5, 2.2), (12, 10, 4.5))
    seconds = rng.uniform(0.2, 0.9)
    try:
        absorption, order = pyroomacoustics.inverse_sabine(seconds, size)
    except ValueError:  # so small a room can't be so live
        absorption, order = 0.2, MOST_IMAGES
    room = pyroomacoustics.ShoeBox(
        size,
        fs=rate,
        materials=pyroomacoustics.Material(absorption),
        max_order=min(order, MOST_IMAGES),
    )
    room.add_source(rng.uniform(0.4, size - 0.4))
    room.add_microphone(rng.uniform(0.4, size - 0.4))
    room.compute_rir()
    response = np.asarray(room.rir[0][0], np.float64)
    direct = int(np.abs(response).argmax())
    return np.asarray(response[direct:] / response[direct], np.float32)
