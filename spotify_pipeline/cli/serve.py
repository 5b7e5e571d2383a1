"""``serve``: the page that listens, and the server that other programs use."""

from pathlib import Path

import click

from spotify_pipeline.cli.rendering.lines import say, warn
from spotify_pipeline.cli.shared import FILE, telling_of_compiling, with_clear_errors
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import Settings

__all__ = ["serve"]

PORT = 8765


@click.command()
@click.argument("certificate", metavar="[CERTIFICATE KEY]", nargs=-1, type=FILE)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 for the network.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65_535))
@click.option(
    "--tls",
    is_flag=True,
    help="Serve HTTPS, by the files CERTIFICATE and KEY, or by a certificate that is made.",
)
@click.option(
    "--token",
    metavar="TOKEN",
    help="That requests need. Default: none on this machine alone, else a new one each time.",
)
@click.option(
    "--origin",
    "origins",
    metavar="URL",
    multiple=True,
    help="Let pages of another site ask, such as https://example.org.",
)
@with_clear_errors
@telling_of_compiling
def serve(
    certificate: tuple[Path, ...],
    host: str,
    port: int,
    tls: bool,
    token: str | None,
    origins: tuple[str, ...],
) -> None:
    """Open a page that listens and searches, and answer other programs over HTTP.

    Only this machine reaches it unless --host names another address. Then every request needs a
    token, which is shown here with the address and a QR code of both. A phone's microphone needs
    HTTPS: --tls. The index is opened once, and again when a new one is published.

    \b
      spotify-pipeline serve
      spotify-pipeline serve --host 0.0.0.0 --tls
      spotify-pipeline serve --host 0.0.0.0 --tls certificate.pem key.pem
    """  # noqa: D301  # click keeps the lines of what follows a backspace
    if certificate and (not tls or len(certificate) != 2):
        raise click.UsageError("with --tls, name a certificate and its key, or neither")
    _require_extra()
    from spotify_pipeline.serve import certificate as certificates
    from spotify_pipeline.serve import running

    settings = Settings.from_environment()
    listening = running.bound_socket(host, port)
    names = running.addresses(host)
    held = None
    if tls:
        held = (
            certificates.given(*certificate)
            if certificate
            else certificates.made(settings.home / "serve", [*names, "localhost", "127.0.0.1"])
        )
    token = token or settings.token
    if token is None and not running.is_loopback(host):
        token = running.new_token()
    server = running.Server(host, listening.getsockname()[1], token, held, origins)
    _show(server.url(names[0]), settings, with_code=not running.is_loopback(host))
    running.serve(settings, server, listening)


def _require_extra() -> None:
    """Say how to install what the server needs."""
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import segno  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise PipelineError(
            f"the server needs {error.name}, which is not installed; install"
            " 'spotify-pipeline[serve]'"
        ) from error


def _show(url: str, settings: Settings, with_code: bool) -> None:
    """Say where the server is, and what it can't do yet."""
    import segno

    from spotify_pipeline.index.errors import FeatureIndexError
    from spotify_pipeline.index.format.manifest import read_manifest, rebuild_note

    try:
        note = rebuild_note(settings.index)
        if read_manifest(settings.index) is None:
            note = (
                f"{settings.index}: there is no index yet, so recordings can't be identified; run"
                " 'spotify-pipeline ingest', and the server opens it"
            )
    except FeatureIndexError as error:
        note = str(error)
    if note is not None:
        warn(note)
    if with_code:
        segno.make(url).terminal(compact=True)
    say(f"open {url}")
    say(f"the data home is {settings.home}; stop with Ctrl-C", err=True)
