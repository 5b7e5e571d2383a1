"""A search in the catalogue: its tracks, and the albums and artists of them.

The text index knows tracks alone. So albums and artists are those of the tracks that are found,
first those whose own name has the words.

Belongs here: what is found. Does not belong here: the text of a search (`search_query`), pages of
what is found (`web_api`).
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from spotify_pipeline.catalog import Album, Artist, Filters, Track
from spotify_pipeline.catalog.words import query_words
from spotify_pipeline.serve.installation import Reader
from spotify_pipeline.serve.search_query import SearchQuery

__all__ = ["found_albums", "found_artists", "found_tracks"]

_Named = TypeVar("_Named", Album, Artist)

AROUND = 5
"""So many tracks are looked through for one album or artist that has the words."""


def found_tracks(reader: Reader, query: SearchQuery, most: int) -> list[Track]:
    """Find so many tracks at the most, the best match first.

    Raises
    ------
    TextIndexError
        There is no text index, or it is of another catalogue.
    """
    if not query.possible:
        return []
    if query.references:
        found = reader.lookup.references(
            query.references, query.words, query.filters, limit=most, releases_apart=True
        )
    elif query_words(query.words) or query.filters != Filters():
        found = reader.lookup.search(query.words, query.filters, limit=most)
    else:
        found = []
    return [each.track for each in found]


def found_albums(reader: Reader, query: SearchQuery, most: int) -> list[Album]:
    """Find albums; see `found_tracks`."""
    found = found_tracks(reader, query, AROUND * most)
    distinct = {one.album.rowid: one.album for one in found if one.album is not None}
    return _named_first(distinct.values(), query.words, lambda one: one.title)[:most]


def found_artists(reader: Reader, query: SearchQuery, most: int) -> list[Artist]:
    """Find artists, with all that is known of them; see `found_tracks`."""
    found = found_tracks(reader, query, AROUND * most)
    distinct = {one.rowid: one for each in found for one in each.artists}
    best = _named_first(distinct.values(), query.words, lambda one: one.name)[:most]
    known = reader.catalog.artists([one.artist_id for one in best if one.artist_id])
    return [known.get(one.artist_id or "", one) for one in best]


def _named_first(
    found: Iterable[_Named], words: str, name: Callable[[_Named], str]
) -> list[_Named]:
    """Put those in front whose own name has the words, of which the last may be cut short."""
    asked = query_words(words)

    def lacks(one: _Named) -> bool:
        own = query_words(name(one))
        return not all(
            any(word == each or (word == asked[-1] and each.startswith(word)) for each in own)
            for word in asked
        )

    return sorted(found, key=lacks)
