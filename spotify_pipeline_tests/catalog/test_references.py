"""What a person pastes is read as what it names."""

import pytest

from spotify_pipeline.catalog.references import Reference, parse_reference

ID = "7TGVTI81nq5TnbvbZ4QbHj"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (ID, "id", ID),
        (f" {ID}\n", "id", ID),
        (f"spotify:track:{ID}", "track", ID),
        (f"spotify:artist:{ID}", "artist", ID),
        (f"https://open.spotify.com/track/{ID}", "track", ID),
        (f"http://open.spotify.com/intl-de/album/{ID}?si=0a1b", "album", ID),
        (f"open.spotify.com/intl-pt-BR/artist/{ID}/discography", "artist", ID),
        (f"https://open.spotify.com/embed/track/{ID}?utm_source=x", "track", ID),
        ("GBAYE6500521", "isrc", "GBAYE6500521"),
        ("gb-aye-65-00521", "isrc", "GBAYE6500521"),
        ("077774643924", "upc", "077774643924"),
    ],
)
def test_a_reference_is_read(text: str, kind: str, value: str) -> None:
    found = parse_reference(text)
    assert found is not None
    assert (found.kind, found.value) == (kind, value)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", ID[:-1], f"{ID}x", f"https://example.com/track/{ID}", f"spotify:show:{ID}",
     f"https://open.spotify.com/playlist/{ID}", "1975", "GBAYE650052"],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert parse_reference(text) is None


def test_equal_references_are_one() -> None:
    assert {parse_reference(ID), parse_reference(f" {ID} ")} == {Reference("id", ID)}
