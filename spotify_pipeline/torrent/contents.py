"""What a torrent holds: its files, their sizes, and which of them the dump's shards are.

Names in a torrent are others' text. They are shown and compared; no path is made of one, except of
a last part that is exactly a shard's or a metadata file's name.

Belongs here: reading ``.torrent`` data. Does not belong here: magnet links (`source`), clients.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field

from spotify_pipeline.dump.tables import CATALOGUE, EXTRAS
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.shards import SHARDS, shard_of_file_name

__all__ = ["METADATA_FILES", "Torrent", "TorrentFile", "read_torrent"]

METADATA_FILES = tuple(source.packed for source in (CATALOGUE, *EXTRAS))
"""The dump's metadata files that can be loaded."""


@dataclass(frozen=True)
class TorrentFile:
    """A file of a torrent.

    Attributes
    ----------
    index
        Its position among the torrent's files, padding counted.
    path
        Its folders and name, with slashes between, as the torrent has them: not to be used.
    size
        In bytes.
    """

    index: int
    path: str
    size: int

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Torrent:
    """A torrent's description.

    Attributes
    ----------
    name
        Of the folder, or of the file if there is one alone.
    info_hash
        40 hexadecimal digits.
    piece_bytes
        Length of the pieces that have hashes.
    files
        In the torrent's order, without padding.
    data
        The ``.torrent`` file's bytes.
    """

    name: str
    info_hash: str
    piece_bytes: int
    files: tuple[TorrentFile, ...]
    data: bytes = field(repr=False)

    def shards(self) -> dict[str, TorrentFile]:
        """Find the files that are shards, by shard, in partition order.

        Raises
        ------
        PipelineError
            There are two of a name.
        """
        found = self._by_name(lambda name: shard_of_file_name(name) is not None)
        by_shard = {shard_of_file_name(name) or "": file for name, file in found.items()}
        return {shard: by_shard[shard] for shard in SHARDS if shard in by_shard}

    def metadata_files(self) -> dict[str, TorrentFile]:
        """Find the metadata files that can be loaded, by name.

        Raises
        ------
        PipelineError
            There are two of a name.
        """
        return self._by_name(METADATA_FILES.__contains__)

    def _by_name(self, wanted: Callable[[str], bool]) -> dict[str, TorrentFile]:
        found: dict[str, TorrentFile] = {}
        for file in self.files:
            if wanted(file.name):
                if other := found.get(file.name):
                    raise PipelineError(
                        f"the torrent {self.name} has {file.name} twice, at {other.path} and at"
                        f" {file.path}: which is the dump's can't be told"
                    )
                found[file.name] = file
        return found


def read_torrent(data: bytes, where: str) -> Torrent:
    """Read the bytes of a ``.torrent`` file.

    Parameters
    ----------
    data
        The bytes.
    where
        Names them in errors.

    Raises
    ------
    PipelineError
        They are none, or of a torrent that has pieces of version 2 alone.
    """
    import torf

    try:
        found = torf.Torrent.read_stream(io.BytesIO(data))
        info = found.metainfo["info"]
        entries = info.get("files") or [{"length": info["length"], "path": []}]
        name = _text(info["name"])
        files = tuple(
            TorrentFile(index, "/".join([name, *map(_text, entry["path"])]), entry["length"])
            for index, entry in enumerate(entries)
            if "p" not in _text(entry.get("attr", ""))
        )
        return Torrent(name, found.infohash, found.piece_size, files, data)
    except (torf.TorfError, KeyError, TypeError, ValueError) as error:
        raise PipelineError(f"{where}: not a torrent file ({error})") from error


def _text(part: object) -> str:
    """Give a part of a path, which need not be text, as text."""
    return part.decode("utf-8", "backslashreplace") if isinstance(part, bytes) else str(part)
