"""The text of a search as Spotify's Web API takes it: words, and fields such as ``artist:Miles``.

Belongs here: reading it. Does not belong here: searching.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from spotify_pipeline.catalog import Filters
from spotify_pipeline.catalog.references import Reference, parse_reference

__all__ = ["SearchQuery", "parse_search"]

_FIELDS = {"track": "title", "artist": "artist", "album": "album", "label": "label"}
_FIELDS |= {"genre": "genre", "title": "title"}
_FIELD = re.compile(r"(?<!\S)(track|title|artist|album|label|genre|year|isrc|upc):", re.IGNORECASE)
_YEARS = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")


@dataclass(frozen=True)
class SearchQuery:
    """What is looked for.

    Attributes
    ----------
    words
        Outside fields.
    filters
        Fields.
    references
        ISRCs and UPCs.
    possible
        False if a field can't be met, such as ``year:soon``.
    """

    words: str
    filters: Filters
    references: tuple[Reference, ...] = ()
    possible: bool = True


def parse_search(text: str) -> SearchQuery:
    """Read the text of a search; a field goes on to the next one or the end.

    >>> parse_search('doxy artist:Miles Davis year:1954-1959').filters.years
    (1954, 1959)
    >>> parse_search("isrc:USABC9600001").references
    (Reference(kind='isrc', value='USABC9600001'),)
    """
    words, *fields = _FIELD.split(text)
    filters = Filters()
    references: list[Reference] = []
    possible = True
    for name, given in zip(fields[::2], fields[1::2], strict=True):
        field, value = name.lower(), given.replace('"', " ").strip()
        if field in _FIELDS:
            before: str = getattr(filters, _FIELDS[field])
            words_of_field: dict[str, Any] = {_FIELDS[field]: f"{before} {value}".strip()}
            filters = replace(filters, **words_of_field)
        elif field == "year":
            found = _YEARS.fullmatch(value)
            possible &= found is not None
            if found is not None:
                filters = replace(filters, years=(int(found[1]), int(found[2] or found[1])))
        else:
            reference = parse_reference(value)
            possible &= reference is not None and reference.kind == field
            references += [reference] if reference is not None else []
    return SearchQuery(words.replace('"', " ").strip(), filters, tuple(references), possible)
