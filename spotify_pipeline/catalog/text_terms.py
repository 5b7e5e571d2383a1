"""The terms by which a track is found, in the text index and in the filters of a look-up.

A track is a set of terms, each of them a text without spaces:

====================  ===========================================================================
``:word``             a word of the title, an artist or the album
``title:word``        a word of the title; so, too, ``artist:``, ``album:``, ``label:``, ``genre:``
``title=3``           the title has three words, with or without those on its version and guests
``named=5``           the title, without those, and its first artist have five words together
``artist=sigur_ros``  the whole name of an artist, its words sorted
``year=1999``         the release's year
``seconds=205``       whole seconds of length, at most `LONGEST`
====================  ===========================================================================

Belongs here: which terms there are. Does not belong here: what a word is (`words`), making those of
all tracks (`text_tracks`), and the engine that keeps them (`text_index`).
"""

from collections.abc import Collection, Iterable

from spotify_pipeline.catalog.words import index_words

__all__ = [
    "LONGEST",
    "TEXT_TABLES",
    "filter_terms",
    "named_length",
    "title_length",
    "whole_artist",
]

LONGEST = 7200
"""Seconds; what is longer counts as this long."""

TEXT_TABLES = ("albums", "artist_genres", "artists", "track_artists", "tracks")
"""The tables that terms are made of."""


def filter_terms(texts: Iterable[tuple[str, str]], year: str, duration_ms: int | None) -> set[str]:
    """Give those of a track's terms that words and filters ask for.

    Parameters
    ----------
    texts
        Field and text, as ``("title", "Yesterday")``.
    year
        Four digits, or anything else where it is not known.
    duration_ms
        Its length in milliseconds, if known.
    """
    terms = {f"{field}:{word}" for field, text in texts for word in index_words(text)[0]}
    if len(year) == 4 and year.isascii() and year.isdigit():
        terms.add(f"year={year}")
    if duration_ms is not None:
        terms.add(f"seconds={min(max(duration_ms, 0) // 1000, LONGEST)}")
    return terms


def title_length(count: int) -> str:
    """Give the term of titles with so many words."""
    return f"title={count}"


def named_length(count: int) -> str:
    """Give the term of tracks with so many words in title and first artist together."""
    return f"named={count}"


def whole_artist(asked: Collection[str]) -> str:
    """Give the term of an artist whose whole name has just these words, in any order."""
    return f"artist={'_'.join(sorted(asked))}"
