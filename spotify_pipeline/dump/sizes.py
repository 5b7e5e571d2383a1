"""How large the dump's files are when they are complete, from a list that the user has.

Belongs here: reading a ``.torrent`` file or a CSV. Does not belong here: what follows from a size
(`readiness`).
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from spotify_pipeline.errors import PipelineError

__all__ = ["SizesError", "read_sizes"]


class SizesError(PipelineError):
    """A list of sizes that can't be read."""


def read_sizes(path: Path) -> Mapping[str, int]:
    """Read the complete sizes in bytes by file name, without folders.

    Parameters
    ----------
    path
        A ``.torrent`` file, or a CSV with the columns ``name`` and ``bytes``.

    Raises
    ------
    SizesError
        The file is missing, or of neither form.
    """
    try:
        return _torrent_sizes(path) if path.suffix == ".torrent" else _csv_sizes(path)
    except OSError as error:
        raise SizesError(f"{path}: the list of sizes can't be read: {error.strerror}") from error


def _torrent_sizes(path: Path) -> dict[str, int]:
    import torf

    try:
        return {file.name: file.size for file in torf.Torrent.read(path).files}
    except torf.TorfError as error:
        raise SizesError(f"{path}: not a torrent file ({error})") from error


def _csv_sizes(path: Path) -> dict[str, int]:
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return {row["name"]: int(row["bytes"]) for row in csv.DictReader(file)}
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise SizesError(
                f"{path}: not a CSV with the columns name and bytes, a whole number ({error})"
            ) from error
