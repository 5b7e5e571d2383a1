"""The command line, ``spotify-pipeline``: one file a command, what they share, and `rendering`.

Belongs here: arguments, exit codes, what a person sees. Does not belong here: the work; commands
import the rooms that do it when they run, so that ``--help`` is instant.
"""

import signal
import sys

import click

from spotify_pipeline import __version__
from spotify_pipeline.cli.demo import demo
from spotify_pipeline.cli.download import download
from spotify_pipeline.cli.fingerprint import fingerprint
from spotify_pipeline.cli.identify import identify
from spotify_pipeline.cli.ingest import ingest
from spotify_pipeline.cli.lookup import lookup
from spotify_pipeline.cli.sample_dump import sample_dump
from spotify_pipeline.cli.serve import serve
from spotify_pipeline.cli.shared import with_clear_errors
from spotify_pipeline.cli.status import status
from spotify_pipeline.cli.ui import ui
from spotify_pipeline.cli.warm_up import warm_up
from spotify_pipeline.pools import bound_pools
from spotify_pipeline.settings import blas_threads

__all__ = ["main"]


class _Commands(click.Group):
    """Commands that end as the system's own do when nobody reads what they print, as ``head``."""

    def invoke(self, context: click.Context) -> object:
        """Run a command."""
        try:
            try:
                return super().invoke(context)
            finally:
                sys.stdout.flush()  # at the interpreter's end it would be too late to catch
        except BrokenPipeError:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.raise_signal(signal.SIGPIPE)
            raise  # not reached: the signal ends the process


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__)
@with_clear_errors
def main() -> None:
    """Song detection and look-up over a dump of Spotify's audio analysis and metadata.

    Everything lives in one data home, $SPOTIFY_PIPELINE_HOME (default ./data): put the dump's files
    into its folder incoming (or name another folder by $SPOTIFY_PIPELINE_INCOMING), run 'ingest',
    then 'identify' recordings and 'lookup' tracks. No dump at hand? 'demo' makes a small one, and
    'sample-dump' makes one of your own music.

    The exit code is 0 if all was done and answered, be the answer that a recording is unknown or
    nothing is found; 1 if something could not be read or done, which is named; and 2 if the command
    can't be understood.
    """
    bound_pools(blas_threads())


for _command in (
    demo,
    download,
    fingerprint,
    identify,
    ingest,
    lookup,
    sample_dump,
    serve,
    status,
    ui,
    warm_up,
):
    main.add_command(_command)
