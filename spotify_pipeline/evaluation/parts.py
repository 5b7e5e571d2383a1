"""The training, validation and test set: which pieces of music belong to which.

The onset network learns from the training set, weights and thresholds are chosen on the validation
set, and figures are reported on the test set. A piece belongs to the same one for good, wherever
its file lies and whatever else lies there: a hash of the file's name without its ending decides.

Belongs here: the division. Does not belong here: reading music (`pieces`), what is asked of which
index (`judge`).
"""

import hashlib
from enum import StrEnum
from pathlib import Path

__all__ = ["Part", "part_of", "piece_key"]

KEY_BYTES = 8

TRAINING_END, VALIDATION_END = 0.45, 0.70
"""Fractions of all keys below which a piece is of the training set, or else of the validation
set."""


class Part(StrEnum):
    """What a piece is for."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"


def piece_key(file: Path) -> int:
    """Hash a file's name without its ending to a number from 0 to before 2^64."""
    digest = hashlib.sha256(file.stem.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:KEY_BYTES])


def part_of(file: Path) -> Part:
    """Tell which set a file of music belongs to."""
    position = piece_key(file) / 2 ** (8 * KEY_BYTES)
    if position < TRAINING_END:
        return Part.TRAINING
    return Part.VALIDATION if position < VALIDATION_END else Part.TEST
