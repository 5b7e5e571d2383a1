"""Look-ups by key over ``meta.duckdb``: ids, rowids, ISRCs, UPCs, to records.

Every method takes many keys and asks a fixed number of queries, whatever their number: a few keys
stand in the query itself, so that DuckDB passes over all stretches of rows that can't hold them
(see `store.metadata_layout`), and many are joined with.

Belongs here: finding records by key. Does not belong here: search by words (`text_search`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from spotify_pipeline.catalog.records import (
    Album,
    Artist,
    AudioFeatures,
    Image,
    Track,
    TrackNames,
)
from spotify_pipeline.store.database import ATTACHED, DatabaseError, connect_apart
from spotify_pipeline.store.metadata_layout import KEY_SCHEMA, text_key
from spotify_pipeline.store.metadata_ledger import SourceFile, sources_of_tables

__all__ = ["Catalog", "normalised_isrc", "normalised_upc"]

FEW = 500
"""Keys that stand in the query itself; more are joined with."""

Key = str | int
Row = tuple[Any, ...]

_FEATURES = tuple(AudioFeatures.__dataclass_fields__)


class Catalog:
    """The catalogue of an installation, opened for reading until it is closed.

    It goes on reading the file that it has opened when a new one takes its place, and one opened
    then reads the new one. Where there is no file, or it has no tables, nothing is found.

    Parameters
    ----------
    database
        ``meta.duckdb``.

    Attributes
    ----------
    sources
        The file that each table was loaded from.

    Raises
    ------
    DatabaseError
        The database is damaged, was made by an earlier version, or is being written.
    """

    def __init__(self, database: Path) -> None:
        self._stack = ExitStack()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._tables: frozenset[str] = frozenset()
        self.sources: Mapping[str, SourceFile] = {}
        if not database.exists():
            return
        with ExitStack() as opening:
            connection = opening.enter_context(connect_apart(database))
            self._tables = frozenset(
                f"{schema}.{name}"
                for schema, name in connection.execute(
                    "SELECT schema_name, table_name FROM duckdb_tables()"
                    f" WHERE database_name = '{ATTACHED}'"
                ).fetchall()
            )
            if "main.tracks" in self._tables and f"{KEY_SCHEMA}.tracks_by_id" not in self._tables:
                raise DatabaseError(
                    f"{database}: made by an earlier version: load the metadata's tables again"
                )
            self.sources = sources_of_tables(connection)
            if "main.tracks" in self._tables:
                self._connection = connection
            self._stack = opening.pop_all()

    def __enter__(self) -> Self:
        """Give the catalogue itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Close the database."""
        return self._stack.__exit__(kind, error, trace)

    def close(self) -> None:
        """Close the database."""
        self._stack.close()

    @contextmanager
    def beside(self) -> Iterator["Catalog"]:
        """Give the same catalogue for the use of another thread, as long as this one is open."""
        other = copy(self)
        with ExitStack() as stack:
            other._stack = stack
            if self._connection is not None:
                other._connection = stack.enter_context(self._connection.cursor())
                other._connection.execute(f"USE {ATTACHED}")
            yield other

    def tracks(
        self, track_ids: Iterable[str], *, markets: bool = False, images: bool = False
    ) -> dict[str, Track]:
        """Look up tracks by id.

        Parameters
        ----------
        track_ids
            In any order; repeated ones count once.
        markets, images
            Whether to look up the markets, and the images of albums and artists, too.

        Returns
        -------
        dict
            By id, in the order asked for; what is not known is not in it.
        """
        wanted = list(dict.fromkeys(track_ids))
        rowids = self._rowids_of("track", wanted)
        found = self.tracks_at(rowids.values(), markets=markets, images=images)
        return {key: found[rowids[key]] for key in wanted if key in rowids and rowids[key] in found}

    def names(self, track_ids: Iterable[str]) -> dict[str, TrackNames]:
        """Look up what tracks are called, which takes half of what `tracks` does; by id."""
        rowids = self._rowids_of("track", dict.fromkeys(track_ids))
        rows = self._where(
            'SELECT "rowid", name, album_rowid, external_id_isrc, popularity FROM tracks',
            '"rowid"',
            rowids.values(),
        )
        credits = self._grouped("track_artists", "track_rowid", "artist_rowid", rowids.values())
        artists = self._names_at("artists", _all(credits))
        albums = self._names_at("albums", {row[2] for row in rows if row[2] is not None})
        found = {
            rowid: TrackNames(
                title or "",
                tuple(artists[key] for (key,) in credits[rowid] if key in artists),
                albums.get(album, ""),
                isrc,
                popularity,
            )
            for rowid, title, album, isrc, popularity in rows
        }
        return {track_id: found[rowid] for track_id, rowid in rowids.items() if rowid in found}

    def isrcs_at(self, rowids: Iterable[int]) -> dict[int, str | None]:
        """Look up the ISRCs of tracks by rowid, in the order asked for."""
        wanted = list(dict.fromkeys(rowids))
        rows = self._where('SELECT "rowid", external_id_isrc FROM tracks', '"rowid"', wanted)
        found: dict[int, str | None] = dict(rows)
        return {rowid: found[rowid] for rowid in wanted if rowid in found}

    def popularity(self, track_ids: Iterable[str]) -> dict[str, int]:
        """Look up how popular tracks are, 0 to 100; by id, those that have a popularity."""
        rowids = self._rowids_of("track", dict.fromkeys(track_ids))
        rows = self._where('SELECT "rowid", popularity FROM tracks', '"rowid"', rowids.values())
        found = {rowid: points for rowid, points in rows if points is not None}
        return {track_id: found[rowid] for track_id, rowid in rowids.items() if rowid in found}

    def tracks_at(
        self, rowids: Iterable[int], *, markets: bool = False, images: bool = False
    ) -> dict[int, Track]:
        """Look up tracks by rowid; see `tracks`."""
        wanted = list(dict.fromkeys(rowids))
        rows = self._where(
            'SELECT "rowid", id, name, album_rowid, external_id_isrc, duration_ms, popularity,'
            " explicit, disc_number, track_number, preview_url, available_markets_rowid"
            " FROM tracks",
            '"rowid"',
            wanted,
        )
        credits = self._grouped("track_artists", "track_rowid", "artist_rowid", wanted)
        artists = self._artists_at(_all(credits), images=images)
        albums = self._albums_at({row[3] for row in rows if row[3] is not None}, images=images)
        lists = self._markets_at(
            {row[11] for row in rows if row[11] is not None} if markets else ()
        )
        features = self._features_of([row[1] for row in rows])
        found = {}
        for rowid, track_id, title, album, *rest, market in rows:
            found[rowid] = Track(
                track_id,
                rowid,
                title or "",
                tuple(artists[key] for (key,) in credits[rowid] if key in artists),
                albums.get(album),
                *(
                    *rest,
                    lists.get(market, ()) if markets else None,
                    features.get(track_id),
                ),
            )
        return {rowid: found[rowid] for rowid in wanted if rowid in found}

    def tracks_of_isrcs(
        self, isrcs: Iterable[str], *, markets: bool = False, images: bool = False
    ) -> dict[str, list[Track]]:
        """Look up the tracks of recordings, the most popular first; by ISRC as asked for."""
        wanted = {isrc: normalised_isrc(isrc) for isrc in isrcs}
        pairs = self._keyed("tracks_by_isrc", "track_rowid", set(wanted.values()))
        return self._tracks_of(wanted, pairs, markets=markets, images=images)

    def tracks_of_upcs(
        self, upcs: Iterable[str], *, markets: bool = False, images: bool = False
    ) -> dict[str, list[Track]]:
        """Look up the tracks of releases, in their order; by UPC or EAN as asked for."""
        wanted = {upc: normalised_upc(upc) for upc in upcs}
        albums = self._keyed("albums_by_upc", "album_rowid", set(wanted.values()))
        return self._on_albums(wanted, albums, markets=markets, images=images)

    def tracks_of_albums(
        self, album_ids: Iterable[str], *, markets: bool = False, images: bool = False
    ) -> dict[str, list[Track]]:
        """Look up the tracks of albums, in their order; by album id."""
        wanted = {key: key for key in album_ids}
        albums = self._keyed("albums_by_id", "album_rowid", wanted)
        return self._on_albums(wanted, albums, markets=markets, images=images)

    def tracks_of_artists(
        self,
        artist_ids: Iterable[str],
        *,
        limit: int = 100,
        markets: bool = False,
        images: bool = False,
    ) -> dict[str, list[Track]]:
        """Look up the most popular tracks of artists, so many of each; by artist id as asked."""
        wanted = self._redirected(artist_ids)
        artists = self._keyed("artists_by_id", "artist_rowid", set(wanted.values()))
        best = self._where(
            f"SELECT artist_rowid, track_rowid FROM {KEY_SCHEMA}.artist_tracks",
            "artist_rowid",
            {rowid for _, rowid in artists},
            "QUALIFY row_number() OVER (PARTITION BY artist_rowid"
            f" ORDER BY unpopularity NULLS LAST, track_rowid) <= {int(limit)}",
        )
        pairs = _joined(artists, best)
        return self._tracks_of(wanted, pairs, markets=markets, images=images)

    def albums(self, album_ids: Iterable[str], *, images: bool = True) -> dict[str, Album]:
        """Look up albums by id, in the order asked for."""
        wanted = list(dict.fromkeys(album_ids))
        rowids = self._rowids_of("album", wanted)
        found = self._albums_at(set(rowids.values()), images=images)
        return {key: found[rowids[key]] for key in wanted if key in rowids and rowids[key] in found}

    def albums_of_artists(
        self, artist_ids: Iterable[str], *, images: bool = False
    ) -> dict[str, list[Album]]:
        """Look up the albums of artists, those that they only appear on left out; newest first."""
        wanted = self._redirected(artist_ids)
        artists = self._keyed("artists_by_id", "artist_rowid", set(wanted.values()))
        pairs = self._where(
            "SELECT artist_rowid, album_rowid FROM artist_albums",
            "artist_rowid",
            {rowid for _, rowid in artists},
            "AND NOT is_appears_on AND NOT is_implicit_appears_on",
        )
        found = self._albums_at({album for _, album in pairs}, images=images)
        of_keys: defaultdict[Key, list[Album]] = defaultdict(list)
        for key, album in _joined(artists, pairs):
            if album in found:
                of_keys[key].append(found[album])
        return {
            asked: sorted(of_keys[key], key=lambda a: a.release_date or "", reverse=True)
            for asked, key in wanted.items()
            if of_keys[key]
        }

    def artists(self, artist_ids: Iterable[str], *, images: bool = True) -> dict[str, Artist]:
        """Look up artists by id, as asked for; one that was redirected gives the one it became."""
        wanted = self._redirected(artist_ids)
        rowids = self._rowids_of("artist", set(wanted.values()))
        found = self._artists_at(set(rowids.values()), images=images)
        return {
            asked: found[rowids[key]]
            for asked, key in wanted.items()
            if key in rowids and rowids[key] in found
        }

    def artists_of_albums(self, rowids: Iterable[int]) -> dict[int, list[Artist]]:
        """Look up the artists of albums, by the albums' rowid; those that have any."""
        pairs = self._where(
            f"SELECT album_rowid, artist_rowid FROM {KEY_SCHEMA}.album_artists",
            "album_rowid",
            set(rowids),
        )
        found = self._artists_at({artist for _, artist in pairs}, images=False)
        of_albums: defaultdict[int, list[Artist]] = defaultdict(list)
        for album, artist in pairs:
            if artist in found:
                of_albums[album].append(found[artist])
        return dict(of_albums)

    def _on_albums(
        self, wanted: Mapping[str, str], albums: Sequence[Row], *, markets: bool, images: bool
    ) -> dict[str, list[Track]]:
        tracks = self._where(
            f"SELECT album_rowid, track_rowid FROM {KEY_SCHEMA}.album_tracks",
            "album_rowid",
            {rowid for _, rowid in albums},
        )
        pairs = _joined(albums, tracks)
        return self._tracks_of(wanted, pairs, _place, markets=markets, images=images)

    def _tracks_of(
        self,
        wanted: Mapping[str, str],
        pairs: Iterable[Row],
        order: Callable[[Track], Any] | None = None,
        *,
        markets: bool,
        images: bool,
    ) -> dict[str, list[Track]]:
        """Give the tracks of keys, each as it was asked for."""
        of_keys: defaultdict[Key, list[int]] = defaultdict(list)
        for key, rowid in pairs:
            of_keys[key].append(rowid)
        found = self.tracks_at(_merged(of_keys.values()), markets=markets, images=images)
        given = {}
        for asked, key in wanted.items():
            tracks = [found[rowid] for rowid in of_keys.get(key, ()) if rowid in found]
            if tracks:
                given[asked] = sorted(tracks, key=order or _popular_first)
        return given

    def _redirected(self, artist_ids: Iterable[str]) -> dict[str, str]:
        """Give the id that each artist has now."""
        wanted = {key: key for key in artist_ids}
        if "main.artist_redirects" in self._tables:
            rows = self._where("SELECT old_id, new_id FROM artist_redirects", "old_id", wanted)
            wanted.update(rows)
        return wanted

    def _artists_at(self, rowids: Iterable[int], *, images: bool) -> dict[int, Artist]:
        wanted = set(rowids)
        rows = self._where(
            'SELECT id, "rowid", name, popularity, followers_total FROM artists',
            '"rowid"',
            wanted,
            "AND name IS NOT NULL",
        )
        genres = self._grouped("artist_genres", "artist_rowid", "genre", wanted)
        pictures = self._images("artist_images", "artist_rowid", wanted if images else ())
        return {
            row[1]: Artist(
                *(
                    *row,
                    tuple(genre for (genre,) in genres[row[1]] if genre is not None),
                    pictures.get(row[1], ()),
                )
            )
            for row in rows
        }

    def _albums_at(self, rowids: Iterable[int], *, images: bool) -> dict[int, Album]:
        wanted = set(rowids)
        rows = self._where(
            "SELECT id, \"rowid\", coalesce(name, ''), album_type, release_date,"
            " release_date_precision, label, external_id_upc, popularity, total_tracks FROM albums",
            '"rowid"',
            wanted,
        )
        pictures = self._images("album_images", "album_rowid", wanted if images else ())
        return {row[1]: Album(*(*row, pictures.get(row[1], ()))) for row in rows}

    def _images(
        self, table: str, owner: str, rowids: Iterable[int]
    ) -> dict[int, tuple[Image, ...]]:
        found = self._grouped(table, owner, "url, width, height", set(rowids))
        return {
            rowid: tuple(sorted((Image(*row) for row in rows), key=lambda i: -(i.width or 0)))
            for rowid, rows in found.items()
        }

    def _markets_at(self, rowids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        rows = self._where(
            'SELECT "rowid", available_markets FROM available_markets', '"rowid"', set(rowids)
        )
        return {rowid: tuple(markets or ()) for rowid, markets in rows}

    def _features_of(self, track_ids: Sequence[str]) -> dict[str, AudioFeatures]:
        found = self._keyed("features_by_track", "features_rowid", track_ids)
        columns = ", ".join(_FEATURES)
        rows = self._where(
            f"SELECT track_id, {columns} FROM track_audio_features",
            '"rowid"',
            [rowid for _, rowid in found],
        )
        # of a track without an answer there is a row of NULLs
        return {track_id: AudioFeatures(*v) for track_id, *v in rows if v != [None] * len(v)}

    def _grouped(
        self, table: str, key: str, columns: str, keys: Iterable[Key]
    ) -> defaultdict[int, list[Row]]:
        """Give columns of a link table by its key, rows in their order."""
        grouped: defaultdict[int, list[Row]] = defaultdict(list)
        for owner, *values in self._where(f"SELECT {key}, {columns} FROM {table}", key, keys):
            grouped[owner].append(tuple(values))
        return grouped

    def _names_at(self, table: str, rowids: Iterable[int]) -> dict[int, str]:
        """Give what artists or albums are called."""
        return dict(
            self._where(
                f'SELECT "rowid", name FROM {table}', '"rowid"', rowids, "AND name IS NOT NULL"
            )
        )

    def _rowids_of(self, kind: str, ids: Iterable[str]) -> dict[str, int]:
        """Give the rowids of what is known of tracks, albums or artists, in the order asked for."""
        return dict(self._keyed(f"{kind}s_by_id", f"{kind}_rowid", ids))

    def _keyed(self, table: str, rowid: str, texts: Iterable[str]) -> list[tuple[str, int]]:
        """Give text and rowid of what a key table has of some texts, in the texts' order."""
        keys = {text: text_key(text) for text in texts}
        rows = self._where(f"SELECT key, {rowid} FROM {KEY_SCHEMA}.{table}", "key", keys.values())
        of_keys: defaultdict[int, list[int]] = defaultdict(list)
        for key, found in rows:
            of_keys[key].append(found)
        return [(text, found) for text, key in keys.items() for found in of_keys.get(key, ())]

    def _where(self, query: str, key: str, keys: Iterable[Key], more: str = "") -> list[Row]:
        """Ask for the rows in which a column has one of some values."""
        wanted = list(keys)
        if not wanted or self._connection is None:
            return []
        if len(wanted) <= FEW:
            values = ", ".join(_literal(value) for value in wanted)
            return self._connection.execute(f"{query} WHERE {key} IN ({values}) {more}").fetchall()
        import pyarrow as pa  # late, for that takes longer than to look up a few

        # keys of texts take all 64 bits, which is not what Arrow takes integers for
        values_of_keys = pa.array(wanted, pa.uint64() if key == "key" else None)
        self._connection.register("wanted", pa.table({"key": values_of_keys}))
        try:
            return self._connection.execute(
                f"{query} WHERE {key} IN (SELECT key FROM wanted) {more}"
            ).fetchall()
        finally:
            self._connection.unregister("wanted")


def normalised_isrc(isrc: str) -> str:
    """Give an ISRC as it is compared: capitals, no hyphens or spaces around it."""
    return isrc.strip().upper().replace("-", "")


def normalised_upc(upc: str) -> str:
    """Give a UPC or EAN as it is compared: without the zeros that pad it."""
    return upc.strip().lstrip("0")


def _literal(value: Key) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def _all(grouped: Mapping[int, Iterable[Row]]) -> set[int]:
    return {row[0] for rows in grouped.values() for row in rows if row[0] is not None}


def _merged(lists: Iterable[Iterable[int]]) -> Iterable[int]:
    return (rowid for rowids in lists for rowid in rowids)


def _joined(keys: Iterable[Row], pairs: Iterable[Row]) -> list[Row]:
    """Join (key, rowid) with (rowid, other) to (key, other)."""
    others: defaultdict[int, list[Any]] = defaultdict(list)
    for rowid, other in pairs:
        others[rowid].append(other)
    return [(key, other) for key, rowid in keys for other in others[rowid]]


def _popular_first(track: Track) -> tuple[int, int]:
    return (1 if track.popularity is None else -track.popularity), track.rowid


def _place(track: Track) -> tuple[int, int, int, int]:
    """Sort albums apart, and the tracks of each by disc and number."""
    album = track.album.rowid if track.album else 0
    return album, track.disc_number or 0, track.track_number or 0, track.rowid
