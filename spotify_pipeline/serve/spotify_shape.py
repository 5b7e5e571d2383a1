"""Records of the catalogue as the objects of Spotify's Web API.

Source: https://developer.spotify.com/documentation/web-api. What the catalogue does not know is
None, or empty.

Belongs here: how objects look. Does not belong here: which are asked for (`web_api`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from spotify_pipeline.catalog import Album, Artist, AudioFeatures, Image, Track

__all__ = ["Shape", "page_of"]

Object = dict[str, Any]

SITE = "https://open.spotify.com"


class Shape:
    """Makes objects whose addresses lead to this server.

    Parameters
    ----------
    base
        Address of the server, with a slash at its end.
    album_artists
        By the album's rowid.
    """

    def __init__(self, base: str, album_artists: Mapping[int, Sequence[Artist]]) -> None:
        self._base = base
        self._album_artists = album_artists

    def track(self, track: Track, *, album: bool = True) -> Object:
        """Give a track, within its album or not."""
        found = self._named("track", track.track_id, track.title) | {
            "artists": [self._credit(artist) for artist in track.artists],
            "available_markets": list(track.markets or ()),
            "disc_number": track.disc_number,
            "duration_ms": track.duration_ms,
            "explicit": track.explicit,
            "is_local": False,
            "preview_url": track.preview_url,
            "track_number": track.track_number,
        }
        if album:
            found |= {
                "album": None if track.album is None else self.album(track.album),
                "external_ids": {} if track.isrc is None else {"isrc": track.isrc},
                "popularity": track.popularity,
            }
        return found

    def album(self, album: Album) -> Object:
        """Give an album as it stands in lists."""
        return self._named("album", album.album_id, album.title) | {
            "album_type": album.album_type,
            "artists": [self._credit(one) for one in self._album_artists.get(album.rowid, ())],
            "available_markets": [],
            "images": _images(album.images),
            "release_date": album.release_date,
            "release_date_precision": album.release_date_precision,
            "total_tracks": album.total_tracks,
        }

    def full_album(self, album: Album, tracks: Object) -> Object:
        """Give an album with a page of its tracks."""
        return self.album(album) | {
            "copyrights": [],
            "external_ids": {} if album.upc is None else {"upc": album.upc},
            "genres": [],
            "label": album.label,
            "popularity": album.popularity,
            "tracks": tracks,
        }

    def artist(self, artist: Artist) -> Object:
        """Give an artist with all that is known."""
        return self._credit(artist) | {
            "followers": {"href": None, "total": artist.followers},
            "genres": list(artist.genres),
            "images": _images(artist.images),
            "popularity": artist.popularity,
        }

    def features(self, track: Track, features: AudioFeatures) -> Object:
        """Give what was measured of a track's sound."""
        return asdict(features) | {
            "type": "audio_features",
            "id": track.track_id,
            "uri": f"spotify:track:{track.track_id}",
            "track_href": f"{self._base}v1/tracks/{track.track_id}",
            "analysis_url": None,
            "duration_ms": track.duration_ms,
        }

    def _credit(self, artist: Artist) -> Object:
        return self._named("artist", artist.artist_id, artist.name)

    def _named(self, kind: str, key: str | None, name: str) -> Object:
        known = key is not None
        return {
            "external_urls": {"spotify": f"{SITE}/{kind}/{key}"} if known else {},
            "href": f"{self._base}v1/{kind}s/{key}" if known else None,
            "id": key,
            "name": name,
            "type": kind,
            "uri": f"spotify:{kind}:{key}" if known else None,
        }


def page_of(
    items: Sequence[Object], address: str, query: str, limit: int, offset: int, total: int
) -> Object:
    """Give a page of a list.

    Parameters
    ----------
    items
        Of the page.
    address, query
        Of the list, without and with what else was asked; a query ends with ``&`` if it is not
        empty.
    limit, offset, total
        Items to the page, before it, and of the whole list.
    """

    def at(first: int) -> str:
        return f"{address}?{query}limit={limit}&offset={first}"

    return {
        "href": at(offset),
        "items": list(items),
        "limit": limit,
        "next": at(offset + limit) if offset + limit < total else None,
        "offset": offset,
        "previous": at(max(offset - limit, 0)) if offset else None,
        "total": total,
    }


def _images(images: Sequence[Image]) -> list[Object]:
    return [{"url": one.url, "width": one.width, "height": one.height} for one in images]
