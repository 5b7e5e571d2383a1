"""``sample-dump`` as a person meets it."""

from pathlib import Path

from click.testing import CliRunner

from spotify_pipeline.cli import main


def test_sample_dump_names_an_unknown_shard(runner: CliRunner, tmp_path: Path) -> None:
    arguments = ["sample-dump", str(tmp_path), str(tmp_path / "out"), "--shards", "zz"]
    result = runner.invoke(main, arguments)
    assert result.exit_code == 1
    assert "zz" in result.output
