"""``download`` as a person meets it, with a seeder on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spotify_pipeline_tests.documents import make_documents, write_shard
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE, run, run_here
from spotify_pipeline_tests.torrent.seeders import Seeder, made_torrent, seeding


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Seeder]]:
    """Seed two shards; gives the torrent file and the seeder."""
    folder = tmp_path_factory.mktemp("seeded")
    for shard in ("0a", "0A"):
        write_shard(folder / "dump", shard, make_documents(shard, 2))
    (folder / "dump" / "spotify_artist_redirects.json").write_bytes(b'{"old": "new"}')
    torrent = made_torrent(folder / "dump", piece_bytes=1 << 14)
    (folder / "dump.torrent").write_bytes(torrent)
    with seeding(torrent, folder) as seeder:
        yield folder / "dump.torrent", seeder


def test_named_shards_are_fetched_and_can_be_ingested(
    seeded: tuple[Path, Seeder], tmp_path: Path
) -> None:
    torrent, seeder = seeded
    fetching = ["download", str(torrent), "--shards", "0A", "--peer", seeder.address]
    fetched = run(tmp_path, SPOTIFY_PIPELINE, *fetching)
    assert fetched.returncode == 0, fetched.stderr
    path = tmp_path / "incoming" / "0A.jsonl.zst"
    assert fetched.stdout == f"0A.jsonl.zst: done, {path}\n"
    assert path.read_bytes() == (torrent.parent / "dump" / path.name).read_bytes()
    assert run_here(tmp_path, *fetching).stdout == f"0A.jsonl.zst: lies there, {path}\n"
    assert run_here(tmp_path, "ingest").returncode == 0
    rest = run_here(tmp_path, "download", str(torrent), "--all", "--peer", seeder.address)
    assert rest.stdout == f"0a.jsonl.zst: done, {tmp_path / 'incoming' / '0a.jsonl.zst'}\n"


def test_metadata_is_fetched_by_a_magnet_link(seeded: tuple[Path, Seeder], tmp_path: Path) -> None:
    _, seeder = seeded
    link = f"magnet:?xt=urn:btih:{seeder.handle.info_hashes().v1}"
    fetched = run_here(tmp_path, "download", link, "--metadata", "--peer", seeder.address)
    assert fetched.returncode == 0, fetched.stderr
    redirects = tmp_path / "incoming" / "spotify_artist_redirects.json"
    assert redirects.read_bytes() == b'{"old": "new"}'


def test_the_list_names_shards_and_metadata_with_their_sizes(
    seeded: tuple[Path, Seeder], tmp_path: Path
) -> None:
    torrent, _ = seeded
    listed = run_here(tmp_path, "download", str(torrent), "--list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [
        "0a",
        "0A",
        "spotify_artist_redirects.json",
    ]
    assert not (tmp_path / "incoming").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "name one of --shards, --all, --metadata and --list"),
        (("--all", "--list"), "name one of"),
    ],
)
def test_what_to_fetch_must_be_said_once(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    result = run_here(tmp_path, "download", "dump.torrent", *options)
    assert result.returncode == 2
    assert message in result.stderr


def test_what_can_not_be_fetched_is_a_message(seeded: tuple[Path, Seeder], tmp_path: Path) -> None:
    torrent, _ = seeded
    unnamed = run_here(tmp_path, "download", "--all")
    assert "by SPOTIFY_PIPELINE_TORRENT" in unnamed.stderr
    unknown = run_here(tmp_path, "download", str(torrent), "--shards", "0a,zz")
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "Error: the torrent dump has no shard zz; --list shows what it has\n",
    )
    missing = run_here(tmp_path, "download", str(tmp_path / "no.torrent"), "--all")
    assert missing.stderr.startswith(f"Error: {tmp_path / 'no.torrent'}: the torrent file can't")
