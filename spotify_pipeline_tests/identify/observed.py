"""Evidence as a observer of answers sees it, for tracks of random onsets.

Belongs here: indexing tracks and identifying stretches of them. Does not belong here: the tracks
themselves (`tracks`).
"""

from pathlib import Path

import msgspec

from spotify_pipeline.fingerprint import Fingerprint
from spotify_pipeline.identify.answers import answer_files
from spotify_pipeline.identify.evidence import Evidence
from spotify_pipeline_tests.tracks import Track, publish_tracks

__all__ = ["observed", "write_fingerprint"]


def write_fingerprint(path: Path, found: Fingerprint) -> Path:
    """Write a fingerprint as a file to identify."""
    strings = {
        "echoprintstring": found.echoprint_string(),
        "rhythmstring": found.rhythm_string(),
    }
    path.write_bytes(msgspec.json.encode(strings))
    return path


def observed(
    folder: Path, tracks: list[Track], query: Fingerprint, *, threshold: float = 0.9
) -> Evidence:
    """Give the evidence for the answer to one query."""
    publish_tracks(folder / "index", tracks)
    file = write_fingerprint(folder / "query.json", query)
    seen: list[Evidence] = []
    list(
        answer_files(
            [file],
            folder / "index",
            folder / "meta.duckdb",
            threshold=threshold,
            observer=seen.append,
        )
    )
    (evidence,) = seen
    return evidence
