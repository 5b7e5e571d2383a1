"""Who may ask: tokens, names of hosts, origins; and the headers that keep a page in its place.

Belongs here: what is checked of every request before it is looked at. Does not belong here: what a
request may take (`limits`).
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spotify_pipeline.serve.problems import ProblemError

__all__ = ["LOOPBACK_HOSTS", "Access", "Guard"]

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")

OPEN_PATHS = ("/", "/health")
OPEN_FOLDER = "/page/"
"""What needs no token: the page, which asks for it, holds nothing that is anybody's own."""

COVERS = "https://i.scdn.co https://mosaic.scdn.co"
"""Where the catalogue's pictures lie."""

COVERS_WANTED = "covers=on"
"""The cookie by which the page says that the user has switched them on."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:{covers};"
    " font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Attributes
    ----------
    token
        That every request needs, apart from those for the page and for the server's health; None
        where none is needed.
    hosts
        Names under which the server is called, if it must be one of them: without a token, a page
        of another site whose name leads to this machine must not read answers. None for any.
    origins
        Other sites whose pages may ask, such as ``https://example.org``.
    """

    token: str | None = None
    hosts: tuple[str, ...] | None = LOOPBACK_HOSTS
    origins: tuple[str, ...] = ()

    def check(self, scope: Scope) -> None:
        """Refuse a request.

        Raises
        ------
        ProblemError
            Its host, its origin or its token are not right.
        """
        headers = Headers(scope=scope)
        host = urlsplit(f"//{headers.get('host', '')}")
        if self.hosts is not None and host.hostname not in self.hosts:
            raise ProblemError(
                421, f"this server answers to {', '.join(self.hosts)}; call it by one of these"
            )
        if scope["type"] == "websocket" and not self._is_same_origin(headers, host.netloc):
            raise ProblemError(403, "pages of other sites may not listen here")
        if self.token is None or _is_open(scope["path"]):
            return
        given = _token_of(scope, headers)
        if given is None or not hmac.compare_digest(given.encode(), self.token.encode()):
            raise ProblemError(
                401,
                "a token is needed: the server shows it when it starts; send it as"
                " 'Authorization: Bearer TOKEN' or '?token=TOKEN'",
                {"WWW-Authenticate": "Bearer"},
            )

    def _is_same_origin(self, headers: Headers, host: str) -> bool:
        """Tell whether a WebSocket was opened by this server's page, another program, or a guest.

        Programs other than browsers send no origin; a browser always does.
        """
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc == host or origin in self.origins


class Guard:
    """An ASGI application before another one: it checks requests and adds headers to responses."""

    def __init__(self, application: ASGIApp, access: Access) -> None:
        self._application = application
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return

        cookies = Headers(scope=scope).get("cookie", "").replace(" ", "").split(";")
        covers = f" {COVERS}" if COVERS_WANTED in cookies else ""
        policy = CONTENT_SECURITY_POLICY.format(covers=covers)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers["Content-Security-Policy"] = policy
            await send(message)

        try:
            self._access.check(scope)
        except ProblemError as problem:
            # before a WebSocket is accepted, this refuses it with the same status
            await problem.response()(scope, receive, send_with_headers)
            return
        await self._application(scope, receive, send_with_headers)


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDER)


def _token_of(scope: Scope, headers: Headers) -> str | None:
    """Give the token of a request, None if it has none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    found: Sequence[str] = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
    return found[0] if found else None
