"""The detection job: recordings in the run's config, answers on stdout and in the run's metadata.

Belongs here: wiring and metadata. Does not belong here: the work (`identify.answers`).
"""

import sys
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from spotify_pipeline.defs.resources import DataHome, reported_as_failure

__all__ = ["Detection", "detect_job", "identify_recordings"]


class Detection(dg.Config):
    """What to identify."""

    recordings: list[str] = Field(description="Paths of audio files.", min_length=1)
    limit: int = Field(default=5, ge=1, description="Matches to give for a recording at the most.")


@dg.op(out={"answers": dg.Out(list)})
def identify_recordings(
    context: dg.OpExecutionContext, config: Detection, data_home: DataHome
) -> list[dict[str, Any]]:
    """Identify each recording; one line of JSON each goes to stdout."""
    import msgspec

    from spotify_pipeline.identify.answers import Failure, answer_files

    settings = data_home.settings
    answers: list[dict[str, Any]] = []
    failed = 0
    with reported_as_failure():
        for answer in answer_files(
            [Path(recording) for recording in config.recordings],
            settings.index,
            settings.metadata_database,
            limit=config.limit,
        ):
            sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
            sys.stdout.flush()
            answers.append(msgspec.to_builtins(answer))
            failed += isinstance(answer, Failure)
    context.add_output_metadata(
        {
            "answers": dg.MetadataValue.md(_table(answers)),
            "identified": sum(bool(answer.get("identified")) for answer in answers),
            "unknown": sum(answer.get("identified") is False for answer in answers),
            "unreadable": failed,
            "json": dg.MetadataValue.json(answers),
        }
    )
    if failed:
        context.log.error(f"{failed} of {len(answers)} recordings could not be read")
    return answers


def _table(answers: list[dict[str, Any]]) -> str:
    """Write the answers as a Markdown table."""
    rows = [("recording", "track", "artists", "position", "confidence"), ("---",) * 5]
    for answer in answers:
        matches = answer.get("matches", [])
        if not matches:
            rows.append((answer["file"], answer.get("error", "unknown"), "", "", ""))
        rows.extend(
            (
                answer["file"],
                match["title"] or match["track_id"],
                ", ".join(match["artists"]),
                f"{match['offset']:.2f} s",
                f"{match['confidence']:.4f}",
            )
            for match in matches
        )
    cells = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


@dg.config_mapping
def _detection_config(detection: Detection) -> dg.RunConfig:
    return dg.RunConfig(ops={"identify_recordings": detection})


@dg.job(
    name="detect",
    config=_detection_config,
    executor_def=dg.in_process_executor,
    description="Identify the recordings that the config names.",
)
def detect_job() -> None:
    """Identify recordings."""
    identify_recordings()
