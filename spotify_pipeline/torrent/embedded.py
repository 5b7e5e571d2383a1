"""The embedded client: libtorrent in this process.

One session fetches file after file; it has the torrent for one of them at a time.

The file is fetched as ``N.part``, N being its index: no name of the torrent's reaches the disk.
Pieces that it shares with its neighbours go whole into libtorrent's own part file beside it. A try
that was ended goes on: libtorrent hashes what lies there.

Where peers are named, nobody else is asked, and nothing listens.

Belongs here: libtorrent, and nothing else imports it but `source`, by `described`. Does not belong
here: when a download stalls (`fetch`).
"""

import errno
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spotify_pipeline import __version__
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.space import naming_a_full_disk
from spotify_pipeline.syncing import sync
from spotify_pipeline.torrent.client import Progress, StalledError, TorrentError
from spotify_pipeline.torrent.contents import Torrent, TorrentFile

if TYPE_CHECKING:
    import libtorrent as lt

__all__ = ["EmbeddedClient", "Peer", "described", "read_peers"]

Peer = tuple[str, int]
"""Host and port."""

PORTS = "0.0.0.0:6881,[::]:6881"
"""Where peers find us; the next free one where another session has it."""

WANTED, UNWANTED = 4, 0
"""Priorities of files: libtorrent's default, and none."""

LOOK_SECONDS = 0.1
"""Between two looks at the metadata of a magnet link."""

RECONNECT_SECONDS = 1
"""By how much longer than before a named peer is left alone after each failure to reach it."""

NAME_PEERS_SECONDS = 2.0
"""From one time that libtorrent is given the named peers to the next; see `_NamedPeers`."""

FLUSH_SECONDS = 120.0
"""How long a disk may take for what is still in memory."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class EmbeddedClient:
    """Fetches by libtorrent.

    Attributes
    ----------
    peers
        The only ones to be asked, if there are any.
    upload_limit
        Bytes a second; 0 is no limit.
    """

    peers: tuple[Peer, ...] = ()
    upload_limit: int = 0

    @cached_property
    def session(self) -> "lt.session":
        """The session: it finds peers for the next file sooner than one that has just begun."""
        return _session(self.peers, self.upload_limit)

    @contextmanager
    def downloading(
        self, torrent: Torrent, file: TorrentFile, folder: Path
    ) -> Iterator["_Download"]:
        """Fetch a file for the length of the context; see `client.Client.downloading`."""
        lt = _libtorrent()
        parameters = lt.load_torrent_buffer(torrent.data)
        count = parameters.ti.num_files()
        parameters.save_path = str(folder)
        parameters.renamed_files = {index: _name(index) for index in range(count)}
        parameters.file_priorities = [
            WANTED if index == file.index else UNWANTED for index in range(count)
        ]
        # A place that is reserved can't be lost to other work, nor a mapped write fail.
        parameters.storage_mode = lt.storage_mode_t.storage_mode_allocate
        handle = _add(self.session, parameters, alone=bool(self.peers))
        try:
            named = _NamedPeers(handle, self.peers)
            yield _Download(self.session, handle, named, folder / _name(file.index))
        finally:
            self.session.remove_torrent(handle)


class _Download:
    """A file that a session fetches."""

    def __init__(
        self,
        session: "lt.session",
        handle: "lt.torrent_handle",
        named: "_NamedPeers",
        path: Path,
    ) -> None:
        self.session = session
        self.handle = handle
        self.named = named
        self.path = path

    def progress(self) -> Progress:
        """Tell how far it is; see `client.Download`."""
        self._fail_by_alerts()
        self.named.name()
        status = self.handle.status()
        states = type(status).states
        return Progress(
            done=status.total_wanted_done,
            total=status.total_wanted,
            rate=status.download_payload_rate,
            peers=status.num_peers,
            corrupt=status.total_failed_bytes,
            checking=status.state in (states.checking_files, states.checking_resume_data),
            complete=status.is_finished and status.total_wanted_done == status.total_wanted,
        )

    def take(self) -> Path:
        """Give the complete file; see `client.Download`."""
        self.handle.pause()
        self.handle.flush_cache()
        deadline = time.monotonic() + FLUSH_SECONDS
        while not self._fail_by_alerts("cache_flushed_alert"):
            if time.monotonic() > deadline:
                raise TorrentError(f"{self.path}: the disk has not taken all of it in time")
            self.session.wait_for_alert(200)
        if self.path.is_symlink() or not self.path.is_file():
            raise TorrentError(
                f"{self.path}: libtorrent says that this file is complete, but it"
                " is not there; was it removed?"
            )
        sync(self.path)
        return self.path

    def _fail_by_alerts(self, expected: str = "") -> bool:
        """Raise what went wrong since the last look; tell whether an alert has come."""
        come = False
        for alert in self.session.pop_alerts():
            if getattr(alert, "handle", None) != self.handle:  # of a file before
                continue
            kind = type(alert).__name__
            come |= kind == expected
            if kind in ("file_error_alert", "torrent_error_alert"):
                _fail(alert, self.path)
        return come


def described(magnet: str, peers: Sequence[Peer], patience: float) -> bytes:
    """Ask peers for what a magnet link leads to; gives the bytes of a ``.torrent`` file.

    Parameters
    ----------
    magnet
        The link.
    peers
        The only ones to be asked, if there are any.
    patience
        Seconds.

    Raises
    ------
    StalledError
        Nobody told it for so long.
    TorrentError
        The link is none.
    """
    lt = _libtorrent()
    session = _session(peers, upload_limit=0)
    try:
        parameters = lt.parse_magnet_uri(magnet)
    except RuntimeError as error:
        raise TorrentError(f"{magnet}: not a magnet link ({error})") from error
    parameters.flags |= lt.torrent_flags.default_dont_download | lt.torrent_flags.upload_mode
    parameters.save_path = "unused"
    handle = _add(session, parameters, alone=bool(peers))
    named = _NamedPeers(handle, peers)
    deadline = time.monotonic() + patience
    while not handle.status().has_metadata:
        named.name()
        if time.monotonic() > deadline:
            raise StalledError(
                f"{magnet}: nobody has told for {patience:,.0f} s what it leads to"
                f" ({handle.status().num_peers} peers); try again later, or give the .torrent file"
            )
        time.sleep(LOOK_SECONDS)
    told = lt.add_torrent_params()
    told.ti = handle.torrent_file()
    return bytes(lt.bencode(lt.write_torrent_file(told)))


def read_peers(texts: Sequence[str]) -> tuple[Peer, ...]:
    """Read peers as ``host:port``.

    Raises
    ------
    PipelineError
        One is none.
    """
    peers = []
    for text in texts:
        host, colon, port = text.rpartition(":")
        if not (colon and host and port.isdecimal() and 0 < int(port) < 1 << 16):
            raise PipelineError(f"{text!r} is no peer, which is host:port, as 192.168.1.2:6881")
        peers.append((host.strip("[]"), int(port)))
    return tuple(peers)


class _NamedPeers:
    """The peers that are named, given to libtorrent again and again while it has a torrent.

    libtorrent gives a peer up after three failures to connect: its setting `max_failcount` does not
    reach a torrent that has just been added. Each time that a tracker tells of the peer, it is
    forgiven one failure. A person who names it is believed as much.
    """

    def __init__(self, handle: "lt.torrent_handle", peers: Sequence[Peer]) -> None:
        self.handle = handle
        self.addresses = {address for peer in peers for address in _addresses(peer)}
        self.named = -NAME_PEERS_SECONDS

    def name(self) -> None:
        """Name them, if it is time; one that is connected is left alone."""
        if time.monotonic() - self.named < NAME_PEERS_SECONDS:
            return
        self.named = time.monotonic()
        for address in self.addresses:
            self.handle.connect_peer(address, source=_libtorrent().peer_info.tracker)


def _add(
    session: "lt.session", parameters: "lt.add_torrent_params", *, alone: bool
) -> "lt.torrent_handle":
    """Add a torrent; `alone` says that nobody but the named peers is asked."""
    lt = _libtorrent()
    flags = lt.torrent_flags
    parameters.flags &= ~(flags.auto_managed | flags.paused)
    if alone:
        parameters.trackers = []
        parameters.url_seeds = []
        parameters.flags |= flags.disable_dht | flags.disable_lsd | flags.disable_pex
    return session.add_torrent(parameters)


def _addresses(peer: Peer) -> list[Peer]:
    """Look up a peer's addresses."""
    try:
        found = socket.getaddrinfo(*peer, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TorrentError(f"the peer {peer[0]} has no address: {error.strerror}") from error
    return [(str(address[0]), int(address[1])) for *_, address in found]


def _session(peers: Sequence[Peer], upload_limit: int) -> "lt.session":
    lt = _libtorrent()
    alone = bool(peers)
    settings: dict[str, Any] = {
        "alert_mask": lt.alert_category.error
        | lt.alert_category.status
        | lt.alert_category.storage,
        "user_agent": f"spotify-pipeline/{__version__} libtorrent/{lt.version}",
        "upload_rate_limit": upload_limit,
        "listen_interfaces": "" if alone else PORTS,
        "enable_dht": not alone,
        "enable_lsd": not alone,
        "enable_upnp": not alone,
        "enable_natpmp": not alone,
        "enable_outgoing_utp": not alone,  # which needs a port of ours
    }
    if alone:  # nobody else can take a lost peer's place
        settings["min_reconnect_time"] = RECONNECT_SECONDS
    return lt.session(settings)  # type: ignore[no-any-return]


def _name(index: int) -> str:
    return f"{index}.part"


def _fail(alert: Any, path: Path) -> None:  # noqa: ANN401  # one of two kinds of alert
    with naming_a_full_disk(path.parent):
        if alert.error.value() in _FULL:
            raise OSError(errno.ENOSPC, alert.message())
    raise TorrentError(f"{path}: {alert.error.message()} ({alert.message()})")


def _libtorrent() -> Any:  # noqa: ANN401  # a module that need not be there
    try:
        import libtorrent
    except ImportError as error:
        raise PipelineError(
            "libtorrent, which fetches files of torrents, is not installed: pip install"
            " 'spotify-pipeline[torrent]', or name another client by"
            " SPOTIFY_PIPELINE_TORRENT_CLIENT"
        ) from error
    return libtorrent
