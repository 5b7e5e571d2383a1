"""The Dagster instance of a data home: where the runs and events of its work are kept.

The web UI and the command line find the same one. A demo keeps its own, in its home, whatever the
environment says: its shards are none of the real data's.

Belongs here: finding and opening it. Does not belong here: the runs.
"""

import os
import sys
from pathlib import Path

import dagster as dg

from spotify_pipeline.demo.belongings import is_demo_home
from spotify_pipeline.settings import Settings

__all__ = ["instance_folder", "open_instance"]

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
    if not is_demo_home(settings.home):
        if chosen := os.environ.get("DAGSTER_HOME"):
            return Path(chosen)
        if Path.cwd() == CHECKOUT and Path("dagster.yaml").is_file():
            return CHECKOUT
    folder = settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(INSTANCE_SETTINGS)
    return folder


def main() -> None:
    """Ready the instance for ``make ui``: print its folder, and say which data home it shows.

    Its tables are created here: several processes that start at once on a fresh one race to do so.
    """
    settings = Settings.from_environment()
    with open_instance(settings) as instance:
        instance.get_runs(limit=1)
    print(f"the web UI shows the data home {settings.home}", file=sys.stderr)
    print(instance_folder(settings))


if __name__ == "__main__":
    main()
