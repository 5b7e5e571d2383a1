"""Files that the system has forgotten, as after a restart.

Belongs here: dropping files from the page cache. Does not belong here: timing what reads them.
"""

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["drop_from_cache"]


def drop_from_cache(files: Iterable[Path]) -> None:
    """Make the system forget files that nobody has mapped, so that they are read from the disk."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
