"""What goes wrong in this room."""

from spotify_pipeline.errors import PipelineError

__all__ = ["EvaluationError"]


class EvaluationError(PipelineError):
    """An evaluation that can't be made as it was asked for."""
