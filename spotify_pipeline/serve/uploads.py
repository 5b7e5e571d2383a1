"""What clients send to be identified, on disk or, if it is small JSON, in memory.

Belongs here: reading a body within its limits. Does not belong here: decoding it (`decoding`).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import Request

from spotify_pipeline.serve.limits import Limits
from spotify_pipeline.serve.multipart import FormFile
from spotify_pipeline.serve.problems import ProblemError
from spotify_pipeline.serve.turns import RETRY_AFTER, BusyError

__all__ = ["Upload", "Uploads"]

LONGEST_NAME = 200
UNNAMED = "recording"


@dataclass(frozen=True)
class Upload:
    """A body that has come.

    Attributes
    ----------
    path
        A file of the server's own, in a folder that nothing else lies in.
    name
        As the client calls it, which names no file here.
    is_document
        It is JSON.
    """

    path: Path
    name: str
    is_document: bool


class Uploads:
    """Bodies that are being read or used; their number and size together is bounded."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.count = 0
        self.bytes = 0

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[Upload]:
        """Read a request's body, and keep it as long as the context lasts.

        Raises
        ------
        ProblemError
            It is empty, too large, comes too slowly, or is a form without the field.
        BusyError
            There are too many already.
        """
        if self.count >= self._limits.uploads:
            raise BusyError(RETRY_AFTER)
        self.count += 1
        received = 0

        def count(content: bytes) -> None:
            nonlocal received
            received += len(content)
            self.bytes += len(content)
            self._check(received)

        try:
            with TemporaryDirectory(prefix="spotify-pipeline-") as folder:
                path = Path(folder, "upload")
                with path.open("wb") as file:
                    name, content_type = await self._read(request, count, file.write)
                size = path.stat().st_size
                if not size:
                    raise ProblemError(422, "the body is empty: send a recording")
                is_document = _is_json(content_type)
                if is_document and size > self._limits.document_bytes:
                    raise ProblemError(
                        413, f"JSON may have {self._limits.document_bytes} bytes at most"
                    )
                yield Upload(path, name[:LONGEST_NAME] or UNNAMED, is_document)
        finally:
            self.count -= 1
            self.bytes -= received

    async def _read(
        self,
        request: Request,
        count: Callable[[bytes], object],
        write: Callable[[bytes], object],
    ) -> tuple[str, str]:
        """Read the body, all of which is counted; gives the name and the type of what it holds."""
        content_type = request.headers.get("content-type", "")
        form = None
        if content_type.lower().startswith("multipart/form-data"):
            form = FormFile(content_type, write)
        async for content in self._in_time(request.stream()):
            count(content)
            if form is None:
                write(content)
            else:
                form.push(content)
        if form is None:
            return "", content_type
        if not form.found:
            raise ProblemError(422, "the form has no field 'file'")
        return form.name, form.content_type

    async def _in_time(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Give what comes, unless it pauses for too long or is too slow in the mean."""
        began, received = time.monotonic(), 0
        while True:
            earned = received / self._limits.upload_rate
            left = began + earned + self._limits.idle_seconds - time.monotonic()
            try:
                async with asyncio.timeout(min(left, self._limits.idle_seconds)):
                    content = await anext(stream, None)
            except TimeoutError:
                raise ProblemError(408, "the body came too slowly") from None
            if content is None:
                return
            received += len(content)
            yield content

    def _check(self, received: int) -> None:
        if received > self._limits.upload_bytes:
            megabytes = self._limits.upload_bytes // 10**6
            raise ProblemError(413, f"a recording may have {megabytes} MB at most")
        if self.bytes > self._limits.all_upload_bytes:
            raise BusyError(RETRY_AFTER)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"
