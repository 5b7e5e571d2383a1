"""What can go wrong with the index."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spotify_pipeline.errors import PipelineError

__all__ = ["FeatureIndexError", "OutdatedIndexError", "naming_a_failed_write"]


class FeatureIndexError(PipelineError):
    """There is no index, or it can't be read or written."""


class OutdatedIndexError(FeatureIndexError):
    """The index is of another version; the job 'index' makes it again."""


@contextmanager
def naming_a_failed_write(path: Path) -> Iterator[None]:
    """Say which file of the index can't be written, and what to do.

    Raises
    ------
    FeatureIndexError
        In place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise FeatureIndexError(
            f"{path}: can't be written ({error.strerror}); what was there still counts: make room"
            " if the disk is full, then run the job 'index' again"
        ) from error
