"""What Dagster loads: the definitions over the data home that the environment names."""

from spotify_pipeline.defs import build_defs
from spotify_pipeline.pools import bound_pools
from spotify_pipeline.settings import Settings

__all__ = ["defs"]

_settings = Settings.from_environment()
bound_pools(_settings.blas_threads)
defs = build_defs(_settings)
