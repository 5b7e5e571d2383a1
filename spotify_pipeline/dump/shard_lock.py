"""One piece of work on a shard at a time, whoever starts it: the daemon, the web UI, a command.

Belongs here: the locks. Does not belong here: DuckDB's own lock on a database (`store.database`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from spotify_pipeline.shards import disk_name

__all__ = ["shard_lock"]


@contextmanager
def shard_lock(locks: Path, shard: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a shard for the length of the context; a process that is killed lets go of it.

    Parameters
    ----------
    locks
        Folder for lock files.
    shard
        The shard's name.
    say
        Called when another process has the shard and this one waits.
    """
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / f"shard-{disk_name(shard)}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"shard {shard} is being worked on by another run; this one waits for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
