"""Popularity as a prior: neutral where nothing is known, nothing at weight 0."""

from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.catalog import Catalog
from spotify_pipeline.identify.popularity import (
    NATS_A_POINT,
    UNKNOWN_POINTS,
    equal,
    popularity_prior,
)
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.documents import make_track_id
from spotify_pipeline_tests.metadata_file import TRACK_IDS, write_metadata
from spotify_pipeline_tests.tracks import NO_ONSETS, Track, index_of, make_track

UNKNOWN = make_track_id("0a", 5)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    build_metadata(write_metadata(folder / "source.sqlite3"), folder, folder / "meta.duckdb")
    return folder / "meta.duckdb"


def test_a_point_counts_as_often_as_such_tracks_are_played(catalogue: Path, tmp_path: Path) -> None:
    ids = [*TRACK_IDS, UNKNOWN]
    trains = make_track(1).rhythm
    index = index_of(tmp_path, [Track(one, 30.0, trains, NO_ONSETS) for one in ids])
    tracks = [number for number in range(len(ids)) if index.track_id(number) in ids]
    with Catalog(catalogue) as catalog:
        known = {one: names.popularity for one, names in catalog.names(TRACK_IDS).items()}
        assert catalog.popularity(ids) == {k: v for k, v in known.items() if v is not None}
        nats = popularity_prior(catalog, index, 0.5)(tracks)
        assert popularity_prior(catalog, index, 0.0) is equal
    for number, found in zip(tracks, nats.tolist(), strict=True):
        points = known.get(index.track_id(number))
        expected = UNKNOWN_POINTS if points is None else points
        assert found == pytest.approx(0.5 * NATS_A_POINT * expected)
    assert len(set(nats.tolist())) > 1


def test_without_a_catalogue_all_tracks_are_asked_for_as_often(tmp_path: Path) -> None:
    index = index_of(tmp_path, [make_track(1), make_track(2)])
    with Catalog(tmp_path / "meta.duckdb") as catalog:
        nats = popularity_prior(catalog, index, 1.0)([0, 1])
    np.testing.assert_array_equal(nats, nats[0])
