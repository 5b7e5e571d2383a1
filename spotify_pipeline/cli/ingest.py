"""``ingest``: everything that waits, through the Dagster assets."""

import sys

import click

from spotify_pipeline.cli.rendering.lines import say, warn
from spotify_pipeline.cli.shared import progress_bar, telling_of_compiling, with_clear_errors
from spotify_pipeline.settings import Settings

__all__ = ["ingest", "ingest_waiting"]


@click.command()
@with_clear_errors
@telling_of_compiling
def ingest() -> None:
    """Ingest everything that waits in the incoming folder, through the Dagster assets.

    Shards are reduced, appended to audio.duckdb and deleted; a new metadata file is loaded into
    meta.duckdb; then both indexes are brought up to date. A shard that fails stays where it is
    and does not stop the others. Run it again at any time: what is done is not done twice.
    """
    if not ingest_waiting(Settings.from_environment()):
        sys.exit(1)


def ingest_waiting(settings: Settings) -> bool:
    """Run what waits and show how each job ends; tell whether all succeeded."""
    from spotify_pipeline.defs.in_process import run_waiting

    done = failed = 0
    with progress_bar() as report:
        for outcome in run_waiting(settings, report, warn):
            done += 1
            name = f"{outcome.job} {outcome.shard or ''}".strip()
            if outcome.error is not None:
                failed += 1
                say(f"{name}: {outcome.error}", fg="red", err=True)
            elif outcome.note is not None:
                say(f"{name}: {outcome.note}", fg="yellow")
            else:
                say(f"{name}: done")
    if done == 0:
        say(f"nothing waits in {settings.incoming}")
    return failed == 0
