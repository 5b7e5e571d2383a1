"""The incoming folder: which shards lie there, and removing one that is done.

Belongs here: finding and deleting source files. Does not belong here: reading them.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import DOWNLOADS, SOURCES_VARIABLE
from spotify_pipeline.shards import SHARD_SUFFIX, SHARDS, shard_of_file_name

__all__ = [
    "AbsentShardError",
    "FileState",
    "SourcePolicy",
    "absent",
    "find_shard",
    "find_shards",
    "retire_source",
]


class AbsentShardError(PipelineError):
    """No file of the shard lies in the incoming folder."""


def find_shards(incoming: Path) -> dict[str, list[Path]]:
    """Find the shard files anywhere below a folder, by name, in partition order.

    More than one file for a shard is a mistake of the user's, who alone can tell which to keep.

    What is still being fetched lies in a folder that is left out. Names are compared as they are
    listed, so ``0a`` is not taken for ``0A`` on a file system that
    folds case.
    """
    found: dict[str, list[Path]] = {}
    for folder, folders, files in os.walk(incoming):
        folders[:] = sorted(set(folders) - {DOWNLOADS})
        for name in sorted(files):
            shard = shard_of_file_name(name)
            if shard is not None:
                found.setdefault(shard, []).append(Path(folder, name))
    return {shard: found[shard] for shard in SHARDS if shard in found}


def find_shard(incoming: Path, shard: str) -> Path:
    """Find the file of one shard.

    Raises
    ------
    AbsentShardError
        It is not there.
    PipelineError
        It is there twice.
    """
    paths = find_shards(incoming).get(shard, [])
    if not paths:
        raise AbsentShardError(absent(incoming, shard))
    if len(paths) > 1:
        raise PipelineError(f"shard {shard} lies at {' and at '.join(map(str, paths))}: remove one")
    return paths[0]


def absent(incoming: Path, shard: str) -> str:
    """Say that a shard's file is not there."""
    return f"{shard}{SHARD_SUFFIX} is not in {incoming} or a folder below it"


FileState = tuple[int, int]
"""Size in bytes and modification time in nanoseconds: tells one version of a file from another."""


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
        raise PipelineError(
            f"{SOURCES_VARIABLE} is {text!r}, but must be delete, keep or move:FOLDER"
        )


def retire_source(source: Path, state: FileState, policy: SourcePolicy) -> str | None:
    """Delete or move a shard's file if it is still the one that was read.

    Parameters
    ----------
    source
        The file.
    state
        What it was when it was read.
    policy
        What to do with it.

    Returns
    -------
    Why it stays where it is, or None when it went.
    """
    if policy.action == "keep":
        return "files are kept by choice"
    try:
        status = source.stat()
        if (status.st_size, status.st_mtime_ns) != state:
            return "it has changed since it was read"
        return _remove(source, policy.folder)
    except FileNotFoundError:
        return "it is gone since it was read"
    except OSError as error:
        return f"it can't be removed: {error.strerror}"


def _remove(source: Path, folder: Path | None) -> str | None:
    """Delete a file, or move it to a folder without replacing anything."""
    if folder is None:
        source.unlink()
        return None
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    if target.exists():
        return f"{target} is there already"
    shutil.move(source, target)
    return None
