"""Files of a torrent come whole into the incoming folder, from a real seeder on this machine."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.settings import Settings
from spotify_pipeline.space import SpaceError
from spotify_pipeline.status import size_on_disk
from spotify_pipeline.torrent import embedded
from spotify_pipeline.torrent.client import StalledError, TorrentError
from spotify_pipeline.torrent.contents import Torrent, read_torrent
from spotify_pipeline.torrent.embedded import EmbeddedClient
from spotify_pipeline.torrent.fetch import Fetched, fetch_file
from spotify_pipeline_tests.disks import fill
from spotify_pipeline_tests.torrent.conftest import Swarm
from spotify_pipeline_tests.torrent.programs import free_port
from spotify_pipeline_tests.torrent.seeders import PIECE_BYTES, bencoded_torrent, seeding
from spotify_pipeline_tests.torrent.waiting import until


def fetch(settings: Settings, swarm: Swarm, shard: str) -> Fetched:
    client = EmbeddedClient((swarm.seeder.peer,))
    return fetch_file(settings, swarm.torrent, swarm.torrent.shards()[shard], client)


def impatient(settings: Settings) -> Settings:
    """Give settings by which a download stalls after two seconds."""
    return replace(settings, torrent_stall_minutes=1 / 30)


def test_a_file_comes_whole_and_alone_with_the_rest_of_its_pieces(
    settings: Settings, swarm: Swarm
) -> None:
    fetched = fetch(settings, swarm, "0A")
    assert fetched.path == settings.incoming / "0A.jsonl.zst"
    assert fetched.path.read_bytes() == swarm.content("0A")
    assert [path.name for path in settings.incoming.iterdir()] == ["0A.jsonl.zst"]
    assert fetched.size < fetched.received <= fetched.size + 2 * PIECE_BYTES
    assert swarm.seeder.uploaded == fetched.received


def test_a_file_that_lies_there_is_not_fetched(settings: Settings, swarm: Swarm) -> None:
    own = settings.incoming / "deep" / "0A.jsonl.zst"
    own.parent.mkdir()
    own.write_bytes(b"of another torrent")
    said: list[str] = []
    file = swarm.torrent.shards()["0A"]
    fetched = fetch_file(settings, swarm.torrent, file, EmbeddedClient(), say=said.append)
    assert fetched == Fetched(own, len(b"of another torrent"))
    assert "unfinished or another file" in said[0]
    assert own.read_bytes() == b"of another torrent"


def test_files_come_one_after_the_other_from_a_peer_that_is_known_by_its_name(
    settings: Settings, swarm: Swarm
) -> None:
    client = EmbeddedClient((("localhost", swarm.seeder.peer[1]),))
    for shard, file in swarm.torrent.shards().items():
        fetched = fetch_file(settings, swarm.torrent, file, client, limited=False)
        assert fetched.path.read_bytes() == swarm.content(shard)


def test_a_named_peer_that_refused_again_and_again_is_asked_once_it_is_there(
    settings: Settings, dump: tuple[Path, Torrent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "RECONNECT_SECONDS", 0)  # so that it refuses in time
    monkeypatch.setattr(embedded, "NAME_PEERS_SECONDS", 0.5)
    folder, torrent = dump
    file, port = torrent.shards()["0a"], free_port()
    client = EmbeddedClient((("127.0.0.1", port),))
    into = settings.downloads / "0a"
    into.mkdir(parents=True)
    with client.downloading(torrent, file, into) as download:
        refused = time.monotonic() + 4
        until(lambda: download.progress().complete or time.monotonic() > refused)
        with seeding(torrent.data, folder, port=port):
            until(lambda: download.progress().complete, 10)


def test_a_peer_that_nobody_knows_is_named(settings: Settings, swarm: Swarm) -> None:
    client = EmbeddedClient((("no-such-host.invalid", 6881),))
    with pytest.raises(TorrentError, match=r"the peer no-such-host\.invalid has no address"):
        fetch_file(settings, swarm.torrent, swarm.torrent.shards()["0a"], client)


def test_a_liar_beside_a_seeder_does_no_harm(
    settings: Settings, swarm: Swarm, tmp_path: Path
) -> None:
    lies = tmp_path / "lies" / "dump"
    lies.mkdir(parents=True)
    for file in swarm.torrent.files:
        (lies / file.name).write_bytes(os.urandom(file.size))
    with seeding(swarm.torrent.data, lies.parent) as liar:
        client = EmbeddedClient((liar.peer, swarm.seeder.peer))
        fetched = fetch_file(settings, swarm.torrent, swarm.torrent.shards()["0a"], client)
    assert fetched.path.read_bytes() == swarm.content("0a")


def test_a_slow_seeder_is_waited_for(settings: Settings, dump: tuple[Path, Torrent]) -> None:
    folder, torrent = dump
    patience = 3.0
    settings = replace(settings, torrent_stall_minutes=patience / 60)
    with seeding(torrent.data, folder, upload_limit=300_000) as slow:
        client = EmbeddedClient((slow.peer,))
        fetched = fetch_file(settings, torrent, torrent.shards()["0a"], client)
    assert fetched.seconds > patience


@pytest.mark.usefixtures("disk_that_folds_case")
def test_names_that_differ_by_case_share_no_file_where_the_disk_folds_it(
    settings: Settings, swarm: Swarm
) -> None:
    for shard in ("0a", "0A"):
        fetch(settings, swarm, shard)
    found = {shard: path for shard, (path,) in find_shards(settings.incoming).items()}
    assert {shard: path.read_bytes() for shard, path in found.items()} == {
        shard: swarm.content(shard) for shard in ("0a", "0A")
    }
    assert len({str(path).lower() for path in found.values()}) == 2


def test_hostile_names_write_nothing_outside_the_folder(settings: Settings, tmp_path: Path) -> None:
    shard = os.urandom(3 * PIECE_BYTES)
    files: list[tuple[list[bytes], bytes]] = [
        ([b"..", b"..", b"outside"], b"x" * 1000),
        ([b"/tmp/outside"], b"x" * 1000),
        ([b"n" * 300], b"x" * 1000),
        ([b"..", b"..", b"0a.jsonl.zst"], shard),
        ([b"..", b"empty"], b""),
        ([b"after"], b"x" * 1000),
    ]
    torrent = read_torrent(bencoded_torrent(b"../../dump", files), "hostile")
    seeded = tmp_path / "elsewhere"
    names = {file.index: f"{file.index}" for file in torrent.files}
    for index, (_, data) in enumerate(files):
        (seeded / names[index]).parent.mkdir(exist_ok=True)
        (seeded / names[index]).write_bytes(data)
    with seeding(torrent.data, seeded, names=names) as seeder:
        before = {path for path in tmp_path.rglob("*") if settings.incoming not in path.parents}
        client = EmbeddedClient((seeder.peer,))
        fetched = fetch_file(settings, torrent, torrent.shards()["0a"], client)
    assert fetched.path.read_bytes() == shard
    after = {path for path in tmp_path.rglob("*") if settings.incoming not in path.parents}
    assert {path.name for path in after - before} <= {"places.lock", "shard-0a.lock"}
    assert [path.name for path in settings.incoming.iterdir()] == ["0a.jsonl.zst"]


def test_a_fetch_waits_for_space_before_it_begins(
    settings: Settings, swarm: Swarm, small_disk: Path
) -> None:
    settings = replace(settings, incoming=small_disk)
    fill(small_disk, 2 * PIECE_BYTES)
    with pytest.raises(SpaceError, match=r"fetching 0a\.jsonl\.zst waits for space"):
        fetch(settings, swarm, "0a")
    assert swarm.seeder.uploaded == 0


def test_what_was_fetched_of_another_torrent_is_not_gone_on_with(
    settings: Settings, swarm: Swarm, tmp_path: Path
) -> None:
    other = read_torrent(
        bencoded_torrent(b"other", [([b"0a.jsonl.zst"], os.urandom(2_000_000))]), "other"
    )
    client = EmbeddedClient((swarm.seeder.peer,))
    with pytest.raises(StalledError):
        fetch_file(impatient(settings), other, other.shards()["0a"], client)
    left = settings.downloads / "0a" / "9.part"
    left.write_bytes(bytes(2_000_000))
    assert fetch(settings, swarm, "0a").path.read_bytes() == swarm.content("0a")
    assert size_on_disk(settings.incoming) == len(swarm.content("0a"))
