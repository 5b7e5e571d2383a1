"""The terms of a track."""

from spotify_pipeline.catalog.text_terms import LONGEST, SEPARATOR, terms_of

ARTISTS = SEPARATOR.join(["The Beatles", "Björk"])


def terms(title: str, duration_ms: int | None = 205_900, year: str = "1969") -> set[str]:
    return set(terms_of(title, ARTISTS, "", "Abbey Road", "Apple", year, duration_ms).split())


def test_words_stand_with_the_field_that_they_are_of() -> None:
    expected = {"title:something", "artist:beatles", "artist:bjork", "album:road", "label:apple"}
    assert expected <= terms("Something")


def test_whole_names_stand_for_themselves_in_any_order() -> None:
    assert {"artist=beatles_the", "artist=bjork", "title=1", "named=3"} <= terms("Something")


def test_a_title_counts_with_and_without_version_and_guests() -> None:
    for title in (
        "Come Together - Remastered 2009",
        "Come Together (feat. X)",
        "Come Together [Y]",
    ):
        assert {"title=2", "named=4"} <= terms(title)
    assert "title=4" in terms("Come Together - Remastered 2009")
    assert "title=1" in terms("(Untitled)")


def test_length_and_year_are_terms_where_they_are_known() -> None:
    assert {"seconds=205", "year=1969"} <= terms("x")
    assert f"seconds={LONGEST}" in terms("x", 10**10)
    assert not [t for t in terms("x", None, "") if t.startswith(("seconds=", "year="))]
