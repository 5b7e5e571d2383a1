"""Tracks that a look-up found, and recordings that are there several times.

Belongs here: showing them as they come. Does not belong here: the text of one
(`catalog.lookup_form`).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from spotify_pipeline.cli.rendering.lines import say, show_json
from spotify_pipeline.terminal import harmless

if TYPE_CHECKING:
    from spotify_pipeline.catalog.duplicates import DuplicatedRecording
    from spotify_pipeline.catalog.lookup import Found, Unknown

__all__ = ["show_duplicates", "show_found"]


def show_found(answers: Iterable["Found | Unknown"], form: str | None, images: bool) -> bool:
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
            say(as_text(answer), fg="red", err=True)
        else:
            first, _, rest = as_text(answer, images=images).partition("\n")
            say(first, fg="green")
            say(rest)
    if not shown:
        say("nothing found", fg="yellow", err=True)
    return not misread


def show_duplicates(recordings: Iterable["DuplicatedRecording"], form: str | None) -> None:
    """Show recordings that are there several times, as they come."""
    for recording in recordings:
        if form == "json":
            show_json(recording)
            continue
        say(recording.isrc or f"same fingerprint, {len(recording.tracks)} tracks")
        for track in recording.tracks:
            album = f", from {track.album}" if track.album else ""
            say(harmless(f"  {track.track_id}  {track.title or ''}{album}"))
