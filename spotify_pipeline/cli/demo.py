"""``demo``: the whole way once, on data of its own."""

import shlex
import sys
from pathlib import Path

import click

from spotify_pipeline.cli.ingest import ingest_waiting
from spotify_pipeline.cli.rendering.answers import show_answer
from spotify_pipeline.cli.rendering.lines import clock, say
from spotify_pipeline.cli.rendering.lookups import show_found
from spotify_pipeline.cli.sample_dump import fail_if_left_out
from spotify_pipeline.cli.shared import (
    FOLDER,
    progress_bar,
    telling_of_compiling,
    with_clear_errors,
)
from spotify_pipeline.settings import HOME_VARIABLE, Settings

__all__ = ["demo"]


@click.command()
@click.option("--music", type=FOLDER, help="Use this folder's audio files; default: compose some.")
@with_clear_errors
@telling_of_compiling
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
    with progress_bar() as report:
        material = prepare_material(settings, music, report)
    say(f"made a dump of {len(material.dump.tracks)} tracks in {settings.incoming}")
    if not ingest_waiting(settings):
        sys.exit(1)
    say(
        f"\nexcerpts of {EXCERPT_SECONDS:.0f} s, pink noise {NOISE_DECIBEL:.0f} dB below the music,"
        " MP3 at 64 kbit/s:\n"
    )
    files = [excerpt.file for excerpt in material.excerpts]
    answers = answer_files(
        files, settings.index, settings.metadata_database, popularity=settings.popularity
    )
    for excerpt, answer in zip(material.excerpts, answers, strict=True):
        where = f"at {clock(excerpt.start)}" if excerpt.indexed else "which is not in the dump"
        say(f'cut from "{excerpt.title}" {where}', dim=True)
        show_answer(answer)
        click.echo()
    title = material.dump.tracks[0].title
    say(f'lookup "{title}"', dim=True)
    question = question_of(title.split(), [], limit=1)
    if question is not None:
        show_found(answers_to(question, settings), None, images=False)
    _show_where_to_look(settings.home)
    fail_if_left_out(material.dump)


def _show_where_to_look(home: Path) -> None:
    """Say where the demo's data lies, and which commands look at it."""
    folder = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
    chosen = f"{HOME_VARIABLE}={shlex.quote(str(folder))}"
    say(f"\nall of this lies in {folder}, apart from other data; to look around:\n")
    say(f"  {chosen} make serve")
    say(f"  {chosen} make ui")
    say(f"  {chosen} .venv/bin/spotify-pipeline status")
