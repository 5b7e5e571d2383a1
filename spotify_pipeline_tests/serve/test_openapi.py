"""Whatever the OpenAPI document allows, and much that it does not, is answered without failing."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from spotify_pipeline_tests.serve.served import Served

EXAMPLES = 2
"""Of each route; more were tried by hand."""


@pytest.fixture(scope="module")
def described(server: Served) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def test_no_request_fails_the_server(described: Any) -> None:
    asked = 0
    for operation in described.get_all_operations():

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.ok().as_strategy())
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(timeout=60)
            assert answer.status_code < 500, (case.as_curl_command(), answer.text)

        ask()
    assert asked > 15


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
