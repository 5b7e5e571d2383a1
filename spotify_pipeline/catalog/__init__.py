"""Look-ups over the metadata: `Lookup` for all that is known, `Catalog` for what the tables say.

Names are imported when they are used, since the engine of the text index takes a while.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spotify_pipeline.catalog.catalog import Catalog
    from spotify_pipeline.catalog.duplicates import same_fingerprint, same_isrc
    from spotify_pipeline.catalog.lookup import Found, Lookup, Unknown
    from spotify_pipeline.catalog.records import (
        Album,
        Artist,
        AudioFeatures,
        Image,
        Track,
        TrackNames,
    )
    from spotify_pipeline.catalog.references import Reference, parse_reference
    from spotify_pipeline.catalog.text_index import build_text_index
    from spotify_pipeline.catalog.text_search import Filters, TextSearch

__all__ = [
    "Album",
    "Artist",
    "AudioFeatures",
    "Catalog",
    "Filters",
    "Found",
    "Image",
    "Lookup",
    "Reference",
    "TextSearch",
    "Track",
    "TrackNames",
    "Unknown",
    "build_text_index",
    "parse_reference",
    "same_fingerprint",
    "same_isrc",
]

_MODULES = {
    "catalog": ("Catalog",),
    "duplicates": ("same_fingerprint", "same_isrc"),
    "lookup": ("Found", "Lookup", "Unknown"),
    "records": ("Album", "Artist", "AudioFeatures", "Image", "Track", "TrackNames"),
    "references": ("Reference", "parse_reference"),
    "text_index": ("build_text_index",),
    "text_search": ("Filters", "TextSearch"),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
