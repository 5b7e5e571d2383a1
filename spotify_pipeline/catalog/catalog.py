"""Questions to ``meta.duckdb``: tracks, albums and artists by id, row number, ISRC or UPC.

Every question takes many keys and costs a fixed number of queries.

Belongs here: the queries. Does not belong here: what an answer holds (`records`), and search by
words (`text_search`).
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from spotify_pipeline.catalog.errors import CatalogError
from spotify_pipeline.catalog.records import Album, Artist, Image, Track
from spotify_pipeline.store.database import connect

__all__ = ["Catalog"]


class Catalog:
    """``meta.duckdb``, open for questions.

    Parameters
    ----------
    database
        ``meta.duckdb``.

    Raises
    ------
    DatabaseError
        It is missing, damaged or busy.
    """

    def __init__(self, database: Path) -> None:
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(connect(database, read_only=True))

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

    def tracks(
        self, ids: Sequence[str], *, markets: bool = False, images: bool = False
    ) -> dict[str, Track]:
        """Look tracks up by id; unknown ones are left out."""
        rows = self._keyed("SELECT id, rowid FROM tracks WHERE id IN $keys", ids)
        found = self.tracks_at([rowid for _, rowid in rows], markets=markets, images=images)
        by_id = {track.track_id: track for track in found.values()}
        return {track_id: by_id[track_id] for track_id in ids if track_id in by_id}

    def tracks_at(
        self, rowids: Sequence[int], *, markets: bool = False, images: bool = False
    ) -> dict[int, Track]:
        """Look tracks up by row number, in the order given."""
        rows = self._rows(
            "SELECT rowid, id, coalesce(name, ''), album_rowid, external_id_isrc, duration_ms,"
            " popularity, explicit, disc_number, track_number, preview_url,"
            " available_markets_rowid FROM tracks WHERE rowid IN $keys",
            rowids,
        )
        credits: dict[int, list[int]] = {}
        # the source has no position of an artist on a track: the order of its rows is the credit's
        for track, artist in self._rows(
            "SELECT track_rowid, artist_rowid FROM track_artists"
            " WHERE track_rowid IN $keys ORDER BY rowid",
            rowids,
        ):
            credits.setdefault(track, []).append(artist)
        artists = self._artists_at(
            {artist for each in credits.values() for artist in each}, images=images
        )
        albums = self._albums_at({row[3] for row in rows if row[3] is not None}, images=images)
        lists = self._markets({row[11] for row in rows if row[11] is not None}) if markets else {}
        found = {
            row[0]: Track(
                track_id=row[1],
                rowid=row[0],
                title=row[2],
                artists=tuple(artists[a] for a in credits.get(row[0], ()) if a in artists),
                album=albums.get(row[3]),
                isrc=row[4],
                duration_ms=row[5],
                popularity=row[6],
                explicit=None if row[7] is None else bool(row[7]),
                disc_number=row[8],
                track_number=row[9],
                preview_url=row[10],
                markets=lists.get(row[11]),
            )
            for row in rows
        }
        return {rowid: found[rowid] for rowid in rowids if rowid in found}

    def tracks_of_isrcs(
        self, isrcs: Sequence[str], *, markets: bool = False, images: bool = False
    ) -> dict[str, list[Track]]:
        """Give the tracks of each ISRC, the most popular first."""
        query = "SELECT external_id_isrc, rowid FROM tracks WHERE external_id_isrc IN $keys"
        return self._grouped(isrcs, self._keyed(query, isrcs), markets, images)

    def tracks_of_upcs(
        self, upcs: Sequence[str], *, markets: bool = False, images: bool = False
    ) -> dict[str, list[Track]]:
        """Give the tracks of the albums of each UPC, in the albums' order."""
        rows = self._keyed(
            "SELECT external_id_upc, id FROM albums WHERE external_id_upc IN $keys", upcs
        )
        albums = self.tracks_of_albums([album for _, album in rows], markets=markets, images=images)
        found: dict[str, list[Track]] = {}
        for upc, album in rows:
            found.setdefault(upc, []).extend(albums.get(album, []))
        return found

    def tracks_of_albums(
        self, ids: Sequence[str], *, markets: bool = False, images: bool = False
    ) -> dict[str, list[Track]]:
        """Give the tracks of each album, in the album's order."""
        query = (
            "SELECT albums.id, tracks.rowid FROM tracks JOIN albums ON albums.rowid = album_rowid"
            " WHERE albums.id IN $keys"
        )
        found = self._grouped(ids, self._keyed(query, ids), markets, images)
        return {key: sorted(tracks, key=_album_place) for key, tracks in found.items()}

    def tracks_of_artists(
        self, ids: Sequence[str], *, limit: int = 1000, markets: bool = False, images: bool = False
    ) -> dict[str, list[Track]]:
        """Give the most popular tracks of each artist, redirected ones too."""
        current = self._redirected(ids)
        query = (
            "SELECT artists.id, tracks.rowid FROM artists"
            " JOIN track_artists ON artist_rowid = artists.rowid"
            " JOIN tracks ON tracks.rowid = track_rowid WHERE artists.id IN $keys"
            f" QUALIFY row_number() OVER (PARTITION BY artists.id ORDER BY tracks.popularity DESC)"
            f" <= {limit:d}"
        )
        wanted = list(dict.fromkeys(current.values()))
        found = self._grouped(wanted, self._keyed(query, wanted), markets, images)
        return {key: found[now] for key, now in current.items() if now in found}

    def albums(self, ids: Sequence[str], *, images: bool = True) -> dict[str, Album]:
        """Look albums up by id."""
        rows = self._keyed("SELECT id, rowid FROM albums WHERE id IN $keys", ids)
        found = self._albums_at({rowid for _, rowid in rows}, images=images)
        return {album_id: found[rowid] for album_id, rowid in rows if rowid in found}

    def artists(self, ids: Sequence[str], *, images: bool = True) -> dict[str, Artist]:
        """Look artists up by id; an id that was redirected gives the artist it leads to."""
        current = self._redirected(ids)
        keys = list(dict.fromkeys(current.values()))
        rows = dict(self._keyed("SELECT id, rowid FROM artists WHERE id IN $keys", keys))
        found = self._artists_at(set(rows.values()), images=images)
        return {key: found[rows[now]] for key, now in current.items() if now in rows}

    def _redirected(self, ids: Sequence[str]) -> dict[str, str]:
        """Give the id that each artist's id leads to."""
        try:
            rows = dict(
                self._keyed(
                    "SELECT artist_id, redirect_id FROM artist_redirects WHERE artist_id IN $keys",
                    ids,
                )
            )
        except CatalogError:
            rows = {}
        return {artist: rows.get(artist, artist) for artist in ids}

    def _grouped(
        self, keys: Sequence[str], rows: Sequence[tuple[Any, ...]], markets: bool, images: bool
    ) -> dict[str, list[Track]]:
        tracks = self.tracks_at([rowid for _, rowid in rows], markets=markets, images=images)
        found: dict[str, list[Track]] = {}
        for key, rowid in rows:
            if rowid in tracks:
                found.setdefault(key, []).append(tracks[rowid])
        for group in found.values():
            group.sort(key=lambda track: (-(track.popularity or 0), track.rowid))
        return {key: found[key] for key in dict.fromkeys(keys) if key in found}

    def _artists_at(self, rowids: Iterable[int], *, images: bool) -> dict[int, Artist]:
        keys = sorted(rowids)
        genres: dict[int, list[str]] = {}
        for rowid, genre in self._rows(
            "SELECT artist_rowid, genre FROM artist_genres WHERE artist_rowid IN $keys", keys
        ):
            genres.setdefault(rowid, []).append(genre)
        pictures = self._images("artist", keys if images else [])
        rows = self._rows(
            "SELECT rowid, id, coalesce(name, ''), popularity, followers_total FROM artists"
            " WHERE rowid IN $keys",
            keys,
        )
        return {
            row[0]: Artist(
                artist_id=row[1],
                rowid=row[0],
                name=row[2],
                popularity=row[3],
                followers=row[4],
                genres=tuple(genres.get(row[0], ())),
                images=pictures.get(row[0], ()),
            )
            for row in rows
        }

    def _albums_at(self, rowids: Iterable[int], *, images: bool) -> dict[int, Album]:
        keys = sorted(rowids)
        pictures = self._images("album", keys if images else [])
        rows = self._rows(
            "SELECT rowid, id, coalesce(name, ''), album_type, release_date,"
            " release_date_precision, label, external_id_upc, popularity, total_tracks FROM albums"
            " WHERE rowid IN $keys",
            keys,
        )
        return {
            row[0]: Album(
                album_id=row[1],
                rowid=row[0],
                title=row[2],
                album_type=row[3],
                release_date=row[4],
                release_date_precision=row[5],
                label=row[6],
                upc=row[7],
                popularity=row[8],
                total_tracks=row[9],
                images=pictures.get(row[0], ()),
            )
            for row in rows
        }

    def _images(self, owner: str, rowids: Sequence[int]) -> dict[int, tuple[Image, ...]]:
        found: dict[int, tuple[Image, ...]] = {}
        for rowid, *image in self._rows(
            f"SELECT {owner}_rowid, url, width, height FROM {owner}_images"
            f" WHERE {owner}_rowid IN $keys ORDER BY width DESC",
            rowids,
        ):
            found[rowid] = (*found.get(rowid, ()), Image(*image))
        return found

    def _markets(self, rowids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        rows = self._rows(
            "SELECT rowid, available_markets FROM available_markets WHERE rowid IN $keys",
            sorted(rowids),
        )
        return {
            rowid: tuple(filter(None, text.split(","))) if isinstance(text, str) else tuple(text)
            for rowid, text in rows
            if text is not None
        }

    def _keyed(self, query: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        return self._rows(query, keys, "VARCHAR")

    def _rows(
        self, query: str, keys: Sequence[int] | Sequence[str], kind: str = "BIGINT"
    ) -> list[tuple[Any, ...]]:
        if not keys:
            return []
        text = query.replace("$keys", f"(SELECT unnest($keys::{kind}[]))")
        try:
            return self._connection.execute(text, {"keys": list(keys)}).fetchall()
        except duckdb.CatalogException as error:
            raise CatalogError(
                f"the catalogue lacks a table: load all of them by 'ingest' ({error})"
            ) from error


def _album_place(track: Track) -> tuple[int, int]:
    return (track.disc_number or 0, track.track_number or 0)
