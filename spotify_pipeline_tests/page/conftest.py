"""One server and one browser for all tests of the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from spotify_pipeline_tests.page.browsers import Chromium, chromium
from spotify_pipeline_tests.page.sounds import Music, make_music
from spotify_pipeline_tests.serve.served import Served, serving


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Music:
    return make_music(tmp_path_factory.mktemp("page") / "home")


@pytest.fixture(scope="session")
def server(music: Music) -> Iterator[Served]:
    with serving(music.settings) as served:
        yield served


@pytest.fixture(scope="package")  # it keeps an event loop running, which other tests need to begin
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("browser") / "microphone.wav") as started:
        yield started


@pytest.fixture
def page(browser: Chromium, server: Served) -> Iterator[Page]:
    with browser.page(server.url, "microphone", "clipboard-read", "clipboard-write") as opened:
        yield opened
