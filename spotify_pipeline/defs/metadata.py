"""Assets of the metadata dump: the tables of ``meta.duckdb``.

One step loads any selection of the nine tables, since they come out of one file and go into service
together; files that not everyone has are assets of their own.

Belongs here: wiring and metadata. Does not belong here: the work (`store.metadata`).
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from spotify_pipeline.defs.metadata_files import METADATA_FILES, OPTIONAL
from spotify_pipeline.defs.resources import DataHome, ProgressSource, reported_as_failure
from spotify_pipeline.dump.tables import (
    ARTIST_REDIRECTS,
    AUDIO_FEATURES,
    CATALOGUE,
    TABLES,
    MetadataSource,
)
from spotify_pipeline.ingest.due import LOADING_JOBS

__all__ = [
    "EXTRA_JOBS",
    "METADATA_POOL",
    "artist_redirects",
    "download_metadata_job",
    "metadata_job",
    "metadata_tables",
    "track_audio_features",
]

METADATA_POOL = "metadata_database"


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table,
            deps=[METADATA_FILES[CATALOGUE]],
            group_name="metadata",
            kinds={"duckdb"},
            skippable=True,
            description=f"The table {table} of spotify_clean.sqlite3, in ``meta.duckdb``.\n\n"
            "Its columns and their types: ``docs/formats.md``.",
        )
        for table in TABLES
    ],
    can_subset=True,
    pool=METADATA_POOL,
)
def metadata_tables(
    context: dg.AssetExecutionContext,
    data_home: DataHome,
    progress: dg.ResourceParam[ProgressSource],
) -> Iterator[dg.MaterializeResult]:
    """Unpack ``spotify_clean.sqlite3.zst``, load the selected tables, and swap the database in."""
    selected = [table for table in TABLES if dg.AssetKey(table) in context.selected_asset_keys]
    yield from _loaded(context, data_home, progress, CATALOGUE, selected)


@dg.asset(
    deps=[METADATA_FILES[AUDIO_FEATURES]],
    group_name="metadata",
    kinds={"duckdb"},
    tags=OPTIONAL,
    pool=METADATA_POOL,
)
def track_audio_features(
    context: dg.AssetExecutionContext,
    data_home: DataHome,
    progress: dg.ResourceParam[ProgressSource],
) -> dg.MaterializeResult:
    """The audio features of every track (tempo, key, loudness and more), in ``meta.duckdb``.

    They come out of spotify_clean_audio_features.sqlite3. The columns: ``docs/formats.md``.
    """
    return next(_loaded(context, data_home, progress, AUDIO_FEATURES, AUDIO_FEATURES.tables))


@dg.asset(
    deps=[METADATA_FILES[ARTIST_REDIRECTS]],
    group_name="metadata",
    kinds={"duckdb"},
    tags=OPTIONAL,
    pool=METADATA_POOL,
)
def artist_redirects(
    context: dg.AssetExecutionContext,
    data_home: DataHome,
    progress: dg.ResourceParam[ProgressSource],
) -> dg.MaterializeResult:
    """The ids that artists had before, with those they have now, in ``meta.duckdb``.

    They come out of spotify_artist_redirects.json. The columns: ``docs/formats.md``.
    """
    return next(_loaded(context, data_home, progress, ARTIST_REDIRECTS, ARTIST_REDIRECTS.tables))


def _loaded(
    context: dg.AssetExecutionContext,
    data_home: DataHome,
    progress: ProgressSource,
    source: MetadataSource,
    tables: Sequence[str],
) -> Iterator[dg.MaterializeResult]:
    """Load tables of a file, and tell of each."""
    from spotify_pipeline.dump.metadata_sources import require_source
    from spotify_pipeline.store.metadata import build_metadata

    settings = data_home.settings
    with reported_as_failure(retry=progress.retries):
        load = build_metadata(
            require_source(settings, source),
            settings.staging,
            settings.metadata_database,
            tables=tables,
            progress=progress.reporter(context, ""),
            guard=progress.guard(context, settings),
        )
    for table, rows in load.rows.items():
        yield dg.MaterializeResult(
            asset_key=table,
            metadata={
                "dagster/row_count": rows,
                "source": load.source.name,
                "unexpected_nulls": sum(
                    count for name, count in load.nulls.items() if name.startswith(f"{table}.")
                ),
                "columns_left_out": [
                    name for name in load.extra_columns if name.startswith(f"{table}.")
                ],
                "database_bytes": load.database_bytes,
                "seconds_for_all": load.seconds,
                "rows_per_second_of_all": sum(load.rows.values()) / load.seconds,
            },
        )


metadata_job = dg.define_asset_job(
    LOADING_JOBS[CATALOGUE],
    selection=dg.AssetSelection.assets(*TABLES, "text_index"),
    description="Load the nine metadata tables into meta.duckdb, and index their words.",
)

download_metadata_job = dg.define_asset_job(
    "download_metadata",
    selection=dg.AssetSelection.assets(
        *METADATA_FILES.values(), *TABLES, track_audio_features, artist_redirects, "text_index"
    ),
    description="Fetch the metadata files by torrent unless they lie there, load them, and index"
    " their words.",
)

EXTRA_JOBS = {
    AUDIO_FEATURES: dg.define_asset_job(
        LOADING_JOBS[AUDIO_FEATURES],
        selection=dg.AssetSelection.assets(track_audio_features),
        description="Load spotify_clean_audio_features.sqlite3.zst into meta.duckdb.",
    ),
    ARTIST_REDIRECTS: dg.define_asset_job(
        LOADING_JOBS[ARTIST_REDIRECTS],
        selection=dg.AssetSelection.assets(artist_redirects),
        description="Load spotify_artist_redirects.json into meta.duckdb.",
    ),
}
"""The jobs that load files which not everyone has."""
