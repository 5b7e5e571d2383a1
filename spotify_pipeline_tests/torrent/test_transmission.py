"""Files come by a real Transmission, which knows of nothing that was deleted."""

from dataclasses import replace
from threading import Thread

import pytest
import transmission_rpc

from spotify_pipeline.settings import Settings
from spotify_pipeline.torrent.client import TorrentError
from spotify_pipeline.torrent.fetch import Fetched, fetch_file
from spotify_pipeline.torrent.transmission import TransmissionClient
from spotify_pipeline_tests.torrent.conftest import Swarm
from spotify_pipeline_tests.torrent.programs import PASSWORD, Program
from spotify_pipeline_tests.torrent.seeders import PIECE_BYTES, calling
from spotify_pipeline_tests.torrent.waiting import until


@pytest.fixture
def client(transmission_program: Program, settings: Settings) -> TransmissionClient:
    return TransmissionClient(
        "http",
        "127.0.0.1",
        transmission_program.web,
        "/transmission/rpc",
        "admin",
        PASSWORD,
        settings.locks,
    )


@pytest.fixture
def api(transmission_program: Program) -> transmission_rpc.Client:
    return transmission_rpc.Client(
        username="admin", password=PASSWORD, port=transmission_program.web
    )


def test_a_fetch_goes_on_when_the_pipeline_and_transmission_were_killed(
    settings: Settings,
    swarm: Swarm,
    client: TransmissionClient,
    api: transmission_rpc.Client,
    transmission_program: Program,
) -> None:
    file = swarm.torrent.shards()["0A"]
    folder = settings.downloads / "0A_"
    folder.mkdir(parents=True)
    begun = client.downloading(swarm.torrent, file, folder)
    begun.__enter__()  # and nobody leaves it, as when the pipeline is killed
    again = replace(client, locks=settings.home / "locks of the next")
    fetched: list[Fetched] = []
    fetching = Thread(
        target=lambda: fetched.append(fetch_file(settings, swarm.torrent, file, again))
    )
    fetching.start()
    until((folder / "progress.json").exists)
    transmission_program.kill()
    transmission_program.start_again()
    (known,) = api.get_torrents()
    assert [each.id for each in known.get_files() if each.selected] == [file.index]
    assert known.get_files()[file.index].name == f"dump/{file.index}.part"
    assert known.download_dir == str(folder)
    with calling(swarm.seeder, transmission_program.port):
        fetching.join(60)
    assert fetched[0].path.read_bytes() == swarm.content("0A")
    assert file.size < fetched[0].received <= file.size + 2 * PIECE_BYTES
    assert [path.name for path in settings.incoming.iterdir()] == ["0A.jsonl.zst"]
    assert api.get_torrents() == []
    assert not list(transmission_program.own.rglob("*"))


def test_a_torrent_that_somebody_else_added_is_left_alone(
    settings: Settings, swarm: Swarm, client: TransmissionClient, api: transmission_rpc.Client
) -> None:
    api.add_torrent(swarm.torrent.data, paused=True)
    with pytest.raises(TorrentError, match="already, added by somebody else"):
        fetch_file(settings, swarm.torrent, swarm.torrent.shards()["0a"], client)
    assert len(api.get_torrents()) == 1
    api.remove_torrent(swarm.torrent.info_hash)


def test_a_torrent_that_is_removed_meanwhile_is_an_error_that_says_so(
    settings: Settings, swarm: Swarm, client: TransmissionClient, api: transmission_rpc.Client
) -> None:
    folder = settings.downloads / "0a"
    folder.mkdir(parents=True)
    file = swarm.torrent.shards()["0a"]
    with client.downloading(swarm.torrent, file, folder) as download:
        assert not download.progress().complete
        api.remove_torrent(swarm.torrent.info_hash)
        until(lambda: not api.get_torrents())
        with pytest.raises(TorrentError, match="was removed from Transmission; a new try adds it"):
            download.progress()


def test_wrong_credentials_and_a_wrong_address_are_said_without_the_password(
    settings: Settings, swarm: Swarm, client: TransmissionClient
) -> None:
    file = swarm.torrent.shards()["0a"]
    wrong = replace(client, password="secret1")
    with pytest.raises(TorrentError, match="refuses the user 'admin'") as refused:
        fetch_file(settings, swarm.torrent, file, wrong)
    nowhere = replace(client, port=1, password="secret1")
    with pytest.raises(TorrentError, match=r"127\.0\.0\.1:1/.* can't be reached") as lost:
        fetch_file(settings, swarm.torrent, file, nowhere)
    assert "secret1" not in f"{refused.value} {lost.value} {wrong!r}"
