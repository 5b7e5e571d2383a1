"""Why a recording is unknown, where it is plain to see.

Belongs here: recordings that no index could know. Does not belong here: what is too unlike any
track (`decision`).
"""

from pathlib import Path

from spotify_pipeline.fingerprint import FingerprintError, fingerprint
from spotify_pipeline.recording import RecordingError, stream_for_fingerprint

__all__ = ["why_unknown"]

FEW_SECONDS = 3.0
"""What is shorter is hardly ever told from all other tracks."""


def why_unknown(path: Path, duration: float | None) -> str | None:
    """Say why a recording can't be known; None where that is not plain.

    Parameters
    ----------
    path
        It is decoded up to its first onset.
    duration
        Of it, in seconds, if known.
    """
    if duration is not None and duration < FEW_SECONDS:
        return f"{duration:g} s are too short; it takes a few seconds"
    if path.suffix.lower() != ".json" and _is_silent(path):
        return "no onset is heard in it: it is silent, or one steady sound"
    return None


def _is_silent(path: Path) -> bool:
    try:
        return not any(len(fingerprint(block).rhythm) > 0 for block in stream_for_fingerprint(path))
    except (RecordingError, FingerprintError):
        return False
