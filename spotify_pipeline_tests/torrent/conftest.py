"""A torrent of the dump's shape, small, with pieces across the borders of its files."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from spotify_pipeline.settings import Settings
from spotify_pipeline.torrent.contents import Torrent, read_torrent
from spotify_pipeline_tests.torrent.seeders import Seeder, made_torrent, seeding

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
