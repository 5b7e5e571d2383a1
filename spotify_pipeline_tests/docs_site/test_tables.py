"""Tables of both databases, as their makers have them."""

import duckdb

from docs_site.tables import audio_tables, catalogue_tables
from spotify_pipeline.dump.tables import ALL_TABLES


def test_the_tables_of_detection_are_sql_that_makes_them() -> None:
    sql = audio_tables().removeprefix("```sql").removesuffix("```")
    with duckdb.connect() as connection:
        connection.execute(sql)
        made = connection.execute("SHOW TABLES").fetchall()
    assert sorted(made) == [("checks",), ("rejects",), ("shards",), ("tracks",)]


def test_the_tables_of_the_catalogue_have_the_types_that_they_get() -> None:
    written = catalogue_tables()
    assert [line.split("`")[1] for line in written.splitlines()[2:]] == list(ALL_TABLES)
    assert "`fetched_at` TIMESTAMP_MS" in written
