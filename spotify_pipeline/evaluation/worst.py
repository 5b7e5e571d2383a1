"""The excerpts that went wrong, each with the evidence that decided, for a person to look at.

Belongs here: which excerpts are shown, and how. Does not belong here: rates (`report`).
"""

from collections.abc import Sequence

from spotify_pipeline.evaluation.judge import Found, Result
from spotify_pipeline.evaluation.tables import Table, number, percentage

__all__ = ["worst_page"]

MOST_ROWS = 40
"""Of each table."""

EVIDENCE = (
    *("accepted", "confidence", "likelihood", "expected", "rival", "harmony"),
    *("bands", "repetition"),
    *("second", "offset", "speed"),
)
NOTHING = ("",) * len(EVIDENCE)


def worst_page(results: Sequence[Result]) -> str:
    """Write a page of Markdown: wrong answers, unknown excerpts accepted, pieces missed.

    Likelihood is the log-likelihood ratio at the best offset, *expected* what it should be if the
    match were right, *rival* that of the best other recording, *second* that at the best other
    offset of the same track, all in nats; *bands* and *repetition* as of `decision.TrackEvidence`;
    offsets are in seconds of the track. Wrong answers that are not accepted follow those that are.
    """
    wrong = [(r, r.known[0]) for r in results if r.known and not r.first]
    unknown = [(r, r.unknown[0]) for r in results if r.unknown]
    missed = sorted((r for r in results if not r.right), key=lambda r: -r.expected)
    sections = {
        "Known excerpts, another track in front": _answer_table(wrong),
        "Unknown excerpts": _answer_table(unknown),
        "Known excerpts not accepted, most expected evidence first": _missed_table(missed),
    }
    parts = ["# Worst cases"]
    for title, table in sections.items():
        parts += [f"## {title}", table.markdown() if table.rows else "None."]
    return "\n\n".join(parts) + "\n"


def _answer_table(answers: Sequence[tuple[Result, Found]]) -> Table:
    """Tabulate wrong answers, the surest first."""
    surest = sorted(answers, key=lambda answer: -answer[1].match.log_odds)[:MOST_ROWS]
    return Table(
        ("excerpt", "at", "answer", "is a", *EVIDENCE, "own likelihood"),
        [
            (
                _excerpt(result),
                _seconds(result.excerpt.offset),
                _text(answer.name),
                answer.kind,
                *_evidence(answer),
                number(result.likelihoods.own) if result.own is not None else "not found",
            )
            for result, answer in surest
        ],
    )


def _missed_table(missed: Sequence[Result]) -> Table:
    """Tabulate what was found of the own piece and of the best other track."""
    return Table(
        (
            *("excerpt", "at", "expected of the excerpt", *EVIDENCE),
            *("rival", "is a", "its confidence", "its likelihood"),
        ),
        [
            (
                _excerpt(result),
                _seconds(result.excerpt.offset),
                number(result.expected),
                *(NOTHING if result.own is None else _evidence(result.own)),
                *_rival(result.rival),
            )
            for result in missed[:MOST_ROWS]
        ],
    )


def _excerpt(result: Result) -> str:
    excerpt = result.excerpt
    return f"{_text(result.name)}, {excerpt.degradation} {excerpt.seconds:g} s"


def _evidence(found: Found) -> tuple[str, ...]:
    """Write the columns of `EVIDENCE`."""
    match = found.match
    evidence = match.evidence
    return (
        "yes" if found.accepted else "no",
        f"{match.confidence:.3f}",
        *map(number, (evidence.likelihood, evidence.expected, evidence.rival, evidence.harmony)),
        *map(percentage, (evidence.bands, evidence.repetition)),
        number(match.second),
        _seconds(match.offset),
        f"{match.speed:.3f}",
    )


def _rival(rival: Found | None) -> tuple[str, ...]:
    if rival is None:
        return "", "", "", ""
    match = rival.match
    confidence = f"{match.confidence:.3f}"
    return _text(rival.name), rival.kind, confidence, number(match.evidence.likelihood)


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _text(name: str) -> str:
    """Write a name so that it can't end a column."""
    return name.replace("|", "/")
