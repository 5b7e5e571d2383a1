"""The interface of torrent clients: one file fetched, verified, handed over, forgotten.

Belongs here: what every client can do, what it tells, and how it fails. Does not belong here: the
clients (`embedded`, `qbittorrent`, `transmission`), and when to fetch what (`fetch`).
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.torrent.contents import Torrent, TorrentFile

__all__ = ["Client", "Download", "Progress", "StalledError", "TorrentError"]


class TorrentError(PipelineError):
    """A torrent, or the client that is to fetch it, is not as it must be."""


class StalledError(TorrentError):
    """Nothing comes for now; what is there stays, and a later try goes on from it."""


@dataclass(frozen=True)
class Progress:
    """How far a download is.

    Attributes
    ----------
    done, total
        Bytes that are there, those of unfinished pieces included, of those that are wanted: the
        file, and the rest of the pieces that it shares with its neighbours.
    rate
        Bytes a second, as the client measures it.
    peers
        Connected ones.
    corrupt
        Bytes that came and did not fit their hash, and were thrown away.
    checking
        Whether the client reads what lies there from an earlier try.
    complete
        Whether the file is there to its last byte, and every piece fits its hash.
    """

    done: int
    total: int
    rate: float = 0.0
    peers: int = 0
    corrupt: int = 0
    checking: bool = False
    complete: bool = False


class Download(Protocol):
    """One file that a client fetches."""

    def progress(self) -> Progress:
        """Tell how far it is.

        Raises
        ------
        StalledError
            Somebody removed the torrent from it.
        TorrentError
            The client has given up.
        SpaceError
            The disk is full.
        """

    def take(self) -> Path:
        """Let the client forget a complete file, and give where it lies; all of it is on the disk.

        Raises
        ------
        TorrentError
            It is not where it should be.
        """


class Client(Protocol):
    """What fetches files of torrents."""

    def downloading(
        self, torrent: Torrent, file: TorrentFile, folder: Path
    ) -> AbstractContextManager[Download]:
        """Fetch a file for the length of the context; then the client forgets the torrent.

        Parameters
        ----------
        torrent, file
            The torrent, and which of its files.
        folder
            Where; it is there, and holds nothing but what an earlier try for the same file left.

        Raises
        ------
        StalledError
            The client can't be reached.
        TorrentError
            The client does not take the torrent.
        """
