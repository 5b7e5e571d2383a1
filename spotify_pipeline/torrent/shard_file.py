"""A shard's file as a backfill wants it: there, or fetched if there is a torrent to fetch it from.

Belongs here: what the Dagster asset does. Does not belong here: Dagster; the fetch itself
(`fetch`).
"""

from collections.abc import Callable

from spotify_pipeline.dump.incoming import absent, find_shards
from spotify_pipeline.progress import Report
from spotify_pipeline.settings import TORRENT_VARIABLE, Settings
from spotify_pipeline.space import SpaceGuard
from spotify_pipeline.store.database import unless_busy
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline.torrent.clients import open_client
from spotify_pipeline.torrent.fetch import Fetched, fetch_file
from spotify_pipeline.torrent.source import open_torrent
from spotify_pipeline.torrent.wanted import is_ingested, shards_named

__all__ = ["provide_shard_file"]


def provide_shard_file(
    settings: Settings,
    shard: str,
    *,
    again: bool,
    guard: SpaceGuard,
    report: Report,
    say: Callable[[str], None],
) -> Fetched | str:
    """Make sure that a shard's file lies in the incoming folder; else say why it does not.

    Parameters
    ----------
    settings, shard
        The installation, and the shard's name.
    again
        Whether a shard that is ingested is fetched again.
    guard, report, say
        As of `fetch.fetch_file`.

    Returns
    -------
    What lies there, or why nothing need or can be fetched.

    Raises
    ------
    PipelineError
        See `fetch.fetch_file` and `source.open_torrent`.
    """
    if there := find_shards(settings.incoming).get(shard):
        return Fetched(there[0], there[0].stat().st_size)
    if not settings.torrent:
        return f"{absent(settings.incoming, shard)}, and {TORRENT_VARIABLE} names no torrent"
    torrent = open_torrent(settings.torrent, settings.torrents, settings.torrent_peers)
    file = shards_named(torrent, [shard])[shard]
    ledger = unless_busy(read_ledger, settings.audio_database) or {}
    if not again and is_ingested(ledger, shard, file):
        return f"shard {shard} is ingested, of a file as long as the torrent's"
    return fetch_file(
        settings,
        torrent,
        file,
        open_client(settings),
        guard=guard,
        report=report,
        say=say,
    )
