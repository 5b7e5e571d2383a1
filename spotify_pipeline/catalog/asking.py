"""A person's words and options made into a question, and its answers.

Belongs here: what the options of a look-up mean together. Does not belong here: finding (`lookup`)
and showing (`lookup_form`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spotify_pipeline.catalog.lookup import Found, Lookup, Unknown
from spotify_pipeline.catalog.references import Reference, parse_reference
from spotify_pipeline.catalog.text_search import NO_FILTERS, Filters
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import Settings

__all__ = ["NotAReferenceError", "Question", "answers_to", "question_of"]


class NotAReferenceError(PipelineError):
    """What is given as an id, ISRC or UPC is none."""


@dataclass(frozen=True)
class Question:
    """What is asked for: lines of a batch, or words, references and filters together."""

    text: str
    references: tuple[Reference, ...]
    filters: Filters
    lines: Iterable[str] | None
    limit: int


def question_of(
    words: Sequence[str],
    named: Sequence[str],
    lines: Iterable[str] | None = None,
    *,
    limit: int = 10,
    title: str = "",
    artist: str = "",
    album: str = "",
    label: str = "",
    genre: str = "",
    year: tuple[int, int] | None = None,
    duration: tuple[int, int] | None = None,
    similar_duration: Path | None = None,
) -> Question | None:
    """Make a question; None if nothing is asked.

    Parameters
    ----------
    words
        Of which those that are an address or a URI count as `named`.
    named
        Ids, addresses, URIs, ISRCs, UPCs.
    lines
        Of a batch, which is answered by itself.
    similar_duration
        A recording; tracks are as long as it is, give or take a second.

    Raises
    ------
    NotAReferenceError
        One of `named` is none.
    RecordingError
        The recording can't be read.
    """
    references = [_reference(text) for text in named]
    rest = []
    for word in words:
        found = (
            parse_reference(word) if "spotify" in word and (":" in word or "/" in word) else None
        )
        references += [found] if found is not None else []
        rest += [word] if found is None else []
    if similar_duration is not None:
        seconds = _seconds_of(similar_duration)
        around = (max(0, int(seconds - 1)), int(seconds + 1))
        duration = (
            around
            if duration is None
            else (max(duration[0], around[0]), min(duration[1], around[1]))
        )
    filters = Filters(title, artist, album, label, genre, year, duration)
    if not rest and not references and lines is None and filters == NO_FILTERS:
        return None
    return Question(" ".join(rest), tuple(references), filters, lines, limit)


def answers_to(
    question: Question, settings: Settings, *, markets: bool = False
) -> Iterator[Found | Unknown]:
    """Answer a question, with lists of markets if wished.

    Raises
    ------
    PipelineError
        The catalogue or the text index is missing, out of date, damaged or busy.
    """
    with Lookup.open(settings, markets=markets) as lookup:
        if question.lines is not None:
            yield from lookup.batch(question.lines)
        elif question.references:
            yield from lookup.references(
                question.references, question.text, question.filters, limit=question.limit
            )
        else:
            yield from lookup.search(question.text, question.filters, limit=question.limit)


def _reference(text: str) -> Reference:
    found = parse_reference(text)
    if found is None:
        raise NotAReferenceError(
            f"{text}: neither an id, an address of Spotify's, an ISRC nor a UPC"
        )
    return found


def _seconds_of(recording: Path) -> float:
    from spotify_pipeline.recording import read_recording
    from spotify_pipeline.resampling import ANALYZER_RATE

    return read_recording(recording, ANALYZER_RATE).duration
