"""``/v1``: the catalogue in the shape of Spotify's Web API, for its clients.

What this catalogue has no answer to (players, playlists, users, markets) is not there. Lists that a
search gives know no total beyond the page that follows.

Belongs here: the routes. Does not belong here: what a search finds (`catalogue_search`), how
objects look (`spotify_shape`).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from spotify_pipeline.catalog import Album, Catalog
from spotify_pipeline.serve.catalogue_search import found_albums, found_artists, found_tracks
from spotify_pipeline.serve.descriptions import described
from spotify_pipeline.serve.installation import Reader, Snapshot
from spotify_pipeline.serve.problems import ProblemError
from spotify_pipeline.serve.search_query import SearchQuery, parse_search
from spotify_pipeline.serve.service import client_of, service_of
from spotify_pipeline.serve.spotify_shape import Object, Shape, page_of

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["catalogue"])

KINDS = ("track", "album", "artist")
MOST_IDS = 100
MOST_TRACKS_OF_ALBUM = 50
MOST_SEARCHED = 1000
"""Further results than that are not given, as by Spotify's own."""

TOP_TRACKS = 10
_ID = re.compile("[0-9A-Za-z]{22}")

Key = Annotated[str, Query(description="22 letters and digits.")]
Keys = Annotated[str, Query(description="Ids, with commas between.", examples=["a" * 22])]
Limit = Annotated[int, Query(ge=1, le=50)]
Offset = Annotated[int, Query(ge=0, le=10_000)]

_OBJECT: dict[str, Any] = {"type": "object"}


def _described(meaning: str) -> dict[int | str, dict[str, Any]]:
    return described(_OBJECT, f"{meaning}, as Spotify's Web API gives it.")


@router.get("/search", summary="Search by words", responses=_described("Pages of what is found"))
async def search(
    request: Request,
    q: Annotated[
        str, Query(min_length=1, max_length=500, examples=["yesterday artist:beatles year:1965"])
    ],
    kinds: Annotated[str, Query(alias="type", examples=["track,album"])] = "track",
    limit: Limit = 20,
    offset: Annotated[int, Query(ge=0, le=MOST_SEARCHED)] = 0,
) -> JSONResponse:
    """Find tracks, albums and artists, the best match first.

    Words may be cut short or mistyped. `track:`, `artist:`, `album:`, `genre:`, `label:`, `year:`
    (also `1990-1999`), `isrc:` and `upc:` narrow a search.
    """
    wanted = kinds.split(",")
    if not set(wanted) <= set(KINDS):
        raise ProblemError(400, f"type must be of {', '.join(KINDS)}, with commas between")
    query = parse_search(q)
    most = offset + limit + 1

    def find(snapshot: Snapshot) -> Object:
        with snapshot.catalogue() as reader:
            found = {kind: _SEARCHES[kind](reader, query, most) for kind in wanted}
            pages = {kind: each[offset : offset + limit] for kind, each in found.items()}
            shape = _shape(request, reader.catalog, _albums_in(pages))
            return {
                f"{kind}s": _page(
                    request,
                    [_SHOWN[kind](shape, one) for one in pages[kind]],
                    limit,
                    offset,
                    len(found[kind]),
                    q=q,
                    type=kind,
                )
                for kind in wanted
            }

    return await _answered(request, find)


@router.get("/tracks/{key}", summary="Get a track", responses=_described("A track"))
async def track(request: Request, key: str) -> JSONResponse:
    """Get what is known of a track."""
    return await _one(request, key, _tracks)


@router.get("/tracks", summary="Get tracks", responses=_described("Tracks, null if not known"))
async def tracks(request: Request, ids: Keys) -> JSONResponse:
    """Get tracks by id."""
    return await _many(request, ids, "tracks", _tracks)


@router.get("/albums/{key}", summary="Get an album", responses=_described("An album"))
async def album(request: Request, key: str) -> JSONResponse:
    """Get an album and its first tracks."""
    return await _one(request, key, _albums)


@router.get("/albums", summary="Get albums", responses=_described("Albums, null if not known"))
async def albums(request: Request, ids: Keys) -> JSONResponse:
    """Get albums by id."""
    return await _many(request, ids, "albums", _albums)


@router.get(
    "/albums/{key}/tracks", summary="Get tracks of an album", responses=_described("A page")
)
async def tracks_of_album(
    request: Request, key: str, limit: Limit = 20, offset: Offset = 0
) -> JSONResponse:
    """Get the tracks of an album, in their order."""

    def find(catalog: Catalog, shape: Shape) -> list[Object]:
        if key not in catalog.albums([key], images=False):
            raise _unknown(key)
        found = catalog.tracks_of_albums([key], markets=True).get(key, [])
        return [shape.track(one, album=False) for one in found]

    return await _list(request, key, find, limit, offset)


@router.get("/artists/{key}", summary="Get an artist", responses=_described("An artist"))
async def artist(request: Request, key: str) -> JSONResponse:
    """Get what is known of an artist."""
    return await _one(request, key, _artists)


@router.get("/artists", summary="Get artists", responses=_described("Artists, null if not known"))
async def artists(request: Request, ids: Keys) -> JSONResponse:
    """Get artists by id."""
    return await _many(request, ids, "artists", _artists)


@router.get(
    "/artists/{key}/albums", summary="Get albums of an artist", responses=_described("A page")
)
async def albums_of_artist(
    request: Request,
    key: str,
    include_groups: Annotated[str | None, Query(examples=["album,single"])] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> JSONResponse:
    """Get an artist's albums, the newest first; those that it only appears on are left out."""
    groups = None if include_groups is None else set(include_groups.split(","))

    def find(catalog: Catalog, _: Shape) -> list[Object]:
        _require_artist(catalog, key)
        found = catalog.albums_of_artists([key], images=True).get(key, [])
        kept = [one for one in found if groups is None or one.album_type in groups]
        shape = _shape(request, catalog, kept)
        return [shape.album(one) | {"album_group": one.album_type} for one in kept]

    return await _list(request, key, find, limit, offset)


@router.get(
    "/artists/{key}/top-tracks",
    summary="Get an artist's most popular tracks",
    responses=_described("Tracks"),
)
async def top_tracks(request: Request, key: str) -> JSONResponse:
    """Get an artist's most popular tracks, ten at the most."""
    _check(key)

    def find(snapshot: Snapshot) -> Object:
        with snapshot.catalogue() as reader:
            catalog = reader.catalog
            _require_artist(catalog, key)
            found = catalog.tracks_of_artists([key], limit=TOP_TRACKS, markets=True, images=True)
            best = found.get(key, [])
            shape = _shape(request, catalog, _albums_in({"track": best}))
            return {"tracks": [shape.track(one) for one in best]}

    return await _answered(request, find)


@router.get("/audio-features/{key}", summary="Get audio features", responses=_described("Features"))
async def audio_features(request: Request, key: str) -> JSONResponse:
    """Get what was measured of a track's sound."""
    return await _one(request, key, _features)


@router.get(
    "/audio-features",
    summary="Get audio features of tracks",
    responses=_described("Features, null if not known"),
)
async def many_audio_features(request: Request, ids: Keys) -> JSONResponse:
    """Get what was measured of tracks' sound."""
    return await _many(request, ids, "audio_features", _features)


_Find = Callable[[Request, Reader, Sequence[str]], dict[str, Object]]
"""Ids to objects, of those that are known."""


def _tracks(request: Request, reader: Reader, ids: Sequence[str]) -> dict[str, Object]:
    found = reader.catalog.tracks(ids, markets=True, images=True)
    shape = _shape(request, reader.catalog, _albums_in({"track": list(found.values())}))
    return {key: shape.track(one) for key, one in found.items()}


def _albums(request: Request, reader: Reader, ids: Sequence[str]) -> dict[str, Object]:
    found = reader.catalog.albums(ids)
    of_albums = reader.catalog.tracks_of_albums(found, markets=True)
    shape = _shape(request, reader.catalog, found.values())
    shown = {}
    for key, one in found.items():
        items = [shape.track(each, album=False) for each in of_albums.get(key, [])]
        address = f"{request.base_url}v1/albums/{key}/tracks"
        first = items[:MOST_TRACKS_OF_ALBUM]
        page = page_of(first, address, "", MOST_TRACKS_OF_ALBUM, 0, len(items))
        shown[key] = shape.full_album(one, page)
    return shown


def _artists(request: Request, reader: Reader, ids: Sequence[str]) -> dict[str, Object]:
    shape = _shape(request, reader.catalog, ())
    return {key: shape.artist(one) for key, one in reader.catalog.artists(ids).items()}


def _features(request: Request, reader: Reader, ids: Sequence[str]) -> dict[str, Object]:
    found = reader.catalog.tracks(ids)
    missing = [key for key, one in found.items() if one.features is None]
    heard = reader.lookup.heard(missing)
    shape = _shape(request, reader.catalog, ())
    return {
        key: shape.features(one, features)
        for key, one in found.items()
        if (features := one.features or heard.get(key)) is not None
    }


async def _one(request: Request, key: str, find: _Find) -> JSONResponse:
    _check(key)

    def work(snapshot: Snapshot) -> Object:
        with snapshot.catalogue() as reader:
            found = find(request, reader, [key])
            if key not in found:
                raise _unknown(key)
            return found[key]

    return await _answered(request, work)


async def _many(request: Request, ids: str, name: str, find: _Find) -> JSONResponse:
    keys = [key.strip() for key in ids.split(",")]
    if len(keys) > MOST_IDS:
        raise ProblemError(400, f"{MOST_IDS} ids at the most")
    for key in keys:
        _check(key)

    def work(snapshot: Snapshot) -> Object:
        with snapshot.catalogue() as reader:
            found = find(request, reader, keys)
            return {name: [found.get(key) for key in keys]}

    return await _answered(request, work)


async def _list(
    request: Request,
    key: str,
    find: Callable[[Catalog, Shape], list[Object]],
    limit: int,
    offset: int,
) -> JSONResponse:
    _check(key)

    def work(snapshot: Snapshot) -> Object:
        with snapshot.catalogue() as reader:
            found = find(reader.catalog, _shape(request, reader.catalog, ()))
            shown = found[offset : offset + limit]
            return _page(request, shown, limit, offset, len(found))

    return await _answered(request, work)


async def _answered(request: Request, work: Callable[[Snapshot], Object]) -> JSONResponse:
    return JSONResponse(await service_of(request).look_up(client_of(request), work))


def _page(
    request: Request, items: Sequence[Object], limit: int, offset: int, total: int, **asked: str
) -> Object:
    address = f"{str(request.base_url).rstrip('/')}{request.url.path}"
    query = f"{urlencode(asked)}&" if asked else ""
    return page_of(items, address, query, limit, offset, total)


def _shape(request: Request, catalog: Catalog, shown: Iterable[Album]) -> Shape:
    artists_of = catalog.artists_of_albums(one.rowid for one in shown)
    return Shape(str(request.base_url), artists_of)


def _albums_in(pages: dict[str, Sequence[Any]]) -> list[Album]:
    of_tracks = [one.album for one in pages.get("track", ()) if one.album is not None]
    return [*of_tracks, *pages.get("album", ())]


def _check(key: str) -> None:
    if not _ID.fullmatch(key):
        raise ProblemError(400, "an id has 22 letters and digits")


def _unknown(key: str) -> ProblemError:
    return ProblemError(404, f"{key}: not in the catalogue")


def _require_artist(catalog: Catalog, key: str) -> None:
    if key not in catalog.artists([key], images=False):
        raise _unknown(key)


_SEARCHES: dict[str, Callable[[Reader, SearchQuery, int], Sequence[Any]]] = {
    "track": found_tracks,
    "album": found_albums,
    "artist": found_artists,
}
_SHOWN: dict[str, Callable[[Shape, Any], Object]] = {
    "track": Shape.track,
    "album": Shape.album,
    "artist": Shape.artist,
}
