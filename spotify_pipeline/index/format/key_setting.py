"""How onsets become the keys of an index, and how coarse its time is: one object, passed around.

It stands in the head of each segment and in the manifest, so that an index is searched as it was
made. Nothing of the network is in it: keys are made of a track's onsets alone.

A key is a number below ``2 ** KEY_BITS``, the step that comes first highest::

    gaps       0 band gap gap gap gap               four gaps of a band in a row
    crossing   1 band gap gap delay gap             two gaps of a band, the delay from their end to
                                                    the next onset of the band above, its gap
    echoprint  2 band gap gap, then 15 zeros        of Echoprint trains

with 3 bits for the band and `STEP_BITS` for each step. So keys that differ in the last step alone
are neighbours, and all keys that begin with the same three are a range: a search reads either.
Of rhythm keys, one prefix in `kept` is indexed, chosen by a hash of it.

Belongs here: the numbers that say how. Does not belong here: making keys (`kernels.keys`).
"""

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:  # it takes a while, and whoever only reads a manifest needs none
    from spotify_pipeline.fingerprint.arrays import UInt8s

__all__ = [
    "BAND_BITS",
    "CROSSING",
    "ECHOPRINT",
    "ECHOPRINT_SHIFT",
    "KEYS",
    "KEY_BITS",
    "KINDS",
    "NO_STEP",
    "STEP_BITS",
    "KeySetting",
]

STEP_BITS = 7
BAND_BITS = 3
KEY_BITS = 33

CROSSING = 1 << BAND_BITS + 4 * STEP_BITS
ECHOPRINT = 2 * CROSSING
ECHOPRINT_SHIFT = KEY_BITS - 1 - BAND_BITS - 2 * STEP_BITS
"""Where each kind of key begins, and by how many bits the steps of the last one are moved up."""

KINDS = ("rhythm", "echoprint")
"""The kinds of trains, as a `Fingerprint` and a segment name them; the first tells more."""

NO_STEP = 255
"""Of a gap that is too long for a key."""

_FINE = 1 << STEP_BITS - 1


class KeySetting(msgspec.Struct, frozen=True, dict=True):
    """How keys are made (`benchmarks/index.py` varies it by passing another).

    Attributes
    ----------
    shortest, step
        Frames at which the steps of rhythm gaps begin to differ, and frames of each of the first 64
        steps; those of the next 64 have twice as many. A longer gap is in no key.
    echoprint_shortest, echoprint_step
        The same of Echoprint gaps.
    kept
        One rhythm key in so many is indexed: 1 or 2.
    bin_frames
        Frames of a time bin of a track, a power of two. Of 112 clips of 5 and 10 s, clean, by
        telephone, in a room and in white noise, bins of 1.5 s and of 6 s rank as many tracks high
        enough; coarser ones save half a byte a posting, and make candidates dearer to verify.
    """

    shortest: int = 40
    step: int = 2
    echoprint_shortest: int = 128
    echoprint_step: int = 8
    kept: int = 2
    bin_frames: int = 1024

    @property
    def frame_bits(self) -> int:
        """Bits of a frame that a time bin leaves out."""
        return self.bin_frames.bit_length() - 1

    @cached_property
    def gap_steps(self) -> "UInt8s":
        """The step of each rhythm gap, uint8 of shape (frames,); `NO_STEP` in the last position."""
        return _steps(self.shortest, self.step)

    @cached_property
    def delay_steps(self) -> "UInt8s":
        """The same of delays between bands."""
        return _steps(0, self.step)

    @cached_property
    def echoprint_steps(self) -> "UInt8s":
        """The same of Echoprint gaps."""
        return _steps(self.echoprint_shortest, self.echoprint_step)


def _steps(shortest: int, step: int) -> "UInt8s":
    steps = np.arange(1 << STEP_BITS, dtype=np.uint8)
    widths = np.where(steps < _FINE, step, 2 * step)
    return np.concatenate(
        (np.zeros(shortest, np.uint8), np.repeat(steps, widths), [np.uint8(NO_STEP)])
    )


KEYS = KeySetting()
"""What an index is made with unless it is passed another."""
