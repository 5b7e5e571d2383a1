"""Answers and timelines as text, JSON or CSV.

Belongs here: what they look like. Does not belong here: files of answers (`identify.answer_file`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spotify_pipeline.cli.rendering.lines import clock, say
from spotify_pipeline.terminal import harmless

if TYPE_CHECKING:
    from spotify_pipeline.identify.answers import Failure
    from spotify_pipeline.identify.detector import Answer
    from spotify_pipeline.identify.named_matches import NamedMatch
    from spotify_pipeline.identify.timeline import PlayedTrack, Timeline

__all__ = ["show_answer", "show_timeline", "shown_as"]


def shown_as(form: str | None) -> Callable[["Answer | Failure"], None]:
    """Choose how answers are shown, and begin."""
    from spotify_pipeline.identify.answer_form import FORMS

    if form is None:
        return show_answer
    encode = FORMS[form].encode
    click.echo(FORMS[form].head, nl=False)
    return lambda answer: click.echo(encode(answer), nl=False)


def show_answer(answer: "Answer | Failure") -> None:
    """Show the matches of a recording, or why there are none."""
    from spotify_pipeline.identify.answers import Failure

    if isinstance(answer, Failure):
        say(answer.error, fg="red", err=True)
        return
    say(harmless(answer.file), bold=True)
    if not answer.matches:
        from spotify_pipeline.identify.unknown import why_unknown

        why = why_unknown(Path(answer.file), answer.duration)
        if not answer.complete:
            why = "the deadline came before everything was tried"
        say(f"  unknown: {why}" if why else "  unknown", fg="yellow")
    for match in answer.matches:
        played = f", played at {match.speed:.3f} x speed" if abs(match.speed - 1) >= 0.002 else ""
        say("  ", nl=False)
        _show_title(match)
        say(
            f"    at {clock(match.offset)}{_of_length(match)}{played},"
            f" confidence {match.confidence:.4f}, track {match.track_id}"
        )
        if match.also_at:
            others = ", ".join(clock(offset) for offset in sorted(match.also_at))
            say(f"    it sounds the same at {others}")


def _show_title(track: "NamedMatch | PlayedTrack") -> None:
    artists = f" by {', '.join(track.artists)}" if track.artists else ""
    say(harmless(f"{track.title or track.track_id}{artists}"), fg="green", nl=False)
    say(harmless(f", from {track.album}") if track.album else "")


def _of_length(track: "NamedMatch | PlayedTrack") -> str:
    return "" if track.duration is None else f" of {clock(track.duration)}"


def show_timeline(timeline: "Timeline | Failure") -> None:
    """Show what plays when, a line or two a part."""
    from spotify_pipeline.identify.answers import Failure

    if isinstance(timeline, Failure):
        say(timeline.error, fg="red", err=True)
        return
    say(harmless(timeline.file), bold=True)
    for entry in timeline.timeline:
        say(f"  {clock(entry.start):>9} to {clock(entry.end):>9}  ", nl=False)
        track = entry.track
        if track is None:
            say("unknown", fg="yellow")
            continue
        _show_title(track)
        say(
            f"{'':26}from {clock(track.position)}{_of_length(track)},"
            f" confidence {track.confidence:.4f}, track {track.track_id}"
        )
