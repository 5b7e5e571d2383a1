"""The assets above the metadata tables: each one's file, fetched by torrent if it is not there.

Belongs here: wiring. Does not belong here: the work (`torrent.metadata_file`).
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from spotify_pipeline.defs.fetching import TORRENT_POOL, Fetching, shown
from spotify_pipeline.defs.resources import DataHome, ProgressSource, reported_as_failure
from spotify_pipeline.dump.tables import (
    ARTIST_REDIRECTS,
    AUDIO_FEATURES,
    CATALOGUE,
    MetadataSource,
)

__all__ = ["METADATA_FILES", "OPTIONAL"]

OPTIONAL = {"optional": ""}
"""The tag of assets whose file not everyone has: that they are not there is no fault."""


def _file_asset(name: str, source: MetadataSource, tags: Mapping[str, str]) -> dg.AssetsDefinition:
    """Make the asset of a file."""

    @dg.asset(
        name=name,
        group_name="metadata",
        kinds={"file"},
        tags=tags,
        output_required=False,
        pool=TORRENT_POOL,
        description=f"The file {source.packed} in the incoming folder, fetched by torrent if it is"
        " not there.\n\nSPOTIFY_PIPELINE_METADATA_TORRENT names the torrent. Without one, or if its"
        " tables are loaded, nothing is fetched, and the run ends without failing. What goes on:"
        " ``docs/torrent.md``.",
    )
    def provide(
        context: dg.AssetExecutionContext,
        config: Fetching,
        data_home: DataHome,
        progress: dg.ResourceParam[ProgressSource],
    ) -> Iterator[dg.MaterializeResult]:
        from spotify_pipeline.torrent.metadata_file import provide_metadata_file

        with reported_as_failure(retry=progress.retries):
            provided = provide_metadata_file(
                data_home.settings,
                source,
                again=config.again,
                guard=progress.guard(context, data_home.settings),
                report=progress.reporter(context, "MB"),
                say=context.log.warning,
            )
        yield from shown(context, provided)

    return provide


METADATA_FILES = {
    CATALOGUE: _file_asset("metadata_file", CATALOGUE, {}),
    AUDIO_FEATURES: _file_asset("audio_features_file", AUDIO_FEATURES, OPTIONAL),
    ARTIST_REDIRECTS: _file_asset("artist_redirects_file", ARTIST_REDIRECTS, OPTIONAL),
}
"""The asset of each kind of metadata file."""
