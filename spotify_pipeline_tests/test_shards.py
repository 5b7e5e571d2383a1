"""Shard names: which there are, how files and folders spell them, and what a track id is."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotify_pipeline.shards import (
    BASE62,
    DUMP_SHARDS,
    OWN_MUSIC_SHARDS,
    SHARD_SUFFIX,
    SHARDS,
    disk_name,
    is_track_id,
    shard_of_file_name,
)
from spotify_pipeline_tests.shared import shared_path


def test_the_dump_has_484_shards_and_twelve_names_are_left_for_own_music() -> None:
    assert len(DUMP_SHARDS) == len(set(DUMP_SHARDS)) == 484
    assert (DUMP_SHARDS[0], DUMP_SHARDS[-1]) == ("00", "7N")
    assert "7z" in DUMP_SHARDS
    assert len(OWN_MUSIC_SHARDS) == 12
    assert set(SHARDS) == {first + second for first in "01234567" for second in BASE62}


def test_the_shards_are_those_that_the_torrent_lists() -> None:
    with shared_path("facts", "audio_analysis_files.csv").open(newline="") as file:
        listed = {row["name"] for row in csv.DictReader(file)}
    assert listed == {f"{shard}{SHARD_SUFFIX}" for shard in DUMP_SHARDS}


def test_a_shard_is_named_by_its_file() -> None:
    assert [shard_of_file_name(f"{shard}.jsonl.zst") for shard in SHARDS] == list(SHARDS)


@pytest.mark.parametrize(
    "file_name",
    [
        "",
        ".jsonl.zst",
        "0a",
        "0a.jsonl",
        "0a.jsonl.zst.part",
        "0a.jsonl.zst.!qB",
        "0a.jsonl.zst.jsonl.zst",
        "0a.JSONL.ZST",
        "0a .jsonl.zst",
        " 0a.jsonl.zst",
        "._0a.jsonl.zst",
        "00a.jsonl.zst",
        "0.jsonl.zst",
        "80.jsonl.zst",
        "a0.jsonl.zst",
        "0-.jsonl.zst",
        "0é.jsonl.zst",
        "٠a.jsonl.zst",
        "0A_.jsonl.zst",
        "folder/0a.jsonl.zst",
    ],
)
def test_other_file_names_are_no_shards(file_name: str) -> None:
    assert shard_of_file_name(file_name) is None


def test_no_two_shards_collide_on_a_disk_that_folds_case() -> None:
    assert len({disk_name(shard).casefold() for shard in SHARDS}) == len(SHARDS)


def test_names_on_disk_are_harmless_in_paths() -> None:
    assert all(disk_name(shard).replace("_", "").isalnum() for shard in SHARDS)


@given(st.text(BASE62, min_size=22, max_size=22))
def test_22_base62_characters_are_a_track_id(text: str) -> None:
    assert is_track_id(text)


@given(st.text(BASE62, max_size=40).filter(lambda text: len(text) != 22))
def test_another_length_is_no_track_id(text: str) -> None:
    assert not is_track_id(text)


@given(
    st.text(BASE62, min_size=21, max_size=21),
    st.integers(0, 21),
    st.characters(exclude_characters=BASE62),
)
def test_another_character_is_in_no_track_id(text: str, position: int, character: str) -> None:
    assert not is_track_id(text[:position] + character + text[position:])
