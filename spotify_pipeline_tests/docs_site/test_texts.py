"""README and pages say what is there: files, settings, commands and options."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from spotify_pipeline.cli import main
from spotify_pipeline.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
EVERYWHERE = {"--help", "--version", "-h"}


def commands_typed(text: str) -> Iterator[list[str]]:
    """Give the words after ``spotify-pipeline`` wherever it is typed in a console."""
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        for line in block.replace("\\\n", " ").splitlines():
            typed = re.match(r"\$ (?:\w+=\S+ )*(?:\S*/)?spotify-pipeline (.*)", line)
            if typed:
                yield typed.group(1).partition("#")[0].split()


def test_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("text", ["README.md", "CONTRIBUTING.md", "benchmarks/results/README.md"])
def test_files_that_a_text_links_to_are_there(text: str) -> None:
    file = ROOT / text
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", file.read_text())
    relative = [link for link in links if "://" not in link]
    assert relative
    assert [link for link in relative if not (file.parent / link).is_file()] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_settings_that_a_text_names_are_read(text: Path) -> None:
    known = {setting.variable for setting in SETTINGS}
    assert set(re.findall(r"SPOTIFY_PIPELINE_[A-Z_]+[A-Z]", text.read_text())) <= known


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_commands_and_options_that_a_text_shows_exist(text: Path) -> None:
    for word, *rest in commands_typed(text.read_text()):
        command = main.commands[word]
        options = {
            option
            for parameter in command.params
            if isinstance(parameter, click.Option)
            for option in parameter.opts
        }
        assert {one for one in rest if one.startswith("--")} <= options | EVERYWHERE


def test_each_result_says_how_it_was_measured() -> None:
    results = sorted((ROOT / "benchmarks" / "results").glob("*.md"))
    made_of_others = {"README.md", "full-scale.md"}
    measured = [file for file in results if file.name not in made_of_others]
    assert measured
    for file in measured:
        text = file.read_text()
        assert "| Machine |" in text
        assert "| Version |" in text
        assert re.search(r"```console\n\$ python ", text)


def test_pages_show_the_modules_of_every_package() -> None:
    pages = "\n".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    packages = [
        ".".join(file.parent.relative_to(ROOT).parts)
        for file in (ROOT / "spotify_pipeline").rglob("__init__.py")
    ]
    assert [name for name in packages if f"<!-- modules {name} -->" not in pages] == []
