"""Who may ask, and what keeps a page in its place."""

from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from spotify_pipeline.serve.access import Access
from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.serve.served import Served, serving

TOKEN = "a token for tests"
GUEST = "https://guest.example"


@pytest.fixture(scope="module")
def guarded(home: Settings) -> Iterator[Served]:
    with serving(home, Access(TOKEN, hosts=None, origins=(GUEST,))) as served:
        yield served


@pytest.mark.parametrize("path", ["/v1/search?q=one", "/api/status", "/metrics", "/openapi.json"])
def test_without_the_token_nothing_is_told(guarded: Served, path: str) -> None:
    with guarded.client() as client:
        for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": "Basic x"}):
            refused = client.get(path, headers=headers)
            assert (refused.status_code, refused.json()["status"]) == (401, 401)
            assert refused.headers["www-authenticate"] == "Bearer"
        assert client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert client.get(path, params={"token": TOKEN, "q": "one"}).status_code == 200


def test_the_page_and_health_need_no_token(guarded: Served) -> None:
    with guarded.client() as client:
        for path in ("/", "/page/index.html", "/health"):
            assert client.get(path).status_code == 200


def test_a_websocket_needs_the_token(guarded: Served) -> None:
    address = f"ws://127.0.0.1:{guarded.port}/api/listen"
    with pytest.raises(InvalidStatus) as refused, connect(address):
        pass
    assert refused.value.response.status_code == 401
    with connect(f"{address}?token={TOKEN.replace(' ', '+')}") as socket:
        socket.send("hello")
        assert "problem" in str(socket.recv())


def test_only_pages_of_named_sites_may_read_answers(guarded: Served, client: httpx.Client) -> None:
    with guarded.client(headers={"Authorization": f"Bearer {TOKEN}"}) as asking:
        named = asking.get("/health", headers={"Origin": GUEST})
        other = asking.get("/health", headers={"Origin": "https://other.example"})
    assert named.headers["access-control-allow-origin"] == GUEST
    assert "access-control-allow-origin" not in other.headers
    unnamed = client.get("/health", headers={"Origin": GUEST})
    assert "access-control-allow-origin" not in unnamed.headers


def test_a_name_that_leads_here_by_a_trick_is_refused(client: httpx.Client) -> None:
    refused = client.get("/api/status", headers={"Host": "evil.example:8765"})
    assert refused.status_code == 421
    assert client.get("/api/status", headers={"Host": "localhost"}).status_code == 200


def test_every_answer_says_what_a_page_may_load(client: httpx.Client) -> None:
    for path in ("/", "/page/index.html", "/nothing"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
    asked_for = client.get("/", headers={"Cookie": "a=b; covers=on"})
    assert "img-src 'self' blob: https://i.scdn.co" in asked_for.headers["content-security-policy"]


def test_no_path_leads_out_of_the_page(client: httpx.Client) -> None:
    for path in ("/page/../access.py", "/page/%2e%2e/access.py", "/page//etc/passwd"):
        assert client.get(path).status_code == 404
