"""``/api/identify``: which track a recording is of.

Belongs here: requests for one answer. Does not belong here: long recordings (`timelines`), audio
that comes as it is played (`listening`), pictures (`plots`).
"""

import time
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.answers import Answer, Failure, answer_of
from spotify_pipeline.identify.decision import threshold_of
from spotify_pipeline.identify.query import Query as Recording
from spotify_pipeline.identify.query import query_of_document
from spotify_pipeline.recording import RecordingError
from spotify_pipeline.resampling import ANALYZER_RATE
from spotify_pipeline.serve.descriptions import AUDIO_BODY, described
from spotify_pipeline.serve.installation import Snapshot
from spotify_pipeline.serve.service import Service, client_of, service_of, while_connected
from spotify_pipeline.serve.uploads import Upload

__all__ = ["Heard", "heard", "identified", "query_of", "router"]

router = APIRouter(prefix="/api", tags=["identification"])

Heard = bytes | Float32s
"""A document's JSON, or samples of a recording at 11025 Hz."""

Limit = Annotated[int, Query(ge=1, le=100, description="Matches to give at the most.")]
FalseAccepts = Annotated[
    float | None,
    Query(gt=0, le=1, description="Fraction of recordings of unknown tracks that may be named."),
]
Deadline = Annotated[
    float | None, Query(gt=0, le=3600, description="Seconds after which to answer what is known.")
]


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
    deadline: Deadline = None,
) -> Response:
    """Tell which track a recording is of, and where in it; or that it is unknown.

    The body is an audio file, as it is or as the field `file` of a form, or the JSON of an analysis
    document or of a line of `spotify-pipeline fingerprint`.
    """
    started = time.perf_counter()
    service = service_of(request)
    async with service.uploads.receive(request) as upload:
        sound = await while_connected(request, heard(service, upload))

    def answer(snapshot: Snapshot) -> Answer:
        return identified(snapshot, sound, upload.name, limit, threshold_of(false_accepts), started)

    found = await while_connected(request, service.identify(client_of(request), answer))
    service.metrics.recordings.labels(str(found.identified).lower()).inc()
    return Response(msgspec.json.encode(found), media_type="application/json")


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
    return Recording(fingerprint(sound), len(sound) / ANALYZER_RATE, sound)


def identified(
    snapshot: Snapshot,
    sound: Heard,
    name: str,
    limit: int,
    threshold: float,
    started: float,
    **options: Any,  # noqa: ANN401  # of `answer_of`
) -> Answer:
    """Identify what was heard, on a thread.

    Raises
    ------
    RecordingError
        It holds nothing that can be looked up.
    FeatureIndexError
        There is no index.
    """
    query = query_of(sound, name)
    with snapshot.reader() as reader:
        found = answer_of(
            query,
            name,
            snapshot.identifier(reader.catalog),
            reader.catalog,
            limit=limit,
            threshold=threshold,
            started=started,
            **options,
        )
    if isinstance(found, Failure):
        raise RecordingError(found.error)
    return found
