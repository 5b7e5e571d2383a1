"""Errors of the dump room that several of its modules raise.

Belongs here: what would else tie two modules together. Does not belong here: errors of one module.
"""

from spotify_pipeline.errors import PipelineError

__all__ = ["DocumentError", "MetadataError"]


class DocumentError(ValueError):
    """A document that is not taken; the message is the reason."""


class MetadataError(PipelineError):
    """The metadata file is incomplete, damaged or not what it should be."""
