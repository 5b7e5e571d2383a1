"""A real browser without a window, whose microphone plays a file.

Belongs here: the browser, and what every page in it must keep to. Does not belong here: what a test
does in it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import soundfile
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from spotify_pipeline.fingerprint.arrays import Float32s

__all__ = ["ELSEWHERE", "TOKEN", "Chromium", "Watch", "chromium"]

ELSEWHERE = "elsewhere.test"
"""A name of this machine under which a page is no secure context."""

TOKEN = "the right one"
"""Of a server that asks for one."""

PATIENCE = 60_000
"""Milliseconds for which a page may keep a test waiting, on a machine that is busy."""


@dataclass
class Watch:
    """What a page must not do: write errors, or ask another host than its server's.

    Attributes
    ----------
    expected
        What stands in faults that a test brings about.
    """

    host: str
    expected: str | None = None
    faults: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """Note what a page does from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"uncaught: {error}"))
        page.on("request", self._request)

    def check(self) -> None:
        """Fail if the page has done what it must not, and forget that."""
        faults, self.faults = self.faults, []
        self.expected = None
        assert not faults, faults

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != self.host:
            self._note(f"asked another host: {request.url}")

    def _note(self, fault: str) -> None:
        if self.expected is None or self.expected not in fault:
            self.faults.append(fault)


@dataclass(frozen=True)
class Chromium:
    """A browser.

    Attributes
    ----------
    microphone
        The file that its microphone plays, again and again, each time that it is opened.
    """

    browser: Browser
    microphone: Path

    def plays(self, samples: Float32s, rate: int) -> None:
        """Have the microphone hear something from when it is opened next."""
        soundfile.write(self.microphone, samples, rate, subtype="PCM_16")

    @contextmanager
    def page(
        self, url: str, *permissions: str, expected: str | None = None, **options: object
    ) -> Iterator[Page]:
        """Open a page of a server for the length of a ``with`` block; it must have kept to rules.

        Parameters
        ----------
        url
            The server's.
        permissions
            That its user gives; all others are refused.
        expected
            What stands in faults that the test brings about.
        options
            Of the browser's context, such as its size.
        """
        with self.watched(url, *permissions, **options) as (page, watch):
            watch.expected = expected
            page.goto(url)
            yield page
        watch.check()

    @contextmanager
    def watched(
        self, url: str, *permissions: str, **options: object
    ) -> Iterator[tuple[Page, Watch]]:
        """Give an empty page for a server, and what watches it, for the length of a ``with`` block.

        The parameters are those of `page`.
        """
        watch = Watch(urlsplit(url).netloc)
        context = self.browser.new_context(
            base_url=url,
            permissions=list(permissions),
            **options,  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watch.follow(page)
        yield page, watch
        context.close()


@contextmanager
def chromium(microphone: Path) -> Iterator[Chromium]:
    """Start a browser for the length of a ``with`` block; without one, the test is skipped."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        assert "CI" not in os.environ, "the page is tested in Chromium, which is not installed"
        pytest.skip("the page is tested in Chromium, which is not installed")
    arguments = [
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
    ]
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield Chromium(browser, microphone)
        browser.close()
