"""What clients share that are programs of their own: qBittorrent, Transmission.

Both get the torrent for one file at a time: added stopped, that file alone wanted, then started,
and forgotten when the file is there. Both must have the folder under the path that it has here.

Belongs here: waiting for such a program, finding what it fetched, and the errors of both. Does not
belong here: how each is asked (`qbittorrent`, `transmission`).
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.space import SpaceError
from spotify_pipeline.syncing import sync
from spotify_pipeline.torrent.client import StalledError, TorrentError
from spotify_pipeline.torrent.contents import Torrent

__all__ = [
    "TURNS",
    "fetched_file",
    "not_done",
    "not_ours",
    "unreachable",
    "wait_until",
    "was_removed",
    "why_stopped",
]

TURNS = "torrent-client.lock"
"""The lock by which processes take turns with the program, which knows a torrent once."""

DONE_SECONDS = 30.0
"""How long a program may take to add or remove a torrent."""

LOOK_SECONDS = 0.1

FULL_BYTES = 1 << 26
"""A disk with less room than a piece of the dump counts as full."""


def wait_until(done: Callable[[], bool], program: str) -> None:
    """Come back when a program has done what it was asked.

    Raises
    ------
    TorrentError
        It has not in time; `program` names it.
    """
    deadline = time.monotonic() + DONE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise TorrentError(f"{program} has not done in time what it was asked")
        time.sleep(LOOK_SECONDS)


def unreachable(program: str, address: str) -> StalledError:
    """Make the error of a program that does not answer."""
    return StalledError(f"{program} at {address} can't be reached; does it run?")


def not_done(program: str, address: str, error: Exception) -> TorrentError:
    """Make the error of a program that answers with one."""
    return TorrentError(
        f"{program} at {address} does not do what it is asked ({type(error).__name__}: {error})"
    )


def not_ours(program: str, torrent: Torrent) -> TorrentError:
    """Make the error of a torrent that a program has, but not from here."""
    return TorrentError(
        f"{program} has the torrent {torrent.name} already, added by somebody else;"
        " remove it there, then try again"
    )


def was_removed(program: str, torrent: Torrent) -> StalledError:
    """Make the error of a torrent that a program no longer has."""
    return StalledError(f"the torrent {torrent.name} was removed from {program}; a new try adds it")


def why_stopped(folder: Path, program: str, reason: str) -> PipelineError:
    """Make the error of a program that stopped by itself: of a full disk, if it is full."""
    if shutil.disk_usage(folder).free < FULL_BYTES:
        return SpaceError(
            f"{folder}: the disk is full, and {program} stops ({reason}); nothing is lost: make"
            " room, then run it again"
        )
    return TorrentError(f"{program} stops at {folder}: {reason}; its log says more")


def fetched_file(folder: Path, name: str, program: str) -> Path:
    """Give the file that a program fetched, all of it on the disk.

    Parameters
    ----------
    folder
        Where it was to be fetched.
    name
        Its path below the folder, as the program tells it.
    program
        Names it in errors.

    Raises
    ------
    TorrentError
        It is outside the folder, or not there.
    """
    path = (folder / name).resolve()
    if folder.resolve() not in path.parents:
        raise TorrentError(f"{program} put {name!r} outside {folder}")
    if not path.is_file():
        raise TorrentError(
            f"{path} is not there, where {program} says that it is; its folders must have the same"
            " paths for it as here"
        )
    sync(path)
    return path
