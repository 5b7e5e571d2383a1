"""Transmission as the client, by its RPC: one file at a time, the torrent added for it alone.

The file gets a name of ours at once, so that a neighbour's piece never lands in it where the disk
folds case. Transmission has no part file: pieces that reach into neighbours lie beside the file, as
theirs.

Transmission notes what it was asked only when a torrent is stopped, and every six minutes. If it
were killed before, it would fetch all of the torrent into its own folder. So a torrent is started,
stopped, and started again: then it has noted everything, and comes back stopped.

Transmission takes no peers by name: it asks trackers, DHT and the local network.

Belongs here: the RPC. Does not belong here: when a download stalls (`fetch`), what it shares with
other programs (`programs`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import TORRENT_PASSWORD_FILE_VARIABLE, TORRENT_PASSWORD_VARIABLE
from spotify_pipeline.torrent.client import Progress, StalledError, TorrentError
from spotify_pipeline.torrent.contents import Torrent, TorrentFile
from spotify_pipeline.torrent.programs import (
    TURNS,
    fetched_file,
    not_done,
    not_ours,
    unreachable,
    wait_until,
    was_removed,
    why_stopped,
)

if TYPE_CHECKING:
    import transmission_rpc

__all__ = ["RPC_PATH", "TransmissionClient"]

RPC_PATH = "/transmission/rpc"
"""Where Transmission answers unless it was told otherwise."""

LOCAL_ERROR = 3
"""What Transmission says of a torrent whose files can't be written; others are of trackers."""

PROGRAM = "Transmission"

ASKED = (
    *("status", "downloadDir", "files", "priorities", "wanted", "sizeWhenDone", "leftUntilDone"),
    *("rateDownload", "peersConnected", "corruptEver", "error", "errorString"),
)
"""What is asked of a torrent."""


@dataclass(frozen=True)
class TransmissionClient:
    """Fetches by Transmission.

    Attributes
    ----------
    protocol, host, port, path
        Of its RPC; ``http`` or ``https``.
    user, password
        As it asks for them; both may be empty.
    locks
        Folder for the lock by which processes take turns.
    """

    protocol: str
    host: str
    port: int
    path: str
    user: str
    password: str = field(repr=False)
    locks: Path

    @property
    def address(self) -> str:
        """Where it is asked, to be shown."""
        return f"{self.protocol}://{self.host}:{self.port}{self.path}"

    @contextmanager
    def downloading(
        self, torrent: Torrent, file: TorrentFile, folder: Path
    ) -> Iterator["_Download"]:
        """Fetch a file for the length of the context; see `client.Client.downloading`."""
        with FileLock(self.locks / TURNS), self._errors():
            from transmission_rpc.error import TransmissionConnectError

            download = _Download(self._log_in(), torrent, file, folder)
            download.begin()
            try:
                yield download
            finally:
                with suppress(TransmissionConnectError):  # the next try does it
                    download.forget()

    def _log_in(self) -> "transmission_rpc.Client":
        from transmission_rpc import Client

        return Client(
            protocol="https" if self.protocol == "https" else "http",
            username=self.user or None,
            password=self.password or None,
            host=self.host,
            port=self.port,
            path=self.path,
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Name Transmission in its errors."""
        try:
            from transmission_rpc.error import (
                TransmissionAuthError,
                TransmissionConnectError,
                TransmissionError,
            )
        except ImportError as error:
            raise PipelineError(
                "transmission-rpc is not installed: pip install 'spotify-pipeline[torrent]'"
            ) from error
        try:
            yield
        except TransmissionAuthError as error:
            raise TorrentError(
                f"{PROGRAM} at {self.address} refuses the user {self.user!r} with the password of"
                f" {TORRENT_PASSWORD_FILE_VARIABLE} or {TORRENT_PASSWORD_VARIABLE}, or this"
                " machine, which its whitelist does not name"
            ) from error
        except TransmissionConnectError as error:
            raise unreachable(PROGRAM, self.address) from error
        except TransmissionError as error:
            raise not_done(PROGRAM, self.address, error) from error


class _Download:
    """A file that Transmission fetches."""

    def __init__(
        self,
        api: "transmission_rpc.Client",
        torrent: Torrent,
        file: TorrentFile,
        folder: Path,
    ) -> None:
        self.api = api
        self.torrent = torrent
        self.file = file
        self.folder = folder
        self.last = Progress(0, file.size)

    def begin(self) -> None:
        """Add the torrent for this file, unless an earlier try did."""
        known = self._known()
        if known is not None and self.folder.parent not in Path(known.download_dir).parents:
            raise not_ours(PROGRAM, self.torrent)
        if known is not None and Path(known.download_dir) != self.folder:
            self.forget()  # it is of another file, whose fetch was ended
            known = None
        if known is None:
            self._add()
        elif known.status.stopped:  # it was killed, and does not know how far it was
            self._check_and_start()

    def _add(self) -> None:
        info_hash = self.torrent.info_hash
        self.api.add_torrent(self.torrent.data, paused=True, download_dir=str(self.folder))
        files = self._files()
        others = [each.id for each in files if each.id != self.file.index]
        self.api.change_torrent(info_hash, files_unwanted=others or None)
        self.api.rename_torrent_path(
            info_hash, files[self.file.index].name, f"{self.file.index}.part"
        )
        self.api.start_torrent(info_hash)
        wait_until(lambda: not self._is("checking", "check pending", "stopped"), PROGRAM)
        self.api.stop_torrent(info_hash)
        wait_until(lambda: self._is("stopped"), PROGRAM)
        self._check_and_start()

    def _check_and_start(self) -> None:
        self.api.verify_torrent(self.torrent.info_hash)
        self.api.start_torrent(self.torrent.info_hash)

    def progress(self) -> Progress:
        """Tell how far it is; see `client.Download`."""
        from transmission_rpc.error import TransmissionConnectError

        try:
            known = self._known()
        except TransmissionConnectError:  # it is started again, perhaps
            self.last = Progress(self.last.done, self.last.total)
            return self.last
        if known is None:
            raise was_removed(PROGRAM, self.torrent)
        if known.error == LOCAL_ERROR:
            raise why_stopped(self.folder, PROGRAM, known.error_string)
        checking = known.status.checking or known.status.check_pending
        complete = known.left_until_done == 0 and not checking
        if known.status.stopped and not complete:  # it was killed, and comes back so
            self._check_and_start()
        self.last = Progress(
            done=known.size_when_done - known.left_until_done,
            total=known.size_when_done,
            rate=known.rate_download,
            peers=known.peers_connected,
            corrupt=known.corrupt_ever,
            checking=checking,
            complete=complete,
        )
        return self.last

    def take(self) -> Path:
        """Give the complete file; see `client.Download`."""
        name = self._files()[self.file.index].name
        self.forget()
        return fetched_file(self.folder, name, PROGRAM)

    def forget(self) -> None:
        """Remove the torrent; what was fetched stays."""
        if self._known() is not None:
            self.api.remove_torrent(self.torrent.info_hash)
            wait_until(lambda: self._known() is None, PROGRAM)

    def _known(self) -> "transmission_rpc.Torrent | None":
        found = self.api.get_torrents(self.torrent.info_hash, ASKED)
        return found[0] if found else None

    def _is(self, *states: str) -> bool:
        known = self._known()
        return known is not None and known.status in states

    def _files(self) -> "list[transmission_rpc.File]":
        known = self._known()
        if known is None:
            raise StalledError(f"{PROGRAM} has lost the torrent {self.torrent.name}")
        return known.get_files()
