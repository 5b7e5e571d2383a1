"""Lines for a person, lines of JSON: what every rendering is made of.

Belongs here: how a line gets out. Does not belong here: what stands in it.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import click

from spotify_pipeline.terminal import harmless_lines

__all__ = ["clock", "say", "show_json", "warn", "write_lines"]


def say(message: str, **style: Any) -> None:  # noqa: ANN401  # as of `click.secho`
    """Show a text to a person, whatever titles and names are in it."""
    click.secho(harmless_lines(message), **style)


def warn(message: str) -> None:
    """Show on stderr what a person should know though the command goes on."""
    say(message, fg="yellow", err=True)


def write_lines(results: Iterable[Any], show: Callable[[Any], None]) -> None:
    """Show results as they come; exit with 1 if one of them is an error."""
    from spotify_pipeline.identify.answers import Failure

    failed = False
    for result in results:
        failed |= isinstance(result, Failure)
        show(result)
    if failed:
        sys.exit(1)


def show_json(result: object) -> None:
    """Show a result as one line of JSON."""
    import msgspec

    click.echo(msgspec.json.encode(result))


def clock(seconds: float) -> str:
    """Write a position as minutes and seconds.

    >>> clock(83.456), clock(-1.5)
    ('1:23.46', '-0:01.50')
    """
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(round(abs(seconds), 2), 60)
    return f"{sign}{int(minutes)}:{rest:05.2f}"
