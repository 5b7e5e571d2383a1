"""``/api/plot``: how a recording lines up with a track, as a picture.

Belongs here: which match is drawn. Does not belong here: drawing (`identify.plot`).
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.evidence import Evidence
from spotify_pipeline.identify.named_matches import name_matches
from spotify_pipeline.serve.descriptions import AUDIO_BODY, described
from spotify_pipeline.serve.identification import Heard, heard, query_of
from spotify_pipeline.serve.installation import Snapshot
from spotify_pipeline.serve.problems import ProblemError
from spotify_pipeline.serve.service import client_of, service_of, while_connected

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["identification"])


@router.post(
    "/plot",
    summary="Draw how a recording lines up with a track",
    responses=described({"type": "string", "format": "binary"}, "A picture.", "image/png"),
    openapi_extra=AUDIO_BODY,
)
async def plot(
    request: Request,
    track: Annotated[
        str | None, Query(description="Id of one of the matches; the best one unless given.")
    ] = None,
) -> Response:
    """Draw the onsets of a recording beside those of a track that it matches.

    The body is that of `/api/identify`.
    """
    service = service_of(request)
    async with service.uploads.receive(request) as upload:
        sound = await while_connected(request, heard(service, upload))

        def draw(snapshot: Snapshot) -> bytes:
            return _drawn(snapshot, sound, upload.name, track)

        picture = await while_connected(request, service.identify(client_of(request), draw))
    return Response(picture, media_type="image/png")


def _drawn(snapshot: Snapshot, sound: Heard, name: str, track: str | None) -> bytes:
    from spotify_pipeline.identify.plot import alignment_plot  # takes a while

    query = query_of(sound, name)
    with snapshot.detector() as detector:
        found = detector.identifier.matches(query.fingerprint, query.samples)
        wanted = [match for match in found if track in (None, match.track_id)]
        if not wanted:
            raise ProblemError(404, "the recording does not come near the track")
        (match,), (named,) = name_matches(wanted[:1], detector.catalog)
    accepted = match.confidence >= THRESHOLD
    return alignment_plot(Evidence.gathered(name, accepted, match, named, query.fingerprint))
