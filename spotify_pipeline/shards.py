"""The names of the audio-analysis shards: partition keys, file names, track id prefixes.

A shard ``XX.jsonl.zst`` holds the tracks whose ids begin with the two base62 characters ``XX``.
The names are case-sensitive: ``0a`` and ``0A`` are two shards. The dump has 484 of the names from
``00`` to ``7z``; the twelve names ``7O`` to ``7Z`` do not occur there and are reserved for the
user's own music.

Belongs here: names and what follows from a name alone. Does not belong here: the files.
"""

import string

__all__ = [
    "BASE62",
    "DUMP_SHARDS",
    "OWN_MUSIC_SHARDS",
    "SHARDS",
    "SHARD_SUFFIX",
    "TRACK_ID_LENGTH",
    "disk_name",
    "is_track_id",
    "shard_of_file_name",
    "why_not_a_shard",
]

BASE62 = string.digits + string.ascii_lowercase + string.ascii_uppercase
SHARD_SUFFIX = ".jsonl.zst"
TRACK_ID_LENGTH = 22

OWN_MUSIC_SHARDS = tuple(f"7{letter}" for letter in "OPQRSTUVWXYZ")
"""Names that the dump does not use, for shards made from the user's own music."""

DUMP_SHARDS = tuple(
    name
    for name in (first + second for first in "01234567" for second in BASE62)
    if name not in OWN_MUSIC_SHARDS
)
"""The 484 shards of the dump, ``00`` to ``7z``."""

SHARDS = DUMP_SHARDS + OWN_MUSIC_SHARDS
"""Every shard name that can be ingested, in partition order."""

_TEMPORARY_SUFFIXES = (
    ".!bt", ".!qb", ".!ut", ".aria2", ".bc!", ".crdownload", ".download", ".part", ".partial",
    ".tmp",
)  # fmt: skip

_SHARD_SET = frozenset(SHARDS)
_BASE62_SET = frozenset(BASE62)


def shard_of_file_name(file_name: str) -> str | None:
    """Name the shard that a file holds, or None when the file name is not a shard's.

    >>> shard_of_file_name("0a.jsonl.zst"), shard_of_file_name("0a.jsonl.zst.part")
    ('0a', None)
    """
    name = file_name.removesuffix(SHARD_SUFFIX)
    return name if name != file_name and name in _SHARD_SET else None


def why_not_a_shard(file_name: str) -> str | None:
    """Say why a file that looks like a shard is none; None of shards and of all other files.

    A download's temporary file is no shard yet, and nothing is wrong with it.

    >>> why_not_a_shard("0a.jsonl")
    'it is not compressed, and a shard is: 0a.jsonl.zst'
    """
    stem, dot, _ = file_name.partition(".")
    lower = file_name.lower()
    if not dot or not (stem in _SHARD_SET or ".jsonl" in lower):
        return None
    if shard_of_file_name(file_name) or not stem or lower.endswith(_TEMPORARY_SUFFIXES):
        return None
    if file_name == f"{stem}.jsonl" and stem in _SHARD_SET:
        return f"it is not compressed, and a shard is: {stem}{SHARD_SUFFIX}"
    return f"its name is not a shard's, which are 00{SHARD_SUFFIX} to 7Z{SHARD_SUFFIX}; rename it"


def disk_name(shard: str) -> str:
    """Spell a shard so that no two shards collide on a file system that folds case.

    An upper-case letter is followed by an underscore, which no shard name holds.

    >>> disk_name("0a"), disk_name("0A"), disk_name("7O")
    ('0a', '0A_', '7O_')
    """
    return "".join(f"{letter}_" if letter.isupper() else letter for letter in shard)


def is_track_id(text: str) -> bool:
    """Tell whether a text is a track id: 22 base62 characters."""
    return len(text) == TRACK_ID_LENGTH and _BASE62_SET.issuperset(text)
