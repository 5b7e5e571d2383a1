"""What the assets of fetched files share: their pool, their run config, their metadata.

Belongs here: what shards' files and metadata files have in common. Does not belong here: the assets
(`shard_files`, `metadata_files`), the work (`torrent`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from spotify_pipeline.torrent.fetch import Fetched

__all__ = ["TORRENT_POOL", "Fetching", "shown"]

TORRENT_POOL = "torrent"
"""How many files are fetched at once: one, unless the instance says otherwise."""


class Fetching(dg.Config):
    """How a file is fetched."""

    again: bool = Field(
        default=False, description="Fetch a file whose content is in the database, too."
    )


def shown(
    context: dg.AssetExecutionContext, provided: "Fetched | str"
) -> Iterator[dg.MaterializeResult]:
    """Show a file that is there, or warn why it is not."""
    if isinstance(provided, str):
        context.log.warning(provided)
        return
    seconds = provided.seconds
    yield dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(provided.path)),
            "source_bytes": provided.size,
            "received_bytes": provided.received,
            "corrupt_bytes": provided.corrupt,
            "seconds": seconds,
            "megabytes_per_second": provided.received / 1e6 / seconds if seconds else 0.0,
        }
    )
