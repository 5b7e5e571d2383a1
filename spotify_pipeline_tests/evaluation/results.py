"""Results made by hand."""

from collections.abc import Mapping

from spotify_pipeline.evaluation.judge import Result
from spotify_pipeline.evaluation.queries import Excerpt
from spotify_pipeline.evaluation.scores import Scores
from spotify_pipeline.evaluation.timing import Step
from spotify_pipeline.identify.identifier import Match
from spotify_pipeline.index.likelihood import Agreement

__all__ = ["make_match", "make_result"]

SECONDS = {Step("1 quick", "search"): 0.002, Step("1 quick", "judge"): 0.001}


def make_match(log_odds: float, offset: float = 0.0) -> Match:
    """Make a match that is so sure and begins at so many seconds."""
    agreement = Agreement(offset=0, likelihood=90.0, second=10.0, expected=100.0)
    return Match(track=0, log_odds=log_odds, agreement=agreement, offset=offset, speed=1.0)


def make_result(
    piece: int,
    own: float | None,
    wrong: float | None = None,
    unknown: float | None = None,
    *,
    error: float = 0.0,
    kind: str = "clean",
    seconds: Mapping[Step, float] = SECONDS,
    peers: Mapping[str, Scores] | None = None,
) -> Result:
    """Make the result of log odds; pieces of even numbers are of the tuning half."""
    excerpt = Excerpt(kind, 5.0, piece, offset=20.0)
    return Result(
        excerpt,
        None if own is None else make_match(own, excerpt.offset + error),
        None if wrong is None else make_match(wrong),
        None if unknown is None else make_match(unknown),
        seconds,
        seconds,
        peers or {},
    )
