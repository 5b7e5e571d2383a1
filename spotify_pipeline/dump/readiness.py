"""Which shards in the incoming folder are finished, and what the others wait for.

A torrent client may write a file under its final name while it is incomplete: growing, sparse, or
allocated to its full size and filled bit by bit. What slips through here, the end of the zstd data
tells while it is read.

Belongs here: looking at files from outside. Does not belong here: reading them (`shard`).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spotify_pipeline.dump.incoming import FileState, find_shards
from spotify_pipeline.dump.sizes import read_sizes

__all__ = ["Survey", "survey_incoming"]


@dataclass(frozen=True)
class Survey:
    """The shards in the incoming folder.

    Attributes
    ----------
    ready
        Files that look finished, by shard.
    waiting
        Why the others do not, by shard.
    states
        What each file looked like, by shard: what to compare with the next time.
    """

    ready: dict[str, Path]
    waiting: dict[str, str]
    states: dict[str, FileState]


def survey_incoming(
    incoming: Path,
    sizes: Path | None = None,
    earlier: Mapping[str, FileState] | None = None,
) -> Survey:
    """Look at every shard in the incoming folder.

    Parameters
    ----------
    incoming
        The folder; it need not be there.
    sizes
        A list of complete sizes as `sizes.read_sizes` takes it, if there is one.
    earlier
        What the files looked like some time ago; a file that has changed since, or was not there,
        waits. None skips that check.

    Raises
    ------
    SizesError
        The list of sizes can't be read.
    """
    complete = read_sizes(sizes) if sizes else {}
    ready: dict[str, Path] = {}
    waiting: dict[str, str] = {}
    states: dict[str, FileState] = {}
    for shard, paths in find_shards(incoming).items():
        path = paths[0]
        try:
            status = path.stat()
            reason = _reason_to_wait(path, status.st_size, complete.get(path.name))
        except OSError as error:
            waiting[shard] = f"{path} can't be looked at: {error.strerror}"
            continue
        states[shard] = (status.st_size, status.st_mtime_ns)
        if len(paths) > 1:
            reason = f"it lies at {' and at '.join(map(str, paths))}: remove one"
        if reason is None and earlier is not None and earlier.get(shard) != states[shard]:
            reason = "it has just come or changed; it is looked at again shortly"
        if reason is None:
            ready[shard] = path
        else:
            waiting[shard] = reason
    return Survey(ready, waiting, states)


def _reason_to_wait(path: Path, size: int, complete_size: int | None) -> str | None:
    if size == 0:
        return "the file is empty"
    if complete_size is not None and size < complete_size:
        return f"{size:,} of {complete_size:,} bytes are there"
    if _has_holes(path, size):
        return "the file is allocated but not filled"
    return None


def _has_holes(path: Path, size: int) -> bool:
    """Tell whether parts of a file were never written, where the file system keeps track of it."""
    if not hasattr(os, "SEEK_HOLE"):
        return False
    with path.open("rb") as file:
        return os.lseek(file.fileno(), 0, os.SEEK_HOLE) < size
