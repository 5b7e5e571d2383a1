"""Look-ups: all that is known of tracks, however they are named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spotify_pipeline.catalog import Filters, Found, Lookup, Unknown, parse_reference
from spotify_pipeline.catalog.errors import CatalogError
from spotify_pipeline.catalog.references import Reference
from spotify_pipeline.catalog.text_manifest import TextIndexError
from spotify_pipeline.dump.staged_extract import reduce_shard
from spotify_pipeline.ingest.append import ingest_extract
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.catalogue_made import (
    TITLES,
    MadeTrack,
    album_id,
    artist_id,
    make_home,
    track_id,
)
from spotify_pipeline_tests.documents import make_document, make_documents, write_shard
from spotify_pipeline_tests.metadata_file import write_metadata
from spotify_pipeline_tests.processes import held_open_by_another_process
from spotify_pipeline_tests.tracks import make_tracks, publish_tracks

YESTERDAY, REMASTERED = 2, 3


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = make_home(tmp_path_factory.mktemp("home"))
    publish_tracks(settings.index, make_tracks(2))
    shard = write_shard(settings.home / "shards", "0a", make_documents("0a", 1))
    create_audio_database(settings.audio_database)
    with connect(settings.audio_database) as connection:
        ingest_extract(connection, reduce_shard(shard, "0a", settings.staging), "run")
    return settings


@pytest.fixture(scope="module")
def lookup(home: Settings) -> Iterator[Lookup]:
    with Lookup.open(home, markets=True) as opened:
        yield opened


def reference(text: str) -> Reference:
    found = parse_reference(text)
    assert found is not None
    return found


def titles(found: list[Found]) -> list[str]:
    return [each.track.title for each in found]


def test_a_track_comes_with_all_that_is_known_of_it(lookup: Lookup) -> None:
    (found,) = lookup.search("achtung one")
    track = found.track
    assert track.album is not None
    assert track.features is not None
    assert (track.title, track.isrc, track.duration_ms) == ("One", "GBAAN9100007", 276_400)
    assert (track.popularity, track.explicit, track.markets) == (81, False, ("DE", "FR", "US"))
    assert (track.album.title, track.album.release_date) == ("Achtung Baby", "1991-11-18")
    assert [image.url for image in track.album.images] == ["https://i.example/achtung"]
    assert [image.width for image in track.artists[0].images] == [640, 160]
    assert track.artists[0].genres == ("irish rock", "rock")
    analysis = make_document(track_id(0))["track"]
    for name in ("tempo", "key", "mode", "loudness", "time_signature"):
        assert getattr(track.features, name) == analysis[name]
    assert found.indexed


def test_releases_of_one_recording_stand_under_the_most_popular(lookup: Lookup) -> None:
    first, second = lookup.search("yesterday")
    assert first.track.title == "Yesterday - Remastered 2009"
    assert [other.track_id for other in first.releases] == [track_id(YESTERDAY)]
    assert (second.track.title, second.releases, second.indexed) == (
        "Yesterday and Today",
        (),
        False,
    )


RELEASES: list[MadeTrack] = [
    # title, album, artists, popularity, seconds, ISRC; of three recordings, one has many releases
    *((f"Yesterday - Version {k}", 2, [2], 40 - k, 125, "GBAYE6500521") for k in range(30)),
    ("Yesterday and Today Live", 3, [2], 90, 125, "GBAYE6500521"),
    ("Yesterday", 4, [3], 7, 200, "USWA10400001"),
    ("Yesterday Never Comes", 5, [4], 60, 200, "FISAK0600001"),
    ("Yesterday Never Comes", 6, [5], 50, 200, None),
]


def test_a_limit_cuts_recordings_and_not_their_releases(tmp_path: Path) -> None:
    with Lookup.open(make_home(tmp_path, tracks=RELEASES)) as lookup:
        all_found = lookup.search("yesterday", limit=50)
        for limit in range(1, 6):
            assert lookup.search("yesterday", limit=limit) == all_found[:limit]
        (within,) = lookup.search("yesterday", Filters(album="help"), limit=1)
    assert [(found.track.title, len(found.releases)) for found in all_found] == [
        ("Yesterday and Today Live", 30),  # its title is less like, but it is the most popular
        ("Yesterday", 0),
        ("Yesterday Never Comes", 0),
        ("Yesterday Never Comes", 0),
    ]
    assert within.track.title == "Yesterday - Version 0"


def test_a_look_up_goes_on_with_the_catalogue_that_it_has_opened(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with Lookup.open(home) as lookup:
        other = write_metadata(tmp_path / "other.sqlite3")
        build_metadata(other, home.staging, home.metadata_database)
        assert titles(lookup.search("achtung one")) == ["One"]


def test_the_track_asked_for_stands_first_whatever_its_popularity(lookup: Lookup) -> None:
    (found,) = lookup.references([reference(track_id(YESTERDAY))])
    assert found.track.title == "Yesterday"
    assert [other.track_id for other in found.releases] == [track_id(REMASTERED)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"https://open.spotify.com/intl-de/track/{track_id(0)}?si=1", ["One"]),
        (f"spotify:album:{album_id(1)}", ["One", "Love Is Blindness"]),
        (album_id(4), TITLES[4:6]),
        (artist_id(3), TITLES[4:6]),
        (f"spotify:artist:{artist_id(1)}", ["One", "Hells Bells", "Love Is Blindness"]),
        ("GBAYE6500521", ["Yesterday - Remastered 2009"]),
        ("731451034725", ["One", "Love Is Blindness"]),
        ("USXXX0000000", []),
        (track_id(99), []),
    ],
)
def test_references_of_every_kind(lookup: Lookup, text: str, expected: list[str]) -> None:
    assert titles(lookup.references([reference(text)])) == expected


def test_words_and_filters_narrow_what_is_referred_to(lookup: Lookup) -> None:
    u2 = [reference(artist_id(1))]
    assert titles(lookup.references(u2, "blindness")) == ["Love Is Blindness"]
    assert titles(lookup.references(u2, filters=Filters(years=(1980, 1989)))) == ["Hells Bells"]
    assert titles(lookup.references(u2, limit=1)) == ["One"]


def test_a_batch_keeps_its_order_and_reports_each_unknown_line(lookup: Lookup) -> None:
    lines = [track_id(5), "", "GBAYE6500521\n", "nonsense", track_id(99), track_id(5)]
    answers = list(lookup.batch(lines))
    assert [a.asked for a in answers] == [line.strip() for line in lines if line]
    assert [isinstance(a, Unknown) for a in answers] == [False, False, True, True, False]
    assert answers[2] == Unknown(
        "nonsense",
        "neither an id, an address of Spotify's, an ISRC nor a UPC",
        is_reference=False,
    )
    assert answers[3] == Unknown(track_id(99), "not in the catalogue")


def test_a_batch_is_answered_while_it_is_read(lookup: Lookup) -> None:
    answers = lookup.batch(track_id(number % 13) for number in range(10**9))
    found = next(answers)
    assert isinstance(found, Found)


def test_words_without_a_text_index_say_what_to_run_and_ids_are_answered(tmp_path: Path) -> None:
    with Lookup.open(make_home(tmp_path, text=False)) as lookup:
        assert titles(lookup.references([reference(track_id(0))])) == ["One"]
        with pytest.raises(TextIndexError, match="make it by 'ingest'"):
            lookup.search("one")


def test_without_a_catalogue_the_error_says_what_to_do(tmp_path: Path) -> None:
    with (
        pytest.raises(CatalogError, match="put spotify_clean"),
        Lookup.open(Settings(tmp_path, tmp_path)),
    ):
        pass


def test_while_shards_are_ingested_tempo_and_key_are_left_out(home: Settings) -> None:
    with held_open_by_another_process(home.audio_database), Lookup.open(home) as lookup:
        (found,) = lookup.search("achtung one")
        assert found.track.features is None


def test_a_catalogue_that_lacks_tables_says_which(tmp_path: Path) -> None:
    home = Settings(tmp_path, tmp_path)
    source = write_metadata(tmp_path / "catalogue.sqlite3")
    build_metadata(source, home.staging, home.metadata_database, tables=["tracks"])
    with pytest.raises(CatalogError, match="not loaded: album_images, albums"), Lookup.open(home):
        pass
