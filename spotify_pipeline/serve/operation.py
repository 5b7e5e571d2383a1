"""``/health``, ``/metrics``, ``/api/status``: how the server and the installation are.

Belongs here: what whoever runs the server asks. Does not belong here: what its users ask.
"""

import msgspec
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from spotify_pipeline import __version__
from spotify_pipeline.serve.descriptions import described
from spotify_pipeline.serve.installation import Snapshot
from spotify_pipeline.serve.service import client_of, service_of
from spotify_pipeline.status import Status, gather_status

__all__ = ["Health", "router"]

router = APIRouter(tags=["operation"])


class Health(msgspec.Struct, frozen=True):
    """What the server can do.

    Attributes
    ----------
    tracks
        In the index; 0 where there is none yet.
    """

    status: str
    version: str
    tracks: int


@router.get("/health", summary="Tell that the server runs", responses=described(Health, "It runs."))
async def health(request: Request) -> Response:
    """Tell that the server runs, and what it can identify."""
    found = Health("ok", __version__, service_of(request).installation.tracks)
    return Response(msgspec.json.encode(found), media_type="application/json")


@router.get(
    "/metrics",
    summary="Give figures for Prometheus",
    responses=described({"type": "string"}, "Prometheus's text format.", "text/plain"),
)
async def metrics(request: Request) -> Response:
    """Give figures of the server in Prometheus's text format."""
    return Response(service_of(request).metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get(
    "/api/status",
    summary="Tell where the installation stands",
    responses=described(Status, "As `spotify-pipeline status --json`."),
)
async def status(request: Request) -> Response:
    """Tell which shards are ingested, waiting and failed, how many tracks there are, and sizes."""
    service = service_of(request)

    def look(_: Snapshot) -> Status:
        return gather_status(service.settings)

    found = await service.look_up(client_of(request), look)
    return Response(msgspec.json.encode(found), media_type="application/json")
