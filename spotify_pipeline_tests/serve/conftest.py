"""One server for the tests that change nothing of it."""

from collections.abc import Iterator

import httpx
import pytest

from spotify_pipeline.serve.limits import Limits
from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.serve.served import Served, made_home, serving

PATIENT = Limits(decode_seconds=300.0, idle_seconds=300.0)
"""Other tests may keep the processors busy."""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return made_home(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def server(home: Settings) -> Iterator[Served]:
    with serving(home, limits=PATIENT) as served:
        yield served


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    with server.client() as opened:
        yield opened
