"""Which client fetches: what the settings name.

Belongs here: the choice. Does not belong here: the clients.
"""

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import TORRENT_CLIENT_VARIABLE, Settings
from spotify_pipeline.torrent.client import Client

__all__ = ["open_client"]


def open_client(settings: Settings) -> Client:
    """Give the client that the settings name; nothing is asked of it yet.

    Raises
    ------
    PipelineError
        There is no such client, or one of its settings can't be read.
    """
    from spotify_pipeline.torrent.embedded import EmbeddedClient, read_peers

    if settings.torrent_client == "embedded":
        return EmbeddedClient(
            read_peers(settings.torrent_peers), round(settings.torrent_upload_kb * 1000)
        )
    raise PipelineError(
        f"{TORRENT_CLIENT_VARIABLE} must be embedded, http://user@host:port (qBittorrent) or"
        " transmission+http://user@host:port"
    )
