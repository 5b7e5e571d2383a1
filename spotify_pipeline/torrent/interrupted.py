"""Shards of which a fetch left something, and nobody goes on.

Belongs here: finding them. Does not belong here: going on (`fetch`).
"""

from pathlib import Path

from spotify_pipeline.shards import SHARDS, disk_name

__all__ = ["interrupted_shards"]


def interrupted_shards(downloads: Path) -> list[str]:
    """Name the shards that have a folder of downloads, in partition order."""
    begun = {path.name for path in downloads.iterdir()} if downloads.is_dir() else set()
    return [shard for shard in SHARDS if disk_name(shard) in begun]
