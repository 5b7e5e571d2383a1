"""What the demo made in its data home, so that it never touches anything else.

Belongs here: the list of its files, and refusing a home that holds others. Does not belong here:
making them (`demo`).
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import DEMO_HOME, HOME_VARIABLE, Settings
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline.store.metadata_ledger import SourceFile, loaded_source

__all__ = ["is_demo_home", "mark_home", "note_made"]


def is_demo_home(home: Path) -> bool:
    """Tell whether a data home was made by the demo."""
    return _list_in(home).is_file()


def mark_home(settings: Settings) -> None:
    """Make a home the demo's own, or find that it is.

    Raises
    ------
    PipelineError
        It holds a file, a shard or a table that the demo did not make; nothing is changed.
    """
    home = settings.home
    stranger = _stranger(settings) if is_demo_home(home) else next(_files(home), None)
    if stranger is not None:
        raise PipelineError(
            f"{stranger} was not made by the demo, which needs a data home to itself: name an empty"
            f" folder by {HOME_VARIABLE}, or unset it and the demo takes ./{DEMO_HOME}"
        )
    note_made(settings, [])


def note_made(settings: Settings, files: Iterable[Path]) -> None:
    """Add files to the list, before copies of them come into the incoming folder."""
    path = _list_in(settings.home)
    made = _made(settings.home) | {SourceFile.of(file) for file in files}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(sorted(made, key=lambda file: file.modified_ns)))


def _list_in(home: Path) -> Path:
    return home / "demo" / "made.json"


def _made(home: Path) -> set[SourceFile]:
    path = _list_in(home)
    if not path.exists():
        return set()
    try:
        return set(msgspec.json.decode(path.read_bytes(), type=list[SourceFile]))
    except msgspec.MsgspecError as error:
        raise PipelineError(f"{path}: damaged; remove the demo's folder {home}") from error


def _stranger(settings: Settings) -> Path | str | None:
    """Name the first file, shard or table in a demo's home that the demo did not make."""
    made = _made(settings.home)
    for file in _files(settings.incoming):
        if SourceFile.of(file) not in made:
            return file
    for shard, row in read_ledger(settings.audio_database).items():
        if SourceFile(Path(row.source).name, *row.state) not in made:
            return f"shard {shard} in {settings.audio_database}"
    for table, source in loaded_source(settings.metadata_database).items():
        if source not in made:
            return f"table {table} in {settings.metadata_database}"
    return None


def _files(folder: Path) -> Iterator[Path]:
    """Give the files below a folder, which need not be there."""

    def fail(error: OSError) -> None:
        raise error

    if folder.exists():
        for parent, _, names in os.walk(folder, onerror=fail):
            yield from (Path(parent, name) for name in sorted(names))
