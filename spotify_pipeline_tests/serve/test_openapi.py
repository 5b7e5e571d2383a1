"""Whatever the OpenAPI document allows, and much that it does not, is answered without failing."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from spotify_pipeline_tests.serve.served import Served

EXAMPLES = 4
"""Of each route; more were tried by hand."""


@pytest.fixture(scope="module")
def described(server: Served) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_fails_the_server(case: Any) -> None:
    case.call_and_validate(checks=[not_a_server_error])


def test_every_route_says_what_it_does_and_how_it_fails(described: Any) -> None:
    routes = [
        (path, method, route)
        for path, methods in described.raw_schema["paths"].items()
        for method, route in methods.items()
    ]
    assert len(routes) > 15
    for path, method, route in routes:
        assert route["summary"] and route["description"], (path, method)
        problem = route["responses"]["4XX"]["content"]
        assert list(problem) == ["application/problem+json"]
