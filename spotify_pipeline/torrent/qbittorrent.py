"""qBittorrent as the client, by its Web API: one file at a time, the torrent added for it alone.

The torrent is added stopped, no file of it is wanted, then the one is, then it starts: qBittorrent
heeds no priorities that are given while a torrent is added. When the file is there, the torrent is
removed and the file stays. So qBittorrent never knows of a file that was deleted, and has nothing
to check again.

The folder must have the same path for qBittorrent as for the pipeline.

Belongs here: the Web API. Does not belong here: when a download stalls (`fetch`).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import TORRENT_PASSWORD_FILE_VARIABLE, TORRENT_PASSWORD_VARIABLE
from spotify_pipeline.syncing import sync
from spotify_pipeline.torrent.client import Progress, TorrentError
from spotify_pipeline.torrent.contents import Torrent, TorrentFile

if TYPE_CHECKING:
    import qbittorrentapi

__all__ = ["QBittorrentClient"]

CATEGORY = "spotify-pipeline"
"""Of the torrents that are ours to remove."""

UNWANTED, WANTED = 0, 1

DONE_SECONDS = 30.0
"""How long qBittorrent may take to add or remove a torrent."""

LOOK_SECONDS = 0.2

NAME_PEERS_SECONDS = 5.0
"""From one time to the next, while there is no peer."""


@dataclass(frozen=True)
class QBittorrentClient:
    """Fetches by qBittorrent.

    Attributes
    ----------
    address
        Of its Web API, ``http://host:port``.
    user, password
        As it asks for them; both may be empty.
    locks
        Folder for the lock by which processes take turns.
    peers
        As host:port, named to it besides those that it finds.
    """

    address: str
    user: str
    password: str = field(repr=False)
    locks: Path
    peers: tuple[str, ...] = ()

    @contextmanager
    def downloading(
        self, torrent: Torrent, file: TorrentFile, folder: Path
    ) -> Iterator["_Download"]:
        """Fetch a file for the length of the context; see `client.Client.downloading`."""
        with FileLock(self.locks / "torrent-client.lock"), self._errors():
            from qbittorrentapi import APIConnectionError

            api = self._log_in()
            download = _Download(self, api, torrent, file, folder)
            download.begin()
            try:
                yield download
            finally:
                with suppress(APIConnectionError):  # the next try does it
                    download.forget()

    def _log_in(self) -> "qbittorrentapi.Client":
        import qbittorrentapi

        api = qbittorrentapi.Client(
            host=self.address,
            username=self.user,
            password=self.password,
            REQUESTS_ARGS={"timeout": (5, 30)},
        )
        try:
            api.auth_log_in()
        except (qbittorrentapi.LoginFailed, qbittorrentapi.Forbidden403Error) as error:
            raise TorrentError(
                f"qBittorrent at {self.address} refuses the user {self.user!r} with the password of"
                f" {TORRENT_PASSWORD_FILE_VARIABLE} or {TORRENT_PASSWORD_VARIABLE}"
            ) from error
        return api

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Name qBittorrent in its errors."""
        try:
            import qbittorrentapi
        except ImportError as error:
            raise PipelineError(
                "qbittorrent-api is not installed: pip install 'spotify-pipeline[torrent]'"
            ) from error
        try:
            yield
        except qbittorrentapi.APIError as error:
            raise TorrentError(
                f"qBittorrent at {self.address} can't be reached or does not do what it is asked"
                f" ({type(error).__name__}: {error})"
            ) from error


class _Download:
    """A file that qBittorrent fetches."""

    def __init__(
        self,
        client: QBittorrentClient,
        api: "qbittorrentapi.Client",
        torrent: Torrent,
        file: TorrentFile,
        folder: Path,
    ) -> None:
        self.client = client
        self.api = api
        self.torrent = torrent
        self.file = file
        self.folder = folder
        self.last = Progress(0, file.size)
        self.named = -NAME_PEERS_SECONDS
        self.lost = False

    def begin(self) -> None:
        """Add the torrent for this file, unless an earlier try did."""
        known = self._known()
        if known is not None and known.category != CATEGORY:
            raise TorrentError(
                f"qBittorrent has the torrent {self.torrent.name} already, added by somebody else;"
                " remove it there, then try again"
            )
        if known is not None and Path(known.save_path) != self.folder:
            self.forget()  # it is of another file, whose fetch was ended
            known = None
        if known is None:
            self._add()
        self._name_peers()

    def _name_peers(self) -> None:
        """Name the peers, which qBittorrent does not keep when it is ended."""
        if self.client.peers and time.monotonic() - self.named > NAME_PEERS_SECONDS:
            self.named = time.monotonic()
            self.api.torrents_add_peers(
                peers=list(self.client.peers), torrent_hashes=self.torrent.info_hash
            )

    def _add(self) -> None:
        self.api.torrents_add(
            torrent_files={"dump.torrent": self.torrent.data},
            save_path=str(self.folder),
            category=CATEGORY,
            is_paused=True,
            use_auto_torrent_management=False,
            use_download_path=False,
            content_layout="Original",
        )
        self._wait(lambda: bool(self._known() and self._files()))
        info_hash = self.torrent.info_hash
        ids = [each.index for each in self._files()]
        self.api.torrents_file_priority(info_hash, file_ids=ids, priority=UNWANTED)
        self.api.torrents_file_priority(info_hash, file_ids=self.file.index, priority=WANTED)
        self._wait(
            lambda: all(
                (each.priority != UNWANTED) == (each.index == self.file.index)
                for each in self._files()
            )
        )
        self.api.torrents_resume(torrent_hashes=info_hash)

    def progress(self) -> Progress:
        """Tell how far it is; see `client.Download`."""
        import qbittorrentapi

        try:
            known = self._known()
            ours = self._ours() if known else None
            if known and known.num_seeds + known.num_leechs == 0:
                self._name_peers()
        except qbittorrentapi.APIConnectionError:  # it is started again, perhaps
            self.lost = True
            self.last = Progress(self.last.done, self.last.total)
            return self.last
        if known is None or ours is None:
            raise TorrentError(
                f"the torrent {self.torrent.name} was removed from qBittorrent; a new try adds it"
            )
        if known.state in ("error", "missingFiles"):
            raise TorrentError(
                f"qBittorrent stops at {self.folder} with the state {known.state!r}: the disk is"
                " full, or the folder can't be written; its log says more"
            )
        if self.lost:
            self._read_again(ours)
        self.last = Progress(
            done=round(ours.progress * ours.size),
            total=ours.size,
            rate=known.dlspeed,
            peers=known.num_seeds + known.num_leechs,
            checking=known.state.startswith("checking"),
            complete=ours.progress == 1 and known.amount_left == 0,
        )
        return self.last

    def _read_again(self, ours: Any) -> None:  # noqa: ANN401  # a dictionary of the API
        """Let qBittorrent look at what it fetched before it was killed: it notes it once an hour.

        There is no other file in the folder that it could miss.
        """
        self.lost = False
        if round(ours.progress * ours.size) < self.last.done:
            self.api.torrents_recheck(torrent_hashes=self.torrent.info_hash)

    def take(self) -> Path:
        """Give the complete file; see `client.Download`."""
        ours = self._ours()
        path = (self.folder / str(ours.name)).resolve()
        if self.folder.resolve() not in path.parents:
            raise TorrentError(f"qBittorrent put {ours.name!r} outside {self.folder}")
        self.forget()
        if not path.is_file():
            raise TorrentError(
                f"{path} is not there, where qBittorrent says that it is; its folders must have the"
                " same paths for qBittorrent as here"
            )
        sync(path)
        return path

    def forget(self) -> None:
        """Remove the torrent; what was fetched stays."""
        if self._known() is not None:
            self.api.torrents_delete(delete_files=False, torrent_hashes=self.torrent.info_hash)
            self._wait(lambda: self._known() is None)

    def _known(self) -> Any:  # noqa: ANN401  # a dictionary of the API
        found = self.api.torrents_info(torrent_hashes=self.torrent.info_hash)
        return found[0] if found else None

    def _files(self) -> Any:  # noqa: ANN401  # a list of the API
        return self.api.torrents_files(torrent_hash=self.torrent.info_hash)

    def _ours(self) -> Any:  # noqa: ANN401  # a dictionary of the API
        (ours,) = (each for each in self._files() if each.index == self.file.index)
        return ours

    def _wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DONE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise TorrentError(
                    f"qBittorrent at {self.client.address} has not done in time what it was asked"
                )
            time.sleep(LOOK_SECONDS)
