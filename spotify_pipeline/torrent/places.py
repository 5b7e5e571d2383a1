"""Places for files that are being fetched: a folder each, and never more files than are allowed.

A shard's file has a place from the moment its fetch begins until it was ingested and is gone: while
it is fetched it counts by its folder, from then on by itself. What a killed or stalled fetch left
keeps its place, so that the next try goes on from it: others give their turn on to that try. It
makes way when it was awaited for long.

Belongs here: counting, waiting, making way. Does not belong here: fetching (`fetch`).
"""

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.settings import TORRENT_FILES_VARIABLE, Settings
from spotify_pipeline.shards import disk_name
from spotify_pipeline.torrent.client import StalledError

__all__ = ["forget_place", "take_place"]

LOOK_SECONDS = 2.0
"""Between two looks of a fetch that waits."""

SAY_SECONDS = 300.0
"""Between two messages of one that waits."""

GIVES_WAY_AFTER = 60.0
"""Seconds after which one that waits for files that nobody fetches now, and for no other, gives its
turn on, so that whoever goes on with them can have it. Set by hand: a daemon notices a killed run
within half a minute."""

MAKES_WAY_AFTER = 600.0
"""Seconds that others wait until a file that nobody fetches makes way for them. Set by hand: a
daemon that starts again goes on within some minutes with what it left."""

AWAITED = "awaited"
"""The file that says since when others wait for the place of one that nobody fetches."""


def take_place(settings: Settings, key: str, say: Callable[[str], None]) -> Path:
    """Make the folder in which a file is fetched, as soon as no more than the others allow it.

    Parameters
    ----------
    settings
        The installation.
    key
        The shard, or the name of another file; whoever takes its place holds its lock.
    say
        Called with what is waited for: at once, then now and then.

    Returns
    -------
    The folder, with what an earlier try left in it.

    Raises
    ------
    StalledError
        It waited for files that nobody fetches now, and for no other.
    """
    began, said = time.monotonic(), -SAY_SECONDS
    while True:
        with FileLock(settings.locks / "places.lock"):
            others = _others(settings, key)
            if len(others) < settings.torrent_files:
                folder = _folder(settings, key)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / AWAITED).unlink(missing_ok=True)
                return folder
            idle = _idle(settings, say)
        if idle == others and time.monotonic() - began >= GIVES_WAY_AFTER:
            raise StalledError(
                f"{key} gives its turn on: {', '.join(sorted(idle))} lie there in part, and whoever"
                " goes on with them comes first; this one is tried again"
            )
        if time.monotonic() - said >= SAY_SECONDS:
            say(_what_is_waited_for(key, sorted(others), settings.torrent_files))
            said = time.monotonic()
        time.sleep(LOOK_SECONDS)


def forget_place(settings: Settings, key: str) -> None:
    """Remove the folder in which a file was fetched, and what is left in it."""
    shutil.rmtree(_folder(settings, key), ignore_errors=True)
    with suppress(OSError):  # others are being fetched
        settings.downloads.rmdir()


def _what_is_waited_for(key: str, others: Sequence[str], allowed: int) -> str:
    return (
        f"{key} waits: {', '.join(others)} lie there or are being fetched, and at most {allowed}"
        f" files may at once ({TORRENT_FILES_VARIABLE}); it goes on when one is ingested"
    )


def _folder(settings: Settings, key: str) -> Path:
    return settings.downloads / disk_name(key)


def _others(settings: Settings, key: str) -> set[str]:
    """Name the other files that have a place; those that are kept by choice have none."""
    own = disk_name(key)
    begun = {path.name for path in _begun(settings)}
    there = () if settings.sources == "keep" else find_shards(settings.incoming)
    return (begun | {disk_name(shard) for shard in there}) - {own}


def _begun(settings: Settings) -> list[Path]:
    if not settings.downloads.is_dir():
        return []
    return [path for path in settings.downloads.iterdir() if path.is_dir()]


def _idle(settings: Settings, say: Callable[[str], None]) -> set[str]:
    """Name the files that were begun and nobody fetches; one that was awaited for long goes."""
    idle = set()
    for folder in _begun(settings):
        lock = FileLock(settings.locks / f"shard-{folder.name}.lock", timeout=0)
        with suppress(Timeout), lock:
            if _awaited_seconds(folder) < MAKES_WAY_AFTER:
                idle.add(folder.name)
            else:
                say(f"what was fetched of {folder.name} makes way: nobody goes on with it")
                shutil.rmtree(folder, ignore_errors=True)
    return idle


def _awaited_seconds(folder: Path) -> float:
    """Tell for how long others have waited for a file's place; they do from now on."""
    awaited = folder / AWAITED
    if not awaited.exists():
        awaited.touch()
    return time.time() - awaited.stat().st_mtime
