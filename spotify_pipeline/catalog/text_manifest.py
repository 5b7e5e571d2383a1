"""Which text index counts: the file ``manifest.json`` in the folder of the text index.

Belongs here: reading and publishing it, and telling whether it is up to date. Does not belong here:
the engine, which takes a while to import (`text_index`).
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from spotify_pipeline.catalog.text_terms import TEXT_TABLES
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.store.metadata_ledger import SourceFile
from spotify_pipeline.syncing import sync

__all__ = [
    "FORMAT",
    "TextIndexError",
    "TextManifest",
    "is_current",
    "publish_text_manifest",
    "read_text_manifest",
    "text_sources",
]

FORMAT = 2
"""Of the manifest and the terms; the engine keeps a version of its own."""

_NAME = "manifest.json"


class TextIndexError(PipelineError):
    """The text index is missing, damaged, or can't be built."""


class TextManifest(msgspec.Struct, frozen=True):
    """The index in service.

    Attributes
    ----------
    format
        `FORMAT` of the writer.
    folder
        Name of the folder of the engine's files.
    tiers
        Their number.
    sources
        For each table that it was made of, the file from which that was loaded.
    tracks, size
        Tracks in it, and bytes of its files.
    seconds
        What the build took.
    """

    format: int
    folder: str
    tiers: int
    sources: dict[str, SourceFile]
    tracks: int
    size: int
    seconds: float


class _Format(msgspec.Struct):
    """Of a manifest, what tells whether the rest can be read."""

    format: int


def read_text_manifest(folder: Path) -> TextManifest | None:
    """Read the manifest; None when there is no index yet.

    Raises
    ------
    TextIndexError
        It is damaged, of another format, or can't be read.
    """
    path = folder / _NAME
    try:
        content = path.read_bytes()
        written = msgspec.json.decode(content, type=_Format).format
        if written != FORMAT:
            raise TextIndexError(
                f"{folder}: the text index is of format {written}, not {FORMAT}; remove it and"
                " run 'ingest', or the job 'text'"
            )
        return msgspec.json.decode(content, type=TextManifest)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise TextIndexError(
            f"{path}: damaged ({error}); remove {folder} and run 'ingest', or the job 'text'"
        ) from error
    except OSError as error:
        raise TextIndexError(f"{path}: can't be read: {error.strerror}") from error


def is_current(manifest: TextManifest | None, loaded: Mapping[str, SourceFile]) -> bool:
    """Tell whether an index is of the tables that are loaded now, by what `loaded_source` says.

    While tables are missing that it is made of, there is nothing to be done.
    """
    sources = text_sources(loaded)
    if len(sources) < len(TEXT_TABLES):
        return True
    return manifest is not None and manifest.sources == sources


def publish_text_manifest(folder: Path, manifest: TextManifest) -> None:
    """Put an index in service, whose files lie in the folder."""
    sync(folder / manifest.folder)
    fresh = folder / f"{_NAME}.new"
    fresh.write_bytes(msgspec.json.encode(manifest))
    sync(fresh)
    fresh.replace(folder / _NAME)
    sync(folder)


def text_sources(loaded: Mapping[str, SourceFile]) -> dict[str, SourceFile]:
    """Give the sources of those tables that a text index is made of."""
    return {table: loaded[table] for table in TEXT_TABLES if table in loaded}
