"""``status``: where an installation stands."""

import click

from spotify_pipeline.cli.rendering.lines import show_json
from spotify_pipeline.cli.rendering.status import show_status
from spotify_pipeline.cli.shared import with_clear_errors
from spotify_pipeline.settings import Settings

__all__ = ["status"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_clear_errors
def status(as_json: bool) -> None:
    """Show shards ingested, waiting and failed, tracks, and sizes on disk."""
    from spotify_pipeline.status import gather_status

    found = gather_status(Settings.from_environment())
    if as_json:
        show_json(found)
    else:
        show_status(found)
