"""Where everything lives on disk, read once from the environment.

Belongs here: paths and limits that the command line and the Dagster layer share. This is the only
place that looks at the environment. Does not belong here: anything that reads or writes the files.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from spotify_pipeline.errors import PipelineError

__all__ = [
    "DEMO_HOME",
    "FINGERPRINTS_VARIABLE",
    "HARMONY_VARIABLE",
    "HOME_VARIABLE",
    "INCOMING_VARIABLE",
    "INDEX_MEMORY_VARIABLE",
    "INDEX_VARIABLE",
    "METADATA_VARIABLE",
    "PARTS_VARIABLE",
    "POPULARITY_VARIABLE",
    "REJECT_LIMIT_VARIABLE",
    "RESERVE_VARIABLE",
    "SIZES_VARIABLE",
    "SOURCES_VARIABLE",
    "Settings",
    "TrainsChoice",
]

HOME_VARIABLE = "SPOTIFY_PIPELINE_HOME"
INCOMING_VARIABLE = "SPOTIFY_PIPELINE_INCOMING"
METADATA_VARIABLE = "SPOTIFY_PIPELINE_METADATA"
SIZES_VARIABLE = "SPOTIFY_PIPELINE_SIZES"
SOURCES_VARIABLE = "SPOTIFY_PIPELINE_SOURCES"
PARTS_VARIABLE = "SPOTIFY_PIPELINE_PARTS"
REJECT_LIMIT_VARIABLE = "SPOTIFY_PIPELINE_REJECT_LIMIT"
RESERVE_VARIABLE = "SPOTIFY_PIPELINE_RESERVE_GB"
FINGERPRINTS_VARIABLE = "SPOTIFY_PIPELINE_FINGERPRINTS"
HARMONY_VARIABLE = "SPOTIFY_PIPELINE_HARMONY"
INDEX_VARIABLE = "SPOTIFY_PIPELINE_INDEX"
POPULARITY_VARIABLE = "SPOTIFY_PIPELINE_POPULARITY"
INDEX_MEMORY_VARIABLE = "SPOTIFY_PIPELINE_INDEX_MEMORY_GB"
DEFAULT_HOME = Path("data")
DEMO_HOME = Path("data-demo")


class TrainsChoice(StrEnum):
    """Which of a track's onset trains are kept, or indexed."""

    RHYTHM = "rhythm"
    """Rhythm trains; Echoprint trains of tracks that have no others."""

    ECHOPRINT = "echoprint"
    """Echoprint trains; rhythm trains of tracks that have no others."""

    BOTH = "both"


@dataclass(frozen=True)
class Settings:
    """The folders and files of one installation.

    Attributes
    ----------
    home
        The data home; everything but ``incoming`` lies below it.
    incoming
        Where the torrent client puts finished files; may lie on another disk.
    sizes
        A ``.torrent`` file or CSV that tells how large complete files are, if the user has one.
    sources
        What becomes of a shard's file once it is ingested: ``delete``, ``keep`` or ``move:FOLDER``.
    parts
        What to keep of documents beside the detection fields: names of `dump.parts.PARTS`.
    reject_limit
        Share of a shard's lines; with more rejects than this its file is kept.
    reserve_gb
        Free space, in units of 10^9 bytes, that is never used up: work waits instead.
    kept_trains
        Which fingerprints come into the database.
    indexed_trains
        What the feature index is made of.
    index_memory_gb
        What postings may take while a segment of the index is sorted, in units of 10^9 bytes.
    popularity
        How much popularity counts between tracks that fit a recording as well
        (`identify.popularity`); 0 is not at all.
    metadata_file
        The catalogue's file, if the user names one; else the newest in the incoming folder counts.
    keep_harmony
        Whether the harmony of tracks comes into the database.
    """

    home: Path
    incoming: Path
    sizes: Path | None = None
    sources: str = "delete"
    parts: tuple[str, ...] = ()
    reject_limit: float = 0.01
    reserve_gb: float = 1.0
    kept_trains: TrainsChoice = TrainsChoice.BOTH
    indexed_trains: TrainsChoice = TrainsChoice.RHYTHM
    index_memory_gb: float = 2.0
    popularity: float = 1.0
    metadata_file: Path | None = None
    keep_harmony: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from environment variables (the process's own by default).

        ``SPOTIFY_PIPELINE_HOME`` names the data home (default ``./data``),
        ``SPOTIFY_PIPELINE_INCOMING`` the incoming folder (default ``incoming`` in the home),
        ``SPOTIFY_PIPELINE_SIZES`` the list of complete sizes (default none),
        ``SPOTIFY_PIPELINE_SOURCES`` what becomes of ingested files (default ``delete``),
        ``SPOTIFY_PIPELINE_PARTS`` what else to keep, with commas between (default nothing),
        ``SPOTIFY_PIPELINE_REJECT_LIMIT`` the share of rejected lines that keeps a file (default
        0.01), ``SPOTIFY_PIPELINE_RESERVE_GB`` the space to leave free (default 1),
        ``SPOTIFY_PIPELINE_FINGERPRINTS`` what to keep of both fingerprints, ``rhythm``,
        ``echoprint`` or ``both`` (default), ``SPOTIFY_PIPELINE_INDEX`` what to index of them
        (default ``rhythm``), ``SPOTIFY_PIPELINE_INDEX_MEMORY_GB`` what sorting postings may take
        (default 2), ``SPOTIFY_PIPELINE_POPULARITY`` the weight of popularity (default 1),
        ``SPOTIFY_PIPELINE_METADATA`` the catalogue's file (default the newest), and
        ``SPOTIFY_PIPELINE_HARMONY`` whether to keep harmony, ``on`` (default) or ``off``.

        Raises
        ------
        PipelineError
            A number is none, or out of range, or a choice is none of those that there are.
        """
        values = os.environ if environment is None else environment

        def path_of(variable: str) -> Path | None:
            value = values.get(variable)
            return Path(value).expanduser().absolute() if value else None

        home = path_of(HOME_VARIABLE) or DEFAULT_HOME.absolute()
        incoming = path_of(INCOMING_VARIABLE) or home / "incoming"
        parts = (values.get(PARTS_VARIABLE) or "").replace(",", " ").split()
        return cls(
            home,
            incoming,
            path_of(SIZES_VARIABLE),
            values.get(SOURCES_VARIABLE) or cls.sources,
            tuple(parts),
            _number(values, REJECT_LIMIT_VARIABLE, cls.reject_limit, 1.0),
            _number(values, RESERVE_VARIABLE, cls.reserve_gb, 1e6),
            _choice(values, FINGERPRINTS_VARIABLE, cls.kept_trains),
            _choice(values, INDEX_VARIABLE, cls.indexed_trains),
            _number(values, INDEX_MEMORY_VARIABLE, cls.index_memory_gb, 1e6),
            _number(values, POPULARITY_VARIABLE, cls.popularity, 1.0),
            path_of(METADATA_VARIABLE),
            _switch(values, HARMONY_VARIABLE, cls.keep_harmony),
        )

    @classmethod
    def for_demo(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings of the demo, whose files come from nowhere else and go nowhere else.

        Its home is ``./data-demo`` unless ``SPOTIFY_PIPELINE_HOME`` names another, and its incoming
        folder lies there; what else names files or folders is not heeded.

        Raises
        ------
        PipelineError
            See `from_environment`.
        """
        values = os.environ if environment is None else environment
        found = cls.from_environment(values)
        home = found.home if values.get(HOME_VARIABLE) else DEMO_HOME.absolute()
        return replace(
            found,
            home=home,
            incoming=home / "incoming",
            sizes=None,
            sources=cls.sources,
            metadata_file=None,
        )

    @property
    def reserve(self) -> int:
        """Free space that is never used up, in bytes."""
        return round(self.reserve_gb * 1e9)

    @property
    def index_memory(self) -> int:
        """What postings may take while they are sorted, in bytes."""
        return round(self.index_memory_gb * 1e9)

    @property
    def staging(self) -> Path:
        """Folder for half-done work: reduced shards and the unpacked metadata."""
        return self.home / "staging"

    @property
    def audio_database(self) -> Path:
        """DuckDB file with the tracks' detection fields and the shard ledger."""
        return self.home / "audio.duckdb"

    @property
    def metadata_database(self) -> Path:
        """DuckDB file with the catalogue's tables."""
        return self.home / "meta.duckdb"

    @property
    def index(self) -> Path:
        """Folder of the feature index."""
        return self.home / "index"

    @property
    def text_index(self) -> Path:
        """Folder of the text index."""
        return self.home / "text"

    @property
    def locks(self) -> Path:
        """Folder of the files by which processes exclude each other."""
        return self.home / "locks"

    def require_incoming(self) -> None:
        """Make sure that an incoming folder that was named is there; the home's own need not be.

        Raises
        ------
        PipelineError
            It is not: its name is mistyped, or its disk not mounted.
        """
        if self.incoming != self.home / "incoming" and not self.incoming.is_dir():
            raise PipelineError(
                f"{self.incoming}: no such folder, but {INCOMING_VARIABLE} names it; correct the"
                " name, mount its disk, or create it"
            )

    def create_folders(self) -> None:
        """Create the folders that are missing.

        Raises
        ------
        PipelineError
            See `require_incoming`.
        """
        self.require_incoming()
        for folder in (self.home, self.incoming, self.staging, self.index, self.locks):
            folder.mkdir(parents=True, exist_ok=True)


def _number(values: Mapping[str, str], variable: str, default: float, largest: float) -> float:
    """Read a number from 0 to `largest`."""
    text = values.get(variable) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= largest:
        raise PipelineError(f"{variable} is {text!r}, but must be a number from 0 to {largest:g}")
    return number


def _choice(values: Mapping[str, str], variable: str, default: TrainsChoice) -> TrainsChoice:
    """Read a choice of trains."""
    text = values.get(variable) or default
    if text not in list(TrainsChoice):
        raise PipelineError(f"{variable} is {text!r}, but must be one of {', '.join(TrainsChoice)}")
    return TrainsChoice(text)


def _switch(values: Mapping[str, str], variable: str, default: bool) -> bool:
    """Read what is on or off."""
    text = values.get(variable) or ("on" if default else "off")
    if text not in ("on", "off"):
        raise PipelineError(f"{variable} is {text!r}, but must be on or off")
    return text == "on"
