"""From what a user names, a ``.torrent`` file or a magnet link, to what it holds.

What a magnet link leads to is asked for once and kept below the data home.

Belongs here: finding, asking once, keeping. Does not belong here: reading it (`contents`).
"""

import base64
import binascii
import re
from collections.abc import Sequence
from pathlib import Path

from spotify_pipeline.syncing import sync
from spotify_pipeline.torrent.client import TorrentError
from spotify_pipeline.torrent.contents import Torrent, read_torrent

__all__ = ["open_torrent"]

PATIENCE = 300.0
"""Seconds in which peers must tell what a magnet link leads to. Set by hand."""

_INFO_HASH = re.compile(r"[?&]xt=urn:btih:([0-9A-Fa-f]{40}|[A-Za-z2-7]{32})(?:&|$)")


def open_torrent(
    named: str, kept: Path, peers: Sequence[str] = (), patience: float = PATIENCE
) -> Torrent:
    """Read the torrent that a user names.

    Parameters
    ----------
    named
        Path of a ``.torrent`` file, or a magnet link.
    kept
        Folder for what magnet links lead to; made where it is missing.
    peers
        As host:port, the only ones to be asked, if there are any.
    patience
        Seconds to wait for peers.

    Raises
    ------
    StalledError
        No peer tells what a magnet link leads to.
    PipelineError
        The file can't be read or is no torrent, or the link is no magnet link.
    """
    if not named.startswith("magnet:"):
        return read_torrent(_read(Path(named).expanduser()), named)
    info_hash = _info_hash(named)
    path = kept / f"{info_hash}.torrent"
    if path.exists():
        return read_torrent(_read(path), str(path))
    from spotify_pipeline.torrent.embedded import described, read_peers

    data = described(named, read_peers(peers), patience)
    torrent = read_torrent(data, named)
    _keep(path, data)
    return torrent


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TorrentError(f"{path}: the torrent file can't be read: {error.strerror}") from error


def _info_hash(magnet: str) -> str:
    found = _INFO_HASH.search(magnet)
    if found is None:
        raise TorrentError(
            f"{magnet}: the magnet link has no xt=urn:btih: with the torrent's hash; copy it again"
        )
    text = found[1]
    try:
        return text.lower() if len(text) == 40 else base64.b32decode(text.upper()).hex()
    except binascii.Error as error:
        raise TorrentError(f"{magnet}: its hash is none ({error})") from error


def _keep(path: Path, data: bytes) -> None:
    """Write a file so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.new")
    half.write_bytes(data)
    sync(half)
    half.replace(path)
