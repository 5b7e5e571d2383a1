"""Assets of the metadata dump: the nine tables of ``meta.duckdb``.

One step loads any selection of them, since they come out of one file and go into service together.

Belongs here: wiring and metadata. Does not belong here: the work (`store.metadata`).
"""

from collections.abc import Iterator

import dagster as dg

from spotify_pipeline.defs.resources import DataHome, ProgressSource, reported_as_failure
from spotify_pipeline.dump.tables import TABLES

__all__ = ["METADATA_POOL", "metadata_job", "metadata_tables"]

METADATA_POOL = "metadata_database"


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table,
            group_name="metadata",
            kinds={"duckdb"},
            skippable=True,
            description=f"Table {table} of spotify_clean.sqlite3, as it is, in meta.duckdb.",
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
    from spotify_pipeline.dump.metadata import require_source
    from spotify_pipeline.store.metadata import build_metadata

    settings = data_home.settings
    selected = [table for table in TABLES if dg.AssetKey(table) in context.selected_asset_keys]
    with reported_as_failure():
        load = build_metadata(
            require_source(settings.incoming),
            settings.staging,
            settings.metadata_database,
            tables=selected,
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
    "metadata",
    selection=dg.AssetSelection.assets(*TABLES, "text_index"),
    description="Load the nine metadata tables into meta.duckdb, and index their words.",
)
