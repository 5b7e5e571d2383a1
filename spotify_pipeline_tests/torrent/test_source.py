"""Torrents as users name them: a file, or a magnet link."""

import base64
from pathlib import Path

import pytest

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.torrent.client import StalledError
from spotify_pipeline.torrent.source import open_torrent
from spotify_pipeline_tests.torrent.conftest import Swarm


def test_a_magnet_link_is_followed_once_and_what_it_leads_to_is_kept(
    swarm: Swarm, tmp_path: Path
) -> None:
    info_hash = swarm.torrent.info_hash
    found = open_torrent(
        f"magnet:?dn=dump&xt=urn:btih:{info_hash.upper()}", tmp_path, [swarm.seeder.address]
    )
    assert (found.info_hash, found.files) == (info_hash, swarm.torrent.files)
    in_base32 = base64.b32encode(bytes.fromhex(info_hash)).decode()
    nobody = ["127.0.0.1:1"]
    assert open_torrent(f"magnet:?xt=urn:btih:{in_base32}", tmp_path, nobody) == found


def test_a_magnet_link_that_nobody_knows_is_said_after_a_while(tmp_path: Path) -> None:
    magnet = f"magnet:?xt=urn:btih:{'1' * 40}"
    with pytest.raises(StalledError, match=r"^magnet:.* nobody has told for 1 s .*\.torrent file"):
        open_torrent(magnet, tmp_path, ["127.0.0.1:1"], patience=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("link", ["magnet:?xt=urn:btih:abc", "magnet:?dn=dump", "magnet:"])
def test_a_magnet_link_without_a_hash_is_an_error(link: str, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="has no xt=urn:btih"):
        open_torrent(link, tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "dump.torrent"
    with pytest.raises(PipelineError, match=f"{missing}: the torrent file can't be read"):
        open_torrent(str(missing), tmp_path)


def test_a_peer_is_a_host_and_a_port(tmp_path: Path) -> None:
    magnet = f"magnet:?xt=urn:btih:{'1' * 40}"
    with pytest.raises(PipelineError, match="'localhost' is no peer"):
        open_torrent(magnet, tmp_path, ["localhost"])
