"""The command line, ``spotify-pipeline``.

Belongs here: arguments, exit codes, what a person sees. Does not belong here: the work; commands
import the rooms that do it when they run, so that ``--help`` is instant.
"""

import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import click

from spotify_pipeline import __version__
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import HOME_VARIABLE, Settings
from spotify_pipeline.terminal import harmless, harmless_lines

if TYPE_CHECKING:
    from rich.progress import Progress

    from spotify_pipeline.catalog.lookup import Found, Unknown
    from spotify_pipeline.identify.answers import Answer, Failure, NamedMatch
    from spotify_pipeline.identify.evidence import Evidence
    from spotify_pipeline.identify.timeline import PlayedTrack, Timeline
    from spotify_pipeline.progress import Report
    from spotify_pipeline.status import Status

__all__ = ["main"]

FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)

LARGEST = 10**6
"""Where the last of a span is left out."""

OTHER_PICTURES = frozenset(".bmp .eps .gif .jpeg .jpg .pdf .ps .svg .tif .tiff .webp".split())


def _with_clear_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Show an error that a user can act on as a message, and exit with 1."""

    @wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError:
            raise  # see `_Commands`
        except (PipelineError, OSError) as error:
            raise click.ClickException(harmless_lines(str(error))) from error

    return run


def _telling_of_compiling(command: Callable[..., None]) -> Callable[..., None]:
    """Say on stderr what takes so long where kernels are not compiled for this machine yet."""

    @wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        from spotify_pipeline.compiling import telling_of_compiling

        with telling_of_compiling(_warn):
            command(*args, **kwargs)

    return run


def _span(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """Read one whole number, or the first and last of several, of which either may be left out."""
    if value is None:
        return None
    first, dots, last = value.partition("..")
    try:
        low = int(first) if first else 0
        high = (int(last) if last else LARGEST) if dots else int(first)
    except ValueError:
        message = f"{value!r} is neither a whole number nor a span as 1990..1999"
        raise click.BadParameter(message, context, parameter) from None
    if high < low:
        raise click.BadParameter(f"{value!r} ends before it begins", context, parameter)
    return low, high


def _plot_target(
    context: click.Context, parameter: click.Parameter, value: Path | None
) -> Path | None:
    """Take a PNG file or a folder, not a picture of another kind for a folder."""
    if value is not None and value.suffix.lower() in OTHER_PICTURES and not value.is_dir():
        message = "plots are PNG pictures; name FILE.png, or a folder"
        raise click.BadParameter(message, context, parameter)
    return value


def _in_a_form(what: str, row: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
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


@main.command()
@click.argument("named", metavar="FILE_OR_FOLDER...", nargs=-1, type=FILE)
@click.option(
    "--list",
    "listing",
    metavar="FILE",
    type=click.File("rb"),
    help="Identify what FILE names too, a path a line; - is stdin.",
)
@_in_a_form("recording", row="match")
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
    "--timeline", is_flag=True, help="Say what plays when in a long recording (a radio hour)."
)
@_with_clear_errors
@_telling_of_compiling
def identify(
    named: tuple[Path, ...],
    listing: BinaryIO | None,
    form: str | None,
    output: Path | None,
    plot: Path | None,
    limit: int,
    false_accepts: float | None,
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

    recordings = expanded([*named, *listed(listing or ())])
    if not recordings:
        raise click.UsageError("name a recording, a folder of them, or a --list of paths")
    settings = Settings.from_environment()
    if timeline:
        if form == "csv" or any(other is not None for other in (output, plot, false_accepts)):
            raise click.UsageError("--timeline goes with --json and no other option")
        _write_timelines(recordings, settings, form == "json")
        return
    witness = _plotter(plot, recordings) if plot else None

    def answered(files: list[Path]) -> Iterator["Answer | Failure"]:
        answers = answer_files(
            files,
            settings.index,
            settings.metadata_database,
            limit=limit,
            threshold=threshold_of(false_accepts),
            popularity=settings.popularity,
            witness=witness,
        )
        return _with_bar(answers, len(files))

    if output is not None:
        _write_file(output, form, recordings, answered)
    else:
        _write_lines(answered(recordings), _shown_as(form))


@main.command()
@click.argument("named", metavar="FILE_OR_FOLDER...", nargs=-1, required=True, type=FILE)
@click.option(
    "--padded",
    is_flag=True,
    help="Give each onset six Echoprint codes, the missing ones as stop codes: so do"
    " echoprint-codegen and analyzers before version 4. The dump's documents don't.",
)
@_with_clear_errors
@_telling_of_compiling
def fingerprint(named: tuple[Path, ...], padded: bool) -> None:
    """Print the fingerprints of recordings as documents of the dump have them.

    One line of JSON for each file, with the keys file, duration, echoprintstring,
    echoprint_version, rhythmstring and rhythm_version. Of a folder, all audio files below it.
    """
    from spotify_pipeline.identify.batch import expanded
    from spotify_pipeline.identify.fingerprints import fingerprint_files

    _write_lines(fingerprint_files(expanded(named), padded=padded), _show_json)


@main.command()
@click.argument("words", metavar="[WORDS]...", nargs=-1)
@click.option("--artist", metavar="WORDS", default="", help="All of them in an artist's name.")
@click.option("--album", metavar="WORDS", default="", help="All of them in the album's title.")
@click.option("--title", metavar="WORDS", default="", help="All of them in the track's title.")
@click.option("--label", metavar="WORDS", default="", help="All of them in the label's name.")
@click.option("--genre", metavar="WORDS", default="", help="All of them in the artists' genres.")
@click.option("--year", metavar="FIRST..LAST", callback=_span, help="Released then; or one year.")
@click.option("--duration", metavar="FROM..TO", callback=_span, help="Length in whole seconds.")
@click.option(
    "--similar-duration",
    metavar="FILE",
    type=FILE,
    help="As long as this recording, give or take a second.",
)
@click.option("--id", "named", metavar="ID", multiple=True, help="An id, a Spotify URL or URI.")
@click.option("--isrc", metavar="ISRC", multiple=True, help="The recording's code.")
@click.option("--upc", metavar="UPC", multiple=True, help="The album's bar code.")
@click.option(
    "--batch",
    metavar="FILE",
    type=click.File("r", errors="replace"),
    help="Answer each line of FILE, an id, URL, URI, ISRC or UPC; - is stdin.",
)
@click.option(
    "--duplicates",
    is_flag=False,
    flag_value="isrc",
    metavar="[BY]",
    type=click.Choice(["isrc", "fingerprint"]),
    help="Instead: all recordings that are there several times, by isrc (unless said otherwise)"
    " or fingerprint.",
)
@_in_a_form("track", row="track")
@click.option("--images", is_flag=True, help="Show addresses of covers and artists' images.")
@click.option("--markets", is_flag=True, help="Show where it is available.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 10_000))
@_with_clear_errors
def lookup(
    words: tuple[str, ...],
    named: tuple[str, ...],
    isrc: tuple[str, ...],
    upc: tuple[str, ...],
    batch: TextIO | None,
    duplicates: str | None,
    form: str | None,
    images: bool,
    markets: bool,
    limit: int,
    **conditions: Any,  # noqa: ANN401  # options that say what tracks must have
) -> None:
    """Find tracks in the catalogue, the best match first.

    WORDS are of title, artists or album, in any order; accents and case do not matter, the last
    one may be cut short, and a wrong letter is forgiven if nothing else matches. Whole titles and
    artists come before titles that contain the words, popular tracks before others. A Spotify URL
    or URI among the WORDS is taken for --id. Options narrow the search, and may stand alone.

    Tracks with the same ISRC are one recording: the most popular is shown, the others below it.

    \b
      spotify-pipeline lookup yesterday beatles
      spotify-pipeline lookup love --artist u2 --year 1987..1992
      spotify-pipeline lookup --genre "bossa nova" --duration 120..150 --limit 50
      spotify-pipeline lookup https://open.spotify.com/track/7TGVTI81nq5TnbvbZ4QbHj
      spotify-pipeline lookup --isrc GBAYE6500521 --json
      spotify-pipeline lookup --similar-duration clip.flac harbour
      spotify-pipeline lookup --csv --batch ids.txt > tracks.csv
      spotify-pipeline lookup --duplicates isrc --json > twice.jsonl

    The exit code is 0 if nothing is found, too; it is 1 if a line of a batch names nothing that
    could be in a catalogue.
    """  # noqa: D301  # click keeps the lines of what follows a backspace
    from spotify_pipeline.catalog.asking import answers_to, question_of

    settings = Settings.from_environment()
    if list(words) == ["-"]:
        words, batch = (), sys.stdin
    if duplicates is not None:
        _show_duplicates(settings, duplicates, form)
        return
    question = question_of(words, [*named, *isrc, *upc], batch, limit=limit, **conditions)
    if question is None:
        raise click.UsageError("name words, an id, or any of the options that narrow a search")
    answers = answers_to(question, settings, markets=markets)
    if not _show_found(answers, form, images):
        sys.exit(1)


@main.command()
@_with_clear_errors
@_telling_of_compiling
def ingest() -> None:
    """Ingest everything that waits in the incoming folder, through the Dagster assets.

    Shards are reduced, appended to audio.duckdb and deleted; a new metadata file is loaded into
    meta.duckdb; then both indexes are brought up to date. A shard that fails stays where it is
    and does not stop the others. Run it again at any time: what is done is not done twice.
    """
    if not _ingest(Settings.from_environment()):
        sys.exit(1)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@_with_clear_errors
def status(as_json: bool) -> None:
    """Show shards ingested, waiting and failed, tracks, and sizes on disk."""
    from spotify_pipeline.status import gather_status

    found = gather_status(Settings.from_environment())
    if as_json:
        _show_json(found)
    else:
        _show_status(found)


@main.command("sample-dump")
@click.argument("music", metavar="MUSIC_DIR", type=FOLDER)
@click.argument("out", metavar="OUT_DIR", type=FOLDER)
@click.option("--shards", help="Names of the shards to make, e.g. 0a,0A. Default: 7O to 7Z.")
@_with_clear_errors
@_telling_of_compiling
def sample_dump(music: Path, out: Path, shards: str | None) -> None:
    """Make a dump of the real format from a folder of your own audio files.

    Writes OUT_DIR/audio_analysis/XX.jsonl.zst, OUT_DIR/metadata/spotify_clean.sqlite3.zst and
    OUT_DIR/manifest.csv. Track ids follow from the files' content: a second run gives the same. The
    shards 7O to 7Z do not occur in the dump, so your music can live beside it.
    """
    from spotify_pipeline.dump.sample_dump import write_sample_dump
    from spotify_pipeline.shards import OWN_MUSIC_SHARDS

    names = tuple(name.strip() for name in shards.split(",")) if shards else OWN_MUSIC_SHARDS
    with _progress_bar() as report:
        dump = write_sample_dump(music, out, shards=names, progress=report)
    for file, reason in dump.failed:
        _say(f"left out: {file}: {reason}", fg="yellow", err=True)
    made = len({track.shard for track in dump.tracks})
    _say(f"{len(dump.tracks)} tracks in {made} shards; manifest: {out / 'manifest.csv'}")
    if dump.duplicates:
        _say(f"{dump.duplicates} files have the same content as another one")


@main.command()
@click.option("--music", type=FOLDER, help="Use this folder's audio files; default: compose some.")
@_with_clear_errors
@_telling_of_compiling
def demo(music: Path | None) -> None:
    """Run the whole way once: dump, ingest, index, identify, look up.

    A noisy excerpt of a piece in the dump is named, with its position; an excerpt of a piece that
    is not in the dump is unknown.

    The demo has a data home of its own, ./data-demo unless $SPOTIFY_PIPELINE_HOME names another,
    and refuses one that holds anything else. Delete that folder when you have seen enough.
    """
    from spotify_pipeline.catalog.asking import answers_to, question_of
    from spotify_pipeline.demo.demo import EXCERPT_SECONDS, NOISE_DECIBEL, prepare_material
    from spotify_pipeline.identify.answers import answer_files

    settings = Settings.for_demo()
    with _progress_bar() as report:
        material = prepare_material(settings, music, report)
    _say(f"made a dump of {len(material.dump.tracks)} tracks in {settings.incoming}")
    if not _ingest(settings):
        sys.exit(1)
    _say(
        f"\nexcerpts of {EXCERPT_SECONDS:.0f} s, pink noise {NOISE_DECIBEL:.0f} dB below the music,"
        " MP3 at 64 kbit/s:\n"
    )
    files = [excerpt.file for excerpt in material.excerpts]
    answers = answer_files(
        files, settings.index, settings.metadata_database, popularity=settings.popularity
    )
    for excerpt, answer in zip(material.excerpts, answers, strict=True):
        where = f"at {_clock(excerpt.start)}" if excerpt.indexed else "which is not in the dump"
        _say(f'cut from "{excerpt.title}" {where}', dim=True)
        _show_answer(answer)
        click.echo()
    title = material.dump.tracks[0].title
    _say(f'lookup "{title}"', dim=True)
    question = question_of(title.split(), [], limit=1)
    if question is not None:
        _show_found(answers_to(question, settings), None, images=False)
    _show_where_to_look(settings.home)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", metavar="[OPTIONS OF dagster dev]...", nargs=-1, type=click.UNPROCESSED)
@_with_clear_errors
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
    _say(f"the web UI shows the data home {settings.home}", err=True)
    become_web_ui(folder, options)


@main.command("warm-up")
@_with_clear_errors
def warm_up() -> None:
    """Compile what detection needs for this machine, so that the first 'identify' is fast.

    It is done once, by 'make setup' too; without, the first command that detects does it and says
    so. After an update of the program, what has changed is compiled anew.
    """
    from spotify_pipeline.compiling import compile_kernels

    _say(f"detection is compiled for this machine ({compile_kernels():.0f} s)")


def _show_where_to_look(home: Path) -> None:
    """Say where the demo's data lies, and which commands look at it."""
    folder = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
    chosen = f"{HOME_VARIABLE}={shlex.quote(str(folder))}"
    _say(f"\nall of this lies in {folder}, apart from other data; to look around:\n")
    _say(f"  {chosen} make ui")
    _say(f"  {chosen} .venv/bin/spotify-pipeline status")


def _ingest(settings: Settings) -> bool:
    """Run what waits and show how each job ends; tell whether all succeeded."""
    from spotify_pipeline.defs.in_process import run_waiting

    done = failed = 0
    with _progress_bar() as report:
        for outcome in run_waiting(settings, report, _warn):
            done += 1
            name = f"{outcome.job} {outcome.shard or ''}".strip()
            if outcome.error is not None:
                failed += 1
                _say(f"{name}: {outcome.error}", fg="red", err=True)
            elif outcome.note is not None:
                _say(f"{name}: {outcome.note}", fg="yellow")
            else:
                _say(f"{name}: done")
    if done == 0:
        _say(f"nothing waits in {settings.incoming}")
    return failed == 0


@contextmanager
def _progress_bar() -> Iterator["Report"]:
    """Show progress as a bar on a terminal, as a line now and then elsewhere; on stderr."""
    from spotify_pipeline.progress import log_reporter

    bar = _bar()
    if not bar.console.is_terminal:
        yield log_reporter(lambda line: _say(line, err=True))
        return
    with bar:
        task = bar.add_task("", total=None)

        def report(done: int, total: int, what: str) -> None:
            if bar.tasks[0].description != (what := harmless(what)):
                bar.reset(task, description=what)
            bar.update(task, completed=done, total=total or None)

        yield report


def _plotter(target: Path, recordings: list[Path]) -> Callable[["Evidence"], None]:
    """Make what saves the plot of each recording."""
    from spotify_pipeline.identify.plot import plotter  # takes a while

    return plotter(target, recordings)


def _with_bar(answers: Iterator["Answer | Failure"], total: int) -> Iterator["Answer | Failure"]:
    """Show on a terminal how many of several recordings are answered, while the next one is."""
    bar = _bar()
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


def _bar() -> "Progress":
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


def _warn(message: str) -> None:
    _say(message, fg="yellow", err=True)


def _say(message: str, **style: Any) -> None:  # noqa: ANN401  # as of `click.secho`
    """Show a text to a person, whatever titles and names are in it."""
    click.secho(harmless_lines(message), **style)


def _write_lines(results: Iterable[Any], show: Callable[[Any], None]) -> None:
    """Show results as they come; exit with 1 if one of them is an error."""
    from spotify_pipeline.identify.answers import Failure

    failed = False
    for result in results:
        failed |= isinstance(result, Failure)
        show(result)
    if failed:
        sys.exit(1)


def _show_found(answers: Iterable["Found | Unknown"], form: str | None, images: bool) -> bool:
    """Show what was found; tell whether all that was asked for could be read."""
    from spotify_pipeline.catalog.lookup import Unknown
    from spotify_pipeline.catalog.lookup_form import CSV_HEAD, as_csv, as_json, as_text

    shown, misread = 0, 0
    if form == "csv":
        click.echo(CSV_HEAD, nl=False)
    for answer in answers:
        shown += 1
        misread += isinstance(answer, Unknown) and not answer.is_reference
        if form is not None:
            click.echo((as_csv if form == "csv" else as_json)(answer), nl=False)
        elif isinstance(answer, Unknown):
            _say(as_text(answer), fg="red", err=True)
        else:
            first, _, rest = as_text(answer, images=images).partition("\n")
            _say(first, fg="green")
            _say(rest)
    if not shown:
        _say("nothing found", fg="yellow", err=True)
    return not misread


def _show_duplicates(settings: Settings, by: str, form: str | None) -> None:
    """Show recordings that are there several times, as they come."""
    from spotify_pipeline.catalog.duplicates import same_fingerprint, same_isrc

    if form == "csv":
        raise click.UsageError("--duplicates goes with --json or neither")
    found = (
        same_isrc(settings.metadata_database)
        if by == "isrc"
        else same_fingerprint(settings.audio_database)
    )
    for recording in found:
        if form == "json":
            _show_json(recording)
            continue
        _say(recording.isrc or f"same fingerprint, {len(recording.tracks)} tracks")
        for track in recording.tracks:
            album = f", from {track.album}" if track.album else ""
            _say(harmless(f"  {track.track_id}  {track.title or ''}{album}"))


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
    _say(f"{output}: {file.answered} recordings answered{earlier}", err=True)
    if file.failed:
        _warn(f"{file.failed} could not be read")
        sys.exit(1)


def _shown_as(form: str | None) -> Callable[["Answer | Failure"], None]:
    """Choose how answers are shown, and begin."""
    from spotify_pipeline.identify.answer_form import FORMS

    if form is None:
        return _show_answer
    encode = FORMS[form].encode
    click.echo(FORMS[form].head, nl=False)
    return lambda answer: click.echo(encode(answer), nl=False)


def _show_json(result: object) -> None:
    import msgspec

    click.echo(msgspec.json.encode(result))


def _show_answer(answer: "Answer | Failure") -> None:
    from spotify_pipeline.identify.answers import Failure

    if isinstance(answer, Failure):
        _say(answer.error, fg="red", err=True)
        return
    _say(harmless(answer.file), bold=True)
    if not answer.matches:
        from spotify_pipeline.identify.unknown import why_unknown

        why = why_unknown(Path(answer.file), answer.duration)
        _say(f"  unknown: {why}" if why else "  unknown", fg="yellow")
    for match in answer.matches:
        played = f", played at {match.speed:.3f} x speed" if abs(match.speed - 1) >= 0.002 else ""
        _say("  ", nl=False)
        _show_title(match)
        _say(
            f"    at {_clock(match.offset)}{_of_length(match)}{played},"
            f" confidence {match.confidence:.4f}, track {match.track_id}"
        )
        if match.also_at:
            others = ", ".join(_clock(offset) for offset in sorted(match.also_at))
            _say(f"    it sounds the same at {others}")


def _show_title(track: "NamedMatch | PlayedTrack") -> None:
    artists = f" by {', '.join(track.artists)}" if track.artists else ""
    _say(harmless(f"{track.title or track.track_id}{artists}"), fg="green", nl=False)
    _say(harmless(f", from {track.album}") if track.album else "")


def _of_length(track: "NamedMatch | PlayedTrack") -> str:
    return "" if track.duration is None else f" of {_clock(track.duration)}"


def _write_timelines(files: Iterable[Path], settings: Settings, as_json: bool) -> None:
    from spotify_pipeline.identify.timeline import timeline_files

    found = timeline_files(
        files, settings.index, settings.metadata_database, popularity=settings.popularity
    )
    _write_lines(found, _show_json if as_json else _show_timeline)


def _show_timeline(timeline: "Timeline | Failure") -> None:
    from spotify_pipeline.identify.answers import Failure

    if isinstance(timeline, Failure):
        _say(timeline.error, fg="red", err=True)
        return
    _say(harmless(timeline.file), bold=True)
    for entry in timeline.timeline:
        _say(f"  {_clock(entry.start):>9} to {_clock(entry.end):>9}  ", nl=False)
        track = entry.track
        if track is None:
            _say("unknown", fg="yellow")
            continue
        _show_title(track)
        _say(
            f"{'':26}from {_clock(track.position)}{_of_length(track)},"
            f" confidence {track.confidence:.4f}, track {track.track_id}"
        )


def _show_status(status: "Status") -> None:
    from rich.filesize import decimal

    shards = status.shards
    _say(f"data home    {status.home}")
    _say(
        f"shards       {_figure(shards.ingested)} ingested, {_figure(shards.waiting)} waiting,"
        f" {shards.failed} failed ({shards.of_the_dump} in the whole dump)"
    )
    _say(f"tracks       {_figure(status.tracks)} ({_figure(status.rejects)} lines rejected)")
    _say(f"harmony      of {_figure(status.tracks_with_harmony)} tracks")
    extras = "".join(f", {table}" for table in status.metadata_extras or [])
    waiting = ", a file waits" if status.metadata_waiting or status.extras_waiting else ""
    _say(f"metadata     {_figure(status.metadata_tables)} of 9 tables{extras}{waiting}")
    for name, tracks, current in (
        ("index     ", status.indexed_tracks, status.index_is_current),
        ("text index", status.text_tracks, status.text_index_is_current),
    ):
        note = {True: "", False: ", not up to date", None: ", unknown if up to date"}[current]
        _say(f"{name}   {tracks:,} tracks{note}")
    sizes = status.sizes
    _say(
        f"on disk      audio {decimal(sizes.audio_database)}, metadata"
        f" {decimal(sizes.metadata_database)}, index {decimal(sizes.index)}, text index"
        f" {decimal(sizes.text_index)}, incoming {decimal(sizes.incoming)},"
        f" staging {decimal(sizes.staging)}"
    )
    for name in status.busy:
        _say(f"{name} is being written by another process; what it holds is unknown", fg="yellow")
    for shard, reason in status.not_ready.items():
        _say(f"waiting {shard}: {reason}", fg="yellow")
    for path, reason in status.passed_over.items():
        _say(f"passed over {path}: {reason}", fg="yellow")
    for shard, error in status.failed.items():
        _say(f"failed {shard}: {error}", fg="red")


def _figure(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _clock(seconds: float) -> str:
    """Write a position as minutes and seconds.

    >>> _clock(83.456), _clock(-1.5)
    ('1:23.46', '-0:01.50')
    """
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(round(abs(seconds), 2), 60)
    return f"{sign}{int(minutes)}:{rest:05.2f}"
