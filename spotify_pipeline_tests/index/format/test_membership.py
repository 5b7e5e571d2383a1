"""Telling indexed tracks from others without a search."""

from pathlib import Path

import pytest

from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.format.manifest import Manifest, publish, read_manifest
from spotify_pipeline.index.format.membership import indexed_among
from spotify_pipeline_tests.documents import make_track_id
from spotify_pipeline_tests.tracks import make_tracks, publish_tracks

IDS = [make_track_id(shard, number) for shard in ("0a", "0A") for number in range(6)]


def test_just_the_tracks_that_are_there_are_reported(tmp_path: Path) -> None:
    publish_tracks(tmp_path, make_tracks(4))
    assert indexed_among(tmp_path, IDS) == set(IDS[:4])
    assert indexed_among(tmp_path, []) == set()


def test_without_an_index_none_is(tmp_path: Path) -> None:
    assert indexed_among(tmp_path, IDS) == set()


def test_of_an_index_that_has_to_be_made_again_none_is(tmp_path: Path) -> None:
    earlier = b'{"version":2,"segments":[{"file":"segment-1.bin","shards":{"0a":""}}]}'
    (tmp_path / "manifest.json").write_bytes(earlier)
    assert indexed_among(tmp_path, IDS) == set()


def test_a_shard_that_counts_no_more_has_none(tmp_path: Path) -> None:
    publish_tracks(tmp_path, make_tracks(4))
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    publish(tmp_path, Manifest(segments=[manifest.segments[0].without(["0a"])]))
    assert indexed_among(tmp_path, IDS) == set()


def test_a_missing_segment_is_named(tmp_path: Path) -> None:
    publish_tracks(tmp_path, make_tracks(4))
    (tmp_path / "segment-0.bin").unlink()
    with pytest.raises(FeatureIndexError, match="segment-0"):
        indexed_among(tmp_path, IDS)
