"""Look-ups over the metadata."""

from spotify_pipeline.catalog.names import TrackNames, track_names

__all__ = ["TrackNames", "track_names"]
