"""The feature index on disk: written whole, published at once, read memory-mapped.

Layout of the index folder::

    current.json                     which generation counts: {"generation": "...", ...}
    generation-<id>/track_ids.npy    bytes of shape (tracks,), 22 characters each
    generation-<id>/durations.npy    float64 of shape (tracks,), seconds, NaN where unknown
    generation-<id>/<channel>-<array>.npy    the arrays of `Channel`, for rhythm and echoprint

``current.json`` is replaced atomically once the generation is complete. A reader keeps the files
that it has mapped while a new generation is published and the old one removed.

Belongs here: writing, publishing, opening. Does not belong here: what a channel is (`channel`), how
candidates are found (`search`).
"""

import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.fingerprint import OnsetTrains
from spotify_pipeline.fingerprint.arrays import Bytes, Float64s
from spotify_pipeline.index.channel import Channel
from spotify_pipeline.index.features import ECHOPRINT_FEATURES, RHYTHM_FEATURES
from spotify_pipeline.shards import TRACK_ID_LENGTH

__all__ = [
    "FORMAT_VERSION",
    "FeatureIndex",
    "FeatureIndexError",
    "IndexInfo",
    "IndexedTrack",
    "read_info",
]

FORMAT_VERSION = 1

_CURRENT = "current.json"
_GENERATION = "generation-"
_CHANNELS = ("rhythm", "echoprint")


class FeatureIndexError(PipelineError):
    """There is no index, or it can't be read."""


@dataclass(frozen=True)
class IndexedTrack:
    """What the index holds of a track."""

    track_id: str
    duration: float | None
    rhythm: OnsetTrains
    echoprint: OnsetTrains


class IndexInfo(msgspec.Struct, frozen=True):
    """The content of ``current.json``.

    Attributes
    ----------
    shards
        Checksum of each shard that is in the index, by name.
    """

    format_version: int
    generation: str
    tracks: int
    postings: int
    shards: dict[str, str]


@dataclass(frozen=True)
class FeatureIndex:
    """An index in memory or mapped from disk.

    Attributes
    ----------
    track_ids
        bytes of shape (tracks,).
    durations
        float64 of shape (tracks,), seconds, NaN where unknown.
    rhythm, echoprint
        A channel for each fingerprint.
    """

    track_ids: Bytes
    durations: Float64s
    rhythm: Channel
    echoprint: Channel

    def __len__(self) -> int:
        return len(self.track_ids)

    @property
    def postings(self) -> int:
        """Postings in both channels."""
        return len(self.rhythm.posting_tracks) + len(self.echoprint.posting_tracks)

    @classmethod
    def build(cls, tracks: Iterable[IndexedTrack]) -> "FeatureIndex":
        """Build an index in memory."""
        kept: Sequence[IndexedTrack] = list(tracks)
        return cls(
            track_ids=np.array([t.track_id.encode() for t in kept], f"S{TRACK_ID_LENGTH}"),
            durations=np.array(
                [np.nan if t.duration is None else t.duration for t in kept], np.float64
            ),
            rhythm=Channel.build((t.rhythm for t in kept), RHYTHM_FEATURES),
            echoprint=Channel.build((t.echoprint for t in kept), ECHOPRINT_FEATURES),
        )

    def publish(self, folder: Path, shards: dict[str, str]) -> IndexInfo:
        """Write a new generation and make it the one that counts; remove the others.

        Raises
        ------
        FeatureIndexError
            It can't be written, because the disk is full say; the one before still counts.
        """
        info = IndexInfo(FORMAT_VERSION, uuid.uuid4().hex[:12], len(self), self.postings, shards)
        generation = folder / f"{_GENERATION}{info.generation}"
        try:
            self._write(generation)
            _write_atomically(folder / _CURRENT, msgspec.json.format(msgspec.json.encode(info)))
        except BaseException as error:
            shutil.rmtree(generation, ignore_errors=True)
            if isinstance(error, OSError):  # numpy tells how much was written, and not why no more
                raise FeatureIndexError(
                    f"{folder}: the index can't be written ({error}); the one before still counts:"
                    " make room if the disk is full, then run the job 'index' again"
                ) from error
            raise
        for other in folder.glob(f"{_GENERATION}*"):
            if other != generation:
                shutil.rmtree(other)
        return info

    @classmethod
    def open(cls, folder: Path) -> "FeatureIndex":
        """Map the index that counts.

        Raises
        ------
        FeatureIndexError
            There is none, it is of another format version, or a file is missing or damaged.
        """
        info = read_info(folder)
        if info is None:
            raise FeatureIndexError(
                f"{folder}: there is no index yet; run 'spotify-pipeline ingest' or the job 'index'"
            )
        if info.format_version != FORMAT_VERSION:
            raise FeatureIndexError(
                f"{folder}: the index is of format {info.format_version}, not {FORMAT_VERSION};"
                " run the job 'index' again"
            )
        try:
            return cls._map(folder / f"{_GENERATION}{info.generation}")
        except FeatureIndexError:
            newer = read_info(folder)
            if newer is None or newer.generation == info.generation:
                raise
            return cls.open(folder)  # it was replaced while it was being opened

    @classmethod
    def _map(cls, generation: Path) -> "FeatureIndex":
        channels = {
            channel: Channel(
                *(_mapped(generation / f"{channel}-{name}.npy") for name in Channel.array_names())
            )
            for channel in _CHANNELS
        }
        return cls(
            track_ids=_mapped(generation / "track_ids.npy"),
            durations=_mapped(generation / "durations.npy"),
            **channels,
        )

    def _write(self, generation: Path) -> None:
        generation.mkdir(parents=True)
        arrays: dict[str, npt.NDArray[Any]] = {
            "track_ids": self.track_ids,
            "durations": self.durations,
        }
        for channel in _CHANNELS:
            for name in Channel.array_names():
                arrays[f"{channel}-{name}"] = getattr(getattr(self, channel), name)
        for name, array in arrays.items():
            with (generation / f"{name}.npy").open("wb") as file:
                np.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())


def read_info(folder: Path) -> IndexInfo | None:
    """Read what the index holds; None when there is none.

    Raises
    ------
    FeatureIndexError
        ``current.json`` is damaged or can't be read.
    """
    path = folder / _CURRENT
    try:
        return msgspec.json.decode(path.read_bytes(), type=IndexInfo)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise FeatureIndexError(f"{path}: damaged ({error}); run the job 'index' again") from error
    except OSError as error:
        raise FeatureIndexError(f"{path}: can't be read: {error.strerror}") from error


def _mapped(path: Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # a damaged header fails in ways that numpy does not list
        raise FeatureIndexError(
            f"{path}: missing or damaged ({error}); run the job 'index' again"
        ) from error
    return array


def _write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
