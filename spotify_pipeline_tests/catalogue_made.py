"""A small catalogue whose tracks are easy to tell apart, as a data home with its text index.

Belongs here: rows of real shape for look-ups. Does not belong here: the schema they are written in
(`metadata_file`).
"""

from collections.abc import Sequence
from pathlib import Path

from spotify_pipeline.catalog import build_text_index
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.documents import make_track_id
from spotify_pipeline_tests.metadata_file import Row, write_metadata

__all__ = ["TITLES", "MadeTrack", "album_id", "artist_id", "make_home", "track_id"]

ARTISTS = [
    "U2",
    "The Beatles",
    "!!!",
    "Ø",
    "Sigur Rós",
    "Сплин",
    "宇多田ヒカル",
    "AC/DC",
    "คาราบาว",
]
ALBUMS = [
    # title, artist, date, label, upc
    ("Achtung Baby", 1, "1991-11-18", "Island Records", "731451034725"),
    ("Help!", 2, "1965", "Parlophone", "077774643924"),
    ("1 (Remastered)", 2, "2000-11-13", "Apple", "724352932528"),
    ("Louden Up Now", 3, "2004-06-08", "Warp", None),
    ("Oleva", 4, "2006-05-01", "Sähkö", None),
    ("Ágætis byrjun", 5, "1999-06-12", "Smekkleysa", None),
    ("Гранатовый альбом", 6, "1998-04-01", "ОРТ", None),
    ("初恋", 7, "2018-06-27", "Epic", None),
    ("Back in Black", 8, "1980-07-25", "Atlantic", None),
    ("เมดอินไทยแลนด์", 9, "1984", "Krabue", None),
]
MadeTrack = tuple[str, int, list[int], int, int, str | None]

TRACKS: list[MadeTrack] = [
    # title, album, artists, popularity, seconds, ISRC
    ("One", 1, [1], 81, 276, "GBAAN9100007"),
    ("Love Is Blindness", 1, [1], 60, 263, "GBAAN9100012"),
    ("Yesterday", 2, [2], 55, 125, "GBAYE6500521"),
    ("Yesterday - Remastered 2009", 3, [2], 83, 125, "GBAYE6500521"),
    ("Yesterday and Today", 4, [3], 95, 200, "USWA10400001"),
    ("Me and Giuliani Down by the School Yard", 4, [3], 30, 540, "USWA10400002"),
    ("Rönsy", 5, [4], 12, 301, "FISAK0600001"),
    ("Svefn-g-englar", 6, [5], 66, 604, "ISA069900001"),
    ("Выхода нет", 7, [6], 70, 227, "RUA110000001"),
    ("初恋", 8, [7], 61, 280, "JPES01800001"),
    ("真夏の通り雨", 8, [7], 50, 330, "JPES01800002"),
    ("Hells Bells", 9, [8, 1], 77, 312, None),
    ("เมดอินไทยแลนด์", 10, [9], 40, 250, None),
]
GENRES = {1: ["irish rock", "rock"], 2: ["british invasion", "rock"], 5: ["post-rock"]}
TITLES = [track[0] for track in TRACKS]

MOMENT = 1_700_000_000_000
EVERYWHERE = 1


def track_id(number: int) -> str:
    """Give the id of a track, by its place in `TITLES`."""
    return make_track_id("0a", number)


def album_id(number: int) -> str:
    """Give the id of an album; the first is 1."""
    return f"1A{number:020}"


def artist_id(number: int) -> str:
    """Give the id of an artist; the first is 1."""
    return f"2B{number:020}"


def make_home(folder: Path, *, text: bool = True, tracks: Sequence[MadeTrack] = TRACKS) -> Settings:
    """Make a data home with the catalogue, and with its text index if wished."""
    settings = Settings(folder, folder / "incoming")
    settings.create_folders()
    source = write_metadata(folder / "catalogue.sqlite3", _rows(tracks))
    build_metadata(source, settings.staging, settings.metadata_database)
    if text:
        build_text_index(settings.metadata_database, settings.text_index)
    return settings


def _rows(made: Sequence[MadeTrack]) -> dict[str, list[Row]]:
    artists = list(enumerate(ARTISTS, 1))
    albums = list(enumerate(ALBUMS, 1))
    tracks = list(enumerate(made))
    return {
        "available_markets": [(EVERYWHERE, "DE,FR,US")],
        "artists": [(k, artist_id(k), MOMENT, name, 1000 - k, 90 - k) for k, name in artists],
        "artist_genres": [(artist, genre) for artist, each in GENRES.items() for genre in each],
        "artist_images": [(1, size, size, f"https://i.example/u2-{size}") for size in (160, 640)],
        "albums": [
            (k, album_id(k), MOMENT, title, "album", EVERYWHERE, upc, None, None, None, label, 50,
             date, "day" if len(date) > 4 else "year", 12)
            for k, (title, _, date, label, upc) in albums
        ],
        "album_images": [(1, 640, 640, "https://i.example/achtung")],
        "artist_albums": [(album[1], k, 0, 0, 0) for k, album in albums],
        "tracks": [
            (k + 1, track_id(k), MOMENT, title, None, album, k + 1, isrc, None, None, popularity,
             EVERYWHERE, 1, 1000 * seconds + 400, k % 2)
            for k, (title, album, _, popularity, seconds, isrc) in tracks
        ],
        "track_artists": [(k + 1, artist) for k, track in tracks for artist in track[2]],
    }  # fmt: skip
