"""What lies in the incoming folder and is not taken, and why: nothing is skipped without a word.

Belongs here: looking at names and folders. Does not belong here: shards that are not finished
(`readiness`).
"""

import os
from pathlib import Path

from spotify_pipeline.dump.metadata_sources import find_sources
from spotify_pipeline.dump.tables import CATALOGUE, EXTRAS
from spotify_pipeline.settings import DOWNLOADS, INCOMING_VARIABLE, METADATA_VARIABLE, Settings
from spotify_pipeline.shards import shard_of_file_name, why_not_a_shard

__all__ = ["passed_over"]


def passed_over(settings: Settings) -> dict[str, str]:
    """Say why files and folders in the incoming folder are not taken, by their paths.

    These are folders that can't be read, links to folders, files that look like shards but are
    none, and metadata files that are older than another one. Temporary files of downloads, and
    files that have nothing to do with the dump, are not reported.

    Raises
    ------
    MetadataError
        See `metadata_sources.find_sources`.
    """
    found: dict[str, str] = {}

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # gone meanwhile, or never made
            found[str(error.filename)] = f"the folder can't be read: {error.strerror}"

    for parent, folders, files in os.walk(settings.incoming, onerror=note):
        folders[:] = sorted(set(folders) - {DOWNLOADS})
        for path in (Path(parent, name) for name in folders):
            if reason := _why_not_a_folder(path):
                found[str(path)] = reason
        for path in (Path(parent, name) for name in sorted(files)):
            if reason := why_not_a_shard(path.name):
                found[str(path)] = reason
    return found | _older_metadata(settings)


def _why_not_a_folder(path: Path) -> str | None:
    if path.is_symlink():
        return (
            "links to folders are not followed; move its files here, or name the folder by"
            f" {INCOMING_VARIABLE}"
        )
    if shard_of_file_name(path.name) is not None:
        return "it is a folder, and a shard is a file"
    return None


def _older_metadata(settings: Settings) -> dict[str, str]:
    found = {}
    for kind in (CATALOGUE, *EXTRAS):
        sources = find_sources(settings, kind)
        choice = f", or name one by {METADATA_VARIABLE}" if kind is CATALOGUE else ""
        for path in sources[1:]:
            found[str(path)] = f"{sources[0]} is newer and counts; remove one of them{choice}"
    return found
