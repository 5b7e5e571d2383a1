"""Free space on disk: known before work starts, watched while it runs, waited for when it is short.

Belongs here: looking, waiting, and wording a full disk. Does not belong here: how much a piece of
work needs; its own module says so.
"""

import errno
import math
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.progress import Report

__all__ = ["AT_ONCE", "SpaceError", "SpaceGuard", "naming_a_full_disk"]

LOOK_SECONDS = 2.0
"""Between two looks at the disk, of work that runs and of work that waits."""

SAY_SECONDS = 300.0
"""Between two messages of work that waits."""


class SpaceError(PipelineError):
    """A disk is full, or has been too full for too long."""


@dataclass(frozen=True)
class SpaceGuard:
    """Makes work wait for space.

    Attributes
    ----------
    reserve
        Bytes that are always left free.
    say
        Called with why work waits: at once, then now and then.
    patience
        Seconds to wait while nobody makes room; None waits for as long as it takes.
    """

    reserve: int
    say: Callable[[str], None]
    patience: float | None = None

    def wait_for(self, folder: Path, needed: int, what: str) -> None:
        """Come back when a folder has room for so many bytes.

        Raises
        ------
        SpaceError
            It has not had it for longer than the patience, and lacked no less all the while.
        """
        changed, said, least = time.monotonic(), -math.inf, math.inf
        while (lacking := needed + self.reserve - _free(folder)) > 0:
            now = time.monotonic()
            if lacking < least:
                changed, least = now, lacking
            message = (
                f"{what} waits for space: it needs {decimal(needed)} and leaves"
                f" {decimal(self.reserve)} free; {folder} lacks {decimal(lacking)}"
            )
            if self.patience is not None and now - changed >= self.patience:
                raise SpaceError(f"{message}; make room, then run it again")
            if now - said >= SAY_SECONDS:
                self.say(message)
                said = now
            time.sleep(LOOK_SECONDS)

    def watching(self, folder: Path, needed: int, what: str, report: Report) -> Report:
        """Wrap a progress callback so that the work waits when the rest of its space is gone."""
        looked = time.monotonic()

        def watched(done: int, total: int, name: str) -> None:
            nonlocal looked
            if time.monotonic() - looked >= LOOK_SECONDS:
                self.wait_for(folder, round(needed * (1 - done / max(total, 1))), what)
                looked = time.monotonic()
            report(done, total, name)

        return watched


AT_ONCE = SpaceGuard(reserve=0, say=lambda _: None, patience=0)
"""Waits for nobody: what lacks space fails."""


@contextmanager
def naming_a_full_disk(folder: Path) -> Iterator[None]:
    """Say where the disk is full, if that is what an error means.

    Raises
    ------
    SpaceError
        In place of an OSError of a full disk.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SpaceError(
            f"{folder}: the disk is full; nothing is lost: make room, then run it again"
        ) from error


def _free(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
