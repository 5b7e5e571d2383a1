"""What the server answers from: the index and the catalogue, opened once, and again when replaced.

Belongs here: snapshots, and noticing that there is something newer. Does not belong here: asking
them.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from spotify_pipeline.catalog import Catalog, Lookup
from spotify_pipeline.catalog.lookup import require_tables
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.identify.detector import Detector
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline.settings import Settings

__all__ = ["Installation", "Reader", "Snapshot"]

_log = logging.getLogger(__name__)

_Seen = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class Reader:
    """The catalogue for the use of one thread at a time."""

    catalog: Catalog
    lookup: Lookup


class Snapshot:
    """The index and the catalogue as they were at a moment; closed when nobody uses it any more.

    Parameters
    ----------
    settings
        The installation.
    earlier
        The index that was open before: what both have is not opened again.

    Raises
    ------
    FeatureIndexError
        There was an index before, and the one that counts now can't be read.
    DatabaseError
        The catalogue is damaged, was made by an earlier version, or is busy.
    """

    def __init__(self, settings: Settings, earlier: Searcher | None = None) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._idle: list[Reader] = []
        self._lock = threading.Lock()
        self._users = 1  # whoever opened it
        self._index = _opened(settings.index) if earlier is None else earlier.refreshed()
        self._catalog = self._stack.enter_context(Catalog(settings.metadata_database))

    @property
    def index(self) -> Searcher:
        """The index.

        Raises
        ------
        FeatureIndexError
            There is none, or it can't be read; the message says what to do.
        """
        if isinstance(self._index, FeatureIndexError):
            raise type(self._index)(str(self._index))
        return self._index

    @property
    def opened(self) -> Searcher | None:
        """The index; None if there is none, or it can't be read."""
        return None if isinstance(self._index, FeatureIndexError) else self._index

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Lend a reader of the catalogue to a thread."""
        with self._lock:
            reader = self._idle.pop() if self._idle else self._new_reader()
        try:
            yield reader
        finally:
            with self._lock:
                self._idle.append(reader)

    @contextmanager
    def detector(self) -> Iterator[Detector]:
        """Lend a detector to a thread.

        Raises
        ------
        FeatureIndexError
            See `index`.
        """
        with self.reader() as reader:
            yield Detector(self.index, reader.catalog, self._settings.popularity)

    @contextmanager
    def catalogue(self) -> Iterator[Reader]:
        """Lend a reader to a thread if there is a catalogue to read.

        Raises
        ------
        CatalogError
            There is none, or tables of it are missing.
        """
        with self.reader() as reader:
            require_tables(self._settings.metadata_database, reader.catalog.sources)
            yield reader

    def take(self) -> None:
        """Count another user."""
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        """Count a user less; the last one closes the files."""
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            self._stack.close()

    def _new_reader(self) -> Reader:
        catalog = self._stack.enter_context(self._catalog.beside())
        return Reader(catalog, Lookup(catalog, self._settings, markets=True))


class Installation:
    """An installation that is asked while it changes.

    Whoever uses a snapshot goes on with it, whatever is published meanwhile.

    Parameters
    ----------
    settings
        Where it lies.

    Raises
    ------
    DatabaseError
        The catalogue is damaged, or was made by an earlier version.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.refreshed = 0
        self._warned = ""
        self._lock = threading.Lock()
        self._seen = self._look()
        self._snapshot = Snapshot(settings)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Give the newest snapshot, for as long as the context lasts."""
        with self._lock:
            snapshot = self._snapshot
            snapshot.take()
        try:
            yield snapshot
        finally:
            snapshot.leave()

    @property
    def tracks(self) -> int:
        """Tracks in the index that is open; 0 if there is none."""
        index = self._snapshot.opened
        return 0 if index is None else len(index)

    def close(self) -> None:
        """Close the files once nobody uses them."""
        self._snapshot.leave()

    def refresh(self) -> None:
        """Open what is newer; all others go on with what is open meanwhile.

        What can't be opened is tried again the next time.
        """
        seen = self._look()
        if seen == self._seen:
            return
        try:
            newer = Snapshot(self.settings, self._snapshot.opened)
        except PipelineError as error:
            self._warn_once(f"what is newer can't be opened yet: {error}")
            return
        with self._lock:
            older, self._snapshot, self._seen = self._snapshot, newer, seen
        older.leave()
        self.refreshed += 1

    def _warn_once(self, message: str) -> None:
        if message != self._warned:
            _log.warning(message)
        self._warned = message

    def _look(self) -> _Seen:
        settings = self.settings
        manifests = [settings.index / name for name in ("manifest.json", "rebuilt.json")]
        manifests.append(settings.text_index / "manifest.json")
        return tuple(map(_identity, (*manifests, settings.metadata_database)))


def _opened(folder: Path) -> Searcher | FeatureIndexError:
    """Open an index, or give what to tell whoever wants to use it."""
    try:
        return Searcher.open(folder)
    except FeatureIndexError as error:
        return error


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Tell one file from another that has taken its place."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
