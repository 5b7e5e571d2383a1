"""``identify``: which track each recording is of, or what plays when in it."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from spotify_pipeline.cli.rendering.answers import show_timeline, shown_as
from spotify_pipeline.cli.rendering.lines import say, show_json, warn, write_lines
from spotify_pipeline.cli.shared import (
    FILE,
    in_a_form,
    progress,
    telling_of_compiling,
    with_clear_errors,
)
from spotify_pipeline.settings import Settings

if TYPE_CHECKING:
    from spotify_pipeline.identify.answers import Failure
    from spotify_pipeline.identify.detector import Answer
    from spotify_pipeline.identify.evidence import Evidence

__all__ = ["identify"]

OTHER_PICTURES = frozenset(".bmp .eps .gif .jpeg .jpg .pdf .ps .svg .tif .tiff .webp".split())


def _plot_target(
    context: click.Context, parameter: click.Parameter, value: Path | None
) -> Path | None:
    """Take a PNG file or a folder, not a picture of another kind for a folder."""
    if value is not None and value.suffix.lower() in OTHER_PICTURES and not value.is_dir():
        message = "plots are PNG pictures; name FILE.png, or a folder"
        raise click.BadParameter(message, context, parameter)
    return value


@click.command()
@click.argument("named", metavar="FILE_OR_FOLDER...", nargs=-1, type=FILE)
@click.option(
    "--list",
    "listing",
    metavar="FILE",
    type=click.File("rb"),
    help="Identify what FILE names too, a path a line; - is stdin.",
)
@in_a_form("recording", row="match")
@click.option(
    "--output",
    metavar="FILE",
    type=FILE,
    help="Write to FILE (.jsonl, .json, .csv); answers that it holds already are kept.",
)
@click.option(
    "--plot",
    metavar="FILE_OR_FOLDER",
    type=FILE,
    callback=_plot_target,
    help="Draw how the best match lines up: FILE.png of one recording, a folder for several.",
)
@click.option(
    "--limit",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="Matches to show a recording.",
)
@click.option(
    "--false-accepts",
    metavar="SHARE",
    type=click.FloatRange(0, 1, min_open=True),
    help="Of recordings of unknown tracks, at most this share may be named (0.001: one in a"
    " thousand). Default: matches of 0.9 confidence and more are shown.",
)
@click.option(
    "--deadline",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="Answer a recording after so many seconds with what was found by then.",
)
@click.option(
    "--timeline", is_flag=True, help="Say what plays when in a long recording (a radio hour)."
)
@with_clear_errors
@telling_of_compiling
def identify(
    named: tuple[Path, ...],
    listing: BinaryIO | None,
    form: str | None,
    output: Path | None,
    plot: Path | None,
    limit: int,
    false_accepts: float | None,
    deadline: float | None,
    timeline: bool,
) -> None:
    """Say which track each recording is of, and where in it; or that it is unknown.

    A recording is an audio file (a few seconds are enough), or a .json file with an analysis
    document or a line of 'fingerprint'. Of a folder, all audio files below it are identified. A
    file that can't be read is reported, and the exit code is 1 at the end.

    With --timeline, one track follows the other in each recording: a radio hour, a DJ set. For each
    part of it, from start to end, it says which track plays and from which position on, or that the
    part is unknown. Files of any length are read in little memory.

    Many recordings: with --output, a run that was interrupted goes on where it ended when the same
    command is given again.

    \b
      spotify-pipeline identify clip.mp3
      spotify-pipeline identify --csv ~/Recordings > answers.csv
      find / -name '*.wav' | spotify-pipeline identify --list - --output answers.jsonl
    """  # noqa: D301  # click keeps the lines of what follows a backspace
    from spotify_pipeline.identify.answers import answer_files
    from spotify_pipeline.identify.batch import expanded, listed
    from spotify_pipeline.identify.decision import threshold_of
    from spotify_pipeline.index.format.manifest import rebuild_note

    recordings = expanded([*named, *listed(listing or ())])
    if not recordings:
        raise click.UsageError("name a recording, a folder of them, or a --list of paths")
    settings = Settings.from_environment()
    if (note := rebuild_note(settings.index)) is not None:
        warn(note)
    if timeline:
        if form == "csv" or any(
            other is not None for other in (output, plot, false_accepts, deadline)
        ):
            raise click.UsageError("--timeline goes with --json and no other option")
        _write_timelines(recordings, settings, form == "json")
        return
    observer = _plotter(plot, recordings) if plot else None

    def answered(files: list[Path]) -> Iterator["Answer | Failure"]:
        answers = answer_files(
            files,
            settings.index,
            settings.metadata_database,
            limit=limit,
            threshold=threshold_of(false_accepts),
            popularity=settings.popularity,
            seconds=math.inf if deadline is None else deadline,
            observer=observer,
        )
        return _with_bar(answers, len(files))

    if output is not None:
        _write_file(output, form, recordings, answered)
    else:
        write_lines(answered(recordings), shown_as(form))


def _plotter(target: Path, recordings: list[Path]) -> Callable[["Evidence"], None]:
    """Make what saves the plot of each recording."""
    from spotify_pipeline.identify.plot import plotter  # takes a while

    return plotter(target, recordings)


def _with_bar(answers: Iterator["Answer | Failure"], total: int) -> Iterator["Answer | Failure"]:
    """Show on a terminal how many of several recordings are answered, while the next one is."""
    bar = progress()
    if total < 2 or not bar.console.is_terminal:
        yield from answers
        return
    task = bar.add_task("identifying", total=total)
    bar.start()
    try:
        for answer in answers:
            bar.stop()  # the answer may be shown where the bar stands
            yield answer
            bar.advance(task)
            bar.start()
    finally:
        bar.stop()


def _write_file(
    output: Path,
    form: str | None,
    recordings: list[Path],
    answered: Callable[[list[Path]], Iterator["Answer | Failure"]],
) -> None:
    """Append the answers that a file lacks; exit with 1 if one of all in it is an error."""
    from spotify_pipeline.identify.answer_file import AnswerFile, form_of
    from spotify_pipeline.identify.answer_form import FORMS

    with AnswerFile(output, FORMS[form] if form else form_of(output)) as file:
        for answer in answered(file.unanswered(recordings)):
            file.write(answer)
    earlier = f", {file.earlier} of them in an earlier run" if file.earlier else ""
    say(f"{output}: {file.answered} recordings answered{earlier}", err=True)
    if file.failed:
        warn(f"{file.failed} could not be read")
        sys.exit(1)


def _write_timelines(files: Iterable[Path], settings: Settings, as_json: bool) -> None:
    from spotify_pipeline.identify.timeline import timeline_files

    found = timeline_files(
        files, settings.index, settings.metadata_database, popularity=settings.popularity
    )
    write_lines(found, show_json if as_json else show_timeline)
