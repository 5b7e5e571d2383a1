"""Files come by a real qBittorrent, which knows of nothing that was deleted."""

from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
import qbittorrentapi

from spotify_pipeline.settings import Settings
from spotify_pipeline.torrent.client import TorrentError
from spotify_pipeline.torrent.contents import read_torrent
from spotify_pipeline.torrent.fetch import Fetched, fetch_file
from spotify_pipeline.torrent.qbittorrent import QBittorrentClient
from spotify_pipeline_tests.torrent.conftest import Swarm
from spotify_pipeline_tests.torrent.programs import Program
from spotify_pipeline_tests.torrent.seeders import PIECE_BYTES, bencoded_torrent, seeding
from spotify_pipeline_tests.torrent.waiting import until


@pytest.fixture
def client(qbittorrent_program: Program, settings: Settings, swarm: Swarm) -> QBittorrentClient:
    return QBittorrentClient(
        qbittorrent_program.address, "admin", "adminadmin", settings.locks, (swarm.seeder.address,)
    )


@pytest.fixture
def api(qbittorrent_program: Program) -> qbittorrentapi.Client:
    return qbittorrentapi.Client(
        qbittorrent_program.address, username="admin", password="adminadmin"
    )


def test_files_come_one_after_the_other_and_the_torrent_is_forgotten(
    settings: Settings,
    swarm: Swarm,
    client: QBittorrentClient,
    api: qbittorrentapi.Client,
    qbittorrent_program: Program,
) -> None:
    for shard in ("0a", "0A"):
        file = swarm.torrent.shards()[shard]
        fetched = fetch_file(settings, swarm.torrent, file, client)
        assert fetched.path == settings.incoming / f"{shard}.jsonl.zst"
        assert fetched.path.read_bytes() == swarm.content(shard)
        fetched.path.unlink()  # as after an ingest
        assert list(api.torrents_info()) == []
        assert not list(qbittorrent_program.own.rglob("*"))
    assert list(settings.incoming.iterdir()) == []


def test_a_torrent_that_somebody_else_added_is_left_alone(
    settings: Settings, swarm: Swarm, client: QBittorrentClient, api: qbittorrentapi.Client
) -> None:
    api.torrents_add(torrent_files={"a": swarm.torrent.data}, is_paused=True)
    file = swarm.torrent.shards()["0a"]
    with pytest.raises(TorrentError, match="already, added by somebody else"):
        fetch_file(settings, swarm.torrent, file, client)
    assert len(api.torrents_info()) == 1
    api.torrents_delete(delete_files=True, torrent_hashes=swarm.torrent.info_hash)


def test_a_fetch_goes_on_when_qbittorrent_was_killed_and_is_started_again(
    settings: Settings, swarm: Swarm, client: QBittorrentClient, qbittorrent_program: Program
) -> None:
    file = swarm.torrent.shards()["0b"]
    fetched: list[Fetched] = []
    with seeding(swarm.torrent.data, swarm.folder, upload_limit=300_000) as slow:
        slowly = replace(client, peers=(slow.address,))
        fetching = Thread(
            target=lambda: fetched.append(fetch_file(settings, swarm.torrent, file, slowly))
        )
        fetching.start()
        until(lambda: slow.uploaded >= 3 * PIECE_BYTES)
        qbittorrent_program.kill()
        qbittorrent_program.start_again()
        fetching.join(60)
        sent = slow.uploaded
    assert not fetching.is_alive()
    # the pieces that were on their way come again, and what comes until it was looked at
    assert sent <= (file.size // PIECE_BYTES + 2 + 3) * PIECE_BYTES
    assert fetched[0].path.read_bytes() == swarm.content("0b")


def test_a_torrent_that_is_removed_meanwhile_is_an_error_and_a_new_try_adds_it(
    settings: Settings, swarm: Swarm, client: QBittorrentClient, api: qbittorrentapi.Client
) -> None:
    file = swarm.torrent.shards()["0b"]
    folder = settings.downloads / "0b"
    folder.mkdir(parents=True)
    with replace(client, peers=()).downloading(swarm.torrent, file, folder) as download:
        assert not download.progress().complete
        api.torrents_delete(delete_files=False, torrent_hashes=swarm.torrent.info_hash)
        until(lambda: not api.torrents_info())
        with pytest.raises(TorrentError, match="was removed from qBittorrent; a new try adds it"):
            download.progress()
    assert fetch_file(settings, swarm.torrent, file, client).path.read_bytes() == swarm.content(
        "0b"
    )


def test_hostile_names_reach_no_file_outside_the_folder(
    settings: Settings, client: QBittorrentClient, tmp_path: Path
) -> None:
    shard = b"z" * PIECE_BYTES
    files: list[tuple[list[bytes], bytes]] = [
        ([b"..", b"..", b"outside"], b"x" * 1000),
        ([b"..", b"..", b"0a.jsonl.zst"], shard),
        ([b"n" * 300], b"x" * 1000),
    ]
    torrent = read_torrent(bencoded_torrent(b"../../dump", files), "hostile")
    seeded = tmp_path / "elsewhere"
    seeded.mkdir()
    for index, (_, data) in enumerate(files):
        (seeded / f"{index}").write_bytes(data)
    names = {index: f"{index}" for index in range(len(files))}
    with seeding(torrent.data, seeded, names=names) as seeder:
        asking = replace(client, peers=(seeder.address,))
        fetched = fetch_file(settings, torrent, torrent.shards()["0a"], asking)
    assert fetched.path == settings.incoming / "0a.jsonl.zst"
    assert fetched.path.read_bytes() == shard
    assert not list(tmp_path.rglob("outside*"))


def test_wrong_credentials_and_a_wrong_address_are_said_without_the_password(
    settings: Settings, swarm: Swarm, client: QBittorrentClient, tmp_path: Path
) -> None:
    file = swarm.torrent.shards()["0a"]
    wrong = replace(client, password="secret1")
    with pytest.raises(TorrentError, match="refuses the user 'admin'") as refused:
        fetch_file(settings, swarm.torrent, file, wrong)
    nowhere = replace(client, address="http://127.0.0.1:1", password="secret1")
    with pytest.raises(TorrentError, match=r"127\.0\.0\.1:1 can't be reached") as lost:
        fetch_file(settings, swarm.torrent, file, nowhere)
    assert "secret1" not in f"{refused.value} {lost.value} {wrong!r}"
