"""``fingerprint``: the fingerprints of recordings, as documents of the dump have them."""

from pathlib import Path

import click

from spotify_pipeline.cli.rendering.lines import show_json, write_lines
from spotify_pipeline.cli.shared import FILE, telling_of_compiling, with_clear_errors

__all__ = ["fingerprint"]


@click.command()
@click.argument("named", metavar="FILE_OR_FOLDER...", nargs=-1, required=True, type=FILE)
@click.option(
    "--padded",
    is_flag=True,
    help="Give each onset six Echoprint codes, the missing ones as stop codes: so do"
    " echoprint-codegen and analyzers before version 4. The dump's documents don't.",
)
@with_clear_errors
@telling_of_compiling
def fingerprint(named: tuple[Path, ...], padded: bool) -> None:
    """Print the fingerprints of recordings as documents of the dump have them.

    One line of JSON for each file, with the keys file, duration, echoprintstring,
    echoprint_version, rhythmstring and rhythm_version. Of a folder, all audio files below it.
    """
    from spotify_pipeline.identify.batch import expanded
    from spotify_pipeline.identify.fingerprints import fingerprint_files

    write_lines(fingerprint_files(expanded(named), padded=padded), show_json)
