"""Words and filters find the tracks that a person means, the best first."""

import tracemalloc
from pathlib import Path

import pytest

from spotify_pipeline.catalog import Filters, TextSearch, build_text_index
from spotify_pipeline_tests.catalogue_made import TITLES, make_home


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> TextSearch:
    return TextSearch.open(make_home(tmp_path_factory.mktemp("home")).text_index)


def titles(
    search: TextSearch, text: str, filters: Filters | None = None, limit: int = 20
) -> list[str]:
    return [TITLES[row - 1] for row in search.search(text, filters or Filters(), limit)]


def test_a_whole_title_comes_before_a_more_popular_one_that_contains_it(search: TextSearch) -> None:
    assert titles(search, "yesterday") == [
        "Yesterday - Remastered 2009",
        "Yesterday",
        "Yesterday and Today",
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("beatles yesterday", "Yesterday - Remastered 2009"),
        ("YESTERDAY the beatles help", "Yesterday"),
        ("u2", "One"),
        ("achtung one", "One"),
        ("!!!", "Yesterday and Today"),
        ("o ronsy", "Rönsy"),
        ("svefn g englar", "Svefn-g-englar"),
        ("svefngenglar", "Svefn-g-englar"),
        ("sigur ros agaetis", "Svefn-g-englar"),
        ("сплин", "Выхода нет"),
        ("выхода НЕТ", "Выхода нет"),
        ("初恋", "初恋"),
        ("通り雨", "真夏の通り雨"),
        ("ヒカル 雨", "真夏の通り雨"),
        ("acdc", "Hells Bells"),
        ("ac/dc hells", "Hells Bells"),
        ("คาราบาว", "เมดอินไทยแลนด์"),
    ],
)
def test_words_in_any_order_spelling_and_script(search: TextSearch, text: str, first: str) -> None:
    assert titles(search, text)[0] == first


@pytest.mark.parametrize("typed", ["blind", "love is bl", "u2 b", "baby blindn"])
def test_the_last_word_may_be_cut_short(search: TextSearch, typed: str) -> None:
    assert "Love Is Blindness" in titles(search, typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("yestreday beatles", "Yesterday - Remastered 2009"),
        ("beetles help", "Yesterday"),
        ("love is blidness", "Love Is Blindness"),
        ("hels bells", "Hells Bells"),
        ("hells belles", "Hells Bells"),
        ("выхоода нет", "Выхода нет"),
    ],
)
def test_a_wrong_letter_is_forgiven(search: TextSearch, typed: str, meant: str) -> None:
    assert titles(search, typed)[0] == meant


def test_a_wrong_letter_is_not_looked_for_where_words_match(search: TextSearch) -> None:
    assert titles(search, "one") == ["One"]


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, "yesterday " + "a" * 4000, " ".join(f"abc{k}" for k in range(10_000))],
    ids=["a word", "a word of two", "a page"],
)
def test_what_no_track_is_named_finds_nothing_in_little_memory(
    search: TextSearch, text: str
) -> None:
    tracemalloc.start()
    try:
        assert titles(search, text) == []
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20_000_000


@pytest.mark.parametrize("text", ["xyzzyx", "beatles u2 yesterday", "恋初", "???"])
def test_what_nothing_has_finds_nothing(search: TextSearch, text: str) -> None:
    assert titles(search, text) == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(artist="beatles"), {"Yesterday", "Yesterday - Remastered 2009"}),
        (Filters(artist="u2"), {"One", "Love Is Blindness", "Hells Bells"}),
        (Filters(album="baby achtung"), {"One", "Love Is Blindness"}),
        (Filters(title="yesterday", artist="!!!"), {"Yesterday and Today"}),
        (Filters(label="sahko"), {"Rönsy"}),
        (Filters(genre="british rock"), {"Yesterday", "Yesterday - Remastered 2009"}),
        (Filters(genre="rock", years=(1990, 1999)), {"One", "Love Is Blindness", TITLES[7]}),
        (Filters(genre="irish rock", seconds=(260, 270)), {"Love Is Blindness"}),
        (Filters(years=(1965, 1965)), {"Yesterday"}),
        (Filters(seconds=(0, 125)), {"Yesterday", "Yesterday - Remastered 2009"}),
        (Filters(seconds=(600, 10**6)), {"Svefn-g-englar"}),
        (Filters(years=(2000, 1999)), set()),
    ],
)  # fmt: skip
def test_filters_alone(search: TextSearch, filters: Filters, found: set[str]) -> None:
    assert set(titles(search, "", filters)) == found


def test_filters_narrow_words(search: TextSearch) -> None:
    assert titles(search, "yesterday", Filters(years=(1960, 1969))) == ["Yesterday"]
    assert titles(search, "yesterday", Filters(artist="u2")) == []


def test_nothing_asked_finds_nothing(search: TextSearch) -> None:
    assert titles(search, "") == []


def test_the_limit_holds_and_keeps_the_best(search: TextSearch) -> None:
    assert titles(search, "yesterday", limit=1) == ["Yesterday - Remastered 2009"]


def test_a_search_goes_on_when_its_index_is_replaced(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    search = TextSearch.open(home.text_index)
    build_text_index(home.metadata_database, home.text_index)
    assert titles(search, "hells bells") == ["Hells Bells"]
