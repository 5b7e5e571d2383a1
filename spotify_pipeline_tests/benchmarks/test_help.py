"""Every command's help says what it measures, and what each option is."""

import re
from importlib import import_module

import pytest

from benchmarks.command import ROOT


def commands() -> list[str]:
    """Name the modules that are commands."""
    files = [file for name in ("benchmarks", "training") for file in (ROOT / name).glob("*.py")]
    found = [file for file in files if "\ndef main(" in file.read_text()]
    return sorted(".".join((file.parent.name, file.stem)) for file in found)


def test_there_are_commands() -> None:
    assert {"benchmarks.detection", "training.network"} < set(commands())


@pytest.mark.parametrize("name", commands())
def test_help_says_how_a_command_is_called_and_what_each_option_is(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    if name == "training.network":
        pytest.importorskip("jax", reason="pip install -e '.[training]'")
    command = import_module(name)
    with pytest.raises(SystemExit) as ended:
        command.main(["--help"])
    assert ended.value.code == 0
    described, _, options = capsys.readouterr().out.partition("options:")
    assert f"python -m {name}" in described
    # an option's help begins in its own line after two spaces, or in a line below
    entries = re.split(r"\n  (?=-)", options)[1:]
    assert entries
    assert [entry for entry in entries if not re.search(r"\S(  |\n {8,})\s*\S", entry)] == []


def test_results_name_commands_that_there_are() -> None:
    files = [*ROOT.glob("benchmarks/results/*.md"), *ROOT.glob("docs/*.md"), ROOT / "README.md"]
    named = {
        found
        for file in files
        for found in re.findall(r"python -m ((?:benchmarks|training)\.\w+)", file.read_text())
    }
    assert named
    assert named <= set(commands())
