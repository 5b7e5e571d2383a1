"""Which segments count: the file ``manifest.json`` of an index folder.

Segments never change. The index changes when a new manifest takes the place of the old one, which
is atomic; then files that it does not name are removed. A reader that has mapped those keeps them.

Layout of an index folder::

    manifest.json           a `Manifest`
    segment-<12 hex>.bin    the segments that it names (`segment`)
    index.lock              held by whoever changes the index

Belongs here: reading and publishing manifests. Does not belong here: making segments.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock

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
    "usable_manifest",
]

MANIFEST_VERSION = 3

_NAME = "manifest.json"
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
    """Read the manifest; None when there is none.

    Raises
    ------
    FeatureIndexError
        It is damaged, of another version, or can't be read.
    """
    path = folder / _NAME
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
        f"{folder}: the index is of format {version}, not {MANIFEST_VERSION}; run the job 'index',"
        " which makes it again of audio.duckdb"
    )


def usable_manifest(folder: Path) -> Manifest:
    """Give what counts; nothing of an index of another version or of other keys: it is made again.

    Raises
    ------
    FeatureIndexError
        The manifest is damaged, or can't be read.
    """
    try:
        found = read_manifest(folder)
    except OutdatedIndexError:
        return Manifest()
    return found if found is not None and found.keys == KEYS else Manifest()


def publish(folder: Path, manifest: Manifest) -> None:
    """Make a manifest the one that counts, and remove what it does not name.

    Raises
    ------
    FeatureIndexError
        It can't be written; the one before still counts.
    """
    path = folder / _NAME
    new = folder / f"{_NAME}.new"
    with naming_a_failed_write(path):
        new.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        sync(new)
        new.replace(path)
        sync(folder)
    named = {entry.file for entry in manifest.segments}
    for other in folder.glob(_SEGMENTS):
        if other.name not in named:
            other.unlink(missing_ok=True)


@contextmanager
def changing(folder: Path) -> Iterator[Manifest]:
    """Give the manifest, which nobody else changes meanwhile; waits for whoever does.

    Raises
    ------
    FeatureIndexError
        See `usable_manifest`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "index.lock"):
        yield usable_manifest(folder)


def new_segment_name() -> str:
    """Name a new segment; names differ on any file system."""
    return f"segment-{uuid.uuid4().hex[:12]}.bin"
