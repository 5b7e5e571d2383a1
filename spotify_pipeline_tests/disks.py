"""Small disks that can be filled to the last byte, and folders that can't be written.

Belongs here: mounting and filling them. Does not belong here: what is done on them.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["fill", "mounted_disk", "mounted_read_only"]


@contextmanager
def mounted_disk(folder: Path, megabytes: int = 16) -> Iterator[Path]:
    """Mount an empty disk in memory on a new folder, or skip the test where that is not allowed."""
    folder.mkdir()
    if not _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)):
        pytest.skip("mounting a small disk takes a privilege that is not given here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def mounted_read_only(folder: Path, at: Path) -> Iterator[Path]:
    """Show a folder at another place, where nobody can write, or skip the test."""
    at.mkdir()
    shown = _mount("--bind", str(folder), str(at))
    try:
        if not shown or not _mount("-o", "remount,ro,bind", str(at)):
            pytest.skip("mounting a folder read-only takes a privilege that is not given here")
        yield at
    finally:
        if shown:
            subprocess.run(["umount", "-l", str(at)], check=True)


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


def fill(folder: Path, left: int) -> Path:
    """Leave so many bytes free on a folder's disk; gives the file to remove for the rest."""
    filler = folder / "filler"
    filler.unlink(missing_ok=True)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - left)
    return filler
