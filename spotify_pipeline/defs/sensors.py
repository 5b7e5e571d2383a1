"""What runs by itself: shards and metadata as they finish downloading, the index after them.

Belongs here: how often to look, run keys, what a tick says. Does not belong here: what is due
(`ingest.due`), telling finished files from others (`dump.readiness`).
"""

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple
from operator import attrgetter
from typing import TYPE_CHECKING

import dagster as dg

from spotify_pipeline.defs.dead_runs import ALIVE, ENDED_TAG, fail_dead_runs
from spotify_pipeline.defs.index import feature_index, index_job
from spotify_pipeline.defs.instance import why_not_set_up
from spotify_pipeline.defs.metadata import EXTRA_JOBS, download_metadata_job, metadata_job
from spotify_pipeline.defs.partitions import PARTITION_TAG
from spotify_pipeline.defs.resources import DataHome
from spotify_pipeline.defs.shard_files import fetches_shards
from spotify_pipeline.defs.shards import UNLESS_INGESTED, download_job, ingest_job
from spotify_pipeline.defs.skipped_runs import skip_doomed_runs
from spotify_pipeline.defs.text import text_job
from spotify_pipeline.dump.tables import CATALOGUE, MetadataSource

if TYPE_CHECKING:
    from spotify_pipeline.dump.failure import ShardFailure
    from spotify_pipeline.dump.incoming import FileState
    from spotify_pipeline.store.ledger import LedgerRow

__all__ = [
    "finished_shards",
    "ingested_shards",
    "interrupted_downloads",
    "new_extras",
    "new_metadata",
]

LOOK_INTERVAL = 30
"""Seconds between two looks at the incoming folder; a file that changed in between waits."""

AFTER_PEOPLE = {"dagster/priority": "-1"}
"""Of shards that are ingested by themselves: what a person asks for starts before them."""

REQUEST_TAG = "spotify-pipeline/request"
"""Of a run without partition: what it was requested for."""

INDEX_INTERVAL = 600
"""Seconds from one index build to the next at the least."""


@dg.sensor(
    job=ingest_job,
    minimum_interval_seconds=LOOK_INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ingest each shard once its download is finished; its file is then deleted, or what"
    " SPOTIFY_PIPELINE_SOURCES says. A failed one is tried again, later each time.",
)
def finished_shards(
    context: dg.SensorEvaluationContext, data_home: DataHome
) -> dg.SensorResult | dg.SkipReason:
    """Ingest each shard once its download is finished.

    One whose ingest failed is tried again, later each time; one whose run was ended from outside,
    by a power cut say, at the next look.
    """
    from spotify_pipeline.dump.failure import failures
    from spotify_pipeline.dump.passed_over import passed_over
    from spotify_pipeline.dump.readiness import survey_incoming
    from spotify_pipeline.ingest.due import Seen, due
    from spotify_pipeline.store.database import unless_busy
    from spotify_pipeline.store.ledger import read_ledger

    if skipped := _unless_set_up(context.instance):
        return skipped
    settings = data_home.settings
    settings.require_incoming()
    fail_dead_runs(context.instance)
    earlier = {shard: tuple(state) for shard, state in json.loads(context.cursor or "{}").items()}
    survey = survey_incoming(settings.incoming, settings.sizes, earlier)
    doomed = skip_doomed_runs(
        context.instance, settings.incoming, survey.states.keys() | survey.waiting.keys()
    )
    ledger = unless_busy(read_ledger, settings.audio_database)
    failed = failures(settings.staging)
    found = due(
        Seen(
            shards=survey,
            ledger=ledger,
            in_progress=_shards_in_progress(context.instance),
            failures=failed,
            now=time.time(),
        )
    )
    requests = [
        _shard_request(
            context.instance,
            shard,
            survey.states[shard],
            failed.get(shard),
            shard in found.returned,
        )
        for shard in found.shards
    ]
    notes = [f"{shard}: {reason}" for shard, reason in found.waiting.items()]
    notes += [_of_finished((ledger or {})[shard]) for shard in found.finished]
    notes += [f"{path}: {reason}" for path, reason in passed_over(settings).items()]
    if doomed:
        notes.append(f"{len(doomed)} runs were skipped for shards whose files are not there")
    if requests:  # then a tick has no other place for what is not requested
        for note in notes:
            context.log.info(note)
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else "; ".join(notes) or "no shard lies there",
        cursor=json.dumps(survey.states),
    )


def _shard_request(
    instance: dg.DagsterInstance,
    shard: str,
    state: "FileState",
    failure: "ShardFailure | None",
    returned: bool,
) -> dg.RunRequest:
    """Ask for a run once for each state of a shard's file, and again after each failure."""
    attempts = (failure.attempts if failure else 0) + _failed_runs(instance, shard)
    size, modified = state
    return dg.RunRequest(
        run_key=f"{shard} {size} {modified} {attempts}",
        partition_key=shard,
        run_config=UNLESS_INGESTED if returned else {},
        tags=AFTER_PEOPLE,
    )


def _of_finished(row: "LedgerRow") -> str:
    failing = "".join(f"; its rows fail {check}" for check in row.failed_checks)
    return f"{row.shard}: ingested already; materialise it to ingest it again{failing}"


def _unless_set_up(instance: dg.DagsterInstance) -> dg.SkipReason | None:
    """Leave everything alone on an instance that was started just to look."""
    reason = why_not_set_up(instance)
    if reason is None:
        return None
    return dg.SkipReason(
        f"nothing runs by itself: {reason}; start the web UI by 'spotify-pipeline ui'"
    )


def _shards_in_progress(instance: dg.DagsterInstance) -> set[str]:
    """Give the shards that a run works on or waits for, a backfill's too."""
    runs = instance.get_runs(dg.RunsFilter(statuses=[*ALIVE, dg.DagsterRunStatus.QUEUED]))
    return {run.tags.get(PARTITION_TAG, "") for run in runs}


def _failed_runs(instance: dg.DagsterInstance, shard: str) -> int:
    """Count the failed runs of a shard: a run key that was used once starts no second run."""
    return instance.get_runs_count(
        dg.RunsFilter(
            job_name=ingest_job.name,
            tags={PARTITION_TAG: shard},
            statuses=[dg.DagsterRunStatus.FAILURE],
        )
    )


@dg.sensor(
    jobs=[download_job, download_metadata_job],
    minimum_interval_seconds=LOOK_INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Go on with each download whose run was ended from outside, by a power cut say.",
)
def interrupted_downloads(
    context: dg.SensorEvaluationContext, data_home: DataHome
) -> dg.SensorResult | dg.SkipReason:
    """Go on with downloads whose run was ended from outside.

    One that failed by itself would fail again: it is left to whoever asked for it. One whose file
    has come is left to `finished_shards`.
    """
    from spotify_pipeline.dump.incoming import find_shards
    from spotify_pipeline.torrent.interrupted import interrupted_metadata, interrupted_shards

    if skipped := _unless_set_up(context.instance):
        return skipped
    instance, settings = context.instance, data_home.settings
    fail_dead_runs(instance)
    others = _shards_in_progress(instance) | find_shards(settings.incoming).keys()
    begun = dict.fromkeys(interrupted_shards(settings.downloads), 0)
    ended = {
        shard: count
        for shard, count in {**begun, **_ended_downloads(instance)}.items()
        if shard not in others
    }
    requests = [
        dg.RunRequest(f"{shard} {count}", job_name=download_job.name, partition_key=shard)
        for shard, count in ended.items()
        if count
    ]
    metadata = ", ".join(interrupted_metadata(settings.downloads))
    loading = download_metadata_job.name
    if metadata and not _in_progress(instance, loading):
        ended[metadata] = _ended_runs(instance, job_name=loading)
        if count := ended[metadata]:
            requests.append(dg.RunRequest(f"{metadata} {count}", job_name=loading))
    left = ", ".join(each for each, count in ended.items() if not count)
    reason = f"nobody goes on with {left}; materialise them" if left else "none was interrupted"
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else reason)


def _ended_downloads(instance: dg.DagsterInstance) -> dict[str, int]:
    """Find the shards whose last run was to fetch them, and was ended from outside.

    One may have waited for its turn, and left no folder.

    Returns
    -------
    How many such runs each had: a run key that was used once starts no second run.
    """
    ended = instance.get_runs(dg.RunsFilter(tags=ENDED_TAG))
    counts = Counter(run.tags.get(PARTITION_TAG, "") for run in ended if fetches_shards(run))
    return {shard: count for shard, count in counts.items() if _last_run_was_ended(instance, shard)}


def _last_run_was_ended(instance: dg.DagsterInstance, shard: str) -> bool:
    (last,) = instance.get_runs(dg.RunsFilter(tags={PARTITION_TAG: shard}), limit=1)
    return ENDED_TAG.items() <= last.tags.items()


def _ended_runs(
    instance: dg.DagsterInstance,
    job_name: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> int:
    """Count the runs of a job, or with tags, that were ended from outside."""
    found = dg.RunsFilter(job_name=job_name, tags={**(tags or {}), **ENDED_TAG})
    return instance.get_runs_count(found)


@dg.sensor(
    jobs=[metadata_job, text_job],
    minimum_interval_seconds=LOOK_INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Load a spotify_clean.sqlite3.zst that is new, once its download is finished, and"
    " index its words; index the words of what is loaded where that failed, or the text index is"
    " lost.",
)
def new_metadata(
    context: dg.SensorEvaluationContext, data_home: DataHome
) -> dg.SensorResult | dg.SkipReason:
    """Load a metadata file that is new, once its download is finished; index what is loaded."""
    looked = _look_for_metadata(context, data_home, CATALOGUE)
    if isinstance(looked, dg.SensorResult):  # a file is new, and its load indexes its words
        return looked
    return _look_for_words(context, data_home) or looked


def _look_for_words(
    context: dg.SensorEvaluationContext, data_home: DataHome
) -> dg.SensorResult | None:
    """Ask for the text index of what is loaded, if there is none and no run makes it."""
    from spotify_pipeline.catalog.text_manifest import is_current, read_text_manifest, text_sources
    from spotify_pipeline.store.database import unless_busy
    from spotify_pipeline.store.metadata_ledger import loaded_source

    settings = data_home.settings
    if why_not_set_up(context.instance):
        return None
    loaded = unless_busy(loaded_source, settings.metadata_database)
    if loaded is None or is_current(read_text_manifest(settings.text_index), loaded):
        return None
    jobs = (metadata_job.name, download_metadata_job.name, text_job.name)
    if _in_progress(context.instance, *jobs):
        return dg.SensorResult(skip_reason="the text index is being made", cursor=context.cursor)
    sources = sorted({astuple(source) for source in text_sources(loaded).values()})
    request = _request(context.instance, text_job.name, f"words of {sources}")
    return dg.SensorResult(run_requests=[request], cursor=context.cursor)


def _in_progress(instance: dg.DagsterInstance, *jobs: str) -> bool:
    """Tell whether a run of one of the jobs is at work or waits."""
    runs = instance.get_runs(dg.RunsFilter(statuses=[*ALIVE, dg.DagsterRunStatus.QUEUED]))
    return any(run.job_name in jobs for run in runs)


def _new_extra(source: MetadataSource, job_name: str) -> dg.SensorDefinition:
    """Make the sensor of a file that not everyone has."""

    @dg.sensor(
        name=f"new_{job_name}",
        job_name=job_name,
        minimum_interval_seconds=LOOK_INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Load a {source.packed} that is new, once its download is finished.",
    )
    def look(
        context: dg.SensorEvaluationContext, data_home: DataHome
    ) -> dg.SensorResult | dg.SkipReason:
        return _look_for_metadata(context, data_home, source)

    return look


new_extras = [_new_extra(source, job.name) for source, job in EXTRA_JOBS.items()]


def _look_for_metadata(
    context: dg.SensorEvaluationContext, data_home: DataHome, kind: MetadataSource
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a run if a file is new and has not changed since the last look."""
    from spotify_pipeline.dump.metadata_sources import find_sources
    from spotify_pipeline.ingest.due import LOADING_JOBS, Seen, due
    from spotify_pipeline.store.database import unless_busy
    from spotify_pipeline.store.metadata_ledger import SourceFile, loaded_source

    if skipped := _unless_set_up(context.instance) or _unless_fetched(context.instance):
        return skipped
    data_home.settings.require_incoming()
    sources = find_sources(data_home.settings, kind)
    if not sources:
        return dg.SkipReason(f"no {kind.packed} lies there")
    source, *older = sources
    others = "".join(f"; {path} is older and does not count" for path in older)
    file = SourceFile.of(source)
    loaded = unless_busy(loaded_source, data_home.settings.metadata_database)
    if loaded is None:
        return dg.SkipReason("what is loaded is not known now: another process writes it")
    if not due(Seen(metadata={kind: file}, loaded=loaded)).jobs:
        return dg.SkipReason(f"{source} is loaded already{others}")
    state = f"{file.name} {file.size} {file.modified_ns}"
    if state != context.cursor:
        return dg.SensorResult(
            skip_reason=f"{source} has just come or changed; it is looked at again shortly{others}",
            cursor=state,
        )
    request = _request(context.instance, LOADING_JOBS[kind], state)
    return dg.SensorResult(run_requests=[request], cursor=state)


def _unless_fetched(instance: dg.DagsterInstance) -> dg.SkipReason | None:
    """Leave metadata alone that a run fetches, for it loads it too."""
    if not _in_progress(instance, download_metadata_job.name):
        return None
    return dg.SkipReason("a run fetches metadata, and loads it")


@dg.sensor(
    job=index_job,
    minimum_interval_seconds=LOOK_INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Bring the feature index up to date once shards were ingested, at most every ten"
    " minutes.",
)
def ingested_shards(
    context: dg.SensorEvaluationContext, data_home: DataHome
) -> dg.RunRequest | dg.SkipReason:
    """Bring the index up to date when it does not hold what is ingested, not too often."""
    from spotify_pipeline.ingest.due import Seen, due
    from spotify_pipeline.status import index_is_current
    from spotify_pipeline.store.database import unless_busy
    from spotify_pipeline.store.ledger import read_ledger

    if skipped := _unless_set_up(context.instance):
        return skipped
    settings = data_home.settings
    ledger = unless_busy(read_ledger, settings.audio_database)
    if ledger is None:
        return dg.SkipReason("what is ingested is not known now: another process writes it")
    if not due(Seen(index_is_current=index_is_current(settings, ledger))).jobs:
        return dg.SkipReason("the index holds what is ingested")
    if _in_progress(context.instance, index_job.name):
        return dg.SkipReason("a run brings the index up to date")
    built = context.instance.get_latest_materialization_event(feature_index.key)
    if built is not None and (left := built.timestamp + INDEX_INTERVAL - time.time()) > 0:
        return dg.SkipReason(f"the next build is due in {left:,.0f} s")
    last = max(ledger.values(), key=attrgetter("ingested_at")).run_id if ledger else None
    state = f"{last} {settings.indexed_trains} {built and built.timestamp}"
    return _request(context.instance, index_job.name, state)


def _request(instance: dg.DagsterInstance, job: str, state: str) -> dg.RunRequest:
    """Ask for a run once for a state, and again if a run for it was ended from outside.

    One that failed by itself would fail again, until the state is another.
    """
    tags = {REQUEST_TAG: state}
    ended = _ended_runs(instance, job, tags)
    return dg.RunRequest(run_key=f"{state} {ended}", job_name=job, tags=tags)
