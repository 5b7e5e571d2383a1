"""The terms of all tracks."""

import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.catalog import text_tracks
from spotify_pipeline.catalog.text_terms import LONGEST, filter_terms, whole_artist
from spotify_pipeline.catalog.text_tracks import count_by_popularity, prepare_words, track_terms
from spotify_pipeline.catalog.words import index_words, query_words

ARTISTS = ["The Beatles", "Björk", "!!!", None, ""]


@contextmanager
def catalogue() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            """
            CREATE TABLE tracks ("rowid" INT, name VARCHAR, album_rowid INT, popularity INT,
                duration_ms INT);
            CREATE TABLE albums ("rowid" INT, name VARCHAR, label VARCHAR, release_date VARCHAR);
            CREATE TABLE artists ("rowid" INT, name VARCHAR);
            CREATE TABLE track_artists (track_rowid INT, artist_rowid INT);
            CREATE TABLE artist_genres (artist_rowid INT, genre VARCHAR);
            INSERT INTO albums VALUES (1, 'Abbey Road', 'Apple', '1969-09-26');
            INSERT INTO albums VALUES (2, NULL, NULL, '?');
            INSERT INTO artist_genres VALUES (1, 'Rock & Roll'), (1, NULL), (2, 'ártpop');
            """
        )
        connection.executemany("INSERT INTO artists VALUES (?, ?)", list(enumerate(ARTISTS, 1)))
        yield connection


def terms(
    title: str | None,
    artists: Sequence[int] = (1, 2),
    album: int | None = 1,
    duration_ms: int | None = 205_900,
) -> set[str]:
    with catalogue() as connection:
        track = [title, album, duration_ms]
        connection.execute("INSERT INTO tracks VALUES (7, ?, ?, 44, ?)", track)
        for artist in artists:
            connection.execute("INSERT INTO track_artists VALUES (7, ?)", [artist])
        (row,) = [row for rows in track_terms(connection) for row in rows]
    assert row[:2] == (7, 44)
    return set(row[2].split())


def test_words_stand_with_the_field_that_they_are_of() -> None:
    texts = [("title", "Something"), ("artist", "The Beatles"), ("artist", "Björk")]
    texts += [("album", "Abbey Road"), ("label", "Apple"), ("genre", "Rock Roll artpop")]
    anywhere = {":something", ":the", ":beatles", ":bjork", ":abbey", ":road"}
    assert filter_terms(texts, "1969", 205_900) | anywhere <= terms("Something")
    assert not {":apple", ":rock"} & terms("Something")


def test_whole_names_stand_for_themselves_in_any_order() -> None:
    expected = {"artist=beatles_the", "artist=bjork", "title=1", "named=3"}
    assert expected <= terms("Something")
    assert {whole_artist(["!!!"]), "named=2"} <= terms("Joga", [3])


def test_a_title_counts_with_and_without_version_and_guests() -> None:
    for title in (
        "Come Together - Remastered 2009",
        "Come Together (feat. X)",
        "Come Together feat. X",
        "Come Together [Y]",
    ):
        assert {"title=2", "named=4"} <= terms(title)
    assert "title=4" in terms("Come Together - Remastered 2009")
    assert "title=1" in terms("(Untitled)")
    assert {"title=1", "named=3"} <= terms("Help help HELP!")


def test_what_is_missing_has_no_terms() -> None:
    assert terms(None, [], None, None) == {"title=0", "named=0"}
    assert terms("", [4, 9], 2, None) == {"title=0", "named=0"}
    assert f"seconds={LONGEST}" in terms("x", duration_ms=2**31 - 1)


def test_tracks_in_small_parts_and_with_gaps_are_all_given_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_tracks, "CHUNK", 2)
    monkeypatch.setattr(text_tracks, "BATCH", 1)
    rowids = [1, 2, 3, 50, 1000]
    with catalogue() as connection:
        connection.execute("INSERT INTO tracks SELECT unnest(?::INT[]), 'x', 1, NULL, 1", [rowids])
        assert sorted(row[0] for rows in track_terms(connection) for row in rows) == rowids


def test_tracks_are_counted_by_popularity() -> None:
    popularities = [3, None, 70, 3, -5, 0]
    with catalogue() as connection:
        connection.execute(
            "INSERT INTO tracks SELECT 1, 'x', 1, unnest(?::INT[]), 1", [popularities]
        )
        assert list(count_by_popularity(connection).items()) == [(70, 1), (3, 2), (0, 3)]


PLAIN = st.text(string.ascii_letters + string.digits + " ", max_size=12)
ODD = st.text(
    st.sampled_from("aZ9 éß-!'/().☆夜ค\u0301\u3099\xa0\x00\x1f\n") | st.characters(codec="utf-8"),
    max_size=12,
)


@pytest.fixture(scope="module")
def words() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        prepare_words(connection)
        yield connection


@settings(deadline=None)
@given(text=PLAIN | ODD)
def test_words_are_the_same_as_those_of_queries(
    words: duckdb.DuckDBPyConnection, text: str
) -> None:
    found, asked = words.execute(
        "SELECT in_field('f', words_of($text)), asked(words_of($text))", {"text": text}
    ).fetchone() or ("", [])
    assert set(found.split()) == {f"f:{word}" for word in index_words(text)[0]}
    assert sorted(asked) == sorted(query_words(text))
