"""What can go wrong with the index."""

from spotify_pipeline.errors import PipelineError

__all__ = ["FeatureIndexError"]


class FeatureIndexError(PipelineError):
    """There is no index, or it can't be read or written."""
