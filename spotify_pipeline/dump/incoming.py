"""The incoming folder: which shards lie there, and removing one that is done.

Belongs here: finding and deleting source files. Does not belong here: reading them.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from spotify_pipeline.dump.reduction import ReductionSummary
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.shards import SHARDS, shard_of_file_name

__all__ = ["SourcePolicy", "find_shard", "find_shards", "retire_source"]


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


@dataclass(frozen=True)
class SourcePolicy:
    """What becomes of a shard's file once its rows are committed.

    Attributes
    ----------
    action
        ``delete``, ``keep`` or ``move``.
    folder
        Where to move it.
    """

    action: str = "delete"
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str) -> "SourcePolicy":
        """Read ``delete``, ``keep`` or ``move:FOLDER``.

        Raises
        ------
        PipelineError
            The text is none of them.
        """
        action, _, folder = text.partition(":")
        if action == "move" and folder:
            return cls(action, Path(folder).expanduser().absolute())
        if text in ("delete", "keep"):
            return cls(text)
        raise PipelineError(f"{text!r} is none of delete, keep and move:FOLDER")


def retire_source(summary: ReductionSummary, policy: SourcePolicy) -> str | None:
    """Delete or move a shard's file if it is still the one that was read.

    Returns why it stays where it is, or None when it went.
    """
    source = Path(summary.source)
    try:
        status = source.stat()
    except FileNotFoundError:
        return "it is gone since it was read"
    if (status.st_size, status.st_mtime_ns) != (summary.source_bytes, summary.source_modified_ns):
        return "it has changed since it was read"
    if policy.action == "keep":
        return "files are kept by choice"
    if policy.folder is None:
        source.unlink()
        return None
    policy.folder.mkdir(parents=True, exist_ok=True)
    target = policy.folder / source.name
    if target.exists():
        return f"{target} is there already"
    shutil.move(source, target)
    return None
