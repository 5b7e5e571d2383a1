"""``warm-up``: the kernels, compiled before they are needed."""

import click

from spotify_pipeline.cli.rendering.lines import say
from spotify_pipeline.cli.shared import with_clear_errors

__all__ = ["warm_up"]


@click.command("warm-up")
@with_clear_errors
def warm_up() -> None:
    """Compile what detection needs for this machine, so that the first 'identify' is fast.

    It is done once, by 'make setup' too; without, the first command that detects does it and says
    so. After an update of the program, what has changed is compiled anew.
    """
    from spotify_pipeline.compiling import compile_kernels

    say(f"detection is compiled for this machine ({compile_kernels():.0f} s)")
