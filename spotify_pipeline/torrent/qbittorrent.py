"""qBittorrent as the client, by its Web API: one file at a time, the torrent added for it alone.

The torrent is added stopped, no file of it is wanted, then the one is, then it starts: qBittorrent
heeds no priorities that are given while a torrent is added. When the file is there, the torrent is
removed and the file stays. So qBittorrent never knows of a file that was deleted, and has nothing
to check again.

Belongs here: the Web API. Does not belong here: when a download stalls (`fetch`), what it shares
with other programs (`programs`).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import TORRENT_PASSWORD_FILE_VARIABLE, TORRENT_PASSWORD_VARIABLE
from spotify_pipeline.torrent.client import Progress, TorrentError
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
    import qbittorrentapi

__all__ = ["QBittorrentClient"]

CATEGORY = "spotify-pipeline"
"""Of the torrents that are ours to remove."""

UNWANTED, WANTED = 0, 1

PROGRAM = "qBittorrent"

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
        with FileLock(self.locks / TURNS), self._errors():
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
                f"{PROGRAM} at {self.address} refuses the user {self.user!r} with the password of"
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
        except qbittorrentapi.APIConnectionError as error:
            raise unreachable(PROGRAM, self.address) from error
        except qbittorrentapi.APIError as error:
            raise not_done(PROGRAM, self.address, error) from error


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

    def begin(self) -> None:
        """Add the torrent for this file, unless an earlier try did."""
        known = self._known()
        if known is not None and known.category != CATEGORY:
            raise not_ours(PROGRAM, self.torrent)
        if known is not None and Path(known.save_path) != self.folder:
            self.forget()  # it is of another file, whose fetch was ended
            known = None
        if known is None:
            self._add()

    def _name_peers(self, state: str) -> None:
        """Name the peers, which qBittorrent does not keep when it is ended."""
        begins = state.startswith(("checking", "paused"))  # it would heed none yet
        due = time.monotonic() - self.named > NAME_PEERS_SECONDS
        if self.client.peers and due and not begins:
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
        wait_until(lambda: bool(self._known() and self._files()), PROGRAM)
        info_hash = self.torrent.info_hash
        ids = [each.index for each in self._files()]
        self.api.torrents_file_priority(info_hash, file_ids=ids, priority=UNWANTED)
        self.api.torrents_file_priority(info_hash, file_ids=self.file.index, priority=WANTED)
        wait_until(self._wants_ours_alone, PROGRAM)
        self.api.torrents_resume(torrent_hashes=info_hash)

    def _wants_ours_alone(self) -> bool:
        return all(
            (each.priority != UNWANTED) == (each.index == self.file.index) for each in self._files()
        )

    def progress(self) -> Progress:
        """Tell how far it is; see `client.Download`."""
        import qbittorrentapi

        try:
            known = self._known()
            ours = self._ours() if known else None
            corrupt = self._corrupt() if known and not known.dlspeed else self.last.corrupt
            if known and known.num_seeds + known.num_leechs == 0:
                self._name_peers(known.state)
        except qbittorrentapi.APIConnectionError:  # it is started again, perhaps
            self.last = Progress(self.last.done, self.last.total)
            return self.last
        if known is None or ours is None:
            raise was_removed(PROGRAM, self.torrent)
        if known.state == "error":
            raise why_stopped(self.folder, PROGRAM, "its state is 'error'")
        if known.state == "missingFiles":  # it was killed when it was to forget an earlier file
            self.forget()
            self._add()
            return self.last
        done = round(ours.progress * ours.size)
        if done < self.last.done:  # it was killed, and notes once an hour what it has
            self.api.torrents_recheck(torrent_hashes=self.torrent.info_hash)
        self.last = Progress(
            done=done,
            total=ours.size,
            rate=known.dlspeed,
            peers=known.num_seeds + known.num_leechs,
            corrupt=corrupt,
            checking=known.state.startswith("checking"),
            complete=ours.progress == 1 and known.amount_left == 0,
        )
        return self.last

    def take(self) -> Path:
        """Give the complete file; see `client.Download`."""
        name = str(self._ours().name)
        self.forget()
        return fetched_file(self.folder, name, PROGRAM)

    def forget(self) -> None:
        """Remove the torrent; what was fetched stays."""
        if self._known() is not None:
            self.api.torrents_delete(delete_files=False, torrent_hashes=self.torrent.info_hash)
            wait_until(lambda: self._known() is None, PROGRAM)

    def _known(self) -> Any:  # noqa: ANN401  # a dictionary of the API
        found = self.api.torrents_info(torrent_hashes=self.torrent.info_hash)
        return found[0] if found else None

    def _corrupt(self) -> int:
        """Count the bytes that were thrown away; a few that came twice are among them."""
        return int(self.api.torrents_properties(self.torrent.info_hash).total_wasted)

    def _files(self) -> Any:  # noqa: ANN401  # a list of the API
        return self.api.torrents_files(torrent_hash=self.torrent.info_hash)

    def _ours(self) -> Any:  # noqa: ANN401  # a dictionary of the API
        (ours,) = (each for each in self._files() if each.index == self.file.index)
        return ours
