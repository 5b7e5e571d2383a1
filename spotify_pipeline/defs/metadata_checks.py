"""Asset checks of the tables in ``meta.duckdb``.

Belongs here: wiring, severity and metadata. Does not belong here: looking at the tables
(`store.metadata_checks`).
"""

from collections.abc import Iterator

import dagster as dg

from spotify_pipeline.defs.resources import DataHome, reported_as_failure
from spotify_pipeline.defs.shards import AUDIO_POOL
from spotify_pipeline.dump.tables import ALL_TABLES, TABLES

__all__ = ["catalogue_checks", "tracks_cover_audio"]

ROWS = "rows_equal_source"
IDS = "ids_unique_and_well_formed"
LINKS = "foreign_keys_resolve"

WITH_IDS = ("tracks", "albums", "artists", "track_audio_features")
WITH_LINKS = tuple(name for name in TABLES if name not in ("artists", "available_markets"))


def _specs() -> Iterator[dg.AssetCheckSpec]:
    for table in ALL_TABLES:
        yield dg.AssetCheckSpec(ROWS, asset=table, description="As many rows as the source counts.")
    for table in WITH_IDS:
        yield dg.AssetCheckSpec(IDS, asset=table, description="Ids are base62, and there once.")
    for table in WITH_LINKS:
        yield dg.AssetCheckSpec(
            LINKS, asset=table, description="What leads to a row of another table finds it."
        )


@dg.multi_asset_check(specs=list(_specs()), can_subset=True)
def catalogue_checks(
    context: dg.AssetCheckExecutionContext, data_home: DataHome
) -> Iterator[dg.AssetCheckResult]:
    """Compare the tables with what the ledger says of their source, and with each other."""
    from spotify_pipeline.store.database import connect
    from spotify_pipeline.store.metadata_checks import count_rows, count_unresolved, look_at_ids

    wanted = sorted(context.selected_asset_check_keys, key=lambda key: key.to_user_string())
    with (
        reported_as_failure(),
        connect(data_home.settings.metadata_database, read_only=True) as connection,
    ):
        for key in wanted:
            table = key.asset_key.to_user_string()
            source, rows = count_rows(connection, table)
            if key.name == ROWS:
                passed, severity = source in (None, rows), dg.AssetCheckSeverity.ERROR
                metadata: dict[str, int | float] = {"rows": rows, "rows_of_source": source or 0}
            elif key.name == IDS:
                ids = look_at_ids(connection, table)
                passed, severity = not ids.repeated + ids.ill_formed, dg.AssetCheckSeverity.ERROR
                metadata = {"repeated": ids.repeated, "ill_formed": ids.ill_formed}
            else:
                unresolved = count_unresolved(connection, table)
                passed, severity = not any(unresolved.values()), dg.AssetCheckSeverity.WARN
                metadata = {
                    f"unresolved_share_{column}": count / max(rows, 1)
                    for column, count in unresolved.items()
                }
            yield dg.AssetCheckResult(
                passed=passed,
                asset_key=key.asset_key,
                check_name=key.name,
                severity=severity,
                metadata=metadata,
            )


@dg.asset_check(asset="tracks", pool=AUDIO_POOL)
def tracks_cover_audio(data_home: DataHome) -> dg.AssetCheckResult:
    """Count the tracks of ``audio.duckdb`` that the catalogue does not have."""
    from spotify_pipeline.store.database import connect
    from spotify_pipeline.store.metadata_checks import count_uncatalogued

    settings = data_home.settings
    tracks = missing = 0
    if settings.audio_database.exists():
        with (
            reported_as_failure(),
            connect(settings.metadata_database, read_only=True) as connection,
        ):
            tracks, missing = count_uncatalogued(connection, settings.audio_database)
    return dg.AssetCheckResult(
        passed=missing == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"tracks_with_audio": tracks, "without_a_row": missing},
    )
