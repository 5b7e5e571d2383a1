"""Why a shard could not be ingested the last time, kept beside the staged extracts.

Belongs here: noting, clearing and reading failures of shards. Does not belong here: what went wrong
with single lines; those are rejects.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from spotify_pipeline.dump.compression import IncompleteFileError
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.shards import disk_name

__all__ = ["ShardFailure", "failures", "noting_failure"]

_SUFFIX = ".failed.json"


FIRST_RETRY = 60.0
LONGEST_RETRY = 6 * 3600.0
"""Seconds after a failure until the next try; doubled each time up to the longest."""


class ShardFailure(msgspec.Struct, frozen=True):
    """The last failure of a shard.

    Attributes
    ----------
    failed_at
        Seconds since 1970.
    attempts
        Failures in a row.
    incomplete
        Whether the file just was not finished: the shard waits, and nothing is wrong.
    """

    shard: str
    error: str
    failed_at: float
    attempts: int
    incomplete: bool

    @property
    def retry_at(self) -> float:
        """When to try again, in seconds since 1970."""
        return self.failed_at + min(FIRST_RETRY * 2.0 ** (self.attempts - 1), LONGEST_RETRY)


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
        incomplete = isinstance(error, IncompleteFileError)
        attempts = failures(staging)[shard].attempts + 1 if note.exists() else 1
        _write(note, ShardFailure(shard, text, time.time(), attempts, incomplete))
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
    """Write a note so that a reader never sees half of it; on a full disk there is none."""
    half = note.with_name(f"{note.name}.new")
    try:
        half.write_bytes(msgspec.json.encode(failure))
        half.replace(note)
    except OSError:  # the failure itself is what must be told
        half.unlink(missing_ok=True)


def _read(note: Path) -> ShardFailure:
    try:
        return msgspec.json.decode(note.read_bytes(), type=ShardFailure)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PipelineError(f"{note}: this note of a failure is damaged; remove it") from error
