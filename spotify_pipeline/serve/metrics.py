"""Figures of the server for Prometheus.

Belongs here: what is counted. Does not belong here: where it happens.
"""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spotify_pipeline.serve.decoding import Decoders
from spotify_pipeline.serve.installation import Installation
from spotify_pipeline.serve.turns import Turns
from spotify_pipeline.serve.uploads import Uploads

__all__ = ["Measured", "Metrics"]

SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds of the histogram's buckets."""


class Metrics:
    """Counters of one application, and gauges that look at its parts."""

    def __init__(
        self, installation: Installation, turns: Turns, decoders: Decoders, uploads: Uploads
    ) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.requests = Counter(
            "spotify_pipeline_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "spotify_pipeline_request_seconds",
            "Seconds from a request to the end of its answer.",
            ("route",),
            registry=registry,
            buckets=SECONDS,
        )
        self.recordings = Counter(
            "spotify_pipeline_recordings",
            "Recordings identified.",
            ("identified",),
            registry=registry,
        )
        self._gauge("work_waiting", "Pieces of work that wait for a thread.", lambda: turns.waiting)
        self._gauge("work_running", "Pieces of work that are being done.", lambda: turns.running)
        self._gauge("uploads", "Uploads that are being read or used.", lambda: uploads.count)
        self._gauge("upload_bytes", "Bytes of these uploads.", lambda: uploads.bytes)
        self._gauge("decoders_killed", "Decoding processes ended early.", lambda: decoders.killed)
        self._gauge("refreshes", "Newer indexes opened.", lambda: installation.refreshed)
        self._gauge("tracks", "Tracks in the index.", lambda: installation.tracks)

    def text(self) -> bytes:
        """Give all figures in Prometheus's text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, meaning: str, value: "Collector | object") -> None:
        gauge = Gauge(f"spotify_pipeline_{name}", meaning, registry=self.registry)
        gauge.set_function(value)  # type: ignore[arg-type]  # of no argument to a number


class Measured:
    """An ASGI application before another one: it counts requests by their route."""

    def __init__(self, application: ASGIApp, metrics: Metrics) -> None:
        self._application = application
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, send_counted)
        finally:
            route = getattr(scope.get("route"), "path", "none")  # never a client's own text
            self._metrics.requests.labels(route, scope["method"], str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)
