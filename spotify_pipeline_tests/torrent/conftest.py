"""A torrent of the dump's shape, small, with pieces across the borders of its files."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from spotify_pipeline.settings import TORRENT_PASSWORD_VARIABLE, Settings
from spotify_pipeline.torrent.client import Client
from spotify_pipeline.torrent.clients import open_client
from spotify_pipeline.torrent.contents import Torrent, read_torrent
from spotify_pipeline_tests.torrent.programs import PASSWORD, Program, qbittorrent, transmission
from spotify_pipeline_tests.torrent.seeders import Seeder, calling, made_torrent, seeding

SHARDS = ("0a", "0A", "0b", "7z")


@dataclass(frozen=True)
class Swarm:
    """A torrent, the folder of its own folder ``dump``, and a seeder."""

    torrent: Torrent
    folder: Path
    seeder: Seeder

    def content(self, shard: str) -> bytes:
        """Read what a shard's file holds."""
        return (self.folder / "dump" / f"{shard}.jsonl.zst").read_bytes()


@pytest.fixture(scope="session")
def dump(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Torrent]:
    """Make files of a megabyte that are no multiple of a piece, and their torrent."""
    folder = tmp_path_factory.mktemp("seeded")
    (folder / "dump").mkdir()
    for number, shard in enumerate(SHARDS):
        content = random.Random(number).randbytes(1_000_000 + 777 * number)
        (folder / "dump" / f"{shard}.jsonl.zst").write_bytes(content)
    (folder / "dump" / "spotify_artist_redirects.json").write_bytes(b'{"old": "new"}')
    return folder, read_torrent(made_torrent(folder / "dump"), "made")


@pytest.fixture
def swarm(dump: tuple[Path, Torrent]) -> Iterator[Swarm]:
    folder, torrent = dump
    with seeding(torrent.data, folder) as seeder:
        yield Swarm(torrent, folder, seeder)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(tmp_path, tmp_path / "incoming", torrent_stall_minutes=1)
    found.create_folders()
    return found


@pytest.fixture(scope="session")
def qbittorrent_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with qbittorrent(tmp_path_factory.mktemp("qbittorrent")) as running:
        yield running


@pytest.fixture(scope="session")
def transmission_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with transmission(tmp_path_factory.mktemp("transmission")) as running:
        yield running


@dataclass(frozen=True)
class Way:
    """One of the clients to fetch by.

    Attributes
    ----------
    name
        As people call it.
    settings
        That name it.
    program
        That it is, unless it is embedded.
    """

    name: str
    settings: Settings
    program: Program | None = None

    @contextmanager
    def from_seeder(self, seeder: Seeder) -> Iterator[Client]:
        """Give the client, which has this seeder as its peer."""
        client = open_client(replace(self.settings, torrent_peers=(seeder.address,)))
        if self.program is None:
            yield client
        else:
            with calling(seeder, self.program.port):
                yield client


PROGRAMS = [pytest.param(name, marks=pytest.mark.long) for name in ("qBittorrent", "Transmission")]


@pytest.fixture(params=["libtorrent", *PROGRAMS])
def way(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Way:
    """Give each client in turn."""
    if request.param == "libtorrent":
        return Way(request.param, settings)
    scheme = {"qBittorrent": "http", "Transmission": "transmission+http"}[request.param]
    program = request.getfixturevalue(f"{request.param.lower()}_program")
    monkeypatch.setenv(TORRENT_PASSWORD_VARIABLE, PASSWORD)
    address = f"{scheme}://admin@127.0.0.1:{program.web}"
    return Way(request.param, replace(settings, torrent_client=address), program)
