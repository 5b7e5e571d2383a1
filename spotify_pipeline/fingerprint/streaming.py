"""Audio that comes in blocks to one fingerprint, without ever holding all of it.

Whitening and thresholds forget what was long ago, so each stretch is fingerprinted by itself, with
some audio before it.

Belongs here: stretches, and their onsets put together. Does not belong here: decoding files
(`spotify_pipeline.recording`).
"""

from collections.abc import Iterable, Sequence

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.audio import Fingerprint, fingerprint
from spotify_pipeline.fingerprint.trains import BANDS, FRAME_SAMPLES, OnsetTrains

__all__ = ["fingerprint_stream"]

STRETCH_FRAMES = 20_000
"""58 s. Like `LEAD_FRAMES`, a multiple of whitening blocks: they lie as in the whole recording."""

LEAD_FRAMES = 12_500
"""36 s of audio before a stretch, in which whitening and thresholds settle."""

TAIL_FRAMES = 1_000
"""3 s of audio after it: what follows an onset may overwrite it."""


def fingerprint_stream(blocks: Iterable[Float32s]) -> tuple[Fingerprint, int]:
    """Fingerprint mono audio at 11025 Hz that comes in blocks of any length.

    Nearly as `fingerprint.fingerprint` of the whole: of music, one rhythm onset in 300 differs, and
    one Echoprint onset in 15. Some 100 bytes for each second of audio stay in memory.

    Parameters
    ----------
    blocks
        float32 of shape (samples,), full scale at -1 and 1.

    Returns
    -------
    The fingerprint, and the number of samples.

    Raises
    ------
    AudioError
        As of `fingerprint.fingerprint`.
    """
    stretches: list[Fingerprint] = []
    held = np.empty(0, np.float32)
    lead = 0
    total = 0
    for block in blocks:
        total += len(block)
        held = np.concatenate((held, block))
        while len(held) >= (size := (lead + STRETCH_FRAMES + TAIL_FRAMES) * FRAME_SAMPLES):
            stretches.append(fingerprint(held[:size]).excerpt(lead, STRETCH_FRAMES))
            held = held[(lead + STRETCH_FRAMES - LEAD_FRAMES) * FRAME_SAMPLES :]
            lead = LEAD_FRAMES
    stretches.append(fingerprint(held).excerpt(lead))
    joined = Fingerprint(
        _joined([stretch.echoprint for stretch in stretches]),
        _joined([stretch.rhythm for stretch in stretches]),
    )
    return joined, total


def _joined(stretches: Sequence[OnsetTrains]) -> OnsetTrains:
    """Put the trains of one stretch after those of the other."""
    return OnsetTrains.from_bands(
        [
            np.concatenate(
                [
                    trains.band(band) + np.int32(number * STRETCH_FRAMES)
                    for number, trains in enumerate(stretches)
                ]
            )
            for band in range(BANDS)
        ]
    )
