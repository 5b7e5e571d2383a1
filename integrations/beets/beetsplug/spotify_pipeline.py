"""Beets identifies files by how they sound, by a server of spotify-pipeline.

Files are sent to the server as they are imported. Beets then looks for the tracks that they are,
and takes a title, artist or album from there where a file has none. Where the server does not know
a file, it answers beets' searches by its tags.

    plugins: spotify_pipeline
    spotify_pipeline:
        url: http://127.0.0.1:8765
        token: ''
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from os import fsdecode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from beets.autotag import AlbumInfo, TrackInfo
from beets.metadata_plugins import MetadataSourcePlugin

if TYPE_CHECKING:
    from beets.importer import ImportSession, ImportTask
    from beets.library.models import Item

MOST_ALBUMS = 5
"""So many albums are offered for the files of a folder."""

SECONDS = 120
"""What the server may take for an answer."""

ID_LETTERS = 22


class SpotifyPipelinePlugin(MetadataSourcePlugin):
    """Candidates by sound, and by words."""

    data_source = "spotify_pipeline"

    def __init__(self) -> None:
        super().__init__()
        self.config.add({"url": "http://127.0.0.1:8765", "token": ""})
        self.config["token"].redact = True
        self._heard: dict[bytes, dict[str, Any] | None] = {}
        self.register_listener("import_task_start", self.hear)

    def hear(self, task: ImportTask, session: ImportSession) -> None:
        """Tell beets what its files are, before it looks for candidates."""
        for item in task.items:
            track = self._track_heard(item)
            if track is None:
                continue
            known = _track(track)
            item.mb_trackid = known.track_id
            album = track["album"] or {"name": ""}
            for field, value in (
                ("title", known.title),
                ("artist", known.artist),
                ("album", album["name"]),
            ):
                if not item.get(field):
                    item[field] = value

    def album_for_id(self, album_id: str) -> AlbumInfo | None:
        """Give an album by its id."""
        album = self._get(f"v1/albums/{album_id}") if _is_id(album_id) else None
        return None if album is None else self._album(album)

    def track_for_id(self, track_id: str) -> TrackInfo | None:
        """Give a track by its id."""
        track = self._get(f"v1/tracks/{track_id}") if _is_id(track_id) else None
        return None if track is None else _track(track)

    def candidates(
        self, items: Sequence[Item], artist: str, album: str, va_likely: bool
    ) -> Iterable[AlbumInfo]:
        """Offer the albums of the tracks that the files are of, and those that the tags name."""
        heard = [track for item in items if (track := self._track_heard(item)) is not None]
        counted = Counter(t["album"]["id"] for t in heard if t["album"] is not None)
        found = [key for key, _ in counted.most_common(MOST_ALBUMS)]
        if not found and album:
            named = self._search("album", f"{album} {'' if va_likely else artist}")
            found = [one["id"] for one in named]
        return [info for key in found if (info := self.album_for_id(key)) is not None]

    def item_candidates(self, item: Item, artist: str, title: str) -> Iterable[TrackInfo]:
        """Offer the track that a file is of, or those that its tags name."""
        heard = self._track_heard(item)
        if heard is not None:
            return [_track(heard)]
        return [_track(one) for one in self._search("track", f"{title} {artist}")]

    def _track_heard(self, item: Item) -> dict[str, Any] | None:
        """Give the track that a file is of; None if it is unknown."""
        if item.path not in self._heard:
            found = self._identify(item)
            self._heard[item.path] = None if found is None else self._get(f"v1/tracks/{found}")
        return self._heard[item.path]

    def _identify(self, item: Item) -> str | None:
        try:
            with Path(fsdecode(item.path)).open("rb") as file:
                answer = self._ask("POST", "api/identify", params={"limit": 1}, data=file)
        except OSError as error:
            self._log.warning("{}: {}", item, error)
            return None
        matches = (answer or {}).get("matches") or [{"track_id": None}]
        found: str | None = matches[0]["track_id"]
        self._log.info("{} sounds like {}", item, found or "nothing that is known")
        return found

    def _search(self, kind: str, words: str) -> list[dict[str, Any]]:
        if not words.strip():
            return []
        limit = self.config["search_limit"].get(int)
        found = self._get("v1/search", q=words.strip()[:500], type=kind, limit=limit)
        items: list[dict[str, Any]] = (found or {}).get(f"{kind}s", {}).get("items", [])
        return items

    def _album(self, album: dict[str, Any]) -> AlbumInfo:
        tracks, page = album["tracks"]["items"], album["tracks"]
        while page["next"]:
            path = page["next"].partition("/v1/")[2]
            page = self._get(f"v1/{path}") or {"next": None, "items": []}
            tracks += page["items"]
        year, month, day = _date(album["release_date"])
        return AlbumInfo(
            tracks=[_track(each, index) for index, each in enumerate(tracks, 1)],
            album=album["name"],
            album_id=album["id"],
            artist=", ".join(one["name"] for one in album["artists"]),
            artist_id=album["artists"][0]["id"] if album["artists"] else None,
            albumtype=album["album_type"],
            barcode=album["external_ids"].get("upc"),
            label=album["label"],
            year=year,
            month=month,
            day=day,
            mediums=max((each["disc_number"] or 1 for each in tracks), default=1),
            data_source=self.data_source,
            data_url=album["external_urls"].get("spotify"),
        )

    def _get(self, path: str, **params: object) -> dict[str, Any] | None:
        return self._ask("GET", path, params=params)

    def _ask(
        self,
        method: str,
        path: str,
        **options: Any,  # noqa: ANN401  # as of `requests.request`
    ) -> dict[str, Any] | None:
        """Ask the server; what it can't answer is logged, and the import goes on."""
        token = self.config["token"].as_str()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.config['url'].as_str().rstrip('/')}/{path}"
        try:
            answer = requests.request(method, url, headers=headers, timeout=SECONDS, **options)
        except requests.RequestException as error:
            self._log.error("{} does not answer: {}", url, error)
            return None
        if answer.ok:
            found: dict[str, Any] = answer.json()
            return found
        if answer.status_code != requests.codes.not_found:
            self._log.error("{}: {}", url, answer.text)
        return None


def _is_id(text: str) -> bool:
    return len(text) == ID_LETTERS and text.isalnum()


def _date(text: str | None) -> tuple[int | None, int | None, int | None]:
    parts = [int(part) for part in (text or "").split("-") if part.isdigit()]
    year, month, day = [*parts, None, None, None][:3]
    return year, month, day


def _track(track: dict[str, Any], index: int | None = None) -> TrackInfo:
    artists = track["artists"]
    return TrackInfo(
        title=track["name"],
        track_id=track["id"],
        artist=", ".join(one["name"] for one in artists),
        artist_id=artists[0]["id"] if artists else None,
        length=None if track["duration_ms"] is None else track["duration_ms"] / 1000,
        index=index,
        medium=track["disc_number"],
        medium_index=track["track_number"],
        isrc=track.get("external_ids", {}).get("isrc"),
        data_source=SpotifyPipelinePlugin.data_source,
        data_url=track["external_urls"].get("spotify"),
    )
