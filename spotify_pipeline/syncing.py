"""Making sure that what was written is on the disk.

Belongs here: files and folders. Does not belong here: what is written, and in which order.
"""

import os
from pathlib import Path

__all__ = ["sync"]


def sync(path: Path) -> None:
    """Make sure that a file, or a folder's list of names, is on the disk."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
