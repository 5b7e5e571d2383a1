"""The client is the one that the settings name."""

from dataclasses import replace
from pathlib import Path

import pytest

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import TORRENT_PASSWORD_VARIABLE, Settings
from spotify_pipeline.torrent.clients import open_client
from spotify_pipeline.torrent.embedded import EmbeddedClient
from spotify_pipeline.torrent.qbittorrent import QBittorrentClient
from spotify_pipeline.torrent.transmission import TransmissionClient


def test_the_embedded_client_is_the_default_with_the_peers_that_are_named(
    settings: Settings,
) -> None:
    named = replace(settings, torrent_peers=("127.0.0.1:6881", "[::1]:7"), torrent_upload_kb=1.5)
    assert open_client(named) == EmbeddedClient((("127.0.0.1", 6881), ("::1", 7)), 1500)


@pytest.mark.parametrize("from_file", [True, False])
def test_qbittorrent_is_asked_at_its_address_with_a_password_that_is_not_shown(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_file: bool
) -> None:
    named = replace(settings, torrent_client="http://me@box:8080")
    if from_file:
        (tmp_path / "password").write_text("secret1\n")
        named = replace(named, torrent_password_file=tmp_path / "password")
    else:
        monkeypatch.setenv(TORRENT_PASSWORD_VARIABLE, "secret1")
    client = open_client(named)
    assert isinstance(client, QBittorrentClient)
    assert (client.address, client.user, client.password) == ("http://box:8080", "me", "secret1")
    assert "secret1" not in f"{client!r} {named.as_environment()}"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("transmission+http://me@box", "http://box:9091/transmission/rpc"),
        ("transmission+https://me@box:443/rpc/", "https://box:443/rpc"),
    ],
)
def test_transmission_is_asked_at_its_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, text: str, address: str
) -> None:
    monkeypatch.setenv(TORRENT_PASSWORD_VARIABLE, "secret1")
    client = open_client(replace(settings, torrent_client=text))
    assert isinstance(client, TransmissionClient)
    assert (client.address, client.user, client.password) == (address, "me", "secret1")
    assert "secret1" not in f"{client!r}"


def test_a_password_in_the_address_is_refused_without_showing_it(settings: Settings) -> None:
    with pytest.raises(PipelineError, match="holds a password") as refused:
        open_client(replace(settings, torrent_client="http://me:secret1@box:8080"))
    assert "secret1" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["embeded", "ftp://box", "http://", "http://box:x", "transmission://box"]
)
def test_another_client_is_an_error_that_names_the_setting(settings: Settings, text: str) -> None:
    with pytest.raises(PipelineError, match="SPOTIFY_PIPELINE_TORRENT_CLIENT is"):
        open_client(replace(settings, torrent_client=text))
