"""Answers for hypothesis to vary.

Belongs here: strategies. Does not belong here: answers to recordings.
"""

from hypothesis import strategies as st

from spotify_pipeline.identify.answers import Failure
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.identify.named_matches import NamedMatch

__all__ = ["answers"]

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from('",;\r\n\x00 '), max_size=6)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)

MATCHES = st.builds(
    NamedMatch,
    track_id=TEXTS,
    title=st.none() | TEXTS,
    artists=st.lists(TEXTS, max_size=2).map(tuple),
    album=st.none() | TEXTS,
    isrc=st.none() | TEXTS,
    confidence=NUMBERS,
    score=st.integers(0, 9),
    offset=NUMBERS,
    duration=st.none() | NUMBERS,
)


def answers() -> st.SearchStrategy[Answer | Failure]:
    """Draw an answer with up to three matches, or a failure."""
    found = st.builds(
        lambda file, duration, matches: Answer(file, duration, bool(matches), matches, 0.25),
        TEXTS,
        st.none() | NUMBERS,
        st.lists(MATCHES, max_size=3).map(tuple),
    )
    return found | st.builds(Failure, TEXTS, TEXTS.map("error {}".format))
