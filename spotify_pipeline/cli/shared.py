"""What commands have in common: types of arguments, options, how errors and progress are shown.

Belongs here: what more than one command wears. Does not belong here: what a result looks like
(`rendering`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spotify_pipeline.cli.rendering.lines import say, warn
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.terminal import harmless, harmless_lines

if TYPE_CHECKING:
    from rich.progress import Progress

    from spotify_pipeline.progress import Report

__all__ = [
    "FILE",
    "FOLDER",
    "in_a_form",
    "progress",
    "progress_bar",
    "telling_of_compiling",
    "with_clear_errors",
]

FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)


def with_clear_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Show an error that a user can act on as a message, and exit with 1."""

    @wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError:
            raise  # the group of commands ends as the system's own do
        except (PipelineError, OSError) as error:
            raise click.ClickException(harmless_lines(str(error))) from error

    return run


def telling_of_compiling(command: Callable[..., None]) -> Callable[..., None]:
    """Say on stderr what takes so long where kernels are not compiled for this machine yet."""

    @wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        from spotify_pipeline import compiling

        with compiling.telling_of_compiling(warn):
            command(*args, **kwargs)

    return run


def in_a_form(what: str, row: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options --json and --csv, of which it is handed the name as `form`."""

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        @click.option("--json", "as_json", is_flag=True, help=f"A line of JSON a {what}.")
        @click.option("--csv", "as_csv", is_flag=True, help=f"Rows of CSV, one a {row}.")
        @wraps(command)
        def run(*args: object, as_json: bool, as_csv: bool, **options: object) -> None:
            if as_json and as_csv:
                raise click.UsageError("name one of --json and --csv")
            command(*args, form="json" if as_json else "csv" if as_csv else None, **options)

        return run

    return decorated


@contextmanager
def progress_bar() -> Iterator["Report"]:
    """Show progress as a bar on a terminal, as a line now and then elsewhere; on stderr."""
    from spotify_pipeline.progress import log_reporter

    bar = progress()
    if not bar.console.is_terminal:
        yield log_reporter(lambda line: say(line, err=True))
        return
    with bar:
        task = bar.add_task("", total=None)

        def report(done: int, total: int, what: str) -> None:
            if bar.tasks[0].description != (what := harmless(what)):
                bar.reset(task, description=what)
            bar.update(task, completed=done, total=total or None)

        yield report


def progress() -> "Progress":
    """Make a bar on stderr that vanishes at its end."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
