"""``fingerprint`` as a person meets it."""

import json
from pathlib import Path

import numpy as np
import soundfile
from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.demo.composer import write_pieces


def test_fingerprint_gives_a_line_a_file_and_fails_at_the_end(
    runner: CliRunner, tmp_path: Path
) -> None:
    (piece,) = write_pieces(tmp_path, 1)
    result = runner.invoke(main, ["fingerprint", str(tmp_path / "none.wav"), str(piece)])
    first, second = result.stdout.splitlines()
    assert result.exit_code == 1
    assert "no such file" in first
    assert '"echoprint_version":4.12' in second


def test_fingerprint_takes_a_folder(runner: CliRunner, tmp_path: Path) -> None:
    for name in ("b.wav", "a/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, np.zeros(11_025), 11_025)
    result = runner.invoke(main, ["fingerprint", str(tmp_path)])
    assert result.exit_code == 0
    shown = [json.loads(line)["file"] for line in result.stdout.splitlines()]
    assert shown == [str(tmp_path / "a" / "c.wav"), str(tmp_path / "b.wav")]
