"""Where a redirect is followed, and what goes along."""

from typing import Any

import pytest

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError
from kubectl_admin.cluster.transport import REDIRECTS
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import Says, StandIn

USER = {"token": "t", "as": "ann", "as-groups": ["g"], "as-user-extra": {"k": ["v"]}}


def to(where: str, status: int = 307) -> Says:
    """A redirect."""
    return Says(status, b"", {"Location": where})


@pytest.fixture
def cluster(secure: StandIn, trusting: dict[str, Any]) -> Cluster:
    return secure.connect(cluster=trusting, user=USER)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_one_to_the_same_server_is_followed_with_all_that_was_sent(
    secure: StandIn, cluster: Cluster, status: int
) -> None:
    secure.on("GET", "/version", to("/elsewhere?a=b", status))
    secure.on("GET", "/elsewhere", Says(body={"done": True}))
    assert cluster.get("/version") == {"done": True}
    first, second = secure.asked
    assert first.headers == second.headers
    assert second.query == [("a", "b")]


def test_another_server_is_not_shown_who_asks(secure: StandIn) -> None:
    cluster = secure.connect(cluster={"insecure-skip-tls-verify": True}, user=USER)
    secure.on("GET", "/version", to(f"{secure.url.replace('127.0.0.1', 'localhost')}/there"))
    secure.on("GET", "/there", Says(body={}))
    cluster.get("/version")
    assert "authorization" in secure.asked[0].headers
    assert [
        name for name in secure.asked[1].headers if name.startswith(("authorization", "impersonate"))
    ] == []


@pytest.mark.parametrize("where", ["http://u:p@h:1/x", "ftp://u:p@h/x", "https://u:p@.h/"])
def test_none_is_followed_to_where_nothing_is_encrypted_or_nobody_is(
    secure: StandIn, cluster: Cluster, where: str
) -> None:
    secure.on("GET", "/version", to(where))
    with pytest.raises(AdminError, match=r"redirects GET to .*, which is not followed$") as caught:
        cluster.get("/version")
    assert "u:p" not in caught.value.what
    assert len(secure.asked) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_change_is_sent_to_nobody_else(secure: StandIn, cluster: Cluster, method: str, status: int) -> None:
    secure.on(method, "/thing", to("/elsewhere", status))
    with pytest.raises(AdminError, match=f"redirects {method} to "):
        cluster._change(method, "/thing", [], {}, timeout=None)
    assert len(secure.asked) == 1


def test_a_circle_ends(secure: StandIn, cluster: Cluster) -> None:
    secure.on("GET", "/version", to("/version"))
    with pytest.raises(ApiError) as caught:
        cluster.get("/version")
    assert caught.value.status == 307
    assert len(secure.asked) == 1 + REDIRECTS
