"""Which client fetches: what the settings name.

Belongs here: the choice. Does not belong here: the clients.
"""

from urllib.parse import SplitResult, urlsplit

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import (
    TORRENT_CLIENT_VARIABLE,
    TORRENT_PASSWORD_FILE_VARIABLE,
    Settings,
    torrent_password,
)
from spotify_pipeline.torrent.client import Client

__all__ = ["open_client"]

SCHEMES = ("http", "https", "transmission+http", "transmission+https")

TRANSMISSION_PORT = 9091


def open_client(settings: Settings) -> Client:
    """Give the client that the settings name; nothing is asked of it yet.

    Raises
    ------
    PipelineError
        There is no such client, or one of its settings can't be read.
    """
    if settings.torrent_client == "embedded":
        from spotify_pipeline.torrent.embedded import EmbeddedClient, read_peers

        return EmbeddedClient(
            read_peers(settings.torrent_peers), round(settings.torrent_upload_kb * 1000)
        )
    address = _address(settings)
    kind, _, protocol = address.scheme.rpartition("+")
    password = torrent_password(settings)
    if kind == "transmission":
        from spotify_pipeline.torrent.transmission import RPC_PATH, TransmissionClient

        return TransmissionClient(
            protocol,
            address.hostname or "",
            address.port or TRANSMISSION_PORT,
            address.path.rstrip("/") or RPC_PATH,
            address.username or "",
            password,
            settings.locks,
        )
    from spotify_pipeline.torrent.qbittorrent import QBittorrentClient

    host = address.netloc.rpartition("@")[2]
    return QBittorrentClient(
        f"{protocol}://{host}{address.path}",
        address.username or "",
        password,
        settings.locks,
        settings.torrent_peers,
    )


def _address(settings: Settings) -> SplitResult:
    """Read the address of qBittorrent or Transmission."""
    try:
        address = urlsplit(settings.torrent_client)
        if address.password is not None:  # which is not shown
            raise PipelineError(
                f"{TORRENT_CLIENT_VARIABLE} holds a password, and is shown; put the password into a"
                f" file that {TORRENT_PASSWORD_FILE_VARIABLE} names"
            )
        if address.scheme in SCHEMES and address.hostname and address.port != 0:
            return address
    except ValueError:  # a port that is none
        pass
    raise PipelineError(
        f"{TORRENT_CLIENT_VARIABLE} is {settings.torrent_client!r}, but must be embedded, or the"
        " address of qBittorrent as http://user@host:8080, or of Transmission as"
        " transmission+http://user@host:9091"
    )
