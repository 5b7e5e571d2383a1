"""Look-ups over the metadata."""

from spotify_pipeline.catalog.catalog import Catalog
from spotify_pipeline.catalog.records import Album, Artist, AudioFeatures, Image, Track

__all__ = ["Album", "Artist", "AudioFeatures", "Catalog", "Image", "Track"]
