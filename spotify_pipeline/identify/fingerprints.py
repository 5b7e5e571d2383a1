"""Recordings to the two fingerprint strings, as documents of the dump hold them.

Belongs here: what ``spotify-pipeline fingerprint`` gives. Does not belong here: computing
fingerprints.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from spotify_pipeline.fingerprint import (
    ECHOPRINT_VERSION,
    RHYTHM_VERSION,
    FingerprintError,
    fingerprint,
)
from spotify_pipeline.identify.answers import Failure
from spotify_pipeline.recording import RecordingError, printable, read_for_fingerprint

__all__ = ["FingerprintStrings", "fingerprint_files"]


class FingerprintStrings(msgspec.Struct, frozen=True):
    """The fingerprints of a file; `duration` is in seconds."""

    file: str
    duration: float
    echoprintstring: str
    echoprint_version: float
    rhythmstring: str
    rhythm_version: float


def fingerprint_files(
    files: Iterable[Path], *, padded: bool = False
) -> Iterator[FingerprintStrings | Failure]:
    """Fingerprint recordings one after the other; one that can't be read does not stop the rest.

    Parameters
    ----------
    padded
        As of `codes.codes_of_trains`.
    """
    for file in files:
        try:
            recording = read_for_fingerprint(file)
            found = fingerprint(recording.samples)
            yield FingerprintStrings(
                file=printable(file),
                duration=round(recording.duration, 5),
                echoprintstring=found.echoprint_string(padded=padded),
                echoprint_version=ECHOPRINT_VERSION,
                rhythmstring=found.rhythm_string(),
                rhythm_version=RHYTHM_VERSION,
            )
        except (RecordingError, FingerprintError) as error:
            yield Failure(printable(file), str(error))
