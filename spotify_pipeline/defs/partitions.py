"""The partitions that assets of the audio analysis share: a shard each.

Belongs here: the definition. Does not belong here: the names (`spotify_pipeline.shards`).
"""

import dagster as dg

from spotify_pipeline.shards import SHARDS

__all__ = ["PARTITION_TAG", "SHARD_PARTITIONS"]

PARTITION_TAG = "dagster/partition"
"""Of a run: which shard it is about."""

SHARD_PARTITIONS = dg.StaticPartitionsDefinition(list(SHARDS))
