"""What Dagster loads: the definitions over the data home that the environment names."""

from spotify_pipeline.defs import build_defs
from spotify_pipeline.settings import Settings

__all__ = ["defs"]

defs = build_defs(Settings.from_environment())
