"""Harmony: which pitches sound when in a track, from the segments of its analysis.

Pure numpy and numba; it knows nothing of files, databases or Dagster.
"""

from spotify_pipeline.harmony.errors import HarmonyError, PackedHarmonyError, SegmentsError
from spotify_pipeline.harmony.packing import pack_harmony, unpack_harmony
from spotify_pipeline.harmony.segments import (
    LATEST_START,
    MOST_SEGMENTS,
    PITCH_CLASSES,
    Segments,
)

__all__ = [
    "LATEST_START",
    "MOST_SEGMENTS",
    "PITCH_CLASSES",
    "HarmonyError",
    "PackedHarmonyError",
    "Segments",
    "SegmentsError",
    "pack_harmony",
    "unpack_harmony",
]
