"""What fetching files of a torrent one at a time costs beside fetching all of them at once.

    python -m benchmarks.download [--files 3] [--megabytes 1000] [--piece-kib 4096] [--rate 100]

Makes files of random bytes, seeds them on the loopback at that rate in MB/s, and fetches them twice
by the embedded client one after the other, as the command ``download`` does, and all at once by
libtorrent alone. Both ways end when all is on the disk. Every file is compared with its source.
Prints the seconds of both ways, the overhead of the first, and the bytes that came: pieces at the
borders of files come twice. The rest of the overhead is as long for a large file as for a small
one: a peer is reached up to a second later, and what is still in memory is written.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libtorrent as lt
import numpy as np

from benchmarks.command import command_line, print_machine
from spotify_pipeline.settings import Settings
from spotify_pipeline.syncing import sync
from spotify_pipeline.torrent.contents import Torrent, read_torrent
from spotify_pipeline.torrent.embedded import EmbeddedClient, Peer
from spotify_pipeline.torrent.fetch import fetch_file


def session(**more: Any) -> lt.session:  # noqa: ANN401  # values of libtorrent's settings
    """Make a session that asks nobody but the peers that are named."""
    settings: Any = {
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "alert_mask": 0,
        **more,
    }
    made: lt.session = lt.session(settings)
    return made


def make_files(folder: Path, count: int, size: int) -> None:
    """Write files of random bytes whose ends are no ends of pieces."""
    folder.mkdir()
    for number in range(count):
        rng = np.random.default_rng(number)
        (folder / f"0{number:x}.jsonl.zst").write_bytes(rng.bytes(size + 1234 * number))


def make_torrent(folder: Path, piece_bytes: int) -> Torrent:
    """Make the torrent of a folder."""
    files = [
        lt.create_file_entry(f"{folder.name}/{path.name}", path.stat().st_size)
        for path in sorted(folder.iterdir())
    ]
    made = lt.create_torrent(files, piece_bytes, lt.create_torrent.v1_only)
    lt.set_piece_hashes(made, str(folder.parent))
    return read_torrent(bytes(lt.bencode(made.generate())), "made")


@contextmanager
def seeding(torrent: Torrent, folder: Path, rate: int) -> Iterator[tuple[Peer, lt.torrent_handle]]:
    """Seed a torrent at a rate in bytes a second."""
    made = session(listen_interfaces="127.0.0.1:0")
    parameters = lt.load_torrent_buffer(torrent.data)
    parameters.save_path = str(folder)
    parameters.flags |= lt.torrent_flags.seed_mode
    parameters.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    handle = made.add_torrent(parameters)
    handle.set_upload_limit(rate)  # a session's does not count on the loopback
    while not (handle.status().is_seeding and made.listen_port()):
        time.sleep(0.01)
    yield ("127.0.0.1", made.listen_port()), handle
    made.remove_torrent(handle)


def one_at_a_time(torrent: Torrent, peer: Peer, home: Path) -> float:
    """Fetch file after file; gives seconds."""
    settings = Settings(home, home / "incoming")
    settings.create_folders()
    client = EmbeddedClient((peer,))
    started = time.monotonic()
    for file in torrent.files:
        fetch_file(settings, torrent, file, client, limited=False)
    return time.monotonic() - started


def all_at_once(torrent: Torrent, peer: Peer, home: Path) -> float:
    """Fetch all files by one session; gives seconds."""
    made = session(listen_interfaces="", enable_outgoing_utp=False)
    parameters = lt.load_torrent_buffer(torrent.data)
    parameters.save_path = str(home)
    parameters.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    started = time.monotonic()
    handle = made.add_torrent(parameters)
    handle.connect_peer(peer)
    while not handle.status().is_seeding:
        time.sleep(0.05)
    made.remove_torrent(handle)
    for path in (home / torrent.name).iterdir():
        sync(path)
    return time.monotonic() - started


def main(words: Sequence[str] | None = None) -> None:
    """Make the files, fetch them in both ways, compare."""
    parser = command_line(__doc__)
    parser.add_argument("--files", type=int, choices=range(1, 17), default=3, help="to fetch")
    parser.add_argument("--megabytes", type=float, default=1000, help="of each file")
    parser.add_argument("--piece-kib", type=int, default=4096, help="of a piece; a power of two")
    parser.add_argument("--rate", type=float, default=100, help="of the seeder, in MB/s")
    arguments = parser.parse_args(words)
    print_machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder / "dump", arguments.files, round(arguments.megabytes * 1e6))
        torrent = make_torrent(folder / "dump", arguments.piece_kib * 1024)
        seconds = {}
        for way in (all_at_once, one_at_a_time):
            with seeding(torrent, folder, round(arguments.rate * 1e6)) as (peer, seeder):
                seconds[way] = way(torrent, peer, folder / way.__name__)
                sent = seeder.status().total_payload_upload
            print(f"{way.__name__}: {seconds[way]:.1f} s, {sent:,} bytes came", flush=True)
        for path in (folder / "dump").iterdir():
            for copy in (folder / "one_at_a_time" / "incoming", folder / "all_at_once" / "dump"):
                if (copy / path.name).read_bytes() != path.read_bytes():
                    raise SystemExit(f"{copy / path.name} differs from its source")
        more = seconds[one_at_a_time] - seconds[all_at_once]
        share, each = more / seconds[all_at_once], more / arguments.files
        print(f"overhead: {share:.1%}, {each:.2f} s a file")


if __name__ == "__main__":
    main()
