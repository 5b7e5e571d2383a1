"""The status of an installation as text."""

from typing import TYPE_CHECKING

from spotify_pipeline.cli.rendering.lines import say

if TYPE_CHECKING:
    from spotify_pipeline.status import Status

__all__ = ["show_status"]


def show_status(status: "Status") -> None:
    """Show counts, sizes, and what needs a person."""
    from rich.filesize import decimal

    shards = status.shards
    say(f"data home    {status.home}")
    say(
        f"shards       {_figure(shards.ingested)} ingested, {_figure(shards.waiting)} waiting,"
        f" {shards.failed} failed ({shards.of_the_dump} in the whole dump)"
    )
    say(f"tracks       {_figure(status.tracks)} ({_figure(status.rejects)} lines rejected)")
    say(f"harmony      of {_figure(status.tracks_with_harmony)} tracks")
    extras = "".join(f", {table}" for table in status.metadata_extras or [])
    waiting = ", a file waits" if status.metadata_waiting or status.extras_waiting else ""
    say(f"metadata     {_figure(status.metadata_tables)} of 9 tables{extras}{waiting}")
    for name, tracks, current in (
        ("index     ", status.indexed_tracks, status.index_is_current),
        ("text index", status.text_tracks, status.text_index_is_current),
    ):
        note = {True: "", False: ", not up to date", None: ", unknown if up to date"}[current]
        say(f"{name}   {tracks:,} tracks{note}")
    sizes = status.sizes
    say(
        f"on disk      audio {decimal(sizes.audio_database)}, metadata"
        f" {decimal(sizes.metadata_database)}, index {decimal(sizes.index)}, text index"
        f" {decimal(sizes.text_index)}, incoming {decimal(sizes.incoming)},"
        f" staging {decimal(sizes.staging)}"
    )
    for name in status.busy:
        say(f"{name} is being written by another process; what it holds is unknown", fg="yellow")
    for shard, reason in status.not_ready.items():
        say(f"waiting {shard}: {reason}", fg="yellow")
    for file, how_far in status.fetching.items():
        say(f"fetching {file}: {how_far}")
    for path, reason in status.passed_over.items():
        say(f"passed over {path}: {reason}", fg="yellow")
    for shard, error in status.failed.items():
        say(f"failed {shard}: {error}", fg="red")


def _figure(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"
