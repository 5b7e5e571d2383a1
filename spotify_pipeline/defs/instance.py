"""The Dagster instance of a data home: where the runs and events of its work are kept.

The web UI and the command line find the same one. A demo keeps its own, in its home, whatever the
environment says: its shards are none of the real data's.

Belongs here: finding and opening it, and its settings. Does not belong here: the runs.
"""

import os
from pathlib import Path

import dagster as dg

from spotify_pipeline.settings import Settings

__all__ = ["instance_folder", "open_instance", "why_not_set_up"]

CHECKOUT = Path(__file__).resolve().parents[2]

INSTANCE_SETTINGS = """\
concurrency:
  pools:
    default_limit: 1
    granularity: op
  runs:
    max_concurrent_runs: 10
    tag_concurrency_limits:
      - key: dagster/partition
        limit: 4
run_queue:
  # A machine that is busy answers late: a run that could not be started for that is started again.
  max_user_code_failure_retries: 5
  user_code_failure_retry_delay: 60
telemetry:
  enabled: false
nux:
  enabled: false
"""
"""What the checkout's ``dagster.yaml`` says too, for an instance in the data home."""


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Open the instance that the web UI uses on a data home."""
    return dg.DagsterInstance.from_config(str(instance_folder(settings)))


def instance_folder(settings: Settings) -> Path:
    """Give the folder that ``DAGSTER_HOME`` names or should name, made where it is missing."""
    from spotify_pipeline.demo.belongings import is_demo_home  # late, it opens databases

    if not is_demo_home(settings.home):
        if chosen := os.environ.get("DAGSTER_HOME"):
            return Path(chosen)
        if Path.cwd() == CHECKOUT and Path("dagster.yaml").is_file():
            return CHECKOUT
    folder = settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(INSTANCE_SETTINGS)
    return folder


def why_not_set_up(instance: dg.DagsterInstance) -> str | None:
    """Say what an instance lacks that the databases need; None if nothing.

    Dagster makes one anywhere it is started, with settings of its own, and perhaps in a temporary
    folder: where nobody set it up for this, no file may go because the sensors are on.
    """
    if instance.get_concurrency_config().pool_config.default_pool_limit == 1:
        return None
    return (
        "this Dagster instance was not set up for the pipeline: its dagster.yaml lacks"
        " concurrency.pools.default_limit: 1"
    )
