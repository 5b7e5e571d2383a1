"""The page makes tracklists, which the user corrects and exports."""

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from spotify_pipeline_tests.page.browsers import Chromium
from spotify_pipeline_tests.page.sounds import Music, in_noise

PART_SECONDS = 30
"""Of each piece in a mix."""

OURS = {
    "track_id": None,
    "title": 'A "B"',
    "artists": ["C", "D"],
    "album": None,
    "isrc": "XXDMO8800012",
    "confidence": None,
    "position": None,
}


def _mix(music: Music, folder: Path) -> Path:
    """Put the pieces one after the other, the unknown one between them."""
    first, second, *_ = music.known.values()
    some = PART_SECONDS * music.rate
    mix = np.concatenate([first[:some], music.unknown[:some], second[some : 2 * some]])
    soundfile.write(folder / "mix.flac", mix, music.rate)
    return folder / "mix.flac"


def _exported(page: Page, kind: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Export {kind}").click()
    return Path(download.value.path()).read_text()


def test_a_mix_becomes_a_tracklist_that_is_corrected_and_exported(
    page: Page, music: Music, tmp_path: Path
) -> None:
    page.goto("/#/tracklist")
    page.locator("input[type=file]").set_input_files(_mix(music, tmp_path))
    parts = page.get_by_role("list", name="Parts").get_by_role("listitem")
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_visible()  # all is read
    expect(parts).to_have_count(3)
    expect(parts.nth(0)).to_contain_text("One")
    expect(parts.nth(1)).to_contain_text("Unknown")
    expect(parts.nth(2)).to_contain_text("Love Is Blindness")

    parts.nth(1).get_by_role("button", name="Correct").click()
    page.get_by_label("Begins at").fill("0:29")
    page.get_by_label("Title").fill("hells")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Hells Bells")).click()
    page.get_by_role("button", name="Save").click()
    expect(parts.nth(1)).to_contain_text("Hells Bells")
    page.reload()
    expect(parts.nth(1)).to_contain_text("corrected")

    rows = list(csv.DictReader(io.StringIO(_exported(page, "CSV"))))
    assert [row["title"] for row in rows] == ["One", "Hells Bells", "Love Is Blindness"]
    assert (rows[0]["end"], rows[1]["start"]) == ("29", "29")
    timeline = json.loads(_exported(page, "JSON"))["timeline"]
    assert [part["track"]["title"] for part in timeline] == [row["title"] for row in rows]
    cue = _exported(page, "CUE").splitlines()
    assert cue[0] == 'FILE "mix.flac" WAVE'
    assert "    INDEX 01 00:29:00" in cue


@pytest.mark.long
def test_a_mix_of_half_an_hour_becomes_a_tracklist(
    page: Page, music: Music, tmp_path: Path
) -> None:
    pieces = {**music.known, "Unknown": music.unknown}
    titles = [list(pieces)[number % len(pieces)] for number in range(24)]
    mix = np.concatenate([pieces[title] for title in titles])
    assert len(mix) > 1800 * music.rate
    soundfile.write(tmp_path / "night.flac", mix, music.rate)
    page.goto("/#/tracklist")
    page.locator("input[type=file]").set_input_files(tmp_path / "night.flac")
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_visible(timeout=600_000)
    named = page.locator(".parts .row-title").all_inner_texts()
    assert named == titles


@pytest.mark.long
def test_the_tracklist_grows_by_the_microphone_while_other_views_are_open(
    page: Page, browser: Chromium, music: Music
) -> None:
    browser.plays(in_noise(next(iter(music.known.values()))), music.rate)
    page.goto("/#/tracklist")
    page.get_by_role("button", name="Listen on").click()
    expect(page.get_by_role("status").first).to_contain_text("One by U2")
    page.get_by_role("link", name="Search").click()
    page.wait_for_timeout(25_000)
    page.get_by_role("link", name="Tracklist").click()
    page.get_by_role("button", name="Stop listening").click()
    part = page.get_by_role("list", name="Parts").get_by_role("listitem").first
    expect(part).to_contain_text("One")


def _evaluated(page: Page, call: str, parts: Sequence[dict[str, Any]], *more: object) -> Any:
    module, function = call.split(":")
    return page.evaluate(
        f"async (given) => (await import('/page/tracklist/{module}.js')).{function}(...given)",
        [parts, *more],
    )


def test_parts_that_become_known_replace_those_after_their_start_but_no_corrections(
    page: Page,
) -> None:
    def part(start: float, end: float, *, by_hand: bool = False) -> dict[str, Any]:
        made: dict[str, Any] = {"start": start, "end": end, "track": None}
        return made | ({"corrected": True} if by_hand else {})

    def spans(parts: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
        return [(each["start"], each["end"]) for each in parts]

    known = [part(0, 30), part(30, 60), part(60, 90)]
    assert spans(_evaluated(page, "parts:withPart", known, part(45, 95))) == [
        (0, 30),
        (30, 45),
        (45, 95),
    ]
    by_hand = [part(0, 30), part(30, 60, by_hand=True)]
    assert spans(_evaluated(page, "parts:withPart", by_hand, part(30, 75))) == [(0, 30), (30, 75)]
    assert spans(_evaluated(page, "parts:withPart", by_hand, part(60, 75))) == [
        (0, 30),
        (30, 60),
        (60, 75),
    ]
    assert spans(_evaluated(page, "parts:without", known, 1)) == [(0, 60), (60, 90)]
    assert spans(_evaluated(page, "parts:split", known, 0))[:2] == [(0, 15), (15, 30)]


def test_what_a_cue_sheet_and_a_table_can_not_hold_is_written_otherwise(page: Page) -> None:
    part = {"start": 3601.5, "end": 3700, "track": OURS}
    cue = _evaluated(page, "exports:asCue", [part], 'a "b".mp3')
    assert cue.splitlines() == [
        "FILE \"a 'b'.mp3\" MP3",
        "  TRACK 01 AUDIO",
        "    TITLE \"A 'B'\"",
        '    PERFORMER "C, D"',
        "    ISRC XXDMO8800012",
        "    INDEX 01 60:01:38",
    ]
    [row] = csv.DictReader(io.StringIO(_evaluated(page, "exports:asCsv", [part])))
    assert (row["title"], row["artists"], row["confidence"]) == ('A "B"', "C; D", "")
