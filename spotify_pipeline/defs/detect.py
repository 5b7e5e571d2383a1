"""The detection job: recordings in the run's config, answers on stdout and in the run's metadata.

Belongs here: wiring and metadata. Does not belong here: the work (`identify.answers`), and drawing
(`identify.plot`).
"""

import base64
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from spotify_pipeline.defs.resources import DataHome, reported_as_failure

if TYPE_CHECKING:
    from spotify_pipeline.identify.evidence import Evidence

__all__ = ["Detection", "detect_job", "identify_recordings"]


MOST_PLOTS = 5
"""Recordings of a run whose plots are kept with it: each takes some 100 kB of Dagster's storage."""


class Detection(dg.Config):
    """What to identify."""

    recordings: list[str] = Field(description="Paths of audio files.", min_length=1)
    limit: int = Field(default=5, ge=1, description="Matches to give for a recording at the most.")
    false_accepts: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Share of recordings of unknown tracks that may be named at the most.",
    )


@dg.op(out={"answers": dg.Out(list)})
def identify_recordings(
    context: dg.OpExecutionContext, config: Detection, data_home: DataHome
) -> Iterator[dg.Output[list[dict[str, Any]]]]:
    """Identify each recording; one line of JSON each goes to stdout.

    If one can't be read, the others are answered, and then the run fails.
    """
    import msgspec

    from spotify_pipeline.identify.answers import Failure, answer_files
    from spotify_pipeline.identify.decision import threshold_of

    settings = data_home.settings
    answers: list[dict[str, Any]] = []
    evidence: list[Evidence] = []
    failed = 0
    with reported_as_failure():
        for answer in answer_files(
            [Path(recording) for recording in config.recordings],
            settings.index,
            settings.metadata_database,
            limit=config.limit,
            threshold=threshold_of(config.false_accepts),
            popularity=settings.popularity,
            observer=evidence.append,
        ):
            sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
            sys.stdout.flush()
            answers.append(msgspec.to_builtins(answer))
            failed += isinstance(answer, Failure)
    yield dg.Output(
        answers,
        "answers",
        metadata={
            "answers": dg.MetadataValue.md(_table(answers)),
            "identified": sum(bool(answer.get("identified")) for answer in answers),
            "unknown": sum(answer.get("identified") is False for answer in answers),
            "unreadable": failed,
            "json": dg.MetadataValue.json(answers),
            "evidence": _figures(evidence),
            "alignments": _plots(evidence[:MOST_PLOTS]),
        },
    )
    if failed:
        raise dg.Failure(
            f"{failed} of {len(answers)} recordings could not be read; what became of each stands"
            " in the metadata of the step's output",
            allow_retries=False,
        )


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
    cells = ([" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _figures(evidence: list["Evidence"]) -> dg.TableMetadataValue:
    """Tabulate what the decision on each best match rests on."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "recording": one.file,
                    "track": one.named.title or one.named.track_id,
                    "accepted": one.accepted,
                    "confidence": one.named.confidence,
                    "offset": one.named.offset,
                    "onsets": len(one.query),
                    "aligned": int(one.aligned.sum()),
                    "likelihood": round(one.match.evidence.likelihood, 1),
                    "expected": round(one.match.evidence.expected, 1),
                    "rival": round(one.match.evidence.rival, 1),
                    "harmony": round(one.match.evidence.harmony, 1),
                    "second": round(one.match.second, 1),
                }
            )
            for one in evidence
        ],
        dg.TableSchema(
            [
                dg.TableColumn("recording"),
                dg.TableColumn("track", description="the best match, be it accepted or not"),
                dg.TableColumn("accepted", "bool"),
                dg.TableColumn("confidence", "float"),
                dg.TableColumn("offset", "float", "second of the track where the recording begins"),
                dg.TableColumn("onsets", "int", "of the recording"),
                dg.TableColumn("aligned", "int", "of them, with one of the track's beside them"),
                dg.TableColumn("likelihood", "float", "of the recording, if it is the track: nats"),
                dg.TableColumn("expected", "float", "the same, as the recording leads to expect"),
                dg.TableColumn("rival", "float", "the highest of another recording's tracks"),
                dg.TableColumn("harmony", "float", "what harmony adds: nats"),
                dg.TableColumn("second", "float", "at the best other offset of the track"),
            ]
        ),
    )


def _plots(evidence: list["Evidence"]) -> dg.MarkdownMetadataValue:
    """Put the plots into the metadata itself, where the web UI shows them."""
    from spotify_pipeline.identify.plot import alignment_plot

    pictures = (base64.b64encode(alignment_plot(one)).decode() for one in evidence)
    return dg.MetadataValue.md(
        "\n\n".join(f"![alignment](data:image/png;base64,{picture})" for picture in pictures)
    )


@dg.config_mapping
def _detection_config(detection: Detection) -> dg.RunConfig:
    return dg.RunConfig(ops={"identify_recordings": detection})


@dg.job(
    name="detect",
    config=_detection_config,
    executor_def=dg.in_process_executor,
    tags={"dagster/priority": "1"},  # somebody waits for the answer
    description="Identify the recordings that the config names.",
)
def detect_job() -> None:
    """Identify recordings."""
    identify_recordings()
