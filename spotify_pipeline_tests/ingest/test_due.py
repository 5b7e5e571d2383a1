"""What is due: a table of what was seen and what follows."""

from datetime import datetime
from pathlib import Path

import pytest

from spotify_pipeline.dump.failure import FIRST_RETRY, ShardFailure
from spotify_pipeline.dump.readiness import Survey
from spotify_pipeline.dump.tables import ARTIST_REDIRECTS, AUDIO_FEATURES, CATALOGUE, MetadataSource
from spotify_pipeline.ingest.due import Due, Seen, due
from spotify_pipeline.store.ledger import LedgerRow
from spotify_pipeline.store.metadata_ledger import SourceFile

STATE, CHANGED, LATER = (100, 7), (90, 8), (100, 8)
READY = Survey({"0a": Path("0a.jsonl.zst")}, {}, {"0a": STATE})
UNFINISHED = Survey({}, {"0a": "the file is empty"}, {"0a": (0, 7)})
FAILURE = ShardFailure("0a", "the disk is full", failed_at=1000.0, attempts=1, incomplete=False)
RETRIED = FAILURE.failed_at + FIRST_RETRY


def ingested(state: tuple[int, int], failed_checks: tuple[str, ...] = ()) -> dict[str, LedgerRow]:
    size, modified = state
    figures = {"lines": 3, "tracks": 3, "rejects": 0, "duplicates": 0}
    row = LedgerRow(
        shard="0a",
        source="0a.jsonl.zst",
        source_bytes=size,
        source_modified_ns=modified,
        checksum="",
        run_id="run",
        ingested_at=datetime(2026, 1, 1),
        failed_checks=failed_checks,
        **figures,
    )
    return {"0a": row}


TO_INGEST = Due(["0a"], [], {}, [])
RETURNED = Due(["0a"], [], {}, [], ["0a"])
FINISHED = Due([], ["0a"], {}, [])


def waits(reason: str) -> Due:
    return Due([], [], {"0a": reason}, [])


UNKNOWN = "whether it is ingested is not known now: another process writes the database"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(Seen(), Due([], [], {}, []), id="nothing lies there"),
        pytest.param(Seen(READY, {}), TO_INGEST, id="a new shard"),
        pytest.param(Seen(UNFINISHED, {}), waits("the file is empty"), id="an unfinished file"),
        pytest.param(Seen(READY, None), waits(UNKNOWN), id="the database is being written"),
        pytest.param(Seen(READY, ingested(STATE)), FINISHED, id="the file that was ingested"),
        pytest.param(Seen(READY, ingested(CHANGED)), TO_INGEST, id="a changed file comes back"),
        pytest.param(
            Seen(READY, ingested(LATER)), RETURNED, id="a file of the same length comes back"
        ),
        pytest.param(
            Seen(READY, ingested(STATE, ("codes_in_range",))), FINISHED, id="rows fail a check"
        ),
        pytest.param(
            Seen(READY, ingested(CHANGED, ("codes_in_range",))),
            TO_INGEST,
            id="another file in place of one whose rows fail a check",
        ),
        pytest.param(
            Seen(READY, {}, in_progress={"0a"}), waits("a run is in progress"), id="a run has it"
        ),
        pytest.param(
            Seen(READY, ingested(STATE), in_progress={"0a"}),
            waits("a run is in progress"),
            id="a run has it whose rows are committed",
        ),
        pytest.param(
            Seen(READY, {}, failures={"0a": FAILURE}, now=RETRIED - 1),
            waits("tried again later; the disk is full"),
            id="a failure a moment ago",
        ),
        pytest.param(
            Seen(READY, {}, failures={"0a": FAILURE}, now=RETRIED), TO_INGEST, id="its next try"
        ),
        pytest.param(
            Seen(READY, ingested(STATE), failures={"0a": FAILURE}, now=RETRIED - 1),
            FINISHED,
            id="a failure that was made good",
        ),
    ],
)
def test_a_shard_is_due_by_its_file_the_ledger_and_runs(seen: Seen, expected: Due) -> None:
    assert due(seen) == expected


FILE, OLDER = SourceFile("file", 9, 9), SourceFile("file", 9, 8)


def loaded(*kinds: MetadataSource, source: SourceFile = FILE) -> dict[str, SourceFile]:
    return {table: source for kind in kinds for table in kind.tables}


@pytest.mark.parametrize(
    ("seen", "jobs"),
    [
        pytest.param(
            Seen(
                metadata={CATALOGUE: FILE, AUDIO_FEATURES: FILE, ARTIST_REDIRECTS: FILE}, loaded={}
            ),
            ["audio_features", "redirects", "metadata"],
            id="all files are new, and the catalogue's comes last",
        ),
        pytest.param(Seen(metadata={}, loaded={}), [], id="no file lies there"),
        pytest.param(
            Seen(metadata={CATALOGUE: FILE}, loaded=loaded(CATALOGUE)), [], id="it is loaded"
        ),
        pytest.param(
            Seen(metadata={CATALOGUE: FILE}, loaded=loaded(CATALOGUE, source=OLDER)),
            ["metadata"],
            id="an older one is loaded",
        ),
        pytest.param(
            Seen(metadata={CATALOGUE: FILE}, loaded=loaded(CATALOGUE) | {"tracks": OLDER}),
            ["metadata"],
            id="a table of it is from an older one",
        ),
        pytest.param(
            Seen(metadata={CATALOGUE: FILE}, loaded=None), [], id="the database is being written"
        ),
        pytest.param(
            Seen(metadata={CATALOGUE: FILE}, loaded={}, text_is_current=False),
            ["metadata"],
            id="the load makes the text index",
        ),
        pytest.param(Seen(text_is_current=False), ["text"], id="the text index is out of date"),
        pytest.param(Seen(index_is_current=False), ["index"], id="the index is out of date"),
        pytest.param(Seen(text_is_current=None, index_is_current=None), [], id="both are unknown"),
        pytest.param(
            Seen(text_is_current=True, index_is_current=True), [], id="both are up to date"
        ),
    ],
)
def test_a_load_or_an_index_is_due_when_its_source_is_newer(seen: Seen, jobs: list[str]) -> None:
    assert due(seen) == Due([], [], {}, jobs)
