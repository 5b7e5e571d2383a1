"""Which segments count: the file ``manifest.json`` of an index folder.

Segments never change. The index changes when a new manifest takes the place of the old one, which
is atomic; then files that it does not name are removed. A reader that has mapped those keeps them.

An index of an earlier format, or of other keys, is made again beside what it was: that stays until
the new one has all its shards, then the new manifest takes its place. So whatever ends the rebuild,
the program that made the old index can go on to use it. Of an earlier format this program can't
answer; it answers with what has been made again so far.

Layout of an index folder::

    manifest.json           a `Manifest`
    rebuilt.json            the one that will take its place, while an index is made again
    segment-<12 hex>.bin    the segments that they name (`segment`)
    index.lock              held by whoever changes the index

Belongs here: reading and publishing manifests. Does not belong here: making segments.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from spotify_pipeline.index.errors import (
    FeatureIndexError,
    OutdatedIndexError,
    naming_a_failed_write,
)
from spotify_pipeline.index.format.key_setting import KEYS, KeySetting
from spotify_pipeline.syncing import sync

__all__ = [
    "MANIFEST_VERSION",
    "Manifest",
    "SegmentEntry",
    "changing",
    "new_segment_name",
    "publish",
    "read_manifest",
    "rebuild_note",
    "usable_manifest",
]

MANIFEST_VERSION = 4

_NAME = "manifest.json"
_REBUILT = "rebuilt.json"
_SEGMENTS = "segment-*"


class SegmentEntry(msgspec.Struct, frozen=True):
    """A segment that counts.

    Attributes
    ----------
    file
        Its name.
    shards
        Checksum of what was read of each shard, for those whose tracks in it count. Tracks of
        others are there too, until the segment is merged.
    trains
        The setting that it was made with, a `settings.TrainsChoice`.
    shard_tracks
        Tracks of each shard in the file.
    postings, size
        Postings and bytes of the file.
    """

    file: str
    shards: dict[str, str]
    trains: str
    shard_tracks: dict[str, int]
    postings: int
    size: int

    @property
    def tracks(self) -> int:
        """Tracks that count."""
        return sum(self.shard_tracks[shard] for shard in self.shards)

    @property
    def all_tracks(self) -> int:
        """Tracks in the file."""
        return sum(self.shard_tracks.values())

    def without(self, shards: Sequence[str]) -> "SegmentEntry":
        """Give the entry when shards count no more."""
        counting = {shard: c for shard, c in self.shards.items() if shard not in shards}
        return msgspec.structs.replace(self, shards=counting)


class _Version(msgspec.Struct, frozen=True):
    """What can be read of a manifest of any version."""

    version: int


class _EarlierSegment(msgspec.Struct, frozen=True):
    """What any version says of a segment."""

    file: str
    shards: dict[str, str] = {}


class _Earlier(msgspec.Struct, frozen=True):
    """A manifest of any version, in whose place one of this version and of `KEYS` is made."""

    segments: list[_EarlierSegment] = []

    @property
    def files(self) -> set[str]:
        """Names of its segments."""
        return {entry.file for entry in self.segments}

    @property
    def shards(self) -> set[str]:
        """Those that counted."""
        return {shard for entry in self.segments for shard in entry.shards}


class Manifest(msgspec.Struct, frozen=True):
    """All segments that count.

    Attributes
    ----------
    keys
        How the keys of all of them were made.
    """

    version: int = MANIFEST_VERSION
    keys: KeySetting = KEYS
    segments: list[SegmentEntry] = []

    @property
    def shards(self) -> Mapping[str, str]:
        """Checksum of each shard that is in the index."""
        return {
            shard: checksum for entry in self.segments for shard, checksum in entry.shards.items()
        }

    def current(self, trains: str) -> Mapping[str, str]:
        """Give those of the shards that were indexed by a setting."""
        entries = [entry for entry in self.segments if entry.trains == trains]
        return Manifest(segments=entries).shards

    @property
    def tracks(self) -> int:
        """Tracks that count."""
        return sum(entry.tracks for entry in self.segments)

    @property
    def postings(self) -> int:
        """Postings in all files."""
        return sum(entry.postings for entry in self.segments)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.segments)


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of what can be searched; None when there is none.

    While an index of an earlier format is made again, that is of what has been made so far.

    Raises
    ------
    OutdatedIndexError
        It is of another version, and nothing has been made again yet.
    FeatureIndexError
        It is damaged or can't be read.
    """
    try:
        return _read(folder / _NAME)
    except OutdatedIndexError:
        rebuilt = _rebuilt(folder)
        if not rebuilt.segments:
            raise
        return rebuilt


def usable_manifest(folder: Path) -> Manifest:
    """Give what a build goes on from: nothing of an index of another version or of other keys.

    Raises
    ------
    FeatureIndexError
        The manifest is damaged, or can't be read.
    """
    if _earlier(folder) is not None:
        return _rebuilt(folder)
    return _read(folder / _NAME) or Manifest()


def rebuild_note(folder: Path) -> str | None:
    """Say how far a rebuild is, where only what it has made can be searched; None elsewhere.

    Raises
    ------
    FeatureIndexError
        The manifest is damaged, or can't be read.
    """
    try:
        _read(folder / _NAME)
    except OutdatedIndexError:
        made, earlier = _rebuilt(folder), _earlier(folder) or _Earlier()
        return (
            f"the index is made again in another format: only {len(made.shards)} of"
            f" {len(earlier.shards | made.shards.keys())} shards are searched; the job 'index' or"
            " 'spotify-pipeline ingest' completes it"
        )
    return None


def publish(folder: Path, manifest: Manifest, *, complete: bool = False) -> None:
    """Make a manifest the one that counts, and remove what it does not name.

    In place of an index of another version or of other keys, it counts when it has all shards of
    that one; what that one names stays until then.

    Parameters
    ----------
    complete
        It has all shards that there are: those that it lacks count no more.

    Raises
    ------
    FeatureIndexError
        It can't be written; the one before still counts.
    """
    named = {entry.file for entry in manifest.segments}
    earlier = _earlier(folder)
    if earlier is None or complete or earlier.shards <= manifest.shards.keys():
        _write(folder / _NAME, manifest)
        (folder / _REBUILT).unlink(missing_ok=True)
    else:
        _write(folder / _REBUILT, manifest)
        named |= earlier.files
    for other in folder.glob(_SEGMENTS):
        if other.name not in named:
            other.unlink(missing_ok=True)


def _read(path: Path) -> Manifest | None:
    """Read a manifest; None when there is none.

    Raises
    ------
    FeatureIndexError
        It is damaged, of another version, or can't be read.
    """
    try:
        content = path.read_bytes()
        version = msgspec.json.decode(content, type=_Version).version
        if version == MANIFEST_VERSION:
            return msgspec.json.decode(content, type=Manifest)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise FeatureIndexError(
            f"{path}: damaged ({error}); remove it and run the job 'index' again"
        ) from error
    except OSError as error:
        raise FeatureIndexError(f"{path}: can't be read: {error.strerror}") from error
    raise OutdatedIndexError(
        f"{path.parent}: the index is of format {version}, not {MANIFEST_VERSION}, and has to be"
        " made again of audio.duckdb; run the job 'index' or 'spotify-pipeline ingest'"
    )


def _rebuilt(folder: Path) -> Manifest:
    """Give what has been made again so far."""
    try:
        found = _read(folder / _REBUILT)
    except OutdatedIndexError:
        return Manifest()
    return found if found is not None and found.keys == KEYS else Manifest()


def _earlier(folder: Path) -> _Earlier | None:
    """Give what is to be made again; None if what counts is of this version and of `KEYS`."""
    path = folder / _NAME
    try:
        found = _read(path)
        if found is None or found.keys == KEYS:
            return None
    except OutdatedIndexError:
        pass
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Earlier)
    except msgspec.MsgspecError as error:
        raise FeatureIndexError(
            f"{path}: damaged ({error}); remove it and run the job 'index' again"
        ) from error


def _write(path: Path, manifest: Manifest) -> None:
    """Let a manifest take the place of the one before."""
    new = path.with_name(f"{path.name}.new")
    with naming_a_failed_write(path):
        new.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        sync(new)
        new.replace(path)
        sync(path.parent)


@contextmanager
def changing(folder: Path) -> Iterator[Manifest]:
    """Give the manifest, which nobody else changes meanwhile; waits for whoever does.

    Raises
    ------
    FeatureIndexError
        See `usable_manifest`.
    """
    from filelock import FileLock  # takes a while, and readers need none

    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "index.lock"):
        yield usable_manifest(folder)


def new_segment_name() -> str:
    """Name a new segment; names differ on any file system."""
    return f"segment-{uuid.uuid4().hex[:12]}.bin"
