"""The base of every error that a user can act on.

Belongs here: the one exception that the command line and the Dagster layer turn into a message
instead of a traceback. Does not belong here: errors of one room; they derive from this one, there.
"""

__all__ = ["PipelineError"]


class PipelineError(Exception):
    """Something is wrong with an input, a setting or the disk; the message says what and where."""
