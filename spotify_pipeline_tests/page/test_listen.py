"""The page listens."""

import re
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page, expect

from spotify_pipeline_tests.page.browsers import ELSEWHERE, TOKEN, Chromium
from spotify_pipeline_tests.page.sounds import Music, in_noise
from spotify_pipeline_tests.serve.served import Served

BEGIN = 20.0
"""Second of the piece that the microphone hears first."""


POLICY = "Opener-Policy"
"""Of which the browser says that it has no effect where the page is no secure context."""


def _listen(page: Page) -> None:
    page.get_by_role("button", name="Listen", exact=True).click()


def _position(page: Page) -> float:
    found = re.search(r"(\d+):(\d+) of", page.locator(".position").inner_text())
    assert found is not None
    return 60 * int(found[1]) + int(found[2])


def test_a_piece_in_noise_is_named_and_its_position_counts_on(
    page: Page, browser: Chromium, music: Music
) -> None:
    title, samples = list(music.known.items())[1]
    first = round(BEGIN * music.rate)
    browser.plays(in_noise(samples[first : first + 30 * music.rate]), music.rate)
    started = page.evaluate("performance.now()")
    _listen(page)
    result = page.get_by_role("article", name="Recognised")
    expect(result.get_by_role("link", name=title, exact=True)).to_be_visible()
    expect(result).to_contain_text("U2")
    expect(result).to_contain_text(re.compile(r"Sure, \d+"))
    position, now = _position(page), page.evaluate("performance.now()")
    assert BEGIN < position < BEGIN + (now - started) / 1000 + 2
    page.wait_for_timeout(1100)
    assert _position(page) > position
    expect(page.get_by_role("button", name="Listen", exact=True)).to_be_visible()  # stopped

    result.get_by_role("button", name="Alignment").click()
    expect(page.get_by_role("img", name=re.compile(f"those of {title}"))).to_be_visible()
    page.get_by_role("button", name="Close").click()
    result.get_by_role("button", name=re.compile("Copy Spotify URI")).click()
    expect(result).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("spotify:track:")
    result.get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("link", name=re.compile(title))).to_be_visible()
    page.get_by_role("button", name=re.compile("^Delete Love")).click()
    expect(page.get_by_text("Nothing yet")).to_be_visible()


def test_an_unknown_piece_is_not_named(page: Page, browser: Chromium, music: Music) -> None:
    browser.plays(in_noise(music.unknown[: 20 * music.rate]), music.rate)
    _listen(page)
    expect(page.locator(".so-far")).to_contain_text("s heard.")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("alert")).to_contain_text("Unknown")


def test_silence_is_told_from_unknown_music(page: Page, browser: Chromium, music: Music) -> None:
    browser.plays(np.zeros(5 * music.rate, np.float32), music.rate)
    _listen(page)
    expect(page.locator(".so-far")).to_contain_text("Nothing to hear yet")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("alert")).to_contain_text("Silence")


def test_a_refused_microphone_is_said_with_what_to_do(page: Page) -> None:
    page.context.clear_permissions()
    _listen(page)
    expect(page.get_by_role("alert")).to_contain_text("does not let this page")
    expect(page.get_by_role("button", name="Listen", exact=True)).to_be_visible()


def test_over_http_from_elsewhere_the_page_asks_for_tls_and_keeps_the_token_to_itself(
    browser: Chromium, guarded: Served
) -> None:
    address = f"http://{ELSEWHERE}:{guarded.port}"
    with browser.page(f"{address}/?{urlencode({'token': TOKEN})}", expected=POLICY) as page:
        assert page.url == f"{address}/"
        _listen(page)
        expect(page.get_by_role("alert")).to_contain_text("--tls")
        page.goto(f"{address}/#/search?q=love")
        expect(page.get_by_role("link", name=re.compile("Love Is Blindness"))).to_be_visible()
