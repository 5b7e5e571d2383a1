"""Audio to a fingerprint: the whole way, both settings at once.

Belongs here: the entry point. Does not belong here: reading files (`spotify_pipeline.recording`).
"""

from dataclasses import dataclass

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.codes import codes_of_trains
from spotify_pipeline.fingerprint.detector import ECHOPRINT, RHYTHM, detect_onsets
from spotify_pipeline.fingerprint.errors import AudioError
from spotify_pipeline.fingerprint.frontend import envelopes
from spotify_pipeline.fingerprint.strings import encode_echoprint, encode_rhythm
from spotify_pipeline.fingerprint.trains import OnsetTrains

__all__ = ["Fingerprint", "fingerprint"]


@dataclass(frozen=True)
class Fingerprint:
    """The onset trains of one recording in both settings.

    Attributes
    ----------
    echoprint
        Sparse onsets, about 0.5 a second and band.
    rhythm
        Dense onsets, about 3 a second and band.
    """

    echoprint: OnsetTrains
    rhythm: OnsetTrains

    def excerpt(self, first: int, frames: int | None = None) -> "Fingerprint":
        """Cut out so many frames, or all from the first on, which becomes frame 0."""
        return Fingerprint(
            self.echoprint.excerpt(first, frames), self.rhythm.excerpt(first, frames)
        )

    def at_speed(self, speed: float) -> "Fingerprint":
        """Multiply all frames by a factor."""
        return Fingerprint(self.echoprint.at_speed(speed), self.rhythm.at_speed(speed))

    def echoprint_string(self, *, padded: bool = False) -> str:
        """Write the ``echoprintstring``, as documents of the dump have it unless it is padded."""
        return encode_echoprint(codes_of_trains(self.echoprint, padded=padded))

    def rhythm_string(self) -> str:
        """Write the ``rhythmstring``."""
        return encode_rhythm(self.rhythm)


def fingerprint(samples: Float32s) -> Fingerprint:
    """Fingerprint mono audio at 11025 Hz.

    Audio without onsets (silence, under a tenth of a second, nothing at all) has empty trains.

    Parameters
    ----------
    samples
        float of shape (samples,), full scale at -1 and 1.

    Raises
    ------
    AudioError
        The array has not one dimension, or a sample is not finite.
    """
    samples = np.asarray(samples, np.float32)
    if samples.ndim != 1:
        raise AudioError(f"expected one channel, got an array of shape {samples.shape}")
    if not np.isfinite(samples).all():
        raise AudioError("a sample is NaN or infinite")
    bands = envelopes(samples)
    return Fingerprint(detect_onsets(bands, ECHOPRINT), detect_onsets(bands, RHYTHM))
