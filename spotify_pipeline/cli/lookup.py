"""``lookup``: tracks of the catalogue by words, by ids, by the line."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

import click

from spotify_pipeline.cli.rendering.lookups import show_duplicates, show_found
from spotify_pipeline.cli.shared import FILE, in_a_form, with_clear_errors
from spotify_pipeline.settings import Settings

if TYPE_CHECKING:
    from spotify_pipeline.catalog.duplicates import DuplicatedRecording

__all__ = ["lookup"]

LARGEST = 10**6
"""Where the last of a span is left out."""


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


@click.command()
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
@in_a_form("track", row="track")
@click.option("--images", is_flag=True, help="Show addresses of covers and artists' images.")
@click.option("--markets", is_flag=True, help="Show where it is available.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 10_000))
@with_clear_errors
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
        if form == "csv":
            raise click.UsageError("--duplicates goes with --json or neither")
        show_duplicates(_duplicated(settings, duplicates), form)
        return
    question = question_of(words, [*named, *isrc, *upc], batch, limit=limit, **conditions)
    if question is None:
        raise click.UsageError("name words, an id, or any of the options that narrow a search")
    answers = answers_to(question, settings, markets=markets)
    if not show_found(answers, form, images):
        sys.exit(1)


def _duplicated(settings: Settings, by: str) -> Iterator["DuplicatedRecording"]:
    """Find recordings that are there several times, by ``isrc`` or ``fingerprint``."""
    from spotify_pipeline.catalog.duplicates import same_fingerprint, same_isrc

    if by == "isrc":
        return same_isrc(settings.metadata_database)
    return same_fingerprint(settings.audio_database)
