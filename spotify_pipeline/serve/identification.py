"""``/api/identify``: which track a recording is of.

Belongs here: requests for one answer. Does not belong here: long recordings (`timelines`), audio
that comes as it is played (`listening`), pictures (`plots`).
"""

import math
import time
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.decision import THRESHOLD, threshold_of
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.identify.query import Query as Recording
from spotify_pipeline.identify.query import query_of_document
from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline.recording import RecordingError
from spotify_pipeline.resampling import ANALYZER_RATE
from spotify_pipeline.serve.descriptions import AUDIO_BODY, described
from spotify_pipeline.serve.installation import Snapshot
from spotify_pipeline.serve.service import Service, client_of, service_of, while_connected
from spotify_pipeline.serve.uploads import Upload

__all__ = ["LEAST_CONFIDENCE", "Heard", "Patience", "heard", "judged", "query_of", "router"]

router = APIRouter(prefix="/api", tags=["identification"])

Heard = bytes | Float32s
"""A document's JSON, or samples of a recording at 11025 Hz."""

Limit = Annotated[int, Query(ge=1, le=100, description="Matches to give at the most.")]
FalseAccepts = Annotated[
    float | None,
    Query(gt=0, le=1, description="Fraction of recordings of unknown tracks that may be named."),
]
Seconds = Annotated[
    float | None, Query(gt=0, le=3600, description="After them, what was found by then is given.")
]
Unsure = Annotated[
    bool, Query(description="Give matches that are not sure, too; `identified` tells if one is.")
]

LEAST_CONFIDENCE = 0.05
"""Of matches that are not sure. Set by hand."""


class Patience(Deadline):
    """A deadline that has come, too, once nobody waits for the answer any more."""

    gone = False

    def leaves_out(self) -> bool:
        """Tell whether the work that would come next is to be left out."""
        return self.gone or super().leaves_out()


@router.post(
    "/identify",
    summary="Identify a recording",
    responses=described(Answer, "Matches, the best first; none if the recording is unknown."),
    openapi_extra=AUDIO_BODY,
)
async def identify(
    request: Request,
    limit: Limit = 5,
    false_accepts: FalseAccepts = None,
    deadline: Seconds = None,
    unsure: Unsure = False,
) -> Response:
    """Tell which track a recording is of, and where in it; or that it is unknown.

    The body is an audio file, as it is or as the field `file` of a form, or the JSON of an analysis
    document or of a line of `spotify-pipeline fingerprint`. `complete` is false where the deadline
    came before all was tried.
    """
    started = time.perf_counter()
    service = service_of(request)
    patience = Patience(min(deadline or math.inf, service.limits.deadline))
    threshold = threshold_of(false_accepts)
    async with service.uploads.receive(request) as upload:
        sound = await while_connected(request, heard(service, upload))

        def work(snapshot: Snapshot) -> Answer:
            with snapshot.detector() as detector:
                return detector.identify(
                    query_of(sound, upload.name),
                    limit=limit,
                    threshold=LEAST_CONFIDENCE if unsure else threshold,
                    deadline=patience,
                )

        try:
            answer = await while_connected(request, service.identify(client_of(request), work))
        finally:
            patience.gone = True
    elapsed = round(time.perf_counter() - started, 3)
    answer = msgspec.structs.replace(judged(answer, threshold), elapsed=elapsed)
    service.metrics.recordings.labels(str(answer.identified).lower()).inc()
    return Response(msgspec.json.encode(answer), media_type="application/json")


def judged(answer: Answer, threshold: float = THRESHOLD) -> Answer:
    """Tell of an answer with matches that are not sure whether one of them is."""
    sure = any(match.confidence >= threshold for match in answer.matches)
    return msgspec.structs.replace(answer, identified=sure)


async def heard(service: Service, upload: Upload) -> Heard:
    """Read a document, or decode audio.

    Raises
    ------
    RecordingError
        It can't be read; the upload is named as the client does.
    """
    if upload.is_document:
        return upload.path.read_bytes()
    limits = service.limits
    try:
        return await service.decoders.read(
            upload.path, limits.recording_seconds, limits.decode_seconds
        )
    except RecordingError as error:
        raise RecordingError(f"{upload.name}: {error}") from error


def query_of(sound: Heard, name: str) -> Recording:
    """Fingerprint what was heard.

    Raises
    ------
    RecordingError
        It is a document without a fingerprint.
    """
    if isinstance(sound, bytes):
        return query_of_document(sound, name)
    return Recording(name, fingerprint(sound), len(sound) / ANALYZER_RATE, sound)
