"""Saving music as MP3 or Opus, or at another rate, and coming back.

Belongs here: codecs, their settings, resampling. Does not belong here: what else happens to music
(`degradations`).
"""

import io

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float32s

__all__ = ["MP3_16_KBIT", "MP3_64_KBIT", "OPUS_32_KBIT", "OPUS_RATE", "resampled", "through_codec"]

MP3_64_KBIT = 0.89
"""libsndfile's compression level that gives about 64 kbit/s at 44.1 kHz."""

MP3_16_KBIT = 0.87
"""The same for 16 kbit/s at 8 kHz."""

OPUS_32_KBIT = 0.896
"""The same for 32 kbit/s at `OPUS_RATE`."""

OPUS_RATE = 48_000

BLOCK_SAMPLES = 1 << 16


MP3_DELAY = 1105
"""Samples that a decoded MP3 comes late, where libsndfile does not cut them off: those of an
encoder's (576) and a decoder's (529) filters."""


def through_codec(
    samples: Float32s,
    rate: int,
    coded_rate: int,
    form: str,
    level: float,
    subtype: str | None = None,
) -> Float32s:
    """Encode and decode, without what that adds to the beginning and the end.

    Parameters
    ----------
    samples
        Of shape (n,).
    rate
        Of the samples, in Hz.
    coded_rate
        At which they are encoded.
    form, subtype
        As libsndfile names them: ``MP3``; ``OGG`` and ``OPUS``.
    level
        libsndfile's compression level, 0 to 1.

    Returns
    -------
    Samples at the rate that they came in.
    """
    import soundfile

    file = io.BytesIO()
    given = resampled(samples, rate, coded_rate)
    mode = {"bitrate_mode": "CONSTANT"} if form == "MP3" else {}
    with soundfile.SoundFile(
        file,
        "w",
        coded_rate,
        channels=1,
        format=form,
        subtype=subtype,
        compression_level=level,
        **mode,
    ) as encoder:
        # libsndfile overruns its stack if Vorbis comes in one piece
        for first in range(0, len(given), BLOCK_SAMPLES):
            encoder.write(given[first : first + BLOCK_SAMPLES])
    file.seek(0)
    decoded, decoded_rate = soundfile.read(file, dtype="float32")
    if form == "MP3" and len(decoded) > len(given):
        decoded = decoded[MP3_DELAY:]
    return resampled(decoded[: len(given)], decoded_rate, rate)


def resampled(samples: Float32s, rate: float, target: float) -> Float32s:
    """Bring samples from one rate to another."""
    import librosa

    if rate == target:
        return samples
    changed: Float32s = librosa.resample(samples, orig_sr=rate, target_sr=target).astype(np.float32)
    return changed
