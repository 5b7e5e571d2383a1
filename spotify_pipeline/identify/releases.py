"""Several track ids of one recording: found together, not each other's rivals.

A recording stands in a catalogue once for each single, album and compilation that it is on. All of
them match as well, so which comes first would be chance.

Belongs here: telling which matches are of one recording, and their order. Does not belong here:
finding matches (`identifier`) and names (`answers`).
"""

from collections.abc import Mapping, Sequence

from spotify_pipeline.catalog import TrackNames
from spotify_pipeline.identify.identifier import Match
from spotify_pipeline.index.kernels.alignment import same_recording

__all__ = ["group_releases"]


def group_releases(matches: Sequence[Match], names: Mapping[int, TrackNames]) -> list[list[Match]]:
    """Group matches by recording: of one ISRC, or with onset trains that line up.

    Parameters
    ----------
    matches
        The best first.
    names
        Of each match's track, as far as the catalogue knows them.

    Returns
    -------
    Groups in the order of their best match; in each, the most popular track first.
    """
    groups: list[list[Match]] = []
    for match in matches:
        same = next((g for g in groups if _is_same(g[0], match, names)), None)
        if same is None:
            groups.append([match])
        else:
            same.append(match)

    def popularity(match: Match) -> int:
        known = names.get(match.track)
        return -1 if known is None or known.popularity is None else known.popularity

    return [sorted(group, key=popularity, reverse=True) for group in groups]


def _is_same(first: Match, second: Match, names: Mapping[int, TrackNames]) -> bool:
    """Tell whether two tracks are of one recording."""
    tracks = first.track, second.track
    codes = [names[track].isrc if track in names else None for track in tracks]
    if codes[0] is not None and codes[0] == codes[1]:
        return True
    return first.kind == second.kind and same_recording(first.trains, second.trains, first.kind)
