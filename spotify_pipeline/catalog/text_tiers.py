"""The text index opened: its tiers, each an index of the engine, and the fields of their tracks.

Belongs here: opening, be the folder writable or not. Does not belong here: how it is made
(`text_index`), whose libraries take longer to import than a look-up takes.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import tantivy

from spotify_pipeline.catalog.text_manifest import (
    TextIndexError,
    TextManifest,
    read_text_manifest,
)

__all__ = ["FIELD_POPULARITY", "FIELD_ROWID", "FIELD_TERMS", "open_text_index"]

FIELD_TERMS, FIELD_ROWID, FIELD_POPULARITY = "terms", "rowid", "popularity"

_LOCKING = "Failed to acquire Lockfile"
"""How the engine's error begins."""


def open_text_index(folder: Path) -> tuple[list[tantivy.Index], TextManifest]:
    """Open the index in service: its tiers, the most popular tracks first.

    Raises
    ------
    TextIndexError
        There is none, or it is damaged.
    """
    manifest = read_text_manifest(folder)
    for _ in range(10):
        if manifest is None:
            break
        try:
            tiers = [folder / manifest.folder / str(k) for k in range(manifest.tiers)]
            return [_open_tier(tier) for tier in tiers], manifest
        except (OSError, ValueError) as error:
            # a build may have replaced it since the manifest was read
            again = read_text_manifest(folder)
            if again == manifest:
                raise TextIndexError(
                    f"{folder / manifest.folder}: the text index is damaged ({error}); remove"
                    f" {folder} and run 'ingest', or the job 'text'"
                ) from error
            manifest = again
    raise TextIndexError(
        f"{folder}: there is no text index, so words can't be looked for; make it by 'ingest', or"
        " by the job 'text'"
    )


def _open_tier(tier: Path) -> tantivy.Index:
    """Open a tier, be it writable or not.

    The engine locks a file of the folder while it opens it. Where that can't be written, a folder
    of links to the tier's files does as well: it may be removed as soon as they are open.
    """
    try:
        return tantivy.Index.open(str(tier))
    except ValueError as error:
        if _LOCKING not in str(error):
            raise
    files = [file.absolute() for file in tier.iterdir() if file.suffix != ".lock"]
    try:
        # the engine's own threads may still write to it while it goes
        with TemporaryDirectory(ignore_cleanup_errors=True) as links:
            for file in files:
                (Path(links) / file.name).symlink_to(file)
            return tantivy.Index.open(links)
    except OSError as error:
        raise TextIndexError(
            f"{tier}: can't be opened, for neither it nor a temporary folder can be written to"
            f" ({error}); let TMPDIR name a folder that can"
        ) from error
