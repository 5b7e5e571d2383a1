"""Which files of a torrent are wanted, and which of them need not be fetched.

Belongs here: choosing. Does not belong here: fetching (`fetch`).
"""

from collections.abc import Collection, Mapping

from spotify_pipeline.dump.tables import MetadataSource
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.store.ledger import LedgerRow
from spotify_pipeline.store.metadata_ledger import SourceFile
from spotify_pipeline.torrent.contents import Torrent, TorrentFile

__all__ = ["is_ingested", "is_loaded", "shards_named"]


def shards_named(torrent: Torrent, names: Collection[str]) -> dict[str, TorrentFile]:
    """Find shards of a torrent by their names.

    Raises
    ------
    PipelineError
        The torrent does not have one of them, or has one twice.
    """
    there = torrent.shards()
    if missing := [name for name in names if name not in there]:
        raise PipelineError(
            f"the torrent {torrent.name} has no shard {', '.join(missing)}; --list shows what it"
            " has"
        )
    return {name: there[name] for name in names}


def is_ingested(ledger: Mapping[str, LedgerRow], shard: str, file: TorrentFile) -> bool:
    """Tell whether the rows of a shard are there, sound, of a file as long as the torrent's."""
    row = ledger.get(shard)
    return row is not None and row.source_bytes == file.size and not row.failed_checks


def is_loaded(loaded: Mapping[str, SourceFile], source: MetadataSource, file: TorrentFile) -> bool:
    """Tell whether the tables of a metadata file are there, of a file as long as the torrent's.

    Of what somebody unpacked, the length tells nothing: it counts as the torrent's.
    """
    found = [loaded.get(table) for table in source.tables]
    return all(
        each is not None and (each.size == file.size or each.name != source.packed)
        for each in found
    )
