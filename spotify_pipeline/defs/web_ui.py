"""Dagster's web UI and daemon, started on the instance of a data home.

Belongs here: how they are started. Does not belong here: the instance (`instance`).
"""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from spotify_pipeline.defs.instance import (
    instance_folder,
    open_instance,
    why_not_set_up,
)
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import Settings

__all__ = ["PATIENCE", "become_web_ui", "ready_instance"]

PATIENCE = {"DAGSTER_GRPC_TIMEOUT_SECONDS": "600"}
"""How long Dagster's daemon waits for a run's process to begin, as a variable that it reads. By
default, after a minute, it would put the run into the queue again, and the process, which begins
late, would end it. Set by hand: beside twenty other busy processes, it took more than a minute."""


def ready_instance(settings: Settings) -> str:
    """Make the instance of a data home, and give its folder.

    Its tables are created here: several processes that start at once on a fresh one race to do so.

    Raises
    ------
    PipelineError
        ``DAGSTER_HOME`` names one that was not set up for the pipeline, or the incoming folder that
        is named is missing.
    """
    settings.create_folders()
    with open_instance(settings) as instance:
        if reason := why_not_set_up(instance):
            raise PipelineError(
                f"{instance_folder(settings)}: {reason}; unset DAGSTER_HOME, or add that"
            )
        instance.get_runs(limit=1)
    return str(instance_folder(settings))


def become_web_ui(folder: str, options: Sequence[str]) -> NoReturn:
    """Let ``dagster dev`` take this process's place, on the instance in a folder.

    Parameters
    ----------
    options
        Of ``dagster dev``.
    """
    os.environ.update({**PATIENCE, **os.environ, "DAGSTER_HOME": folder})
    # 'dg dev', to which this points, comes with thirty packages more and does the same.
    quiet = ["-W", "ignore:Function `dev_command` is superseded"]
    dagster_dev = ["-m", "dagster", "dev", "-m", "spotify_pipeline.definitions"]
    os.execv(sys.executable, [sys.executable, *quiet, *dagster_dev, *options])
