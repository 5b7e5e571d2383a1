"""What must hold of a shard's rows before its file may go.

Belongs here: looking, and judging. Does not belong here: what follows from a verdict
(`ingest.append`, and asset checks in the Dagster layer).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from spotify_pipeline.fingerprint import (
    EchoprintForm,
    PackingError,
    unpack_codes,
    unpack_trains,
)
from spotify_pipeline.harmony import PackedHarmonyError, unpack_harmony
from spotify_pipeline.settings import TrainsChoice
from spotify_pipeline.shards import TRACK_ID_LENGTH
from spotify_pipeline.store.findings import CHECKS, Finding

__all__ = ["ShardCheck", "check_shard"]

USUALLY_WITHOUT = 0.1
"""Fraction of tracks without a fingerprint, at the most. In a small shard it may be one."""

BATCH_ROWS = 5000
LARGEST_CODE = 2**20 - 1


@dataclass(frozen=True)
class ShardCheck:
    """Counts over the rows of one shard.

    Attributes
    ----------
    ledger_tracks, tracks
        Rows as the ledger has them (None: the shard is not in it), and rows there are.
    different_ids, ill_formed_ids
        Track ids; those that are not 22 base62 characters of which the first are the shard's name.
    with_echoprint, with_rhythm
        Tracks that have the fingerprint.
    unrecovered
        Tracks whose Echoprint codes are kept as they came, since no onset trains give them.
    damaged
        Tracks with a fingerprint or harmony that does not unpack, or codes of more than 20 bits.
    """

    ledger_tracks: int | None
    tracks: int
    different_ids: int
    ill_formed_ids: int
    with_echoprint: int
    with_rhythm: int
    unrecovered: int
    damaged: int

    def findings(self, kept: TrainsChoice) -> list[Finding]:
        """Judge what was counted, in the order of `CHECKS`.

        Parameters
        ----------
        kept
            Which fingerprints come into the database.
        """
        with_each = {"echoprint": self.with_echoprint, "rhythm": self.with_rhythm}
        expected = [count for kind, count in with_each.items() if kept in (kind, TrainsChoice.BOTH)]
        missing = self.tracks - min(expected)
        verdicts = [
            self.ledger_tracks == self.tracks,
            self.different_ids == self.tracks and self.ill_formed_ids == 0,
            self.damaged == 0,
            missing == 0 or 0 < missing <= max(1, USUALLY_WITHOUT * self.tracks) < self.tracks,
        ]
        figures: list[Mapping[str, float]] = [
            {"ledger": self.ledger_tracks or 0, "table": self.tracks},
            {"different": self.different_ids, "ill_formed": self.ill_formed_ids},
            {"damaged": self.damaged, "kept_as_codes": self.unrecovered},
            {"tracks": self.tracks, **with_each},
        ]
        return [Finding(*found) for found in zip(CHECKS, verdicts, figures, strict=True)]


def check_shard(connection: duckdb.DuckDBPyConnection, shard: str) -> ShardCheck:
    """Look at all rows of a shard, and unpack their fingerprints and harmony."""
    ledger = connection.execute("SELECT tracks FROM shards WHERE shard = ?", [shard]).fetchall()
    [(tracks, different, ill_formed, echoprint, rhythm, unrecovered)] = connection.execute(
        """
        SELECT count(*), count(DISTINCT track_id),
            count(*) FILTER (NOT regexp_full_match(track_id, ?) OR NOT starts_with(track_id, ?)),
            count(*) FILTER (octet_length(echoprint) > 0),
            count(*) FILTER (octet_length(rhythm) > 0),
            count(*) FILTER (echoprint_form = ?)
        FROM tracks WHERE shard = ?
        """,
        [f"[0-9A-Za-z]{{{TRACK_ID_LENGTH}}}", shard, EchoprintForm.CODES.value, shard],
    ).fetchall()
    return ShardCheck(
        ledger_tracks=ledger[0][0] if ledger else None,
        tracks=tracks,
        different_ids=different,
        ill_formed_ids=ill_formed,
        with_echoprint=echoprint,
        with_rhythm=rhythm,
        unrecovered=unrecovered,
        damaged=_count_damaged(connection, shard),
    )


def _count_damaged(connection: duckdb.DuckDBPyConnection, shard: str) -> int:
    damaged = 0
    reader = connection.sql(
        "SELECT echoprint_form, echoprint, rhythm, harmony FROM tracks WHERE shard = $shard",
        params={"shard": shard},
    ).to_arrow_reader(BATCH_ROWS)
    for batch in reader:
        for row in batch.to_pylist():
            damaged += _is_damaged(**row)
    return damaged


def _is_damaged(
    echoprint_form: str, echoprint: bytes, rhythm: bytes, harmony: bytes | None
) -> bool:
    try:
        unpack_trains(rhythm)
        if harmony is not None:
            unpack_harmony(harmony)
        if echoprint_form != EchoprintForm.CODES:
            unpack_trains(echoprint)  # whatever codes they give are hashes of 20 bits
            return False
        codes = unpack_codes(EchoprintForm.CODES, echoprint).codes
    except (PackingError, PackedHarmonyError):
        return True
    return bool((codes > LARGEST_CODE).any())
