"""Why a shard could not be ingested the last time, kept beside the reductions.

Belongs here: noting, clearing and reading failures of shards. Does not belong here: what went wrong
with single lines; those are rejects.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.shards import disk_name

__all__ = ["ShardFailure", "failures", "noting_failure"]

_SUFFIX = ".failed.json"


class ShardFailure(msgspec.Struct, frozen=True):
    """The last failure of a shard; `failed_at` is in seconds since 1970."""

    shard: str
    error: str
    failed_at: float


@contextmanager
def noting_failure(staging: Path, shard: str) -> Iterator[None]:
    """Note an error that leaves the block; forget an earlier one if none does."""
    note = staging / f"shard-{disk_name(shard)}{_SUFFIX}"
    try:
        yield
    except (PipelineError, OSError) as error:
        staging.mkdir(parents=True, exist_ok=True)
        note.write_bytes(msgspec.json.encode(ShardFailure(shard, str(error), time.time())))
        raise
    note.unlink(missing_ok=True)


def failures(staging: Path) -> dict[str, ShardFailure]:
    """Read the failures by shard name."""
    notes = (
        msgspec.json.decode(path.read_bytes(), type=ShardFailure)
        for path in sorted(staging.glob(f"*{_SUFFIX}"))
    )
    return {note.shard: note for note in notes}
