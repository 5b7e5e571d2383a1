"""Words and filters to tracks, by the text index: the best match first.

What is looked for in turn, until there are enough tracks, the most popular first each time:

1. tracks whose title is just these words, whose artist is, or whose title and artist together are;
2. tracks that have all the words in title, artists or album;
3. the same when the last word is but the beginning of one;
4. if there is none so far, the same with one letter wrong, missing, too much, or swapped with the
   next, in each word that the catalogue does not know; if it knows them all, in any one of them.
   Words and texts of no sensible length have no typos.

Belongs here: queries to the index. Does not belong here: the index's files (`text_index`), and what
else is known of the tracks that are found (`lookup`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import tantivy

from spotify_pipeline.catalog.text_terms import (
    LONGEST,
    named_length,
    title_length,
    whole_artist,
)
from spotify_pipeline.catalog.text_tiers import (
    FIELD_POPULARITY,
    FIELD_ROWID,
    FIELD_TERMS,
    open_text_index,
)
from spotify_pipeline.catalog.typos import one_letter_off
from spotify_pipeline.catalog.words import is_unspaced, query_words

__all__ = ["Filters", "TextSearch"]

PREFIX_WORDS = 40
"""Of a prefix, so many of the most frequent words in each tier are tried."""

SIMILAR_WORDS = 40
"""Of words that differ by a letter, so many of the most frequent in each tier are tried."""

FEW_TERMS = 64
"""Tracks of so many alternatives are read side by side, of more as one set before all else."""

SHORTEST_MISTYPED, LONGEST_MISTYPED = 3, 64
"""Letters; in shorter and longer words no typo is assumed. All that is a letter off a word takes
memory by the square of its length."""

MOST_MISTYPED = 64
"""Words; of a longer text, which may be a whole page, none is assumed to be mistyped."""

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


class _Tier:
    """A tier of the index, and the queries to it."""

    def __init__(self, index: tantivy.Index) -> None:
        self.schema = index.schema
        self.searcher = index.searcher()

    def whole(self, asked: Sequence[str]) -> tantivy.Query:
        """Match tracks whose title, artist, or both together are just these words."""
        title = [self.term(f"title:{word}") for word in asked]
        whole_title = self.all([*title, self.term(title_length(len(asked)))])
        both = self.all([self.words(asked), self.term(named_length(len(asked)))])
        return _either([whole_title, self.term(whole_artist(asked)), both])

    def words(self, asked: Sequence[str]) -> tantivy.Query:
        """Match tracks that have all the words."""
        return self.all([self.word(word) for word in asked])

    def cut_short(self, asked: Sequence[str]) -> tantivy.Query:
        """Match tracks that have all the words, the last of them being the beginning of one."""
        found = self.searcher.terms_with_prefix(FIELD_TERMS, f":{asked[-1]}", limit=PREFIX_WORDS)
        return self.all([*map(self.word, asked[:-1]), self.any([term for term, _ in found])])

    def mistyped(self, asked: Sequence[str], wrong: Sequence[int]) -> tantivy.Query:
        """Match tracks that have all the words, but some of them with a letter changed."""
        return self.all(
            [
                self._similar(word) if position in wrong else self.word(word)
                for position, word in enumerate(asked)
            ]
        )

    def word(self, word: str) -> tantivy.Query:
        return self.term(f":{word}")

    def has(self, word: str) -> bool:
        """Tell whether any track has a word."""
        return self.searcher.doc_freq(FIELD_TERMS, f":{word}") > 0

    def term(self, term: str) -> tantivy.Query:
        return tantivy.Query.term_query(self.schema, FIELD_TERMS, term, "basic")

    def any(self, terms: Sequence[str]) -> tantivy.Query:
        if len(terms) == 1:
            return self.term(terms[0])
        if len(terms) <= FEW_TERMS:
            return _either([self.term(term) for term in terms])
        return tantivy.Query.term_set_query(self.schema, FIELD_TERMS, terms)

    @staticmethod
    def all(queries: Sequence[tantivy.Query]) -> tantivy.Query:
        if len(queries) == 1:
            return queries[0]
        return tantivy.Query.boolean_query([(_MUST, query) for query in queries])

    def found(self, query: tantivy.Query, limit: int) -> list[int]:
        """Give the row numbers of the most popular tracks that match."""
        hits = self.searcher.search(query, limit, count=False, order_by_field=FIELD_POPULARITY).hits
        rows = self.searcher.fast_field_values(FIELD_ROWID, [address for _, address in hits])
        return [int(row) for row in rows if row is not None]

    def _similar(self, word: str) -> tantivy.Query:
        terms = [f":{other}" for other in one_letter_off(word)]
        frequent = [(self.searcher.doc_freq(FIELD_TERMS, term), term) for term in terms]
        known = sorted(((count, term) for count, term in frequent if count), reverse=True)
        return _either([self.term(term) for _, term in known[:SIMILAR_WORDS]])


Stage = Callable[[_Tier], tantivy.Query]
"""What is looked for in each tier."""


@dataclass(frozen=True)
class TextSearch:
    """The text index, open for questions; a build that replaces it meanwhile changes nothing."""

    tiers: tuple[_Tier, ...] = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> "TextSearch":
        """Open the index in service.

        Raises
        ------
        TextIndexError
            There is none, or it is damaged.
        """
        indexes, _ = open_text_index(folder)
        return cls(tuple(map(_Tier, indexes)))

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
        required = list(filters.alternatives())
        if not asked:
            return self._best(None, required, limit) if required else []
        found: dict[int, None] = {}
        for stage in self._stages(asked, found):
            if len(found) < (limit if enough is None else enough):
                found.update(dict.fromkeys(self._best(stage, required, limit)))
        return list(found)[:limit]

    def _best(
        self, stage: Stage | None, required: Sequence[Sequence[str]], limit: int
    ) -> list[int]:
        """Give the most popular tracks of a stage, from as few tiers as have enough."""
        rows: list[int] = []
        for tier in self.tiers:
            if len(rows) < limit:
                queries = [tier.any(terms) for terms in required]
                queries += [stage(tier)] if stage is not None else []
                rows += tier.found(tier.all(queries), limit - len(rows))
        return rows

    def _stages(self, asked: Sequence[str], found: Mapping[int, None]) -> Iterator[Stage]:
        """Give what is looked for, the strictest first; `found` is what those before have found."""
        yield lambda tier: tier.whole(asked)
        yield lambda tier: tier.words(asked)
        if not is_unspaced(asked[-1]):
            yield lambda tier: tier.cut_short(asked)
        if not found:
            for wrong in self._may_be_wrong(asked):
                yield partial(_Tier.mistyped, asked=asked, wrong=wrong)

    def _may_be_wrong(self, asked: Sequence[str]) -> list[list[int]]:
        """Give the places of words that have a letter changed: those that no track has, or any."""
        if len(asked) > MOST_MISTYPED:
            return []
        positions = [
            position
            for position, word in enumerate(asked)
            if SHORTEST_MISTYPED <= len(word) <= LONGEST_MISTYPED and not is_unspaced(word)
        ]
        unknown = [k for k in positions if not any(tier.has(asked[k]) for tier in self.tiers)]
        return [unknown] if unknown else [[position] for position in positions]


def _either(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(_SHOULD, query) for query in queries])
