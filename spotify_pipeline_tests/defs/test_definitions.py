"""What Dagster sees: the names that users and other tools rely on, and that it loads fast."""

import json
import re
import subprocess
import sys

import dagster as dg
import pytest
import yaml

from spotify_pipeline.defs import build_defs
from spotify_pipeline.dump.tables import TABLES
from spotify_pipeline.settings import Settings
from spotify_pipeline.shards import SHARDS
from spotify_pipeline_tests.processes import CHECKOUT

TABLE_NAMES = {
    "album_images",
    "artist_genres",
    "available_markets",
    "albums",
    "artist_images",
    "track_artists",
    "artist_albums",
    "artists",
    "tracks",
}


GROUPS = {"audio_analysis", "metadata", "index", "evaluation"}

WHAT_IT_IS = re.compile(r"(?:The|How) .+\.$")
"""The first line of an asset's description: a sentence about the asset, not about the step."""

PAGE = re.compile(r"docs/[\w-]+\.md")

AUDIO_NAMES = {"reduced_shard", "ingested_shard", "shard_segment", "feature_index"}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs(Settings.from_environment({}))


def test_every_definition_is_valid(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_the_jobs_have_their_names(definitions: dg.Definitions) -> None:
    jobs = {job.name for job in definitions.resolve_all_job_defs()}
    assert {
        *("ingest", "download", "metadata", "download_metadata"),
        *("text", "index", "detect", "evaluation"),
    } <= jobs


def test_ingest_has_a_partition_for_every_shard(definitions: dg.Definitions) -> None:
    partitions = definitions.resolve_job_def("ingest").partitions_def
    assert partitions is not None
    assert tuple(partitions.get_partition_keys()) == SHARDS


def test_each_metadata_table_is_an_asset_of_its_own(definitions: dg.Definitions) -> None:
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert set(TABLES) == TABLE_NAMES
    assert keys == TABLE_NAMES | {
        "shard_file",
        "reduced_shard",
        "ingested_shard",
        "shard_segment",
        "feature_index",
        "text_index",
        "track_audio_features",
        "artist_redirects",
        "metadata_file",
        "audio_features_file",
        "artist_redirects_file",
        "detection_evaluation",
    }


def test_every_asset_says_what_it_is_and_who_owns_it(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        first = (spec.description or "").partition("\n")[0]
        assert WHAT_IT_IS.match(first), spec.key
        assert spec.owners == ["team:maintainers"], spec.key
        assert spec.kinds, spec.key
        assert spec.group_name in GROUPS, spec.key


def test_every_description_names_pages_that_are_there(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        pages = PAGE.findall(spec.description or "")
        assert pages, spec.key
        assert all((CHECKOUT / page).is_file() for page in pages), spec.key


def test_every_check_job_and_sensor_is_described(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    checks = {key: graph.get_check_spec(key).description for key in graph.asset_check_keys}
    jobs = {job.name: job.description for job in definitions.jobs or ()}
    sensors = {sensor.name: sensor.description for sensor in definitions.sensors or ()}
    for described in (checks, jobs, sensors):
        assert described
        assert all(described.values()), described


def test_what_deletes_files_and_what_not_everyone_has_is_tagged(
    definitions: dg.Definitions,
) -> None:
    tagged = {
        tag: {
            spec.key.to_user_string()
            for spec in definitions.resolve_all_asset_specs()
            if tag in spec.tags
        }
        for tag in ("deletes-source-file", "optional")
    }
    assert tagged == {
        "deletes-source-file": {"ingested_shard"},
        "optional": {
            *("audio_features_file", "track_audio_features"),
            *("artist_redirects_file", "artist_redirects"),
        },
    }


def test_whatever_opens_the_audio_database_stands_in_one_pool(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    pools = {name: graph.get(dg.AssetKey(name)).pools for name in AUDIO_NAMES}
    assert pools == {
        "reduced_shard": set(),
        "ingested_shard": {"audio_database"},
        "shard_segment": {"audio_database"},
        "feature_index": {"audio_database", "feature_index"},
    }


def test_segments_are_merged_without_holding_the_audio_database(
    definitions: dg.Definitions,
) -> None:
    (graph,) = definitions.resolve_job_def("index").graph.node_defs
    assert isinstance(graph, dg.GraphDefinition)
    pools = {node.name: node.pool for node in graph.node_defs if isinstance(node, dg.OpDefinition)}
    assert pools == {"segments_of_shards": "audio_database", "merged_segments": "feature_index"}


def test_the_definitions_load_with_every_warning_an_error() -> None:
    code = (
        "import dagster, warnings; warnings.simplefilter('error');"
        "from spotify_pipeline.definitions import defs; dagster.Definitions.validate_loadable(defs)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def test_loading_the_code_location_imports_none_of_the_heavy_libraries() -> None:
    code = "import sys, json, spotify_pipeline.definitions; print(json.dumps(list(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not {"librosa", "numba", "scipy", "pyarrow"} & set(json.loads(finished.stdout))


def test_the_instance_settings_in_the_checkout_keep_databases_to_one_process() -> None:
    settings = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text())
    assert settings["concurrency"]["pools"] == {"default_limit": 1, "granularity": "op"}
    workspace = yaml.safe_load((CHECKOUT / "workspace.yaml").read_text())
    assert workspace["load_from"] == [{"python_module": "spotify_pipeline.definitions"}]
