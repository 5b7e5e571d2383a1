"""The page searches, is used by the keyboard, and fits a phone."""

import re

from playwright.sync_api import Page, Route, expect

from spotify_pipeline_tests.catalogue_made import album_id, artist_id, track_id
from spotify_pipeline_tests.page.browsers import Chromium, Watch
from spotify_pipeline_tests.serve.served import Served

PHONE = {"width": 360, "height": 740}

VIEWS = (
    "listen",
    "tracklist",
    "search?q=yesterday",
    "history",
    "settings",
    f"track/{track_id(2)}",
    f"album/{album_id(1)}",
    f"artist/{artist_id(2)}",
)

WIDER_THAN_THE_SCREEN = "document.documentElement.scrollWidth > window.innerWidth"

SMALL_TARGETS = """
[...document.querySelectorAll("button, nav a, .row, .drop, label.switch")]
    .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 43.5)
    .map((each) => each.outerHTML)
"""

WITHOUT_NAMES = """
[...document.querySelectorAll("button, a, input, dialog, meter, progress")].filter((each) =>
    !each.textContent.trim() && !each.ariaLabel && !each.labels?.length && each.offsetParent
).map((each) => each.outerHTML)
"""


def test_the_catalogue_answers_while_one_types_and_the_keyboard_is_enough(page: Page) -> None:
    page.keyboard.press("/")
    field = page.get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.type("yesterd")
    results = page.get_by_role("list", name="Results").get_by_role("link")
    expect(results).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(results.first).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_be_focused()
    page.keyboard.press("Enter")
    expect(results.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Yesterday"))
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("yesterd")
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(results).to_have_count(0)


def test_an_answer_to_earlier_words_is_dropped(page: Page) -> None:
    def answer_late(route: Route) -> None:
        page.wait_for_timeout(800)
        route.continue_()

    page.route(re.compile("q=one&"), answer_late)
    page.goto("/#/search?q=one")
    page.get_by_role("searchbox").fill("hells")
    found = page.get_by_role("link", name=re.compile("Hells Bells"))
    expect(found).to_be_visible()
    page.wait_for_timeout(1000)
    expect(found).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^One"))).to_have_count(0)


def test_whoever_has_gone_down_to_a_result_stays_there_when_the_next_answer_comes(
    page: Page,
) -> None:
    page.goto("/#/search?q=yesterday")
    results = page.get_by_role("list", name="Results").get_by_role("link")
    expect(results).to_have_count(2)

    def go_down_before_it_comes(route: Route) -> None:
        page.keyboard.press("ArrowDown")
        page.evaluate("document.activeElement.id = 'earlier'")
        route.continue_()

    page.route(re.compile("q=yesterd&"), go_down_before_it_comes)
    with page.expect_response(re.compile("q=yesterd&")):
        page.get_by_role("searchbox").fill("yesterd")
    expect(page.locator("#earlier")).to_have_count(0)
    expect(results.first).to_be_focused()


def test_search_takes_kinds_and_years_and_its_address_holds_them(page: Page) -> None:
    page.goto("/#/search?q=beatles&year=2000")
    expect(page.get_by_role("link", name=re.compile("Yesterday - Remastered"))).to_be_visible()
    results = page.get_by_role("list", name="Results").get_by_role("link")
    expect(results).to_have_count(1)
    page.get_by_text("Albums", exact=True).click()
    expect(results).to_contain_text("1 (Remastered)")
    expect(page).to_have_url(re.compile(r"#/search\?q=beatles&type=album&year=2000$"))
    page.get_by_label("Years").fill("1960-1999")
    expect(results).to_contain_text("Help!")
    page.get_by_text("Artists", exact=True).click()
    expect(results).to_contain_text("The Beatles")


def test_tracks_albums_and_artists_lead_to_each_other(page: Page) -> None:
    page.goto(f"/#/track/{track_id(2)}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Yesterday")
    page.get_by_role("link", name="Help!", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Help!")
    expect(page.get_by_text("077774643924")).to_have_count(0)  # it is copied by a button
    page.get_by_role("link", name="The Beatles", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The Beatles")
    expect(page.get_by_role("list", name="Genres")).to_contain_text("british invasion")
    expect(page.get_by_role("link", name=re.compile("1 \\(Remastered\\).*2000"))).to_be_visible()


def test_what_the_catalogue_lacks_is_said(page: Page, watch: Watch) -> None:
    watch.expected = "404"
    page.goto(f"/#/track/{'x' * 22}")
    expect(page.get_by_role("alert")).to_contain_text("not in the catalogue")


def test_the_other_releases_of_a_recording_are_listed(page: Page) -> None:
    page.goto(f"/#/track/{track_id(2)}")
    releases = page.get_by_role("region", name="Releases")
    expect(releases.get_by_role("link")).to_contain_text("Yesterday - Remastered 2009")


def test_another_host_is_asked_for_covers_only_when_they_are_switched_on(
    page: Page, watch: Watch
) -> None:
    page.goto(f"/#/album/{album_id(1)}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Achtung Baby")
    expect(page.locator("main img")).to_have_count(0)
    page.goto("/#/settings")
    page.get_by_role("switch").click()  # which loads the page anew
    expect(page.get_by_role("switch")).to_be_checked()
    assert watch.faults == []
    elsewhere = "i.example"  # of the catalogue's picture: the policy lets none but Spotify's pass
    watch.expected = elsewhere
    page.goto(f"/#/album/{album_id(1)}")
    expect(page.locator("main img")).to_have_attribute("src", re.compile(elsewhere))


def test_every_view_fits_a_phone_and_has_names_for_all_its_controls(
    browser: Chromium, server: Served
) -> None:
    with browser.page(server.url, viewport=PHONE, has_touch=True, color_scheme="dark") as page:
        for view in VIEWS:
            page.goto(f"/#/{view}")
            expect(page.locator("main h1")).to_be_attached()
            page.wait_for_load_state("networkidle")
            assert not page.evaluate(WIDER_THAN_THE_SCREEN), view
            assert page.evaluate(SMALL_TARGETS) == [], view
            assert page.evaluate(WITHOUT_NAMES) == [], view


def test_the_page_can_be_put_on_a_home_screen(page: Page) -> None:
    manifest = page.evaluate(
        "fetch(document.querySelector('link[rel=manifest]').href).then((said) => said.json())"
    )
    assert manifest["display"] == "standalone"
    icons = {icon["src"]: icon["sizes"] for icon in manifest["icons"]}
    sizes = page.evaluate(
        """async (icons) => Object.fromEntries(await Promise.all(icons.map(async (src) => {
            const picture = new Image();
            picture.src = src;
            await picture.decode();
            return [src, `${picture.naturalWidth}x${picture.naturalHeight}`];
        })))""",
        [src for src, size in icons.items() if size != "any"],
    )
    assert sizes == {src: size for src, size in icons.items() if size != "any"}
    assert {"192x192", "512x512"} <= set(sizes.values())
