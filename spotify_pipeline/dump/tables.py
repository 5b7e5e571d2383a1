"""The tables of the dump's metadata: names, columns, declared types, and the files they come in.

Belongs here: what the tables are. Does not belong here: reading them (`metadata`). Cheap to import.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "ALL_TABLES",
    "ARTIST_REDIRECTS",
    "AUDIO_FEATURES",
    "CATALOGUE",
    "EXTRAS",
    "TABLES",
    "Column",
    "MetadataSource",
    "TableDefinition",
]


_VALUE_TYPES: Mapping[str, frozenset[type]] = {
    "INTEGER": frozenset({int, NoneType}),
    "TEXT": frozenset({str, NoneType}),
    "REAL": frozenset({float, int, NoneType}),
}


@dataclass(frozen=True)
class Column:
    """One column as SQLite declares it."""

    name: str
    declared_type: Literal["INTEGER", "TEXT", "REAL"]
    nullable: bool

    @property
    def value_types(self) -> frozenset[type]:
        """The types of Python that its values may have, NULL among them."""
        return _VALUE_TYPES[self.declared_type]


@dataclass(frozen=True)
class TableDefinition:
    """One table of the metadata: its name and its columns in order."""

    name: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> "pa.Schema":
        """The table's Arrow schema: int64 for INTEGER, string for TEXT, float64 for REAL.

        Every field admits NULL, since a row that breaks a NOT NULL is loaded and counted.
        """
        import pyarrow as pa

        types = {"INTEGER": pa.int64(), "TEXT": pa.string(), "REAL": pa.float64()}
        return pa.schema([(column.name, types[column.declared_type]) for column in self.columns])


@dataclass(frozen=True)
class MetadataSource:
    """A file of the dump's metadata.

    Attributes
    ----------
    unpacked, packed
        Its name, and its name as the dump has it.
    tables
        That come out of it, in the order in which they are loaded.
    """

    unpacked: str
    packed: str
    tables: tuple[str, ...]


def _integer(name: str, *, nullable: bool = False) -> Column:
    return Column(name, "INTEGER", nullable)


def _text(name: str, *, nullable: bool = False) -> Column:
    return Column(name, "TEXT", nullable)


def _real(name: str) -> Column:
    return Column(name, "REAL", nullable=True)


TABLES: Mapping[str, TableDefinition] = {
    name: TableDefinition(name, columns)
    for name, columns in {
        "album_images": (
            _integer("album_rowid"),
            _integer("width"),
            _integer("height"),
            _text("url"),
        ),
        "artist_genres": (_integer("artist_rowid"), _text("genre")),
        "available_markets": (_integer("rowid"), _text("available_markets")),
        "albums": (
            _integer("rowid"),
            _text("id"),
            _integer("fetched_at"),
            _text("name"),
            _text("album_type"),
            _integer("available_markets_rowid"),
            _text("external_id_upc", nullable=True),
            _text("external_id_amgid", nullable=True),
            _text("copyright_c", nullable=True),
            _text("copyright_p", nullable=True),
            _text("label"),
            _integer("popularity"),
            _text("release_date"),
            _text("release_date_precision"),
            _integer("total_tracks"),
        ),
        "artist_images": (
            _integer("artist_rowid"),
            _integer("width"),
            _integer("height"),
            _text("url"),
        ),
        "track_artists": (_integer("track_rowid"), _integer("artist_rowid")),
        "artist_albums": (
            _integer("artist_rowid"),
            _integer("album_rowid"),
            _integer("is_appears_on"),
            _integer("is_implicit_appears_on"),
            _integer("index_in_album", nullable=True),
        ),
        "artists": (
            _integer("rowid"),
            _text("id"),
            _integer("fetched_at"),
            _text("name"),
            _integer("followers_total"),
            _integer("popularity"),
        ),
        "tracks": (
            _integer("rowid"),
            _text("id"),
            _integer("fetched_at"),
            _text("name"),
            _text("preview_url", nullable=True),
            _integer("album_rowid"),
            _integer("track_number"),
            _text("external_id_isrc", nullable=True),
            _text("external_id_ean", nullable=True),
            _text("external_id_upc", nullable=True),
            _integer("popularity"),
            _integer("available_markets_rowid"),
            _integer("disc_number"),
            _integer("duration_ms"),
            _integer("explicit"),
        ),
    }.items()
}
"""The nine tables, in the order in which they are loaded and listed everywhere."""

ALL_TABLES: Mapping[str, TableDefinition] = {
    **TABLES,
    "track_audio_features": TableDefinition(
        "track_audio_features",
        (
            _integer("rowid"),
            _text("track_id"),
            _integer("fetched_at"),
            _integer("null_response"),
            _integer("duration_ms", nullable=True),
            _integer("time_signature", nullable=True),
            _real("tempo"),
            _integer("key", nullable=True),
            _integer("mode", nullable=True),
            *map(
                _real,
                (
                    *("danceability", "energy", "loudness", "speechiness", "acousticness"),
                    *("instrumentalness", "liveness", "valence"),
                ),
            ),
        ),
    ),
    "artist_redirects": TableDefinition("artist_redirects", (_text("old_id"), _text("new_id"))),
}
"""With those of files that not everyone has. The redirects are no table in the dump, but JSON."""

CATALOGUE = MetadataSource("spotify_clean.sqlite3", "spotify_clean.sqlite3.zst", tuple(TABLES))

AUDIO_FEATURES = MetadataSource(
    "spotify_clean_audio_features.sqlite3",
    "spotify_clean_audio_features.sqlite3.zst",
    ("track_audio_features",),
)

ARTIST_REDIRECTS = MetadataSource(
    "spotify_artist_redirects.json", "spotify_artist_redirects.json", ("artist_redirects",)
)

EXTRAS = (AUDIO_FEATURES, ARTIST_REDIRECTS)
"""Files that are loaded if they are there."""
