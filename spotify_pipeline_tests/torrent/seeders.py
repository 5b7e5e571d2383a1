"""A torrent of small shards, and real seeders of it on this machine's loopback.

Belongs here: making and seeding torrents. Does not belong here: fetching them.
"""

import hashlib
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

import libtorrent as lt

from spotify_pipeline.torrent.contents import read_torrent

__all__ = ["PIECE_BYTES", "Seeder", "bencoded_torrent", "calling", "made_torrent", "seeding"]

PIECE_BYTES = 1 << 18
"""Several to a file, and none ends where a file does."""


@dataclass(frozen=True)
class Seeder:
    """A libtorrent session that has all of a torrent, or says so."""

    session: lt.session
    handle: lt.torrent_handle

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self.session.listen_port()}"

    @property
    def peer(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.session.listen_port()

    @property
    def uploaded(self) -> int:
        """Bytes of files that it has sent."""
        return self.handle.status().total_payload_upload


def made_torrent(folder: Path, piece_bytes: int = PIECE_BYTES) -> bytes:
    """Make the ``.torrent`` of all files below a folder, in the order of their names."""
    files = [
        lt.create_file_entry(str(path.relative_to(folder.parent)), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    made = lt.create_torrent(files, piece_bytes, lt.create_torrent.v1_only)
    lt.set_piece_hashes(made, str(folder.parent))
    return bytes(lt.bencode(made.generate()))


def bencoded_torrent(name: bytes, files: Sequence[tuple[Sequence[bytes], bytes]]) -> bytes:
    """Make a ``.torrent`` of files with any names at all, given as the parts of their paths."""
    content = b"".join(data for _, data in files)
    pieces = b"".join(
        hashlib.sha1(content[start : start + PIECE_BYTES]).digest()
        for start in range(0, len(content), PIECE_BYTES)
    )
    entries = [{b"length": len(data), b"path": list(path)} for path, data in files]
    info: Any = {b"name": name, b"piece length": PIECE_BYTES, b"pieces": pieces, b"files": entries}
    return bytes(lt.bencode({b"info": info}))


@contextmanager
def seeding(
    torrent: bytes,
    folder: Path,
    upload_limit: int = 0,
    port: int = 0,
    names: Mapping[int, str] | None = None,
    lacks: Container[int] = (),
) -> Iterator[Seeder]:
    """Seed a torrent whose files lie below a folder, whether or not they are the right ones.

    Parameters
    ----------
    torrent
        Its ``.torrent`` data.
    folder
        Where the torrent's own folder lies.
    upload_limit
        Bytes a second; 0 is no limit.
    port
        To listen at; 0 is any.
    names
        Of the files below the folder, by index, where they are not the torrent's.
    lacks
        Pieces that it does not have.
    """
    session = lt.session(
        {
            "listen_interfaces": f"127.0.0.1:{port}",
            "enable_dht": False,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "allow_multiple_connections_per_ip": True,
            "enable_incoming_utp": False,  # whose connections outlive a peer that is killed
            "enable_outgoing_utp": False,
            "max_failcount": 1000,  # of a client that is killed again and again
            "min_reconnect_time": 1,
            "alert_mask": lt.alert_category.error,
        }
    )
    parameters = lt.load_torrent_buffer(torrent)
    parameters.save_path = str(folder)
    # libtorrent would change one of two names that differ only in case
    parameters.renamed_files = dict(
        names or {file.index: file.path for file in read_torrent(torrent, "").files}
    )
    # nothing is checked, so that it can lie
    assert parameters.ti is not None
    has = [piece not in lacks for piece in range(parameters.ti.num_pieces())]
    parameters.have_pieces = has
    parameters.flags |= lt.torrent_flags.no_verify_files
    parameters.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    handle = session.add_torrent(parameters)
    handle.set_upload_limit(upload_limit)  # a session's does not count on the loopback
    deadline = time.monotonic() + 20
    while handle.status().num_pieces != sum(has) or not session.listen_port():
        assert time.monotonic() < deadline, "the seeder lacks a file, or a port"
        time.sleep(0.01)
    try:
        yield Seeder(session, handle)
    finally:
        session.remove_torrent(handle)


@contextmanager
def calling(seeder: Seeder, port: int) -> Iterator[None]:
    """Let a seeder look for a client on this machine that can't be told of it."""
    ended = Event()

    def call() -> None:
        while not ended.wait(0.5):
            if seeder.handle.status().num_peers == 0:
                seeder.handle.connect_peer(("127.0.0.1", port))

    calls = Thread(target=call)
    calls.start()
    try:
        yield
    finally:
        ended.set()
        calls.join()
