"""What is read from tags and file names, damaged ones included."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from mutagen.asf import ASFTags
from mutagen.flac import FLAC
from mutagen.id3 import TALB, TCON, TDRC, TIT2, TPE1, TPOS, TPUB, TRCK, TSRC
from mutagen.mp4 import MP4FreeForm, MP4Tags
from mutagen.wave import WAVE

from spotify_pipeline.sample_dump.tags import UNKNOWN_ARTIST, Tags, read_tags
from spotify_pipeline_tests.shared import shared_path


def audio_file(path: Path, **tags: Any) -> Path:
    """Write half a second of silence, with Vorbis comments where it is FLAC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(4000, np.float32), 8000)
    if tags:
        file = FLAC(path)
        file.update(tags)
        file.save()
    return path


EVERYTHING = Tags(
    title="Nile",
    artists=("Ann", "Bob"),
    album="Rivers",
    date="2004-05-06",
    track_number=3,
    disc_number=2,
    isrc="GBAYE0601498",
    genres=("Ambient",),
    label="Small Label",
)


def test_vorbis_comments_are_read(tmp_path: Path) -> None:
    path = audio_file(
        tmp_path / "a.flac",
        title="Nile",
        artist=["Ann", "Bob"],
        album="Rivers",
        date="2004-05-06",
        tracknumber="03/12",
        discnumber="2",
        isrc="GB-AYE-06-01498",
        genre="Ambient",
        organization="Small Label",
    )
    assert read_tags(path) == EVERYTHING


def test_id3_inside_wav_is_read(tmp_path: Path) -> None:
    path = audio_file(tmp_path / "a.wav")
    file = WAVE(path)
    file.add_tags()
    frames = {TIT2: "Nile", TPE1: ["Ann", "Bob"], TALB: "Rivers", TDRC: "2004-05-06", TRCK: "3/12"}
    frames |= {TPOS: "2", TSRC: "GBAYE0601498", TCON: "(26)", TPUB: "Small Label"}
    for frame, text in frames.items():
        file.tags.add(frame(encoding=3, text=text))
    file.save()
    assert read_tags(path) == EVERYTHING


def mp4_tags() -> MP4Tags:
    tags = MP4Tags()
    texts = {"\xa9nam": "Nile", "\xa9alb": "Rivers", "\xa9day": "2004-05-06", "\xa9gen": "Ambient"}
    tags.update({key: [text] for key, text in texts.items()})
    tags.update({"\xa9ART": ["Ann", "Bob"], "trkn": [(3, 12)], "disk": [(2, 0)]})
    for name, text in {"ISRC": b"GBAYE0601498", "LABEL": b"Small Label"}.items():
        tags[f"----:com.apple.iTunes:{name}"] = [MP4FreeForm(text)]
    return tags


def asf_tags() -> ASFTags:
    tags = ASFTags()
    tags["Title"], tags["Author"], tags["WM/AlbumTitle"] = "Nile", ["Ann", "Bob"], "Rivers"
    tags["WM/Year"], tags["WM/TrackNumber"], tags["WM/PartOfSet"] = "2004-05-06", 3, "2/2"
    tags["WM/ISRC"], tags["WM/Genre"], tags["WM/Publisher"] = (
        "GBAYE0601498",
        "Ambient",
        "Small Label",
    )
    return tags


@pytest.mark.parametrize("tags", [mp4_tags(), asf_tags()], ids=["mp4", "asf"])
def test_tags_of_formats_that_only_ffmpeg_writes_are_read(
    tags: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutagen.File", lambda path: SimpleNamespace(tags=tags))
    assert read_tags(Path("a.m4a")) == EVERYTHING


@pytest.mark.parametrize(
    ("name", "artist", "title"),
    [
        ("Ann - Nile.wav", "Ann", "Nile"),
        ("Ann - Nile - Live.wav", "Ann", "Nile - Live"),
        ("Nile.wav", UNKNOWN_ARTIST, "Nile"),
        ("Ann-Nile.wav", UNKNOWN_ARTIST, "Ann-Nile"),
        (" - Nile.wav", UNKNOWN_ARTIST, "- Nile"),
        ("Bob/Nile.wav", "Bob", "Nile"),
        ("Bob/Ann - Nile.wav", "Ann", "Nile"),
    ],
)
def test_a_name_tells_what_the_tags_do_not(
    tmp_path: Path, name: str, artist: str, title: str
) -> None:
    tags = read_tags(audio_file(tmp_path / name), tmp_path)
    assert tags == Tags(title=title, artists=(artist,))


def test_tags_go_before_the_name_field_by_field(tmp_path: Path) -> None:
    tags = read_tags(audio_file(tmp_path / "Ann - Nile.flac", title="Delta"))
    assert (tags.title, tags.artists) == ("Delta", ("Ann",))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2004", "2004"),
        ("2004-05", "2004-05"),
        ("2004-05-06T10:11:12", "2004-05-06"),
        ("2004-00-00", "2004"),
        ("2004-13-01", "2004"),
        ("May 2004", None),
    ],
)
def test_a_date_keeps_its_well_formed_part(tmp_path: Path, written: str, read: str | None) -> None:
    assert read_tags(audio_file(tmp_path / "a.flac", date=written)).date == read


def test_malformed_fields_count_as_missing(tmp_path: Path) -> None:
    path = audio_file(
        tmp_path / "a.flac", title=" \x00 ", isrc="none", tracknumber="A", discnumber="0"
    )
    assert read_tags(path, tmp_path) == Tags(title="a", artists=(UNKNOWN_ARTIST,))


def test_control_characters_do_not_get_through(tmp_path: Path) -> None:
    assert read_tags(audio_file(tmp_path / "a.flac", title="Ni\nle\x07")).title == "Ni le"


@pytest.mark.parametrize(
    "content", [b"", b"fLaC", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", b"\xff" * 99]
)
def test_damaged_files_count_as_untagged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Ann - Nile.mp3"
    path.write_bytes(content)
    assert read_tags(path) == Tags(title="Nile", artists=("Ann",))


def test_real_music_without_tags_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "Sunrise.ogg"
    shutil.copyfile(shared_path("music", "Sunrise.ogg"), path)
    assert read_tags(path, tmp_path) == Tags(title="Sunrise", artists=(UNKNOWN_ARTIST,))
