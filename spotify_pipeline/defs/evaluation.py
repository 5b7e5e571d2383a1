"""The evaluation of detection as an asset: figures in its metadata, which the UI plots over runs.

Belongs here: wiring and metadata. Does not belong here: the work (`spotify_pipeline.evaluation`).
"""

import base64
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from pydantic import Field

from spotify_pipeline.defs.resources import DataHome, ProgressSource, reported_as_failure

__all__ = ["DetectionEvaluation", "detection_evaluation", "evaluation_job"]

EVALUATION_POOL = "evaluation"
"""Of one: two evaluations side by side would measure each other's time."""

DIGITS = 4
"""Of figures, behind the point."""


class DetectionEvaluation(dg.Config):
    """What to evaluate detection on. The defaults take minutes with some dozens of pieces."""

    music: str = Field(
        description="Folder of your own music, some dozens of pieces; all below it is read. About"
        " three in ten are asked for, the same ones every time; of few pieces, all."
    )
    distractors: int = Field(
        default=2_000, ge=0, description="Synthetic tracks to index with the music."
    )
    spliced: int | None = Field(
        default=None,
        ge=0,
        description="How many of them are spliced from pieces that are not asked for, which makes"
        " them hard to tell from music; the others have independent gaps. Default: half.",
    )
    documents: list[str] = Field(
        default=[],
        description="Files of analysis documents (.jsonl or .jsonl.zst) whose tracks are indexed"
        " too.",
    )
    lengths: list[float] = Field(
        default=[5.0, 10.0], min_length=1, description="Of excerpts, in seconds, from 1 to 60."
    )
    degradations: list[str] = Field(
        default=["clean", "mp3 64k", "telephone", "pink 10", "room", "speed +2"],
        min_length=1,
        description="What happens to excerpts. A name that is none fails with a list of them all.",
    )
    excerpts: int = Field(
        default=1, ge=1, description="To cut of each piece, for each length and degradation."
    )
    seed: int = Field(default=0, ge=0, description="Another one gives other excerpts.")
    peers: bool = Field(
        default=True, description="Whether other systems' searches are asked the same."
    )


@dg.asset(group_name="evaluation", kinds={"numpy"}, pool=EVALUATION_POOL)
def detection_evaluation(
    context: dg.AssetExecutionContext,
    config: DetectionEvaluation,
    data_home: DataHome,
    progress: dg.ResourceParam[ProgressSource],
) -> dg.MaterializeResult:
    """How well detection names degraded excerpts of your music among impostors.

    Makes an index of its own; the installation's is neither read nor changed. What the figures
    mean: ``docs/evaluation.md``.
    """
    from spotify_pipeline.evaluation.evaluate import EvaluationSetting, evaluate

    settings = data_home.settings
    with reported_as_failure():
        setting = EvaluationSetting(
            distractors=config.distractors,
            lengths=config.lengths,
            degradations=config.degradations,
            excerpts=config.excerpts,
            seed=config.seed,
            baselines=config.peers,
            spliced=config.spliced,
            documents=[Path(file).expanduser() for file in config.documents],
        )
        guard = progress.guard(context, settings)
        guard.wait_for(settings.staging, setting.index_bytes, "the evaluation")
        found = evaluate(
            [Path(config.music).expanduser()],
            setting,
            settings.staging / "evaluation",
            progress.reporter(context, ""),
            context.log.warning,
        )
    picture = base64.b64encode(found.plot()).decode()
    return dg.MaterializeResult(
        metadata={
            **{name: round(value, DIGITS) for name, value in found.figures.items()},
            "pieces": found.pieces,
            "excerpts": len(found.results),
            **{f"impostors_{kind.name.lower()}": n for kind, n in found.impostors.items()},
            **{name: dg.MetadataValue.md(t.markdown()) for name, t in found.tables().items()},
            "worst": dg.MetadataValue.md(found.worst()),
            "reliability_plot": dg.MetadataValue.md(
                f"![reliability](data:image/png;base64,{picture})"
            ),
        }
    )


@dg.config_mapping
def _evaluation_config(evaluation: DetectionEvaluation) -> Mapping[str, object]:
    return {"ops": {"detection_evaluation": {"config": evaluation.model_dump()}}}


evaluation_job = dg.define_asset_job(
    "evaluation",
    selection=dg.AssetSelection.assets(detection_evaluation),
    config=_evaluation_config,
    executor_def=dg.in_process_executor,
    description="Evaluate detection on your own music.",
)
