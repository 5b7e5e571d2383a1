"""Results made by hand."""

from collections.abc import Mapping

from spotify_pipeline.evaluation.impostors import Kind
from spotify_pipeline.evaluation.judge import Found, Result
from spotify_pipeline.evaluation.queries import Excerpt
from spotify_pipeline.evaluation.scores import Scores
from spotify_pipeline.evaluation.timing import Step
from spotify_pipeline.identify.decision import TrackEvidence
from spotify_pipeline.identify.identifier import Match
from spotify_pipeline_tests.tracks import NO_ONSETS

__all__ = ["make_found", "make_result"]

SECONDS = {Step("1 quick", "search"): 0.002, Step("1 quick", "judge"): 0.001}

ANOTHER = 99


def make_found(
    log_odds: float, track: int = ANOTHER, offset: float = 0.0, likelihood: float = 90.0
) -> Found:
    """Make a match that is so sure and begins at so many seconds."""
    evidence = TrackEvidence(likelihood, 100.0, 12.0, 30.0, 5.0, 0.2, 0.9, 0.8, 0.8, 60, 1.0, 1.0)
    match = Match(
        track,
        log_odds,
        evidence,
        offset,
        track_id=f"{track:022}",
        duration=None,
        kind="rhythm",
        trains=NO_ONSETS,
        second=10.0,
    )
    return Found(match, Kind.SPLICED, f"spliced {track}")


def make_result(
    piece: int,
    own: float | None,
    wrong: float | None = None,
    unknown: float | None = None,
    *,
    error: float = 0.0,
    kind: str = "clean",
    likelihoods: tuple[float, float] = (90.0, 80.0),
    seconds: Mapping[Step, float] = SECONDS,
    baselines: Mapping[str, Scores] | None = None,
) -> Result:
    """Make the result of log odds; likelihoods are those of the own and of the wrong match."""
    excerpt = Excerpt(kind, 5.0, piece, offset=20.0)
    known = []
    if own is not None:
        known.append(make_found(own, piece, excerpt.offset + error, likelihoods[0]))
    if wrong is not None:
        known.append(make_found(wrong, likelihood=likelihoods[1]))
    return Result(
        excerpt,
        name=f"piece {piece}",
        group=piece % 2,
        track=piece,
        known=sorted(known, key=lambda found: -found.match.log_odds),
        unknown=[] if unknown is None else [make_found(unknown)],
        known_seconds=seconds,
        unknown_seconds=seconds,
        baselines=baselines or {},
    )
