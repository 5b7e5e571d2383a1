"""Tables of both databases, as their makers have them."""

from docs_site.tables import audio_tables, catalogue_tables
from spotify_pipeline.dump.tables import ALL_TABLES


def names_in(table: str) -> list[str]:
    return [line.split("`")[1] for line in table.splitlines()[2:]]


def test_the_tables_of_detection_are_those_that_a_shard_is_appended_to() -> None:
    written = audio_tables()
    assert sorted(names_in(written)) == ["checks", "rejects", "shards", "tracks"]
    assert "`rhythm` BLOB, `harmony` BLOB" in written


def test_the_tables_of_the_catalogue_have_the_types_that_they_get() -> None:
    written = catalogue_tables()
    assert names_in(written) == list(ALL_TABLES)
    assert "`fetched_at` TIMESTAMP_MS" in written
