"""What fetches left of shards and metadata files, with which nobody goes on.

Belongs here: finding them. Does not belong here: going on (`fetch`).
"""

from pathlib import Path

from spotify_pipeline.shards import SHARDS, disk_name
from spotify_pipeline.torrent.contents import METADATA_FILES

__all__ = ["interrupted_metadata", "interrupted_shards"]


def interrupted_shards(downloads: Path) -> list[str]:
    """Name the shards that have a folder of downloads, in partition order."""
    begun = _begun(downloads)
    return [shard for shard in SHARDS if disk_name(shard) in begun]


def interrupted_metadata(downloads: Path) -> list[str]:
    """Name the metadata files that have a folder of downloads."""
    begun = _begun(downloads)
    return [name for name in METADATA_FILES if disk_name(name) in begun]


def _begun(downloads: Path) -> set[str]:
    return {path.name for path in downloads.iterdir()} if downloads.is_dir() else set()
