"""Answers to a look-up: tracks by words, filters and references, with all that is known of them.

Belongs here: putting together what the rooms know. Does not belong here: how answers are written
(`lookup_form`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import duckdb

from spotify_pipeline.catalog.catalog import Catalog
from spotify_pipeline.catalog.errors import CatalogError
from spotify_pipeline.catalog.records import AudioFeatures, Track
from spotify_pipeline.catalog.references import Reference, parse_reference
from spotify_pipeline.catalog.text_manifest import TextIndexError, is_current, read_text_manifest
from spotify_pipeline.catalog.text_search import NO_FILTERS, Filters, TextSearch
from spotify_pipeline.catalog.text_terms import filter_terms
from spotify_pipeline.catalog.words import query_words
from spotify_pipeline.dump.tables import TABLES
from spotify_pipeline.index.format.membership import indexed_among
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.database import DatabaseBusyError, connect
from spotify_pipeline.store.metadata_ledger import SourceFile

__all__ = ["Found", "Lookup", "Unknown", "require_tables"]

BATCH = 20_000
"""Lines of a batch that are answered together."""

RELEASES_LOOKED_THROUGH = 5
"""To a recording that is shown, so many tracks are looked at first, for some are its releases; and
so many times more each time until there are recordings enough."""


_HEARD = """
SELECT track_id, tempo, key, mode, loudness, time_signature
FROM tracks
WHERE shard IN (SELECT DISTINCT left(unnest($ids::VARCHAR[]), 2))
    AND track_id IN (SELECT unnest($ids::VARCHAR[]))
"""


@dataclass(frozen=True)
class Found:
    """A track, and what else stands in the catalogue of the same recording.

    Attributes
    ----------
    track
        The one asked for by its id, else the most popular of the recording.
    indexed
        Whether its fingerprint is in the feature index.
    releases
        Other tracks of the same ISRC, the most popular first.
    asked
        The line of a batch that it answers.
    """

    track: Track
    indexed: bool
    releases: tuple[Track, ...] = ()
    asked: str | None = None


@dataclass(frozen=True)
class Unknown:
    """A line of a batch without an answer, and why.

    Attributes
    ----------
    is_reference
        Whether the line could be read, and the catalogue has no such thing.
    """

    asked: str
    error: str
    is_reference: bool = True


class Lookup:
    """An installation's catalogue, its text index and what is known of fingerprints.

    Examples
    --------
    >>> from spotify_pipeline.catalog import Filters, Lookup
    >>> with Lookup.open(Settings.from_environment()) as lookup:  # doctest: +SKIP
    ...     for found in lookup.search("yesterday beatles", Filters(years=(1965, 1969))):
    ...         print(found.track.title, found.track.isrc)
    """

    def __init__(self, catalog: Catalog, settings: Settings, markets: bool) -> None:
        self._catalog = catalog
        self._settings = settings
        self._markets = markets
        self._text: TextSearch | None = None

    @classmethod
    @contextmanager
    def open(cls, settings: Settings, *, markets: bool = False) -> Iterator["Lookup"]:
        """Open the catalogue for the length of a ``with`` block.

        Parameters
        ----------
        settings
            The installation.
        markets
            Whether answers have the list of markets.

        Raises
        ------
        CatalogError
            There is none, or tables of it are missing.
        DatabaseError
            It is damaged or busy.
        """
        with Catalog(settings.metadata_database) as catalog:
            require_tables(settings.metadata_database, catalog.sources)
            yield cls(catalog, settings, markets)

    def search(self, text: str, filters: Filters = NO_FILTERS, *, limit: int = 20) -> list[Found]:
        """Find tracks by words and filters, the best first, each recording once.

        A smaller limit gives the beginning of what a larger one gives. Of a recording's tracks that
        match, the most popular stands for it.

        Raises
        ------
        TextIndexError
            There is no text index, it is damaged, or of another catalogue than is loaded: its
            row numbers would be those of other tracks.
        """
        rows = self._first_of_recordings(text, filters, limit)
        found = self._catalog.tracks_at(rows).values()
        same = self._releases(found)
        best = {
            track.rowid: next(
                other.rowid
                for other in (*same.get(track.isrc or "", ()), track)  # the most popular first
                if other.rowid == track.rowid or _passes(other, text, filters)
            )
            for track in found
        }
        shown = self._catalog.tracks_at(best.values(), markets=self._markets, images=True)
        return self._complete(list(shown.values()), same)

    def references(
        self,
        references: Sequence[Reference],
        text: str = "",
        filters: Filters = NO_FILTERS,
        *,
        limit: int = 20,
        releases_apart: bool = False,
    ) -> list[Found]:
        """Find the tracks of ids, addresses, ISRCs or UPCs, narrowed by words and filters.

        Each recording once, unless its releases are wanted apart.
        """
        answers = self._tracks_of(references)
        tracks = {
            track.track_id: track
            for reference in references
            for track in answers.get(reference, ())
            if _passes(track, text, filters)
        }
        if releases_apart:
            kept = list(tracks.values())[:limit]
            return self._complete(kept, self._releases(kept))
        return self._with_releases(list(tracks.values()), limit)

    def batch(self, lines: Iterable[str]) -> Iterator[Found | Unknown]:
        """Answer many references, one a line, in their order.

        A track's id gives that track, an ISRC the most popular of its tracks, and whatever names
        an album or artist all of its tracks that the catalogue gives. Empty lines are passed over.
        """
        asked = (line.removeprefix("\ufeff").strip() for line in lines)  # a byte order mark
        named = filter(None, asked)
        while some := list(islice(named, BATCH)):
            parsed = {line: parse_reference(line) for line in some}
            answers = self._tracks_of([found for found in parsed.values() if found is not None])
            shown: dict[str, Sequence[Track]] = {}
            for line, reference in parsed.items():
                tracks = answers.get(reference, ()) if reference is not None else ()
                one = reference is not None and reference.kind == "isrc"
                shown[line] = tracks[:1] if one else tracks
            every = {track.track_id: track for tracks in shown.values() for track in tracks}
            found = self._complete(every.values(), self._releases(every.values()))
            complete = {each.track.track_id: each for each in found}
            for line in some:
                if parsed[line] is None:
                    error = "neither an id, an address of Spotify's, an ISRC nor a UPC"
                    yield Unknown(line, error, is_reference=False)
                elif not shown[line]:
                    yield Unknown(line, "not in the catalogue")
                for track in shown[line]:
                    yield replace(complete[track.track_id], asked=line)

    def _first_of_recordings(self, text: str, filters: Filters, limit: int) -> list[int]:
        """Give the row number of the first track that matches of each recording, the best first."""
        if self._text is None:
            self._text = self._open_text()
        enough, most = limit, RELEASES_LOOKED_THROUGH * limit
        while True:
            rows = self._text.search(text, filters, most, enough)
            first: dict[str | int, int] = {}
            for rowid, isrc in self._catalog.isrcs_at(rows).items():
                first.setdefault(isrc or rowid, rowid)
            if len(first) >= limit or len(rows) < enough:
                return list(first.values())[:limit]
            enough, most = most, RELEASES_LOOKED_THROUGH * most

    def _open_text(self) -> TextSearch:
        folder = self._settings.text_index
        text = TextSearch.open(folder)
        if not is_current(read_text_manifest(folder), self._catalog.sources):
            raise TextIndexError(
                f"{folder}: the text index is of an earlier catalogue than the one that is loaded;"
                " bring it up to date by 'ingest', or by the job 'text'"
            )
        return text

    def _tracks_of(self, references: Sequence[Reference]) -> dict[Reference, Sequence[Track]]:
        """Give the tracks of each reference, by a query for each kind."""

        def keys(*kinds: str) -> list[str]:
            return list(dict.fromkeys(r.value for r in references if r.kind in kinds))

        catalog, markets = self._catalog, self._markets
        found: dict[tuple[str, str], Sequence[Track]] = {}
        tracks = catalog.tracks(keys("track", "id"), markets=markets, images=True)
        for key, track in tracks.items():
            found["track", key] = [track]
        rest = [key for key in keys("id") if key not in tracks]
        of = {
            "album": catalog.tracks_of_albums(keys("album") + rest, markets=markets, images=True),
            "artist": catalog.tracks_of_artists(
                keys("artist") + rest, markets=markets, images=True
            ),
            "isrc": catalog.tracks_of_isrcs(keys("isrc"), markets=markets, images=True),
            "upc": catalog.tracks_of_upcs(keys("upc"), markets=markets, images=True),
        }
        found |= {(kind, key): value for kind, each in of.items() for key, value in each.items()}
        for key in keys("id"):
            meant = (found.get((kind, key)) for kind in ("track", "album", "artist"))
            found["id", key] = next(filter(None, meant), [])
        return {r: found.get((r.kind, r.value), []) for r in references}

    def _with_releases(self, tracks: Sequence[Track], limit: int) -> list[Found]:
        """Keep the first track of each recording and add the others of its ISRC."""
        first: dict[str, Track] = {}
        for track in tracks:
            first.setdefault(track.isrc or track.track_id, track)
        kept = list(first.values())[:limit]
        return self._complete(kept, self._releases(kept))

    def _releases(self, tracks: Iterable[Track]) -> dict[str, list[Track]]:
        """Give the tracks of the same recordings, the most popular first; by ISRC."""
        codes = (track.isrc for track in tracks if track.isrc is not None)
        return self._catalog.tracks_of_isrcs(dict.fromkeys(codes))

    def _complete(
        self, kept: Collection[Track], same: Mapping[str, Sequence[Track]]
    ) -> list[Found]:
        """Add what other rooms know, and other releases."""
        ids = [track.track_id for track in kept]
        indexed = indexed_among(self._settings.index, ids)
        features = self.heard([track.track_id for track in kept if track.features is None])
        return [
            Found(
                replace(track, features=track.features or features.get(track.track_id)),
                track.track_id in indexed,
                tuple(t for t in same.get(track.isrc or "", ()) if t.track_id != track.track_id),
            )
            for track in kept
        ]

    def heard(self, track_ids: Sequence[str]) -> dict[str, AudioFeatures]:
        """Read tempo, key and loudness out of ``audio.duckdb``; nothing while it is written."""
        path = self._settings.audio_database
        if not track_ids or not path.exists():
            return {}
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(connect(path, read_only=True))
            except DatabaseBusyError:
                return {}
            try:
                rows = connection.execute(_HEARD, {"ids": list(track_ids)}).fetchall()
            except duckdb.CatalogException:
                return {}  # no shard has been ingested yet
        names = ("tempo", "key", "mode", "loudness", "time_signature")
        return {
            track_id: AudioFeatures(**dict(zip(names, values, strict=True)))
            for track_id, *values in rows
        }


def require_tables(database: Path, loaded: Mapping[str, SourceFile]) -> None:
    """Fail with what to do if the catalogue is not there, or not all of it."""
    if not database.exists():
        raise CatalogError(
            f"{database}: there is no catalogue; put spotify_clean.sqlite3.zst into the incoming"
            " folder and run 'ingest'"
        )
    missing = TABLES.keys() - loaded.keys()
    if missing:
        raise CatalogError(
            f"{database}: tables are not loaded: {', '.join(sorted(missing))}; load them by"
            " 'ingest', or by the job 'metadata'"
        )


def _passes(track: Track, text: str, filters: Filters) -> bool:
    """Tell whether a track has the words and passes the filters, as the text index would."""
    texts = [("title", track.title)]
    texts += [("artist", name) for name in track.artist_names]
    texts += [("genre", genre) for artist in track.artists for genre in artist.genres]
    year = ""
    if track.album is not None:
        texts += [("album", track.album.title), ("label", track.album.label or "")]
        year = (track.album.release_date or "")[:4]
    terms = filter_terms(texts, year, track.duration_ms)
    return filters.admit(terms) and all(
        not terms.isdisjoint(f"{name}:{word}" for name in ("title", "artist", "album"))
        for word in query_words(text)
    )
