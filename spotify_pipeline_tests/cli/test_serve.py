"""What the command ``serve`` says before it serves; that it does is tested with the server."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.serve import running


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[running.Server]:
    """Catch what would be served."""
    found: list[running.Server] = []

    def serve(settings: object, server: running.Server, listening: socket.socket) -> None:
        listening.close()
        found.append(server)

    monkeypatch.setattr(running, "serve", serve)
    return found


def test_this_machine_alone_needs_no_token(runner: CliRunner, served: list[running.Server]) -> None:
    result = runner.invoke(main, ["serve", "--port", "0"])
    assert result.exit_code == 0
    (server,) = served
    assert server.token is None
    assert server.access.hosts is not None
    assert f"open http://127.0.0.1:{server.port}/\n" in result.stdout
    assert "there is no index yet" in result.stderr


def test_the_network_needs_a_token_that_is_shown_with_a_code(
    runner: CliRunner, served: list[running.Server]
) -> None:
    for _ in range(2):
        result = runner.invoke(main, ["serve", "--host", "0.0.0.0", "--port", "0"])
        assert f"/?token={served[-1].token}\n" in result.stdout
        assert "█" in result.stdout
    first, second = (server.token for server in served)
    assert first
    assert first != second


def test_a_token_of_the_settings_is_kept(runner: CliRunner, served: list[running.Server]) -> None:
    variables = {"SPOTIFY_PIPELINE_TOKEN": "kept"}
    runner.invoke(main, ["serve", "--host", "0.0.0.0", "--port", "0"], env=variables)
    assert served[-1].token == "kept"


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(runner: CliRunner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = runner.invoke(main, ["serve", "--port", str(port)])
    assert result.exit_code == 1
    assert f"can't listen on 127.0.0.1, port {port}" in result.stderr
    assert "--port" in result.stderr


def test_without_the_extra_the_error_says_how_to_install_it(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "segno", None)
    result = runner.invoke(main, ["serve", "--port", "0"])
    assert result.exit_code == 1
    assert "install 'spotify-pipeline[serve]'" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tls", "certificate.pem"], "name a certificate and its key"),
        (["certificate.pem", "key.pem"], "name a certificate and its key"),
        (["--tls", "certificate.pem", "key.pem", "--port", "0"], "certificate.pem: no such file"),
    ],
)
def test_a_certificate_comes_with_its_key(
    runner: CliRunner, tmp_path: Path, options: list[str], message: str
) -> None:
    result = runner.invoke(main, ["serve", *options])
    assert result.exit_code != 0
    assert message in result.stderr
