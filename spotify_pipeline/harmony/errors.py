"""Errors of the harmony room.

Belongs here: what callers may want to tell apart. This room imports nothing of the project's but
names of array types, so these derive from ValueError.
"""

__all__ = ["HarmonyError", "PackedHarmonyError", "SegmentsError"]


class HarmonyError(ValueError):
    """Harmony that can't be read or written."""


class SegmentsError(HarmonyError):
    """Segments that are no valid ones of a track, or a text that has none."""


class PackedHarmonyError(HarmonyError):
    """Bytes that are no packed harmony."""
