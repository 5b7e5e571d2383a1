"""Answers to a look-up as text: for a person, as JSON lines, as CSV.

Belongs here: what an answer looks like. Does not belong here: what it holds (`lookup`).
"""

import csv
import io
from collections.abc import Iterable
from typing import Any

import msgspec

from spotify_pipeline.catalog.lookup import Found, Unknown
from spotify_pipeline.catalog.records import AudioFeatures, Image, Track
from spotify_pipeline.terminal import harmless

__all__ = ["CSV_HEAD", "as_csv", "as_json", "as_text"]

KEYS = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
RELEASES_SHOWN = 3

_COLUMNS = (
    "asked track_id title artists album release_date isrc duration_ms popularity explicit"
    " disc_number track_number label upc tempo key mode loudness indexed other_releases"
    " artist_ids album_id cover preview_url markets error"
).split()

CSV_HEAD = ",".join(_COLUMNS) + "\n"


def as_json(answer: Found | Unknown) -> str:
    """Write an answer as an object on one line."""
    if isinstance(answer, Unknown):
        return _line({"asked": answer.asked, "error": answer.error})
    track = answer.track
    fields: dict[str, Any] = {} if answer.asked is None else {"asked": answer.asked}
    fields |= msgspec.to_builtins(track)
    if track.markets is None:
        del fields["markets"]
    releases = [
        {
            "track_id": other.track_id,
            "title": other.title,
            "album": other.album.title if other.album is not None else None,
            "release_date": other.album.release_date if other.album is not None else None,
            "popularity": other.popularity,
        }
        for other in answer.releases
    ]
    return _line(fields | {"indexed": answer.indexed, "other_releases": releases})


def as_csv(answer: Found | Unknown) -> str:
    """Write an answer as a row; names of several artists, and markets, are set apart by ``; ``."""
    if isinstance(answer, Unknown):
        return _row({"asked": answer.asked, "error": answer.error})
    track, album = answer.track, answer.track.album
    features = track.features or AudioFeatures()
    values: dict[str, Any] = {
        "asked": answer.asked,
        "artists": "; ".join(artist.name for artist in track.artists),
        "artist_ids": "; ".join(artist.artist_id or "" for artist in track.artists),
        "indexed": int(answer.indexed),
        "explicit": None if track.explicit is None else int(track.explicit),
        "other_releases": "; ".join(other.track_id for other in answer.releases),
        "markets": None if track.markets is None else "; ".join(track.markets),
    }
    for name in "track_id title isrc duration_ms popularity disc_number track_number".split():
        values[name] = getattr(track, name)
    values["preview_url"] = track.preview_url
    for name in ("tempo", "key", "mode", "loudness"):
        values[name] = getattr(features, name)
    if album is not None:
        values |= {"album": album.title, "album_id": album.album_id, "label": album.label}
        values |= {"upc": album.upc, "release_date": album.release_date}
        values["cover"] = album.images[0].url if album.images else None
    return _row(values)


def as_text(answer: Found | Unknown, *, images: bool = False) -> str:
    """Write an answer for a person's terminal; the first line is the title and the artists."""
    if isinstance(answer, Unknown):
        return harmless(f"{answer.asked}: {answer.error}")
    track = answer.track
    artists = f" by {', '.join(artist.name for artist in track.artists)}" if track.artists else ""
    lines = [f"{track.title or track.track_id}{artists}", *_of_album(track), _facts(track)]
    sound = _sound(track.features)
    index = "fingerprint in the index" if answer.indexed else "no fingerprint in the index"
    lines += [f"{sound}, {index}" if sound else index, f"track {track.track_id}"]
    if track.isrc:
        lines[-1] += f", ISRC {track.isrc}"
    if answer.releases:
        shown = [_release(other) for other in answer.releases[:RELEASES_SHOWN]]
        more = len(answer.releases) - len(shown)
        also = "; ".join(shown) + (f"; and {more} more" if more else "")
        lines.append(f"also on {also}")
    if track.markets is not None:
        lines.append(f"{len(track.markets)} markets: {' '.join(track.markets)}")
    if images:
        lines += _pictures("cover", track.album.images if track.album is not None else ())
        for artist in track.artists:
            lines += _pictures(artist.name, artist.images)
    return "\n    ".join(harmless(line) for line in lines if line)


def _of_album(track: Track) -> list[str]:
    album = track.album
    if album is None:
        return []
    notes = [note for note in (album.release_date, album.label) if note]
    return [f"from {album.title}" + (f" ({', '.join(notes)})" if notes else "")]


def _facts(track: Track) -> str:
    facts = []
    if track.duration_ms is not None:
        minutes, seconds = divmod(round(track.duration_ms / 1000), 60)
        facts.append(f"{minutes}:{seconds:02}")
    if track.popularity is not None:
        facts.append(f"popularity {track.popularity}")
    genres = dict.fromkeys(genre for artist in track.artists for genre in artist.genres)
    facts += [", ".join(genres)] if genres else []
    return ", ".join([*facts, "explicit"] if track.explicit else facts)


def _sound(features: AudioFeatures | None) -> str:
    if features is None:
        return ""
    found = []
    if features.tempo:
        found.append(f"{features.tempo:.0f} BPM")
    if features.key is not None and 0 <= features.key < len(KEYS):
        mode = {0: " minor", 1: " major"}.get(-1 if features.mode is None else features.mode, "")
        found.append(f"{KEYS[features.key]}{mode}")
    if features.loudness is not None:
        found.append(f"{features.loudness:.1f} dB")
    return ", ".join(found)


def _release(track: Track) -> str:
    if track.album is None:
        return track.track_id
    date = f", {track.album.release_date}" if track.album.release_date else ""
    return f"{track.album.title} ({track.track_id}{date})"


def _pictures(what: str, images: Iterable[Image]) -> list[str]:
    return [f"{what} {image.width} x {image.height}: {image.url}" for image in images]


def _line(fields: dict[str, Any]) -> str:
    return msgspec.json.encode(fields).decode() + "\n"


def _row(values: dict[str, Any]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, _COLUMNS, lineterminator="\n").writerow(values)
    return text.getvalue()
