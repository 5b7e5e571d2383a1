"""Onset trains for hypothesis to vary.

Belongs here: the strategy. Does not belong here: realistic random trains of a track (`documents`).
"""

from itertools import accumulate

from hypothesis import strategies as st

from spotify_pipeline.fingerprint import BANDS, OnsetTrains

__all__ = ["onset_trains"]


def onset_trains(
    shortest_gap: int = 1, longest_gap: int = 3000, most_onsets: int = 9
) -> st.SearchStrategy[OnsetTrains]:
    """Draw eight trains; gaps are in frames, and so is the first onset."""
    gaps = st.lists(st.integers(shortest_gap, longest_gap), max_size=most_onsets)
    trains = gaps.map(lambda band: list(accumulate(band)))
    return st.lists(trains, min_size=BANDS, max_size=BANDS).map(OnsetTrains.from_bands)
