"""One server and one browser for all tests of the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from spotify_pipeline.serve.access import Access
from spotify_pipeline_tests.page.browsers import TOKEN, Chromium, Watch, chromium
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


@pytest.fixture(scope="package")
def guarded(music: Music) -> Iterator[Served]:
    with serving(music.settings, Access(TOKEN, None)) as served:
        yield served


@pytest.fixture(scope="package")
def watched(browser: Chromium, server: Served) -> Iterator[tuple[Page, Watch]]:
    with browser.watched(server.url) as opened:
        yield opened


@pytest.fixture
def watch(watched: tuple[Page, Watch]) -> Watch:
    """Give what watches `page`; a test says here which faults it brings about."""
    return watched[1]


@pytest.fixture
def page(watched: tuple[Page, Watch], watch: Watch, server: Served) -> Iterator[Page]:
    """Give a page that is as new: starting another one takes seconds."""
    page, _ = watched
    page.context.grant_permissions(["microphone", "clipboard-read", "clipboard-write"])
    page.goto("about:blank")  # from where the next address loads everything anew
    page.goto(server.url)
    yield page
    page.unroute_all()
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()
    watch.check()
