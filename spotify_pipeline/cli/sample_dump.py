"""``sample-dump``: a dump of the real format from a folder of music."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spotify_pipeline.cli.rendering.lines import say
from spotify_pipeline.cli.shared import (
    FOLDER,
    progress_bar,
    telling_of_compiling,
    with_clear_errors,
)

if TYPE_CHECKING:
    from spotify_pipeline.sample_dump.writing import SampleDump

__all__ = ["fail_if_left_out", "sample_dump"]


@click.command("sample-dump")
@click.argument("music", metavar="MUSIC_DIR", type=FOLDER)
@click.argument("out", metavar="OUT_DIR", type=FOLDER)
@click.option("--shards", help="Names of the shards to make, e.g. 0a,0A. Default: 7O to 7Z.")
@with_clear_errors
@telling_of_compiling
def sample_dump(music: Path, out: Path, shards: str | None) -> None:
    """Make a dump of the real format from a folder of your own audio files.

    Writes OUT_DIR/audio_analysis/XX.jsonl.zst, OUT_DIR/metadata/spotify_clean.sqlite3.zst and
    OUT_DIR/manifest.csv. Track ids follow from the files' content: a second run gives the same. The
    shards 7O to 7Z do not occur in the dump, so your music can live beside it. A file that can't be
    read is left out and named, and the exit code is 1 at the end.
    """
    from spotify_pipeline.sample_dump.writing import write_sample_dump
    from spotify_pipeline.shards import OWN_MUSIC_SHARDS

    names = tuple(name.strip() for name in shards.split(",")) if shards else OWN_MUSIC_SHARDS
    with progress_bar() as report:
        dump = write_sample_dump(music, out, shards=names, progress=report)
    made = len({track.shard for track in dump.tracks})
    say(f"{len(dump.tracks)} tracks in {made} shards; manifest: {out / 'manifest.csv'}")
    if dump.duplicates:
        say(f"{dump.duplicates} files have the same content as another one")
    fail_if_left_out(dump)


def fail_if_left_out(dump: "SampleDump") -> None:
    """Name the files that could not be read; exit with 1 if there are any."""
    for file, reason in dump.failed:
        say(f"left out: {file}: {reason}", fg="yellow", err=True)
    if dump.failed:
        sys.exit(1)
