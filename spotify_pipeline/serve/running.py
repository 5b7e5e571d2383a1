"""Running the server: its address, its token, its certificate.

Belongs here: what the command ``serve`` does. Does not belong here: the application.
"""

import secrets
import socket
from dataclasses import dataclass
from urllib.parse import urlencode

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.serve.access import LOOPBACK_HOSTS, Access
from spotify_pipeline.serve.certificate import Certificate
from spotify_pipeline.settings import Settings

__all__ = ["Server", "addresses", "bound_socket", "serve"]

STOP_SECONDS = 10
"""Answers that are not given by then are cut off when the server is stopped."""

LARGEST_MESSAGE = 1 << 20
"""Bytes of a WebSocket's message: six seconds of audio."""


@dataclass(frozen=True)
class Server:
    """How the server is reached.

    Attributes
    ----------
    host, port
        What it is bound to.
    token
        That requests need; None on the loopback interface unless one is given.
    certificate
        For HTTPS; None for HTTP.
    origins
        Other sites whose pages may ask.
    """

    host: str
    port: int
    token: str | None = None
    certificate: Certificate | None = None
    origins: tuple[str, ...] = ()

    @property
    def access(self) -> Access:
        """Who may ask."""
        loopback = is_loopback(self.host) and self.token is None
        return Access(self.token, LOOPBACK_HOSTS if loopback else None, self.origins)

    def url(self, host: str) -> str:
        """Give the address to open, with the token."""
        scheme = "http" if self.certificate is None else "https"
        name = f"[{host}]" if ":" in host else host
        query = f"?{urlencode({'token': self.token})}" if self.token else ""
        return f"{scheme}://{name}:{self.port}/{query}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    return host in LOOPBACK_HOSTS or host.startswith("127.")


def new_token() -> str:
    """Make a token that nobody guesses."""
    return secrets.token_urlsafe(24)


def addresses(host: str) -> list[str]:
    """Give the names under which a server that is bound to a host is reached, the best first."""
    if host not in ("0.0.0.0", "::", ""):
        return [host]
    found = []
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((target, 9))  # sends nothing; tells which address would
                found.append(str(probe.getsockname()[0]))
        except OSError:
            continue
    return [*found, "localhost"]


def bound_socket(host: str, port: int) -> socket.socket:
    """Take a port.

    Raises
    ------
    PipelineError
        It is taken, or the address is none of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise PipelineError(
            f"can't listen on {host}, port {port}: {error.strerror or error}; name another by"
            " --port or --host, or stop what uses it"
        ) from error


def serve(settings: Settings, server: Server, listening: socket.socket) -> None:
    """Answer requests until the process is told to stop.

    Raises
    ------
    DatabaseError
        The catalogue is damaged, or was made by an earlier version.
    """
    import uvicorn

    from spotify_pipeline.serve.application import create_application

    application = create_application(settings, server.access)
    config = uvicorn.Config(
        application,
        log_level="warning",
        server_header=False,
        ws_max_size=LARGEST_MESSAGE,
        timeout_graceful_shutdown=STOP_SECONDS,
        ssl_certfile=str(server.certificate.certificate) if server.certificate else None,
        ssl_keyfile=str(server.certificate.key) if server.certificate else None,
    )
    uvicorn.Server(config).run(sockets=[listening])
