"""The catalogue in the shape of Spotify's Web API: spotipy, as it comes, is content with it."""

from collections.abc import Iterator

import httpx
import pytest
import spotipy

from spotify_pipeline_tests.catalogue_made import album_id, artist_id, track_id
from spotify_pipeline_tests.serve.served import Served

ONE, YESTERDAY, REMASTERED = track_id(0), track_id(2), track_id(3)
U2, BEATLES = artist_id(1), artist_id(2)
ACHTUNG_BABY = album_id(1)


@pytest.fixture(scope="module")
def spotify(server: Served) -> Iterator[spotipy.Spotify]:
    client = spotipy.Spotify(auth="no token is needed", retries=0)
    client.prefix = f"{server.url}/v1/"
    yield client


def test_a_track_has_its_album_artists_and_codes(spotify: spotipy.Spotify) -> None:
    found = spotify.track(ONE)
    assert (found["id"], found["name"], found["type"]) == (ONE, "One", "track")
    assert found["external_ids"] == {"isrc": "GBAAN9100007"}
    assert (found["duration_ms"], found["popularity"]) == (276_400, 81)
    assert [artist["name"] for artist in found["artists"]] == ["U2"]
    assert found["album"]["name"] == "Achtung Baby"
    assert [artist["id"] for artist in found["album"]["artists"]] == [U2]
    assert found["album"]["images"][0]["width"] == 640
    assert found["available_markets"] == ["DE", "FR", "US"]
    assert httpx.get(found["href"]).json() == found


def test_tracks_come_in_the_order_asked_for_and_null_if_unknown(spotify: spotipy.Spotify) -> None:
    found = spotify.tracks([YESTERDAY, "0" * 22, ONE])["tracks"]
    assert [one and one["id"] for one in found] == [YESTERDAY, None, ONE]


def test_an_album_has_its_tracks_page_by_page(spotify: spotipy.Spotify) -> None:
    found = spotify.album(ACHTUNG_BABY)
    assert (found["label"], found["release_date"]) == ("Island Records", "1991-11-18")
    assert [one["name"] for one in found["tracks"]["items"]] == ["One", "Love Is Blindness"]
    first = spotify.album_tracks(ACHTUNG_BABY, limit=1)
    assert ([one["name"] for one in first["items"]], first["total"]) == (["One"], 2)
    second = spotify.next(first)
    assert [one["name"] for one in second["items"]] == ["Love Is Blindness"]
    assert second["next"] is None
    assert [one["id"] for one in spotify.albums([ACHTUNG_BABY])["albums"]] == [ACHTUNG_BABY]


def test_an_artist_has_albums_and_best_tracks(spotify: spotipy.Spotify) -> None:
    found = spotify.artist(U2)
    assert (found["name"], found["genres"]) == ("U2", ["irish rock", "rock"])
    albums = spotify.artist_albums(BEATLES)["items"]
    assert [one["name"] for one in albums] == ["1 (Remastered)", "Help!"]
    best = spotify.artist_top_tracks(BEATLES)["tracks"]
    assert [one["id"] for one in best] == [REMASTERED, YESTERDAY]
    assert [one["name"] for one in spotify.artists([BEATLES])["artists"]] == ["The Beatles"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("yesterd", ["Yesterday and Today", "Yesterday - Remastered 2009"]),
        ("yesterday artist:beatles", ["Yesterday - Remastered 2009"]),
        ('album:"achtung baby"', ["One", "Love Is Blindness"]),
        ("artist:u2 year:1990-1995", ["One", "Love Is Blindness"]),
        ("isrc:GBAYE6500521", ["Yesterday - Remastered 2009", "Yesterday"]),
        ("upc:731451034725", ["One", "Love Is Blindness"]),
        ("genre:post-rock", ["Svefn-g-englar"]),
        ("year:soon", []),
        ('""', []),
    ],
)
def test_a_search_takes_words_and_fields(
    spotify: spotipy.Spotify, query: str, names: list[str]
) -> None:
    found = spotify.search(query, type="track")["tracks"]["items"]
    assert [one["name"] for one in found] == names


def test_a_search_finds_albums_and_artists(spotify: spotipy.Spotify) -> None:
    found = spotify.search("beatles", type="album,artist")
    assert found["artists"]["items"][0]["name"] == "The Beatles"
    assert found["artists"]["items"][0]["followers"]["total"] is not None
    assert {one["name"] for one in found["albums"]["items"]} == {"1 (Remastered)"}


def test_pages_of_a_search_follow_each_other(spotify: spotipy.Spotify) -> None:
    first = spotify.search("genre:rock", limit=2)["tracks"]
    second = spotify.next(first)["tracks"]
    assert [len(page["items"]) for page in (first, second)] == [2, 2]
    names = [one["name"] for page in (first, second) for one in page["items"]]
    assert len(set(names)) == 4


def test_what_is_not_there_is_an_error_that_clients_show(spotify: spotipy.Spotify) -> None:
    with pytest.raises(spotipy.SpotifyException, match="not in the catalogue") as unknown:
        spotify.track("0" * 22)
    assert unknown.value.http_status == 404
    for method in (spotify.artist_top_tracks, spotify.artist_albums, spotify.album_tracks):
        with pytest.raises(spotipy.SpotifyException) as failed:
            method("0" * 22)
        assert failed.value.http_status == 404
