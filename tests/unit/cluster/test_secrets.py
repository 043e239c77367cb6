"""No secret is told: not a token in an error, not a password in an address, not a command's arguments."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster import kubeconfig
from kubectl_admin.cluster.address import fault_of, shown
from kubectl_admin.cluster.credentials import Credentials
from kubectl_admin.cluster.errors import ApiError, Unreachable, refusal
from kubectl_admin.cluster.kubeconfig import Overrides, Target
from kubectl_admin.cluster.proxy import proxy_of
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import Says, StandIn, Wire
from tests.fakes.clock import Clock

EXEC = "/api/v1/namespaces/ns/pods/p/exec"
V1 = "client.authentication.k8s.io/v1"
IMPERSONATING = {"token": "t", "as": "a"}


@pytest.mark.parametrize(
    ("user", "header"),
    [
        ({"token": "SECRET\n"}, "Authorization"),
        ({"token": "SECRET\r\nX-Other: y"}, "Authorization"),
        ({"token": "SECRET\x00"}, "Authorization"),
        ({"token": "SECRET\x7f"}, "Authorization"),
        ({"token": "SECRET\ud800"}, "Authorization"),
        ({"token": "SECRET", "as": "a\nb"}, "Impersonate-User"),
        ({**IMPERSONATING, "as-uid": "SECRET\n"}, "Impersonate-Uid"),
        ({**IMPERSONATING, "as-groups": ["g", "SECRET\n"]}, "Impersonate-Group"),
        ({**IMPERSONATING, "as-user-extra": {"k": ["SECRET\n"]}}, "Impersonate-Extra-k"),
    ],
)
def test_what_no_header_may_have_is_refused_by_its_name_alone(
    secure: StandIn, trusting: dict[str, Any], user: dict[str, Any], header: str
) -> None:
    cluster = secure.connect(cluster=trusting, user=user)
    for ask in (lambda: cluster.get("/version"), lambda: cluster.exec("ns", "p", None, ["true"])):
        with pytest.raises(AdminError, match=f'^invalid header field value for "{header}" of user') as caught:
            ask()
        assert "SECRET" not in caught.value.what
    assert secure.asked == []


@pytest.mark.parametrize("value", ["t", "with\ttab and space", "ü", "😀"])
def test_what_a_header_may_have(secure: StandIn, trusting: dict[str, Any], value: str) -> None:
    target = secure.target(cluster=trusting, user={"token": value})
    assert Credentials(target).identity().headers == [("Authorization", f"Bearer {value}")]


@pytest.mark.parametrize("token", ["SECRET\nX: y", "SECRET\ud800"])
def test_a_token_of_a_plugin_that_can_not_be_sent(
    secure: StandIn, trusting: dict[str, Any], tmp_path: Path, token: str
) -> None:
    answer = tmp_path / "answer"
    answer.write_text(json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": {"token": token}}))
    command = {"command": "cat", "args": [str(answer)]}
    user = {"exec": {"apiVersion": V1, **command, "interactiveMode": "Never"}}
    with pytest.raises(AdminError) as caught:
        secure.connect(cluster=trusting, user=user).get("/version")
    assert "SECRET" not in caught.value.what
    assert 'user "user"' in caught.value.what


PASSWORDS = ["u:SECRET@h:99999", "u:SEC/SECRET@h:1", "u:SEC#SECRET@h:1", "u:SEC?SECRET@h:1", "u:SEC SECRET@h"]
BROKEN = [*PASSWORDS, "u:SECRET@[h", "u:SECRET@", "u:SECRET@.h", f"u:SECRET@{'a' * 64}", "u:SECRET@h:0"]


@pytest.mark.parametrize("address", BROKEN)
@pytest.mark.parametrize("scheme", ["https", "socks5", "ftp"])
@pytest.mark.parametrize("field", ["server", "proxy-url"])
def test_an_address_that_is_none_is_refused_before_any_use_and_without_its_password(
    tmp_path: Any, address: str, scheme: str, field: str
) -> None:
    cluster = {"server": "https://127.0.0.1:1", field: f"{scheme}://{address}"}
    entries = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "contexts": [{"name": "x", "context": {"cluster": "c"}}],
        "current-context": "x",
    }
    (tmp_path / "config").write_text(json.dumps(entries))
    with pytest.raises(AdminError, match=f"^invalid configuration: invalid '{field}'") as caught:
        kubeconfig.resolve(Overrides(kubeconfig=str(tmp_path / "config")), {})
    assert "SEC" not in caught.value.what


@pytest.mark.parametrize("address", BROKEN)
@pytest.mark.parametrize("scheme", ["", "http://", "socks5://", "ftp://"])
def test_so_is_a_proxy_of_the_environment(address: str, scheme: str) -> None:
    target = Target("x", "c", "u", "default", {"server": "https://me:SECRET@10.0.0.1:6443"}, {})
    with pytest.raises(AdminError, match=r"^proxy ") as caught:
        proxy_of(target, {"HTTPS_PROXY": scheme + address})
    assert "SEC" not in caught.value.what


@pytest.mark.parametrize(
    "address",
    [
        *[
            "https://h",
            "http://localhost:8080",
            "https://[fd00::1]:6443/k8s/c",
            "https://u:p%2F@h.example:65535",
        ],
        *["socks5://10.0.0.1:1080", "https://bücher.example", "https://a_b.example.", "https://h/a@b"],
    ],
)
def test_what_is_an_address(address: str) -> None:
    assert fault_of(address) is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://u:p@h:1/k", "https://h:1/k"),
        ("https://u:p/@p@h:1/k", "https://h:1/k"),
        ("u:p/p@h:1", "h:1"),
        ("https://h/k?token=t#t", "https://h/k"),
    ],
)
def test_how_an_address_is_shown(address: str, expected: str) -> None:
    assert shown(address) == expected


def test_a_command_does_not_stand_in_an_error(server: StandIn) -> None:
    def refuses(wire: Wire) -> None:
        wire.refuse(Says(500, b""))

    server.on("GET", EXEC, refuses)
    with pytest.raises(ApiError, match=f"no reason given for CONNECT {EXEC}$"):
        server.connect().exec("ns", "p", None, ["mysql", "-pSECRET"])
    assert "SECRET" not in refusal(500, b"", {}, f"GET {EXEC}?command=SECRET").what


def test_what_is_no_http_is_told_without_its_words(server: StandIn) -> None:
    server.on("GET", "/version", Says(302, b"", {"Location": "http://[SECRET"}))
    server.clock = Clock()
    with pytest.raises(Unreachable, match=r"has sent something that is not HTTP$"):
        server.connect().get("/version")
