"""The terms by which a track is found, in the text index and in the filters of a look-up.

A track is a set of terms, each of them a text without spaces:

====================  ===========================================================================
``title:word``        a word of the title; so, too, ``artist:``, ``album:``, ``label:``, ``genre:``
``title=3``           the title has three words, with or without those on its version and guests
``named=5``           the title, without those, and its first artist have five words together
``artist=sigur_ros``  the whole name of an artist, its words sorted
``year=1999``         the release's year
``seconds=205``       whole seconds of length, at most `LONGEST`
====================  ===========================================================================

Belongs here: which terms there are. Does not belong here: what a word is (`words`), and the engine
that keeps them (`text_index`).
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from spotify_pipeline.catalog.words import index_words, query_words

__all__ = [
    "LONGEST",
    "SEPARATOR",
    "TEXT_TABLES",
    "named_length",
    "terms_of",
    "title_length",
    "whole_artist",
]

LONGEST = 7200
"""Seconds; what is longer counts as this long."""

TEXT_TABLES = ("albums", "artist_genres", "artists", "track_artists", "tracks")
"""The tables that terms are made of."""

SEPARATOR = "\x1f"
"""Between names that are given in one text."""

CACHED = 1 << 17
"""Artists, and albums, whose terms are kept for the next track of theirs."""

_MAY_HAVE_VERSION = re.compile(r" - |[(\[]|\.\s")
_VERSION = re.compile(r"\s+-\s.*|\s*[\(\[].*|\s+(?:feat|ft)\.\s.*", re.IGNORECASE | re.DOTALL)
"""What titles say after the name of the piece: ``(feat. X)``, ``- Remastered 2011``."""


def terms_of(
    title: str,
    artists: str,
    genres: str,
    album: str,
    label: str,
    year: str,
    duration_ms: int | None,
) -> str:
    """Give a track's terms with a space between; some stand there twice.

    Parameters
    ----------
    title, album, label
        As the catalogue has them.
    artists, genres
        The artists' names, the main one first, and the genres of all, each followed by the next
        after a `SEPARATOR`.
    year
        Four digits, or anything else where it is not known.
    duration_ms
        Its length in milliseconds, if known.
    """
    of_title, core = _of_title(title)
    of_artists, first_artist = _of_artists(artists)
    named = len(first_artist.union(core))
    terms = (
        f"{of_title} {of_artists} {named_length(named)} {_of_album(album)}"
        f" {_of_release(label, year)}"
    )
    if genres:
        terms += f" {_of_genres(genres)}"
    if duration_ms is not None:
        terms += f" seconds={min(max(duration_ms, 0) // 1000, LONGEST)}"
    return terms


def title_length(count: int) -> str:
    """Give the term of titles with so many words."""
    return f"title={count}"


def named_length(count: int) -> str:
    """Give the term of tracks with so many words in title and first artist together."""
    return f"named={count}"


def whole_artist(asked: Sequence[str]) -> str:
    """Give the term of an artist whose whole name has just these words, in any order."""
    return f"artist={'_'.join(sorted(asked))}"


def _of_title(title: str) -> tuple[str, Sequence[str]]:
    """Give a title's terms, and its words without version and guests."""
    found, asked = index_words(title)
    core = asked
    if len(asked) > 1 and _MAY_HAVE_VERSION.search(title):
        core = query_words(_VERSION.sub("", title)) or asked
    terms = f"{_in_field('title', found)} {title_length(len(asked))}"
    return (terms if len(core) == len(asked) else f"{terms} {title_length(len(core))}"), core


def _of_artists(artists: str) -> tuple[str, frozenset[str]]:
    """Give the terms of a track's artists, and the words of the first one's name."""
    if SEPARATOR not in artists:
        return _of_artist(artists)
    each = [_of_artist(name) for name in artists.split(SEPARATOR)]
    return " ".join([terms for terms, _ in each]), each[0][1]


@lru_cache(CACHED)
def _of_artist(artist: str) -> tuple[str, frozenset[str]]:
    found, asked = index_words(artist)
    return f"{_in_field('artist', found)} {whole_artist(asked)}", frozenset(asked)


@lru_cache(CACHED)
def _of_album(album: str) -> str:
    return _in_field("album", index_words(album)[0])


@lru_cache(CACHED)
def _of_release(label: str, year: str) -> str:
    known = len(year) == 4 and year.isascii() and year.isdigit()
    terms = _in_field("label", index_words(label)[0])
    return f"{terms} year={year}" if known else terms


@lru_cache(CACHED)
def _of_genres(genres: str) -> str:
    found = [word for genre in genres.split(SEPARATOR) for word in index_words(genre)[0]]
    return _in_field("genre", list(dict.fromkeys(found)))


def _in_field(field: str, found: Sequence[str]) -> str:
    return f"{field}:" + f" {field}:".join(found) if found else ""
