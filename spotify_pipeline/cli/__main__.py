"""``python -m spotify_pipeline.cli`` is ``spotify-pipeline``."""

from spotify_pipeline.cli import main

main(prog_name="spotify-pipeline")
