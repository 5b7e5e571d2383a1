"""The terms of all tracks, made where the catalogue is: in DuckDB.

Most texts are plain: letters of ASCII, digits and single spaces. Their words are made by DuckDB
itself, on all cores, which is several times as fast as Python could; the others are handed to
`words`, in the middle of the query.

Belongs here: making the terms of `text_terms` out of the catalogue's tables. Does not belong here:
what a word is (`words`), and the index (`text_index`).
"""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType

from spotify_pipeline.catalog.text_terms import LONGEST
from spotify_pipeline.catalog.words import index_words

__all__ = ["count_by_popularity", "track_terms"]

CHUNK = 1_000_000
"""Tracks, by their row numbers, that are read at a time."""

BATCH = 2048
"""Rows that are Python objects at a time."""

TrackTerms = tuple[int, int, str]
"""Row number, popularity, terms with spaces between, some of them twice."""

# Words of a text are a text, too: those that it is found by with a space between; and if those that
# a query for it has are others, these after chr(31).
_MACROS = r"""
CREATE TEMP MACRO words_of(text) AS
    CASE
        WHEN text = '' THEN ''
        WHEN regexp_full_match(text, '[A-Za-z0-9]+( [A-Za-z0-9]+)*') THEN lower(text)
        ELSE split_words(text)
    END;
CREATE TEMP MACRO found(words) AS split_part(words, chr(31), 1);
CREATE TEMP MACRO asked(words) AS
    CASE
        WHEN words = '' THEN []
        WHEN contains(words, chr(31))
            THEN list_distinct(string_split(split_part(words, chr(31), 2), ' '))
        ELSE list_distinct(string_split(words, ' '))
    END;
CREATE TEMP MACRO in_field(field, words) AS
    CASE
        WHEN words = '' THEN ''
        ELSE concat(' ', field, ':', replace(found(words), ' ', concat(' ', field, ':')))
    END;
-- what titles say after the name of the piece: "(feat. X)", "- Remastered 2011"
CREATE TEMP MACRO may_have_version(title) AS
    contains(title, '(') OR contains(title, '[') OR contains(title, ' - ') OR contains(title, '. ');
CREATE TEMP MACRO without_version(title) AS
    regexp_replace(title, '\s+-\s.*|\s*[(\[].*|\s+(?:feat|ft)\.\s.*', '', 'si');
"""

_ARTIST_TERMS = """
CREATE TEMP TABLE artist_terms AS
SELECT
    artist."rowid" AS artist_rowid,
    concat(
        in_field('', words), in_field('artist', words),
        ' artist=', array_to_string(list_sort(asked(words)), '_'),
        genres.terms
    ) AS terms,
    asked(words) AS asked
FROM (SELECT "rowid", words_of(name) AS words FROM artists WHERE name IS NOT NULL) AS artist
LEFT JOIN (
    SELECT artist_rowid, string_agg(in_field('genre', words_of(genre)), '') AS terms
    FROM artist_genres
    WHERE genre IS NOT NULL
    GROUP BY artist_rowid
) AS genres ON genres.artist_rowid = artist."rowid"
"""

_CHUNK_OF_TRACKS = f"""
WITH chunk AS (
    SELECT
        "rowid" AS track_rowid, coalesce(name, '') AS name, album_rowid,
        greatest(coalesce(popularity, 0), 0) AS popularity, duration_ms
    FROM tracks
    WHERE "rowid" BETWEEN $first AND $last
),
titles AS (
    SELECT
        *, words_of(name) AS words,
        CASE WHEN may_have_version(name) THEN words_of(without_version(name)) ELSE '' END AS core
    FROM chunk
),
credits AS (
    SELECT track_rowid, string_agg(terms, '') AS terms, arg_min(asked, position) AS asked
    FROM (
        SELECT rowid AS position, track_rowid, artist_rowid
        FROM track_artists
        WHERE track_rowid BETWEEN $first AND $last
    ) JOIN artist_terms USING (artist_rowid)
    GROUP BY track_rowid
),
releases AS (
    SELECT
        album_rowid,
        concat(
            in_field('', words), in_field('album', words),
            in_field('label', words_of(label)),
            CASE WHEN regexp_full_match(year, '[0-9]{{4}}') THEN concat(' year=', year) END
        ) AS terms
    FROM (
        SELECT
            "rowid" AS album_rowid, words_of(coalesce(name, '')) AS words,
            coalesce(label, '') AS label, left(release_date, 4) AS year
        FROM albums SEMI JOIN chunk ON chunk.album_rowid = albums."rowid"
    )
)
SELECT
    titles.track_rowid,
    popularity,
    concat(
        in_field('', words), in_field('title', words),
        ' title=', len(asked(words)),
        CASE WHEN core != '' THEN concat(' title=', len(asked(core))) END,
        ' named=', len(list_distinct(list_concat(
            asked(CASE WHEN core != '' THEN core ELSE words END), coalesce(credits.asked, [])
        ))),
        credits.terms,
        releases.terms,
        CASE
            WHEN duration_ms IS NOT NULL
                THEN concat(' seconds=', least(greatest(duration_ms, 0) // 1000, {LONGEST}))
        END
    )
FROM titles
LEFT JOIN credits ON credits.track_rowid = titles.track_rowid
LEFT JOIN releases ON releases.album_rowid = titles.album_rowid
"""


def track_terms(connection: duckdb.DuckDBPyConnection) -> Iterator[list[TrackTerms]]:
    """Give what is indexed of each track, in lists; a part of the tracks is in memory at a time.

    Parameters
    ----------
    connection
        To ``meta.duckdb``; it gets temporary tables and functions.
    """
    prepare_words(connection)
    connection.execute(_ARTIST_TERMS)
    first = _scalar(connection, 'SELECT min("rowid") FROM tracks')
    while first is not None:
        last = first + CHUNK - 1
        found = connection.execute(_CHUNK_OF_TRACKS, {"first": first, "last": last})
        while rows := found.fetchmany(BATCH):
            yield rows
        first = _scalar(connection, f'SELECT min("rowid") FROM tracks WHERE "rowid" > {last}')


def count_by_popularity(connection: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """Give the tracks of each popularity, the highest first."""
    return dict(
        connection.execute(
            "SELECT greatest(coalesce(popularity, 0), 0) AS popularity, count(*) FROM tracks"
            " GROUP BY ALL ORDER BY popularity DESC"
        ).fetchall()
    )


def prepare_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the functions by which its queries make words."""
    connection.create_function(
        "split_words", _split_words, ["VARCHAR"], "VARCHAR", type=PythonUDFType.ARROW
    )
    connection.execute(_MACROS)


def _split_words(texts: pa.Array) -> pa.Array:
    words = []
    for text in texts.to_pylist():
        found, asked = index_words(text)
        same = len(found) == len(asked)
        words.append(" ".join(found) if same else f"{' '.join(found)}\x1f{' '.join(asked)}")
    return pa.array(words, pa.string())


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int | None:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]
