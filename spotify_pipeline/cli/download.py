"""``download``: files of the dump's torrent into the incoming folder, one after the other."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from spotify_pipeline.cli.rendering.lines import say, warn
from spotify_pipeline.cli.shared import progress_bar, with_clear_errors
from spotify_pipeline.settings import METADATA_TORRENT_VARIABLE, TORRENT_VARIABLE, Settings

if TYPE_CHECKING:
    from spotify_pipeline.torrent.contents import Torrent, TorrentFile

__all__ = ["download"]

SPACE_PATIENCE = 600.0
"""Seconds to wait for space on disk while nobody makes room."""


@click.command()
@click.argument("named", metavar="[TORRENT]", required=False)
@click.option("--shards", metavar="NAMES", help="Fetch these shards, e.g. 0a,0A.")
@click.option("--all", "every", is_flag=True, help="Fetch every shard that is not ingested.")
@click.option("--metadata", is_flag=True, help="Fetch the metadata files that can be loaded.")
@click.option("--list", "listing", is_flag=True, help="Show what the torrent has that is known.")
@click.option(
    "--peer", "peers", metavar="HOST:PORT", multiple=True, help="Ask this peer and nobody else."
)
@with_clear_errors
def download(
    named: str | None,
    shards: str | None,
    every: bool,
    metadata: bool,
    listing: bool,
    peers: tuple[str, ...],
) -> None:
    """Fetch files of a torrent into the incoming folder, one after the other.

    TORRENT is a .torrent file or a magnet link; where it is left out, $SPOTIFY_PIPELINE_TORRENT
    counts, and with --metadata, $SPOTIFY_PIPELINE_METADATA_TORRENT. Each file is verified before it
    comes into the incoming folder. A fetch that was ended goes on from what is there. To fetch,
    ingest and delete shards without end, let Dagster run the job 'download'.
    """
    from spotify_pipeline.torrent.source import open_torrent

    if sum([bool(shards), every, metadata, listing]) != 1:
        raise click.UsageError("name one of --shards, --all, --metadata and --list")
    settings = Settings.from_environment()
    settings = replace(settings, torrent_peers=peers or settings.torrent_peers)
    named = named or (settings.metadata_torrent if metadata else settings.torrent)
    if not named:
        variable = METADATA_TORRENT_VARIABLE if metadata else TORRENT_VARIABLE
        raise click.UsageError(f"name a .torrent file or a magnet link, here or by {variable}")
    torrent = open_torrent(named, settings.torrents, settings.torrent_peers)
    if listing:
        _show(torrent)
    elif not _fetch_all(settings, torrent, _wanted(settings, torrent, shards, every)):
        sys.exit(1)


def _show(torrent: "Torrent") -> None:
    """List the files that are known, one a line."""
    from rich.filesize import decimal

    for name, file in (torrent.shards() | torrent.metadata_files()).items():
        say(f"{name}  {decimal(file.size)}")


def _wanted(
    settings: Settings, torrent: "Torrent", shards: str | None, every: bool
) -> "Mapping[str, TorrentFile]":
    from spotify_pipeline.store.ledger import read_ledger
    from spotify_pipeline.torrent.wanted import is_ingested, shards_named

    if shards:
        return shards_named(torrent, [name.strip() for name in shards.split(",")])
    if not every:
        return torrent.metadata_files()
    ledger = read_ledger(settings.audio_database)
    found = torrent.shards()
    return {name: file for name, file in found.items() if not is_ingested(ledger, name, file)}


def _fetch_all(settings: Settings, torrent: "Torrent", wanted: "Mapping[str, TorrentFile]") -> bool:
    """Fetch files in turn; one that fails does not stop the others, unless the disk is full."""
    from spotify_pipeline.errors import PipelineError
    from spotify_pipeline.space import SpaceError, SpaceGuard
    from spotify_pipeline.torrent.clients import open_client
    from spotify_pipeline.torrent.fetch import fetch_file

    settings.create_folders()
    client = open_client(settings)
    guard = SpaceGuard(settings.reserve, warn, SPACE_PATIENCE)
    failed = 0
    with progress_bar() as report:
        for file in wanted.values():
            try:
                fetched = fetch_file(
                    settings,
                    torrent,
                    file,
                    client,
                    guard=guard,
                    report=report,
                    say=warn,
                    limited=False,
                )
            except SpaceError:
                raise
            except PipelineError as error:
                failed += 1
                say(f"{file.name}: {error}", fg="red", err=True)
            else:
                how = "done" if fetched.received else "lies there"
                say(f"{file.name}: {how}, {fetched.path}")
    if not wanted:
        say(f"nothing of the torrent {torrent.name} is left to fetch")
    return failed == 0
