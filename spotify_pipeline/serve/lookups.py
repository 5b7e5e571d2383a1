"""``/api/lookup``: the catalogue as the command ``lookup`` answers.

Belongs here: its options as parameters, and batches. Does not belong here: the shape of Spotify's
Web API (`web_api`).
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from spotify_pipeline.catalog.asking import Question, question_of
from spotify_pipeline.catalog.lookup_form import as_json
from spotify_pipeline.serve.descriptions import described
from spotify_pipeline.serve.installation import Snapshot
from spotify_pipeline.serve.problems import ProblemError
from spotify_pipeline.serve.service import client_of, service_of

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["catalogue"])

LONGEST_BATCH = 10_000
"""Lines."""

Words = Annotated[str, Query(max_length=500)]
Names = Annotated[list[str], Query(max_length=100)]

_ANSWERS = described(
    {"type": "object"}, "A track a line, as `lookup --json` gives it.", "application/x-ndjson"
)


@router.get("/lookup", summary="Look tracks up", responses=_ANSWERS)
async def lookup(
    request: Request,
    q: Words = "",
    artist: Words = "",
    album: Words = "",
    title: Words = "",
    label: Words = "",
    genre: Words = "",
    key: Annotated[Names, Query(alias="id")] = [],  # noqa: B006  # FastAPI copies it
    isrc: Names = [],  # noqa: B006
    upc: Names = [],  # noqa: B006
    first_year: Annotated[int | None, Query(ge=0, le=9999)] = None,
    last_year: Annotated[int | None, Query(ge=0, le=9999)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> Response:
    """Find tracks by words, ids or what they have, with all that is known of them.

    Tracks with the same ISRC are one recording: the most popular is given, with `other_releases`.
    """
    year = None
    if first_year is not None or last_year is not None:
        year = first_year or 0, 9999 if last_year is None else last_year
    question = question_of(
        q.split(),
        [*key, *isrc, *upc],
        limit=limit,
        title=title,
        artist=artist,
        album=album,
        label=label,
        genre=genre,
        year=year,
    )
    if question is None:
        raise ProblemError(422, "name words, an id, or anything that narrows a search")
    return await _answered(request, question)


@router.post(
    "/lookup",
    summary="Look many tracks up",
    responses=_ANSWERS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/plain": {"schema": {"type": "string"}, "example": "USABC9600001"}},
        }
    },
)
async def batch(request: Request) -> Response:
    """Answer each line of the body, an id, URL, URI, ISRC or UPC, as `lookup --batch` does."""
    async with service_of(request).uploads.receive(request) as upload:
        with upload.path.open(errors="replace") as file:
            lines = [line for line, _ in zip(file, range(LONGEST_BATCH + 1), strict=False)]
    if len(lines) > LONGEST_BATCH:
        raise ProblemError(413, f"a batch may have {LONGEST_BATCH} lines at most")
    return await _answered(request, lines)


async def _answered(request: Request, asked: Question | Sequence[str]) -> Response:
    def find(snapshot: Snapshot) -> str:
        with snapshot.catalogue() as reader:
            look = reader.lookup
            if not isinstance(asked, Question):
                return "".join(map(as_json, look.batch(asked)))
            if asked.references:
                found = look.references(
                    asked.references, asked.text, asked.filters, limit=asked.limit
                )
            else:
                found = look.search(asked.text, asked.filters, limit=asked.limit)
            return "".join(map(as_json, found))

    text = await service_of(request).look_up(client_of(request), find)
    return Response(text, media_type="application/x-ndjson")
