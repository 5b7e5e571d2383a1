"""What the command lines of benchmarks have in common.

Belongs here: how help looks, options that several commands take, and the line that says on which
machine and with which version a figure was measured. Does not belong here: measuring.
"""

import argparse
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.pools import bound_pools
from spotify_pipeline.settings import blas_threads

__all__ = [
    "ROOT",
    "add_degradations",
    "add_lengths",
    "add_music",
    "command_line",
    "commit",
    "print_machine",
    "say",
]

ROOT = Path(__file__).resolve().parents[1]
"""Folder in which ``python -m benchmarks.NAME`` finds this package."""


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Leaves the description as it is, and adds defaults as a user would type them."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        default = action.default
        if default in (None, False, (), argparse.SUPPRESS) or "(default" in str(action.help):
            return action.help
        typed = default if isinstance(default, list | tuple) else [default]
        return f"{action.help} (default: {shlex.join(map(str, typed)).replace('%', '%%')})"


def command_line(description: str | None) -> argparse.ArgumentParser:
    """Make the parser of a command; its description is the module's docstring.

    The command computes with as many threads as the program does.
    """
    bound_pools(blas_threads())
    return argparse.ArgumentParser(description=description, formatter_class=_HelpFormatter)


def add_lengths(parser: argparse.ArgumentParser, lengths: Sequence[float]) -> None:
    """Add the option for lengths of excerpts, with a default."""
    parser.add_argument(
        "--lengths",
        type=float,
        nargs="+",
        default=lengths,
        metavar="SECONDS",
        help="of excerpts",
    )


def add_degradations(
    parser: argparse.ArgumentParser, among: Sequence[str], degradations: Sequence[str]
) -> None:
    """Add the option for what excerpts go through, of some names, with a default."""
    parser.add_argument(
        "--degradations",
        nargs="+",
        choices=among,
        default=degradations,
        metavar="NAME",
        help=f"what excerpts go through, of {', '.join(among)}"
        + (" (default: all)" if list(degradations) == list(among) else ""),
    )


def add_music(parser: argparse.ArgumentParser, part: Part | None = None) -> None:
    """Add the option for music, and unless it is None, the one for the set that is asked for."""
    parser.add_argument(
        "--music",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="folders of some dozens of pieces",
    )
    if part is not None:
        parser.add_argument(
            "--part",
            type=Part,
            choices=[Part.VALIDATION, Part.TEST],
            default=part,
            help="the set whose pieces are asked for",
        )


def print_machine() -> None:
    """Print where and with which version is measured, as files of results state it."""
    memory = psutil.virtual_memory().total / 2**30
    print(
        f"Machine: {_processor()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB;"
        f" Python {platform.python_version()}; version {commit()}",
        flush=True,
    )


def commit() -> str:
    """Name the commit that is checked out, with ``-dirty`` where files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def say(line: str) -> None:
    """Write a line of progress, apart from what is measured."""
    print(line, file=sys.stderr, flush=True)


def _processor() -> str:
    """Name the processor's model."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
