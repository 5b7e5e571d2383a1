"""Dagster resources: the data home, the two databases, and where progress is reported.

Belongs here: what assets share and a deployment may replace. Does not belong here: paths
(`spotify_pipeline.settings`) and what is done with a connection.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.progress import Report, log_reporter
from spotify_pipeline.settings import Settings
from spotify_pipeline.space import SpaceError, SpaceGuard
from spotify_pipeline.store.database import DatabaseBusyError
from spotify_pipeline.torrent.client import StalledError

__all__ = [
    "Context",
    "DataHome",
    "Database",
    "ProgressSource",
    "RunLogProgress",
    "reported_as_failure",
]

BUSY_SECONDS = 100.0
"""How long a database that another process has open is waited for."""


RETRIES, RETRY_SECONDS = 12, 300.0
"""How often, and after how long, a step is tried again; meanwhile others may have its pool."""


class DataHome(dg.ConfigurableResource):
    """The folders and files of one installation."""

    environment: dict[str, str]
    """The settings, as environment variables name them."""

    @classmethod
    def of(cls, settings: Settings) -> "DataHome":
        """Make the resource from settings."""
        return cls(environment=settings.as_environment())

    @property
    def settings(self) -> Settings:
        """The settings."""
        return Settings.from_environment(self.environment)


class Database(DuckDBResource):
    """A DuckDB file that is closed after an exception too, and waited for while it is busy."""

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file for the length of a ``with`` block."""
        from spotify_pipeline.store.database import connect_patiently

        with connect_patiently(Path(self.database), BUSY_SECONDS) as connection:
            yield connection


Context = dg.AssetExecutionContext | dg.OpExecutionContext
"""Of an asset's step, or of an op that is one of several in an asset."""


class ProgressSource(Protocol):
    """Where assets get their progress callbacks from.

    Attributes
    ----------
    retries
        Whether steps are tried again; where a person waits for them they are not.
    """

    retries: ClassVar[bool]

    def reporter(self, context: Context, unit: str) -> Report:
        """Make the callback for one step; amounts are bytes if `unit` is ``MB``."""

    def guard(self, context: Context, settings: Settings) -> SpaceGuard:
        """Make what one step waits for space with."""


class RunLogProgress:
    """Reports progress to a run's log."""

    retries: ClassVar[bool] = True

    def reporter(self, context: Context, unit: str) -> Report:
        """Make the callback for one step."""
        return log_reporter(context.log.info, unit)

    def guard(self, context: Context, settings: Settings) -> SpaceGuard:
        """Make a guard that waits for as long as it takes, and says so in the run's log."""
        return SpaceGuard(settings.reserve, context.log.warning)


@contextmanager
def reported_as_failure(*, retry: bool = False) -> Iterator[None]:
    """Turn an error that a user can act on into a step failure that shows its message.

    Parameters
    ----------
    retry
        Whether the step is tried again where the cause passes: a full disk, a busy database, a
        stalled download. A retry policy would try everything again, a damaged file and an interrupt
        too.
    """
    try:
        yield
    except (PipelineError, OSError) as error:
        if retry and _passes(error):
            raise dg.RetryRequested(RETRIES, RETRY_SECONDS) from error
        raise dg.Failure(description=str(error), allow_retries=False) from error


def _passes(error: PipelineError | OSError) -> bool:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or isinstance(error, (DatabaseBusyError, SpaceError, StalledError))
