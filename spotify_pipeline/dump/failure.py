"""Why a shard could not be ingested the last time, kept beside the reductions.

Belongs here: noting, clearing and reading failures of shards. Does not belong here: what went wrong
with single lines; those are rejects.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
        # A file's name need not be text, and an error that names it isn't then.
        text = str(error).encode("utf-8", "backslashreplace").decode()
        _write(note, ShardFailure(shard, text, time.time()))
        raise
    note.unlink(missing_ok=True)


def failures(staging: Path) -> dict[str, ShardFailure]:
    """Read the failures by shard name.

    Raises
    ------
    PipelineError
        A note is damaged.
    """
    found = {}
    for path in sorted(staging.glob(f"*{_SUFFIX}")):
        with suppress(FileNotFoundError):  # forgotten meanwhile, by a run that succeeded
            failure = _read(path)
            found[failure.shard] = failure
    return found


def _write(note: Path, failure: ShardFailure) -> None:
    """Write a note so that a reader never sees half of it."""
    half = note.with_name(f"{note.name}.new")
    half.write_bytes(msgspec.json.encode(failure))
    half.replace(note)


def _read(note: Path) -> ShardFailure:
    try:
        return msgspec.json.decode(note.read_bytes(), type=ShardFailure)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PipelineError(f"{note}: this note of a failure is damaged; remove it") from error
