"""Errors of the fingerprint room.

Belongs here: what callers may want to tell apart. This room imports nothing of the project's, so
these derive from ValueError.
"""

__all__ = ["AudioError", "CodesError", "FingerprintError", "PackingError", "StringError"]


class FingerprintError(ValueError):
    """A fingerprint can't be computed, read or written."""


class AudioError(FingerprintError):
    """Samples that have no fingerprint: not one channel, or not finite."""


class StringError(FingerprintError):
    """An echoprintstring or rhythmstring that is not of the format."""


class CodesError(FingerprintError):
    """Times and codes that no onset trains give."""


class PackingError(FingerprintError):
    """Trains that can't be packed, or bytes that are no packed trains."""
