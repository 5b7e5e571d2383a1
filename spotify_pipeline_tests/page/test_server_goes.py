"""The page asks for the token, and goes on where it was when the server starts again."""

import re
import signal
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from spotify_pipeline_tests.page.browsers import TOKEN, Chromium
from spotify_pipeline_tests.page.sounds import Music, in_noise
from spotify_pipeline_tests.serve.commands import free_port, server_process
from spotify_pipeline_tests.serve.served import Served, serving

TRYING_AGAIN = "Trying again"
QUIET = "-60"

GONE = "ERR_CONNECTION"
"""What stands in the browser's own errors while the server is gone."""


def test_the_token_is_asked_for_until_it_is_right_and_remembered_if_wished(
    browser: Chromium, guarded: Served
) -> None:
    with browser.page(guarded.url, expected="401") as page:
        page.goto("/#/search?q=hells")
        dialog = page.get_by_role("dialog", name="Token")
        field = dialog.get_by_label("Token", exact=True)
        expect(field).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.get_by_role("searchbox").fill("hell")  # asks again
        field.fill("a wrong one")
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("alert")).to_contain_text("not this server's token")
        field.fill(TOKEN)
        dialog.get_by_label("Remember it on this device").check()
        dialog.get_by_role("button", name="Go on").click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("link", name=re.compile("Hells Bells"))).to_be_visible()
        another = page.context.new_page()
        another.goto("/#/settings")
        another.get_by_role("button", name="Forget the token").click()
        expect(another.get_by_role("dialog", name="Token")).to_be_visible()


def test_a_recording_is_named_though_the_server_starts_again_meanwhile(
    browser: Chromium, music: Music
) -> None:
    title, samples = next(iter(music.known.items()))
    browser.plays(in_noise(samples), music.rate)
    with ExitStack() as first:
        served = first.enter_context(serving(music.settings))
        with browser.page(served.url, "microphone", expected=GONE) as page:
            other = page.context.new_page()
            other.goto("/#/search")
            page.get_by_role("button", name="Listen", exact=True).click()
            expect(page.locator(".level")).not_to_have_attribute("aria-valuenow", QUIET)
            first.close()
            expect(page.locator(".so-far")).to_contain_text(TRYING_AGAIN)
            other.get_by_role("searchbox").fill("hells")
            expect(other.get_by_role("alert")).to_contain_text("The server does not answer")
            with serving(music.settings, port=served.port):
                result = page.get_by_role("article", name="Recognised")
                expect(result.get_by_role("link", name=title, exact=True)).to_be_visible()


@pytest.mark.long
def test_a_tracklist_goes_on_after_the_server_was_killed(browser: Chromium, music: Music) -> None:
    browser.plays(in_noise(next(iter(music.known.values()))), music.rate)
    home, options = music.settings.home, ("--port", str(free_port()), "--token", TOKEN)
    with server_process(home, *options) as (process, url):
        address, _, query = url.partition("?")
        with browser.page(address, "microphone", expected=GONE) as page:
            page.goto(f"/?{query}#/tracklist")
            page.get_by_role("button", name="Listen on").click()
            status = page.get_by_role("status").first
            expect(status).to_contain_text("One by U2")
            process.send_signal(signal.SIGKILL)
            expect(status).to_contain_text(TRYING_AGAIN)
            with server_process(home, *options):
                expect(status).to_contain_text("One by U2")
                page.get_by_role("button", name="Stop listening").click()
                part = page.get_by_role("list", name="Parts").get_by_role("listitem").last
                expect(part).to_contain_text("One")
