"""Which metadata files lie in the incoming folder, and which of them counts.

Belongs here: finding them. Does not belong here: reading them (`metadata`), whose libraries take
longer to import than looking for a file takes.
"""

from pathlib import Path

from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.tables import CATALOGUE, MetadataSource
from spotify_pipeline.settings import METADATA_VARIABLE, Settings

__all__ = ["find_sources", "require_source"]


def find_sources(settings: Settings, source: MetadataSource = CATALOGUE) -> list[Path]:
    """Find a metadata file anywhere below the incoming folder, or where the user says it is.

    The first one counts: the newest by its modification time; of two that are as new, as ``zstd``
    leaves them, the one that is unpacked.

    Raises
    ------
    MetadataError
        The file that the user names is not there.
    """
    named = settings.metadata_file
    if named is not None and source is CATALOGUE:
        if not named.is_file():
            raise MetadataError(f"{named}: no such file, but {METADATA_VARIABLE} names it")
        return [named]
    found = [
        path
        for name in dict.fromkeys((source.unpacked, source.packed))
        for path in sorted(settings.incoming.rglob(name))
        if path.is_file() and settings.downloads not in path.parents
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def require_source(settings: Settings, source: MetadataSource = CATALOGUE) -> Path:
    """Find the metadata file that counts.

    Raises
    ------
    MetadataError
        It is not there.
    """
    found = find_sources(settings, source)
    if not found:
        raise MetadataError(f"{source.packed} is not in {settings.incoming} or a folder below it")
    return found[0]
