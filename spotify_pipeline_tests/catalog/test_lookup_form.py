"""Answers as text: whole, and on one line where programs read them."""

import csv
import io
import json
from dataclasses import replace

from spotify_pipeline.catalog.lookup import Found, Unknown
from spotify_pipeline.catalog.lookup_form import CSV_HEAD, as_csv, as_json, as_text
from spotify_pipeline.catalog.records import Artist, AudioFeatures, Track

BARE = Track("0a", 1, "", (), None, None, None, None, None, None, None, None)
NASTY = 'a "b", c\nd; e'
TRACK = Track(
    "0a", 1, NASTY, (Artist("2B", 1, NASTY, None, None), Artist(None, 2, "Y", 1, 1)), None,
    "GBAYE6500521", 125_400, 83, True, 1, 2, None, ("DE", "FR"), AudioFeatures(96.6, 5, 1, -11.83),
)  # fmt: skip


def row_of(answer: Found | Unknown) -> dict[str, str]:
    (row,) = csv.DictReader(io.StringIO(CSV_HEAD + as_csv(answer)))
    return row


def test_names_with_quotes_and_line_ends_survive_in_json_and_csv() -> None:
    line = as_json(Found(TRACK, indexed=True, asked="0a"))
    assert line.count("\n") == 1
    assert json.loads(line)["title"] == row_of(Found(TRACK, indexed=True))["title"] == NASTY
    assert json.loads(line)["features"]["tempo"] == 96.6


def test_a_row_has_a_value_for_everything() -> None:
    row = row_of(Found(TRACK, indexed=True, releases=(BARE, BARE), asked="x"))
    assert (row["asked"], row["indexed"], row["explicit"], row["key"]) == ("x", "1", "1", "5")
    assert (row["other_releases"], row["markets"]) == ("0a; 0a", "DE; FR")
    assert row["artists"] == f"{NASTY}; Y"


def test_sound_and_length_are_shown_as_people_say_them() -> None:
    shown = as_text(Found(TRACK, indexed=True))
    assert "2:05, popularity 83, explicit" in shown
    assert "97 BPM, F major, -11.8 dB, fingerprint in the index" in shown


def test_escapes_are_written_out_on_the_terminal_alone() -> None:
    hostile = "\x1b]0;owned\x07\x9b2J\ra\nb\u202e"
    found = Found(replace(BARE, title=hostile), indexed=False)
    first, _, third = as_text(found).split("\n")
    assert first == "\\x1b]0;owned\\x07\\x9b2J\\x0da\\x0ab\\u202e"
    assert third == "    track 0a"
    assert json.loads(as_json(found))["title"] == row_of(found)["title"] == hostile


def test_what_is_not_known_is_left_out() -> None:
    found = Found(BARE, indexed=False)
    assert as_text(found).split("\n    ") == ["0a", "no fingerprint in the index", "track 0a"]
    assert json.loads(as_json(found))["album"] is None
    assert row_of(found)["album"] == ""


def test_an_unknown_line_is_an_object_and_a_row_with_its_error() -> None:
    unknown = Unknown("x", "not in the catalogue")
    assert json.loads(as_json(unknown)) == {"asked": "x", "error": "not in the catalogue"}
    assert (row_of(unknown)["asked"], row_of(unknown)["error"]) == ("x", "not in the catalogue")
    assert as_text(unknown) == "x: not in the catalogue"
