"""Where everything lives on disk, read once from the environment.

Belongs here: paths and limits that the command line and the Dagster layer share. This is the only
place that looks at the environment. Does not belong here: anything that reads or writes the files.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from spotify_pipeline.errors import PipelineError

__all__ = [
    "BLAS_THREADS_VARIABLE",
    "DEMO_HOME",
    "DOWNLOADS",
    "FINGERPRINTS_VARIABLE",
    "HARMONY_VARIABLE",
    "HOME_VARIABLE",
    "INCOMING_VARIABLE",
    "INDEX_MEMORY_VARIABLE",
    "INDEX_VARIABLE",
    "METADATA_TORRENT_VARIABLE",
    "METADATA_VARIABLE",
    "PARTS_VARIABLE",
    "POPULARITY_VARIABLE",
    "REJECT_LIMIT_VARIABLE",
    "RESERVE_VARIABLE",
    "SETTINGS",
    "SIZES_VARIABLE",
    "SOURCES_VARIABLE",
    "TOKEN_VARIABLE",
    "TORRENT_CLIENT_VARIABLE",
    "TORRENT_FILES_VARIABLE",
    "TORRENT_PASSWORD_FILE_VARIABLE",
    "TORRENT_PASSWORD_VARIABLE",
    "TORRENT_PEERS_VARIABLE",
    "TORRENT_STALL_VARIABLE",
    "TORRENT_UPLOAD_VARIABLE",
    "TORRENT_VARIABLE",
    "Setting",
    "Settings",
    "TrainsChoice",
    "blas_threads",
    "torrent_password",
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
BLAS_THREADS_VARIABLE = "SPOTIFY_PIPELINE_BLAS_THREADS"
TOKEN_VARIABLE = "SPOTIFY_PIPELINE_TOKEN"
TORRENT_VARIABLE = "SPOTIFY_PIPELINE_TORRENT"
METADATA_TORRENT_VARIABLE = "SPOTIFY_PIPELINE_METADATA_TORRENT"
TORRENT_CLIENT_VARIABLE = "SPOTIFY_PIPELINE_TORRENT_CLIENT"
TORRENT_PASSWORD_VARIABLE = "SPOTIFY_PIPELINE_TORRENT_PASSWORD"
TORRENT_PASSWORD_FILE_VARIABLE = "SPOTIFY_PIPELINE_TORRENT_PASSWORD_FILE"
TORRENT_FILES_VARIABLE = "SPOTIFY_PIPELINE_TORRENT_FILES"
TORRENT_PEERS_VARIABLE = "SPOTIFY_PIPELINE_TORRENT_PEERS"
TORRENT_STALL_VARIABLE = "SPOTIFY_PIPELINE_TORRENT_STALL_MINUTES"
TORRENT_UPLOAD_VARIABLE = "SPOTIFY_PIPELINE_TORRENT_UPLOAD_KB"
DEMO_HOME = Path("data-demo")
DOWNLOADS = ".torrent"
"""Folder of the incoming folder in which nobody looks for finished files."""


class TrainsChoice(StrEnum):
    """Which of a track's onset trains are kept, or indexed."""

    RHYTHM = "rhythm"
    """Rhythm trains; Echoprint trains of tracks that have no others."""

    ECHOPRINT = "echoprint"
    """Echoprint trains; rhythm trains of tracks that have no others."""

    BOTH = "both"


@dataclass(frozen=True)
class Setting:
    """What a user may set, as a documentation lists it.

    Attributes
    ----------
    attribute
        Of `Settings`.
    variable
        Of the environment; where it is unset or empty, the default counts.
    default
        As a user would write it; empty where there is none.
    read
        Makes the value out of a text. A ValueError says what the text must be.
    meaning
        A sentence or two.
    """

    attribute: str
    variable: str
    default: str
    read: Callable[[str], Any]
    meaning: str

    def value(self, environment: Mapping[str, str]) -> Any:  # noqa: ANN401  # of the attribute's type
        """Read the setting.

        Raises
        ------
        PipelineError
            Its text can't be read; the variable is named.
        """
        text = environment.get(self.variable) or self.default
        try:
            return self.read(text)
        except ValueError as error:
            raise PipelineError(f"{self.variable} is {text!r}, but must be {error}") from error


def _written(value: object) -> str:
    """Write a value as a user would."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _path(text: str) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _torrent(text: str) -> str:
    """Read a magnet link as it is, and the name of a file as an absolute one."""
    return text if not text or text.startswith("magnet:") else str(_path(text))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _number(largest: float) -> Callable[[str], float]:
    """Make what reads a number from 0 to `largest`."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number <= largest:
            raise ValueError(f"a number from 0 to {largest:g}")
        return number

    return read


def _token(text: str) -> str | None:
    return text or None


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError("a whole number, 1 or more")
    return int(text)


def _trains(text: str) -> TrainsChoice:
    if text not in list(TrainsChoice):
        raise ValueError(f"one of {', '.join(TrainsChoice)}")
    return TrainsChoice(text)


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError("on or off")
    return text == "on"


SETTINGS = (
    Setting(
        "home",
        HOME_VARIABLE,
        "data",
        _path,
        "The data home; everything but the incoming folder lies below it.",
    ),
    Setting(
        "incoming",
        INCOMING_VARIABLE,
        "",
        _path,
        "Where the torrent client puts finished files; may lie on another disk. Unless it is set,"
        " the folder incoming of the data home.",
    ),
    Setting(
        "sizes",
        SIZES_VARIABLE,
        "",
        _path,
        "A .torrent file or a CSV (name,bytes) that says how large complete files are.",
    ),
    Setting(
        "sources",
        SOURCES_VARIABLE,
        "delete",
        str,
        "What becomes of a shard's file once it is ingested: delete, keep or move:FOLDER.",
    ),
    Setting(
        "parts",
        PARTS_VARIABLE,
        "",
        _words,
        "What to keep of documents beside the detection fields, with commas between.",
    ),
    Setting(
        "reject_limit",
        REJECT_LIMIT_VARIABLE,
        "0.01",
        _number(1.0),
        "Fraction of a shard's lines; with more rejects than this its file is kept.",
    ),
    Setting(
        "reserve_gb",
        RESERVE_VARIABLE,
        "1",
        _number(1e6),
        "Free space in GB (10^9 bytes) that is never used up: work waits instead.",
    ),
    Setting(
        "kept_trains",
        FINGERPRINTS_VARIABLE,
        "both",
        _trains,
        "Which fingerprints come into the database: rhythm, echoprint or both.",
    ),
    Setting(
        "indexed_trains",
        INDEX_VARIABLE,
        "rhythm",
        _trains,
        "What the feature index is made of: rhythm, echoprint or both.",
    ),
    Setting(
        "index_memory_gb",
        INDEX_MEMORY_VARIABLE,
        "2",
        _number(1e6),
        "What postings may take while a segment of the index is sorted, in GB (10^9 bytes).",
    ),
    Setting(
        "popularity",
        POPULARITY_VARIABLE,
        "1",
        _number(1.0),
        "How much popularity counts between tracks that fit a recording as well; 0 is not at all.",
    ),
    Setting(
        "metadata_file",
        METADATA_VARIABLE,
        "",
        _path,
        "The catalogue's file. Unless it is set, the newest in the incoming folder counts.",
    ),
    Setting(
        "keep_harmony",
        HARMONY_VARIABLE,
        "on",
        _switch,
        "Whether the harmony of tracks comes into the database: on or off.",
    ),
    Setting(
        "blas_threads",
        BLAS_THREADS_VARIABLE,
        "1",
        _count,
        "Threads of a product of matrices, beside the program's own. More are quicker only where"
        " processors idle. Variables of the libraries, such as OPENBLAS_NUM_THREADS, go first.",
    ),
    Setting(
        "token",
        TOKEN_VARIABLE,
        "",
        _token,
        "What requests to the server must show; unless it is set, 'serve' makes one where it needs"
        " one.",
    ),
    Setting(
        "torrent",
        TORRENT_VARIABLE,
        "",
        _torrent,
        "The .torrent file or magnet link of the audio analysis, for shards to be fetched.",
    ),
    Setting(
        "metadata_torrent",
        METADATA_TORRENT_VARIABLE,
        "",
        _torrent,
        "The .torrent file or magnet link of the metadata.",
    ),
    Setting(
        "torrent_client",
        TORRENT_CLIENT_VARIABLE,
        "embedded",
        str,
        "What fetches: embedded, or the address of qBittorrent as http://user@host:8080, or of"
        " Transmission as transmission+http://user@host:9091.",
    ),
    Setting(
        "torrent_password_file",
        TORRENT_PASSWORD_FILE_VARIABLE,
        "",
        _path,
        "A file that holds the password of that client. SPOTIFY_PIPELINE_TORRENT_PASSWORD may hold"
        " it instead.",
    ),
    Setting(
        "torrent_files",
        TORRENT_FILES_VARIABLE,
        "2",
        _count,
        "How many shard files a backfill lets exist at once, those being fetched included.",
    ),
    Setting(
        "torrent_peers",
        TORRENT_PEERS_VARIABLE,
        "",
        _words,
        "Peers as host:port, with commas between. The embedded client asks nobody else then, no"
        " tracker, no DHT; qBittorrent asks them too; Transmission can't be told.",
    ),
    Setting(
        "torrent_stall_minutes",
        TORRENT_STALL_VARIABLE,
        "10",
        _number(1e6),
        "Minutes without a byte after which a download stalls, and others have its turn.",
    ),
    Setting(
        "torrent_upload_kb",
        TORRENT_UPLOAD_VARIABLE,
        "0",
        _number(1e9),
        "Upload of the embedded client in kB/s at the most, while it fetches; 0 is no limit.",
    ),
)
"""All settings, in the order of `Settings`' attributes."""

_HOME, *_OTHERS = SETTINGS  # the home's default depends on where the program is started
_DEFAULTS: dict[str, Any] = {each.attribute: each.read(each.default) for each in _OTHERS}


@dataclass(frozen=True)
class Settings:
    """The folders and files of one installation.

    Each attribute is a setting, which the table `SETTINGS` describes: its variable, its default and
    its meaning.
    """

    home: Path
    incoming: Path
    sizes: Path | None = _DEFAULTS["sizes"]
    sources: str = _DEFAULTS["sources"]
    parts: tuple[str, ...] = _DEFAULTS["parts"]
    reject_limit: float = _DEFAULTS["reject_limit"]
    reserve_gb: float = _DEFAULTS["reserve_gb"]
    kept_trains: TrainsChoice = _DEFAULTS["kept_trains"]
    indexed_trains: TrainsChoice = _DEFAULTS["indexed_trains"]
    index_memory_gb: float = _DEFAULTS["index_memory_gb"]
    popularity: float = _DEFAULTS["popularity"]
    metadata_file: Path | None = _DEFAULTS["metadata_file"]
    keep_harmony: bool = _DEFAULTS["keep_harmony"]
    blas_threads: int = _DEFAULTS["blas_threads"]
    token: str | None = _DEFAULTS["token"]
    torrent: str = _DEFAULTS["torrent"]
    metadata_torrent: str = _DEFAULTS["metadata_torrent"]
    torrent_client: str = _DEFAULTS["torrent_client"]
    torrent_password_file: Path | None = _DEFAULTS["torrent_password_file"]
    torrent_files: int = _DEFAULTS["torrent_files"]
    torrent_peers: tuple[str, ...] = _DEFAULTS["torrent_peers"]
    torrent_stall_minutes: float = _DEFAULTS["torrent_stall_minutes"]
    torrent_upload_kb: float = _DEFAULTS["torrent_upload_kb"]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from environment variables (the process's own by default).

        Raises
        ------
        PipelineError
            A number is none, or out of range, or a choice is none of those that there are; the
            variable is named.
        """
        values = os.environ if environment is None else environment
        found = {setting.attribute: setting.value(values) for setting in SETTINGS}
        found["incoming"] = found["incoming"] or found["home"] / "incoming"
        return cls(**found)

    def as_environment(self) -> dict[str, str]:
        """Give the environment variables from which the same settings are read."""
        return {each.variable: _written(getattr(self, each.attribute)) for each in SETTINGS}

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
            torrent="",
            metadata_torrent="",
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
    def downloads(self) -> Path:
        """Folder of files that are being fetched; on the incoming folder's disk."""
        return self.incoming / DOWNLOADS

    @property
    def torrents(self) -> Path:
        """Folder of the .torrent files that magnet links led to."""
        return self.home / "torrents"

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


def blas_threads() -> int:
    """Read `Settings.blas_threads` alone, as a process does that needs no data home.

    Raises
    ------
    PipelineError
        See `Settings.from_environment`.
    """
    (setting,) = (each for each in SETTINGS if each.attribute == "blas_threads")
    threads: int = setting.value(os.environ)
    return threads


def torrent_password(settings: Settings) -> str:
    """Read the password of a torrent client; it is none of the settings, which are shown.

    Raises
    ------
    PipelineError
        The file that is named can't be read.
    """
    path = settings.torrent_password_file
    if path is None:
        return os.environ.get(TORRENT_PASSWORD_VARIABLE, "")
    try:
        return path.read_text().strip()
    except OSError as error:
        raise PipelineError(
            f"{path}: the password can't be read: {error.strerror};"
            f" {TORRENT_PASSWORD_FILE_VARIABLE} names it"
        ) from error
