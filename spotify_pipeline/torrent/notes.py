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

FRESH_SECONDS = 60.0
"""A note that is older is of a fetch that does not run: one is written every few seconds."""

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

    def __str__(self) -> str:
        """Say how far it is."""
        if self.says is not None:
            return self.says
        text = f"{self.done / max(self.total, 1):.0%} of {self.total / 1e6:,.0f} MB"
        if time.time() - self.at > FRESH_SECONDS:
            return f"{text} are there; nobody goes on with it now"
        left = f", about {(self.total - self.done) / self.rate:,.0f} s left" if self.rate else ""
        return f"{text}, {self.rate / 1e6:,.1f} MB/s, {self.peers} peers{left}"


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
