"""How far each fetch is, noted beside what was fetched, for who looks from outside.

Belongs here: writing and reading notes. Does not belong here: what follows from them. Cheap to
import.
"""

import time
from contextlib import suppress
from pathlib import Path

import msgspec

from spotify_pipeline.torrent.client import Progress

__all__ = ["Note", "notes", "write_note"]

NOTE = "progress.json"


class Note(msgspec.Struct, frozen=True):
    """How far a fetch is, for who looks from outside.

    Attributes
    ----------
    file
        Its name.
    info_hash
        Of the torrent that it is fetched from.
    done, total
        Bytes.
    rate
        Bytes a second.
    peers
        Connected ones.
    at
        Seconds since 1970.
    says
        Why it does not go on, if it does not.
    """

    file: str
    info_hash: str
    done: int
    total: int
    rate: float
    peers: int
    at: float
    says: str | None = None


def write_note(
    folder: Path, file: str, info_hash: str, progress: Progress, says: str | None = None
) -> None:
    """Note how far a fetch is; on a full disk it is not noted."""
    done, total, rate, peers = progress.done, progress.total, progress.rate, progress.peers
    note = Note(file, info_hash, done, total, rate, peers, time.time(), says)
    half = folder / f"{NOTE}.new"
    with suppress(OSError):
        half.write_bytes(msgspec.json.encode(note))
        half.replace(folder / NOTE)


def notes(downloads: Path) -> dict[str, Note]:
    """Read how far each file in the folder of downloads is, by the name of its folder."""
    found = {}
    for path in sorted(downloads.glob(f"*/{NOTE}")):
        with suppress(OSError, msgspec.MsgspecError):  # gone meanwhile, or half a note
            found[path.parent.name] = msgspec.json.decode(path.read_bytes(), type=Note)
    return found
