"""Pictures of the page for the documentation, taken in Chromium from a server that runs.

    spotify-pipeline demo
    SPOTIFY_PIPELINE_HOME=data-demo spotify-pipeline serve
    python -m docs_site.page_pictures http://127.0.0.1:8765 data-demo/demo/music

Belongs here: what the pictures show. Does not belong here: the page's tests.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from playwright.sync_api import Browser, Page, sync_playwright

__all__ = ["take_pictures"]

IMAGES = Path(__file__).parents[1] / "docs/images"

DESKTOP = {"width": 1100, "height": 720}
PHONE = {"width": 390, "height": 780}
PATIENCE = 120_000
"""Milliseconds."""

MIX_SECONDS = 40
"""Of each piece in the mix whose tracklist is shown."""

NOISE = 0.02
"""Of full scale, in what the microphone hears."""


def take_pictures(address: str, pieces: Sequence[Path], program: str = "/usr/bin/chromium") -> None:
    """Write ``page_*.png`` into the documentation's images.

    Parameters
    ----------
    address
        Of a server whose index knows the first of the pieces.
    pieces
        Audio files.
    program
        The browser.
    """
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        microphone, mix = Path(folder) / "microphone.wav", Path(folder) / "evening.flac"
        _write_recordings(pieces, microphone, mix)
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}",
            ],
        )
        _show_listening(_opened(browser, address, PHONE, "dark"))
        _show_tracklist(_opened(browser, f"{address}/#/tracklist", DESKTOP, "light"), mix)
        search = _opened(browser, f"{address}/#/search?q=paper", DESKTOP, "light")
        search.get_by_role("list", name="Results").get_by_role("link").first.wait_for()
        search.screenshot(path=IMAGES / "page_search.png")
        browser.close()


def _write_recordings(pieces: Sequence[Path], microphone: Path, mix: Path) -> None:
    music = [soundfile.read(piece, dtype="float32")[0] for piece in pieces]
    rate = soundfile.info(pieces[0]).samplerate
    noise = np.random.default_rng(0).normal(0, NOISE, len(music[0]) - 20 * rate)
    soundfile.write(microphone, music[0][20 * rate :] * 0.5 + noise, rate)
    soundfile.write(mix, np.concatenate([each[: MIX_SECONDS * rate] for each in music]), rate)


def _opened(browser: Browser, address: str, size: dict[str, int], scheme: str) -> Page:
    context = browser.new_context(
        viewport=size,  # type: ignore[arg-type]  # a TypedDict
        color_scheme=scheme,  # type: ignore[arg-type]  # a Literal
        permissions=["microphone"],
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(address)
    return page


def _show_listening(page: Page) -> None:
    page.get_by_role("button", name="Listen", exact=True).click()
    page.locator(".level").evaluate("(ring) => new Promise((seen) => setTimeout(seen, 2000))")
    page.screenshot(path=IMAGES / "page_listening.png")
    page.get_by_role("article", name="Recognised").wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / "page_result.png")


def _show_tracklist(page: Page, mix: Path) -> None:
    page.locator("input[type=file]").set_input_files(mix)
    page.get_by_role("button", name="Delete", exact=True).wait_for()
    page.screenshot(path=IMAGES / "page_tracklist.png", full_page=True)


if __name__ == "__main__":
    take_pictures(sys.argv[1], sorted(Path(sys.argv[2]).glob("*.flac"))[4:10])
