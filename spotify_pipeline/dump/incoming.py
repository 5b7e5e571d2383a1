"""The incoming folder: which shards lie there, and removing one that is done.

Belongs here: finding and deleting source files. Does not belong here: reading them.
"""

import os
from pathlib import Path

from spotify_pipeline.dump.reduction import ReductionSummary
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.shards import SHARDS, shard_of_file_name

__all__ = ["find_shard", "find_shards", "remove_source"]


def find_shards(incoming: Path) -> dict[str, Path]:
    """Find the shard files anywhere below a folder, by name, in partition order.

    Names are compared as they are listed, so ``0a`` is not taken for ``0A`` on a file system that
    folds case.

    Raises
    ------
    PipelineError
        One shard lies there twice.
    """
    found: dict[str, Path] = {}
    for folder, folders, files in os.walk(incoming):
        folders.sort()
        for name in sorted(files):
            shard = shard_of_file_name(name)
            if shard is None:
                continue
            path = Path(folder, name)
            if shard in found:
                raise PipelineError(
                    f"shard {shard} lies at {found[shard]} and at {path}: remove one"
                )
            found[shard] = path
    return {shard: found[shard] for shard in SHARDS if shard in found}


def find_shard(incoming: Path, shard: str) -> Path:
    """Find the file of one shard.

    Raises
    ------
    PipelineError
        It is not there, or there twice.
    """
    path = find_shards(incoming).get(shard)
    if path is None:
        raise PipelineError(f"{shard}.jsonl.zst is not in {incoming} or a folder below it")
    return path


def remove_source(summary: ReductionSummary) -> bool:
    """Delete a shard's file if it is still the one that was read; tell whether it was deleted."""
    source = Path(summary.source)
    try:
        status = source.stat()
    except FileNotFoundError:
        return False
    if (status.st_size, status.st_mtime_ns) != (summary.source_bytes, summary.source_modified_ns):
        return False
    source.unlink()
    return True
