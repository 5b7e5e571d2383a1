"""The division of music: by name alone, for good, in the stated proportions."""

from collections import Counter
from pathlib import Path

import pytest

from spotify_pipeline.evaluation.parts import Part, part_of

FILES = [Path(f"music/piece {number}.flac") for number in range(4000)]


def test_a_piece_belongs_to_the_same_set_for_good() -> None:
    parts = [part_of(file) for file in FILES[:5]]
    training, validation, test = Part.TRAINING, Part.VALIDATION, Part.TEST
    assert parts == [validation, training, training, test, validation]


def test_folder_and_ending_of_a_file_do_not_matter() -> None:
    for file in FILES[:20]:
        assert part_of(Path("elsewhere") / file.with_suffix(".mp3").name) is part_of(file)


def test_the_sets_have_their_fraction_of_the_pieces() -> None:
    counts = Counter(map(part_of, FILES))
    for part, fraction in ((Part.TRAINING, 0.45), (Part.VALIDATION, 0.25), (Part.TEST, 0.30)):
        assert counts[part] / len(FILES) == pytest.approx(fraction, abs=0.03)


def test_a_name_that_is_no_text_has_a_set_too() -> None:
    assert part_of(Path(b"\xff.mp3".decode("utf-8", "surrogateescape"))) in Part
