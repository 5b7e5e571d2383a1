"""``ui``: the Dagster web UI on the data home."""

import click

from spotify_pipeline.cli.rendering.lines import say
from spotify_pipeline.cli.shared import with_clear_errors
from spotify_pipeline.settings import Settings

__all__ = ["ui"]


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", metavar="[OPTIONS OF dagster dev]...", nargs=-1, type=click.UNPROCESSED)
@with_clear_errors
def ui(options: tuple[str, ...]) -> None:
    """Open the Dagster web UI on the data home, with the daemon that runs what is asked for there.

    What is finished in the incoming folder is then ingested by itself, and deleted, as by 'ingest'.
    The sensors can be switched off in the UI. Runs are kept in the folder dagster of the data home,
    unless $DAGSTER_HOME names another or this is the checkout.

    \b
      spotify-pipeline ui --port 3001
    """  # noqa: D301  # click keeps the lines of what follows a backspace
    from spotify_pipeline.defs.web_ui import become_web_ui, ready_instance

    settings = Settings.from_environment()
    folder = ready_instance(settings)
    say(f"the web UI shows the data home {settings.home}", err=True)
    become_web_ui(folder, options)
