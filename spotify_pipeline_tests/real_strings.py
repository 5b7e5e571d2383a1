"""The real fingerprint strings among the real data.

Belongs here: reading them. Does not belong here: what they must decode to.
"""

import json
from typing import Any

from spotify_pipeline_tests.shared import shared_path

__all__ = ["real_echoprint_strings", "real_rhythm_strings"]


def real_echoprint_strings() -> dict[str, str]:
    """Give every real ``echoprintstring`` by the name of its file."""
    folder = shared_path("echoprint-strings")
    strings = {path.name: path.read_text().strip() for path in folder.glob("*.echoprint")}
    return strings | {name: track["echoprintstring"] for name, track in _real_tracks().items()}


def real_rhythm_strings() -> dict[str, str]:
    """Give every real ``rhythmstring`` by the name of its file."""
    return {name: track["rhythmstring"] for name, track in _real_tracks().items()}


def _real_tracks() -> dict[str, dict[str, Any]]:
    documents = shared_path("analysis").glob("*.json")
    return {path.name: json.loads(path.read_text())["track"] for path in documents}
