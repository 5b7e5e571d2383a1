"""One file's way from its torrent to the incoming folder.

The Dagster assets and the command line call this. It holds the file's lock, waits for a place and
for space, and hands over what is complete: in one step, under its own name.

Belongs here: the order of those steps, and when a download stalls. Does not belong here: clients
(`client`), places (`places`), which files are wanted.
"""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spotify_pipeline.dump.shard_lock import shard_lock
from spotify_pipeline.progress import Report
from spotify_pipeline.settings import DOWNLOADS, Settings
from spotify_pipeline.shards import disk_name, shard_of_file_name
from spotify_pipeline.space import AT_ONCE, SpaceGuard
from spotify_pipeline.syncing import sync
from spotify_pipeline.torrent.client import Client, Download, Progress, StalledError, TorrentError
from spotify_pipeline.torrent.contents import Torrent, TorrentFile
from spotify_pipeline.torrent.notes import notes, write_note
from spotify_pipeline.torrent.places import forget_place, take_place

__all__ = ["Fetched", "fetch_file"]

LOOK_SECONDS = 0.25
"""Between two looks at a download."""

NOTE_SECONDS = 5.0
"""Between two notes of its progress."""


@dataclass(frozen=True)
class Fetched:
    """A file that lies in the incoming folder.

    Attributes
    ----------
    path
        Where.
    size
        In bytes.
    received
        Bytes of it, and of the rest of its pieces, that came in this try; 0 if it lay there.
    corrupt
        Bytes that came beside them and did not fit their hash.
    seconds
        That the try took, waiting for a place and for space left out.
    """

    path: Path
    size: int
    received: int = 0
    corrupt: int = 0
    seconds: float = 0.0


def fetch_file(
    settings: Settings,
    torrent: Torrent,
    file: TorrentFile,
    client: Client,
    *,
    guard: SpaceGuard = AT_ONCE,
    report: Report = lambda done, total, what: None,
    say: Callable[[str], None] = lambda message: None,
    limited: bool = True,
) -> Fetched:
    """Fetch a file into the incoming folder unless it lies there.

    Parameters
    ----------
    settings
        The installation.
    torrent, file
        The torrent, and which of its files: a shard or a metadata file.
    client
        Who fetches.
    guard
        Waits for space.
    report
        Called with the bytes that came in this try, of how many, and the file's name.
    say
        Called with what a person should know: why it waits, that peers come and go.
    limited
        Whether it waits while as many files lie there as `Settings.torrent_files` says.

    Raises
    ------
    StalledError
        Nothing came for `Settings.torrent_stall_minutes`. What is there stays for the next try.
    TorrentError
        The client fails, or something else lies where the file belongs.
    SpaceError
        The disk is full, or has been too full for longer than the guard's patience.
    """
    key = shard_of_file_name(file.name) or file.name
    with shard_lock(settings.locks, key, say):
        if there := _found(settings.incoming, file.name):
            forget_place(settings, key)
            return _as_it_is(there, file, say)
        settings.incoming.mkdir(parents=True, exist_ok=True)
        folder = take_place(settings, key, say) if limited else _unlimited(settings, key)
        _empty_if_of_another(folder, torrent)
        needed = max(file.size + 2 * torrent.piece_bytes - _allocated(folder), 0)
        guard.wait_for(folder, needed + _promised(settings, folder), f"fetching {file.name}")
        began = time.monotonic()
        with client.downloading(torrent, file, folder) as download:
            watch = _Watch(settings, torrent, file, folder, report, say)
            progress = watch.until_complete(download)
            path = download.take()
        target = _hand_over(path, file, settings.incoming)
        forget_place(settings, key)
        return Fetched(
            target,
            file.size,
            progress.done - watch.at_first,
            progress.corrupt,
            time.monotonic() - began,
        )


class _Watch:
    """Looks at a download until it is complete."""

    def __init__(
        self,
        settings: Settings,
        torrent: Torrent,
        file: TorrentFile,
        folder: Path,
        report: Report,
        say: Callable[[str], None],
    ) -> None:
        self.patience = 60 * settings.torrent_stall_minutes
        self.info_hash = torrent.info_hash
        self.file = file
        self.folder = folder
        self.report = report
        self.say = say
        self.at_first = 0
        self.most = -1
        self.noted = -NOTE_SECONDS
        self.alone: bool | None = None

    def until_complete(self, download: Download) -> Progress:
        """Come back when it is; what is there when it begins is the first that is not checking."""
        began = False
        grown = time.monotonic()
        while True:
            progress = download.progress()
            now = time.monotonic()
            if not began and not progress.checking:
                began, self.at_first = True, progress.done
            if progress.done > self.most or progress.checking:
                self.most, grown = progress.done, now
            self._tell(progress, now)
            if progress.complete:
                return progress
            if now - grown > self.patience:
                raise StalledError(self._stalled(progress))
            time.sleep(LOOK_SECONDS)

    def _tell(self, progress: Progress, now: float) -> None:
        if not progress.checking:
            come = progress.done - self.at_first
            self.report(come, progress.total - self.at_first, f"fetching {self.file.name}")
        if now - self.noted < NOTE_SECONDS and not progress.complete:
            return
        self.noted = now
        write_note(self.folder, self.file.name, self.info_hash, progress)
        alone = progress.peers == 0
        if alone != self.alone and not (progress.complete or progress.checking):
            count = "no peer" if alone else f"{progress.peers} peers"
            self.say(f"{self.file.name}: {count}, {_share(progress)} are there")
            self.alone = alone

    def _stalled(self, progress: Progress) -> str:
        corrupt = f", {progress.corrupt:,} bytes came corrupt" if progress.corrupt else ""
        message = (
            f"{self.file.name} stalls at {_share(progress)}: no byte for"
            f" {self.patience / 60:g} minutes, {progress.peers} peers{corrupt}; what is there is"
            " kept, and the next try goes on from it"
        )
        write_note(self.folder, self.file.name, self.info_hash, progress, says=message)
        return message


def _share(progress: Progress) -> str:
    return f"{progress.done:,} of {progress.total:,} bytes"


def _found(incoming: Path, name: str) -> Path | None:
    """Find a file by its exact name below the incoming folder, whatever the disk makes of case."""
    for folder, folders, files in os.walk(incoming):
        folders[:] = sorted(set(folders) - {DOWNLOADS})
        if name in files:
            return Path(folder, name)
    return None


def _as_it_is(path: Path, file: TorrentFile, say: Callable[[str], None]) -> Fetched:
    size = path.stat().st_size
    if size != file.size:
        say(
            f"{path} has {size:,} bytes, and the torrent's {file.name} has {file.size:,}: it is"
            " unfinished or another file; nothing is fetched while it lies there"
        )
    return Fetched(path, size)


def _unlimited(settings: Settings, key: str) -> Path:
    folder = settings.downloads / disk_name(key)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _empty_if_of_another(folder: Path, torrent: Torrent) -> None:
    """Remove what was fetched of another torrent's file of the same name."""
    note = notes(folder.parent).get(folder.name)
    if note is not None and note.info_hash != torrent.info_hash:
        shutil.rmtree(folder)
        folder.mkdir()


def _promised(settings: Settings, own: Path) -> int:
    """Count the bytes that other downloads still need, whose place on the disk is not taken yet."""
    return sum(
        max(note.total - _allocated(settings.downloads / name), 0)
        for name, note in notes(settings.downloads).items()
        if name != own.name
    )


def _allocated(folder: Path) -> int:
    """Count the bytes that a folder's files take on the disk, which holes do not."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _hand_over(path: Path, file: TorrentFile, incoming: Path) -> Path:
    """Move a complete file to the incoming folder in one step."""
    if path.is_symlink() or not path.is_file() or (size := path.stat().st_size) != file.size:
        found = f"has {size:,} bytes" if path.is_file() else "is no file"
        raise TorrentError(
            f"{path} {found}, but the client says that it is {file.name} with {file.size:,}; remove"
            " it, then try again"
        )
    target = incoming / file.name
    if target.exists():  # the disk folds case, and the shard of the other case lies there
        target = incoming / disk_name(file.name) / file.name
        target.parent.mkdir(exist_ok=True)
    path.replace(target)
    sync(target.parent)
    return target
