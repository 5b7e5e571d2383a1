"""A metadata file as its tables want it: there, or fetched if there is a torrent to fetch it from.

Belongs here: what the Dagster assets do. Does not belong here: Dagster; the fetch itself (`fetch`).
"""

from collections.abc import Callable

from spotify_pipeline.dump.metadata_sources import find_sources
from spotify_pipeline.dump.tables import MetadataSource
from spotify_pipeline.progress import Report
from spotify_pipeline.settings import METADATA_TORRENT_VARIABLE, Settings
from spotify_pipeline.space import SpaceGuard
from spotify_pipeline.store.database import unless_busy
from spotify_pipeline.store.metadata_ledger import loaded_source
from spotify_pipeline.torrent.clients import open_client
from spotify_pipeline.torrent.fetch import Fetched, fetch_file
from spotify_pipeline.torrent.source import open_torrent
from spotify_pipeline.torrent.wanted import is_loaded

__all__ = ["provide_metadata_file"]


def provide_metadata_file(
    settings: Settings,
    source: MetadataSource,
    *,
    again: bool,
    guard: SpaceGuard,
    report: Report,
    say: Callable[[str], None],
) -> Fetched | str:
    """Make sure that a metadata file lies in the incoming folder; else say why it does not.

    Parameters
    ----------
    settings, source
        The installation, and which file.
    again
        Whether a file whose tables are loaded is fetched again.
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
    if there := find_sources(settings, source):
        return Fetched(there[0], there[0].stat().st_size)
    absent = f"{source.packed} is not in {settings.incoming}"
    if not settings.metadata_torrent:
        return f"{absent}, and {METADATA_TORRENT_VARIABLE} names no torrent"
    torrent = open_torrent(settings.metadata_torrent, settings.torrents, settings.torrent_peers)
    file = torrent.metadata_files().get(source.packed)
    if file is None:
        return f"{absent}, nor in the torrent {torrent.name}"
    loaded = unless_busy(loaded_source, settings.metadata_database) or {}
    if not again and is_loaded(loaded, source, file):
        return f"the tables of {source.packed} are loaded, of a file as long as the torrent's"
    return fetch_file(
        settings,
        torrent,
        file,
        open_client(settings),
        guard=guard,
        report=report,
        say=say,
        limited=False,
    )
