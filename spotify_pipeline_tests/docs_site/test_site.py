"""The documentation site: it is built of the repository, and what leads nowhere fails the build."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("docs", "benchmarks/results", "mkdocs.yml", "CONTRIBUTING.md", "CHANGELOG.md")


def make_copy(folder: Path) -> Path:
    """Copy the pages of the site, which is then built by the code of the repository."""
    for source in SOURCES:
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, target)
    (folder / "docs_site").symlink_to(ROOT / "docs_site")
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a folder strictly."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as it is."""
    folder = make_copy(tmp_path_factory.mktemp("pages"))
    built = build(folder)
    assert built.returncode == 0, built.stderr
    return folder / "build" / "site"


@pytest.mark.parametrize(
    ("page", "content"),
    [
        ("configuration.html", 'id="spotify_pipeline_home"'),
        ("commands.html", "--false-accepts SHARE"),
        ("formats.html", "bits 0 to 11: pitch classes"),
        ("architecture.html", 'class="flow-thing"'),
        ("results/detection.html", "accepted and right"),
        ("contributing.html", "make test"),
        ("changelog.html", "Unreleased"),
    ],
)
def test_pages_are_filled_in_from_code_and_repository(site: Path, page: str, content: str) -> None:
    text = (site / page).read_text()
    assert content in text
    assert "<!-- " not in text.partition("<article")[2].partition("</article>")[0]


def test_nothing_is_fetched_from_elsewhere_when_a_page_is_read(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert 'src="http' not in text
        assert 'rel="stylesheet" href="http' not in text


def test_what_leads_nowhere_fails_the_build_and_is_named(tmp_path: Path) -> None:
    docs = make_copy(tmp_path) / "docs"
    lost = ["nowhere.md", "configuration.md#nothing", "images/none.png"]
    links = "\n".join(f"![lost]({link})" if "png" in link else f"[lost]({link})" for link in lost)
    (docs / "dump.md").write_text(f"# Dump\n\n{links}\n")
    (docs / "orphan.md").write_text("# A page that the navigation lacks\n")
    built = build(tmp_path)
    assert built.returncode != 0
    assert [name for name in [*lost, "orphan.md"] if name not in built.stderr] == []


def test_a_module_that_is_not_there_fails_the_build_and_is_named(tmp_path: Path) -> None:
    page = make_copy(tmp_path) / "docs" / "dump.md"
    page.write_text("# Dump\n\n<!-- docstring spotify_pipeline.nowhere -->\n")
    built = build(tmp_path)
    assert built.returncode != 0
    assert "spotify_pipeline/nowhere.py" in built.stderr
