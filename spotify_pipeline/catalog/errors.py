"""What goes wrong with the catalogue itself.

Belongs here: the error of the room. Does not belong here: errors of one module of it.
"""

from spotify_pipeline.errors import PipelineError

__all__ = ["CatalogError"]


class CatalogError(PipelineError):
    """There is no catalogue, or it lacks what a question needs."""
