"""The terms of a track, as filters ask for them."""

from spotify_pipeline.catalog.text_terms import LONGEST, filter_terms


def test_words_stand_with_the_field_that_they_are_of() -> None:
    texts = [("title", "Something"), ("artist", "Björk"), ("label", "Apple")]
    terms = {"title:something", "artist:bjork", "label:apple", "year=1969", "seconds=205"}
    assert filter_terms(texts, "1969", 205_900) == terms


def test_length_and_year_are_terms_where_they_are_known() -> None:
    assert filter_terms([], "", 10**10) == {f"seconds={LONGEST}"}
    assert filter_terms([], "19６9", -1) == {"seconds=0"}
    assert filter_terms([], "c. 1969", None) == set()
