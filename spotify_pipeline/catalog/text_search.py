"""Words and filters to tracks, by the text index: the best match first.

What is looked for in turn, until there are enough tracks, the most popular first each time:

1. tracks whose title is just these words, whose artist is, or whose title and artist together are;
2. tracks that have all the words in title, artists or album;
3. the same when the last word is but the beginning of one;
4. if there is none so far, the same with one letter wrong, missing, too much, or swapped with the
   next, in each word that the catalogue does not know; if it knows them all, in any one of them.

Belongs here: queries to the index. Does not belong here: the index's files (`text_index`), and what
else is known of the tracks that are found (`lookup`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tantivy

from spotify_pipeline.catalog.text_index import (
    FIELD_POPULARITY,
    FIELD_ROWID,
    FIELD_TERMS,
    open_text_index,
)
from spotify_pipeline.catalog.text_terms import (
    LONGEST,
    named_length,
    title_length,
    whole_artist,
)
from spotify_pipeline.catalog.typos import one_letter_off
from spotify_pipeline.catalog.words import is_unspaced, query_words

__all__ = ["Filters", "TextSearch"]

NAME_FIELDS = ("title", "artist", "album")
"""Where words are looked for."""

PREFIX_WORDS = 20
"""Of a prefix, so many of the most frequent words in each field are tried."""

SIMILAR_WORDS = 60
"""Of words that differ by a letter, so many of the most frequent are tried, in all fields."""

FEW_TERMS = 64
"""Tracks of so many alternatives are read side by side, of more as one set before all else."""

SHORTEST_MISTYPED = 3
"""Letters; in shorter words no typo is assumed."""

_MUST, _SHOULD = tantivy.Occur.Must, tantivy.Occur.Should


@dataclass(frozen=True)
class Filters:
    """What tracks must have, whatever words are looked for.

    Attributes
    ----------
    title, artist, album, label, genre
        Words that must all stand there; none of them may be missing or cut short.
    years
        First and last year of release.
    seconds
        Least and greatest length in whole seconds, a fraction being left off.
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    label: str = ""
    genre: str = ""
    years: tuple[int, int] | None = None
    seconds: tuple[int, int] | None = None

    def alternatives(self) -> Iterator[list[str]]:
        """Give what must be met: lists of terms, of each of which a track has one."""
        for name in ("title", "artist", "album", "label", "genre"):
            for word in query_words(getattr(self, name)):
                yield [f"{name}:{word}"]
        if self.years is not None:
            first, last = max(self.years[0], 0), min(self.years[1], 9999)
            yield [f"year={year:04}" for year in range(first, last + 1)]
        if self.seconds is not None:
            first, last = (min(max(second, 0), LONGEST) for second in self.seconds)
            yield [f"seconds={second}" for second in range(first, last + 1)]

    def admit(self, terms: set[str]) -> bool:
        """Tell whether a track of these terms passes."""
        return all(not terms.isdisjoint(wanted) for wanted in self.alternatives())


NO_FILTERS = Filters()


@dataclass(frozen=True)
class TextSearch:
    """The text index, open for questions; a build that replaces it meanwhile changes nothing."""

    index: tantivy.Index
    searcher: tantivy.Searcher = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> "TextSearch":
        """Open the index in service.

        Raises
        ------
        TextIndexError
            There is none, or it is damaged.
        """
        index, _ = open_text_index(folder)
        return cls(index, index.searcher())

    def search(
        self, text: str, filters: Filters = NO_FILTERS, limit: int = 20, enough: int | None = None
    ) -> list[int]:
        """Look for tracks.

        Parameters
        ----------
        text
            Words in any order; with none, all tracks that pass the filters match.
        filters
            What they must have besides.
        limit
            Tracks to give at the most.
        enough
            With so many, nothing less strict is tried; default is the limit.

        Returns
        -------
        Row numbers of tracks, the best first.

        Examples
        --------
        >>> from spotify_pipeline.catalog import Filters, TextSearch
        >>> search = TextSearch.open(Path("data/text"))  # doctest: +SKIP
        >>> search.search("yesterday beatles", Filters(years=(1965, 1969)))  # doctest: +SKIP
        """
        asked = query_words(text)
        required = [self._any(wanted) for wanted in filters.alternatives()]
        if not asked:
            return self._found(self._all(required), limit) if required and limit else []
        found: dict[int, None] = {}
        for query in self._stages(asked, found):
            if len(found) < (limit if enough is None else enough):
                rows = self._found(self._all([query, *required]), limit)
                found.update(dict.fromkeys(rows))
        return list(found)[:limit]

    def _stages(self, asked: Sequence[str], found: dict[int, None]) -> Iterator[tantivy.Query]:
        """Give queries, the strictest first; `found` is what those before have found."""
        exact = [self._word(word) for word in asked]
        yield self._whole(asked, exact)
        yield self._all(exact)
        last = asked[-1]
        if not is_unspaced(last):
            yield self._all([*exact[:-1], self._prefix(last)])
        if not found:
            yield from self._mistyped(asked, exact)

    def _whole(self, asked: Sequence[str], exact: list[tantivy.Query]) -> tantivy.Query:
        """Match tracks whose title, artist, or both together are just these words."""
        title = [self._term(f"title:{word}") for word in asked]
        whole_title = self._all([*title, self._term(title_length(len(asked)))])
        both = self._all([*exact, self._term(named_length(len(asked)))])
        return _either([whole_title, self._term(whole_artist(asked)), both])

    def _mistyped(
        self, asked: Sequence[str], exact: list[tantivy.Query]
    ) -> Iterator[tantivy.Query]:
        """Match words that differ by a letter from those that nothing has."""
        places = [
            place
            for place, word in enumerate(asked)
            if len(word) >= SHORTEST_MISTYPED and not is_unspaced(word)
        ]
        unknown = [place for place in places if not self._is_known(asked[place])]
        for changed in [unknown] if unknown else [[place] for place in places]:
            yield self._all(
                [
                    self._similar(asked[place]) if place in changed else query
                    for place, query in enumerate(exact)
                ]
            )

    def _word(self, word: str) -> tantivy.Query:
        return self._any([f"{name}:{word}" for name in NAME_FIELDS])

    def _prefix(self, word: str) -> tantivy.Query:
        terms = [
            term
            for name in NAME_FIELDS
            for term, _ in self.searcher.terms_with_prefix(
                FIELD_TERMS, f"{name}:{word}", limit=PREFIX_WORDS
            )
        ]
        return self._any(terms)

    def _similar(self, word: str) -> tantivy.Query:
        terms = [f"{name}:{other}" for other in one_letter_off(word) for name in NAME_FIELDS]
        frequent = [(self.searcher.doc_freq(FIELD_TERMS, term), term) for term in terms]
        known = sorted(((count, term) for count, term in frequent if count), reverse=True)
        return _either([self._term(term) for _, term in known[:SIMILAR_WORDS]])

    def _is_known(self, word: str) -> bool:
        return any(self.searcher.doc_freq(FIELD_TERMS, f"{name}:{word}") for name in NAME_FIELDS)

    def _term(self, term: str) -> tantivy.Query:
        return tantivy.Query.term_query(self.index.schema, FIELD_TERMS, term, "basic")

    def _any(self, terms: Sequence[str]) -> tantivy.Query:
        if len(terms) == 1:
            return self._term(terms[0])
        if len(terms) <= FEW_TERMS:
            return _either([self._term(term) for term in terms])
        return tantivy.Query.term_set_query(self.index.schema, FIELD_TERMS, terms)

    @staticmethod
    def _all(queries: Sequence[tantivy.Query]) -> tantivy.Query:
        if len(queries) == 1:
            return queries[0]
        return tantivy.Query.boolean_query([(_MUST, query) for query in queries])

    def _found(self, query: tantivy.Query, limit: int) -> list[int]:
        hits = self.searcher.search(query, limit, count=False, order_by_field=FIELD_POPULARITY).hits
        rows = self.searcher.fast_field_values(FIELD_ROWID, [address for _, address in hits])
        return [int(row) for row in rows if row is not None]


def _either(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(_SHOULD, query) for query in queries])
