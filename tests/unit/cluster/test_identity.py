"""Who a server takes us for, held against who it takes a real kubectl for, in requests and channels alike."""

import base64
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from kubectl_admin.cluster import credentials, kubeconfig
from kubectl_admin.cluster import plugin as credential_plugin
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import NothingSent, Unauthorized, Unreachable
from kubectl_admin.cluster.kubeconfig import Overrides
from kubectl_admin.cluster.retry import Retry, is_transient
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import Asked, Says, StandIn, Wire, status
from tests.fakes.clock import Clock
from tests.unit.cluster.conftest import Authority, new_authority
from tests.unit.cluster.kubectl import kubectl

V1, V1BETA1 = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"
EXEC = "/api/v1/namespaces/ns/pods/p/exec"
PORT = "/api/v1/namespaces/ns/pods/p/portforward"


def b64(pem: bytes) -> str:
    """As it stands in a kubeconfig."""
    return base64.b64encode(pem).decode()


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A credential plugin of these lines of Python; `say` prints a credential's status."""

    def make(*lines: str, version: str = V1, **more: Any) -> dict[str, Any]:
        path = tmp_path / "bin" / "login"
        path.parent.mkdir(exist_ok=True)
        helper = f"""#!{sys.executable} -IS
import json, os, sys
asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
def say(**status):
    print(json.dumps({{"kind": "ExecCredential", "apiVersion": "{version}", "status": status}}))
"""
        path.write_text(helper + "\n".join(lines))
        path.chmod(0o700)
        return {"apiVersion": version, "command": "./bin/login", "interactiveMode": "Never", **more}

    return make


@pytest.fixture
def given(tmp_path: Path, secure: StandIn, trusting: dict[str, Any]) -> Callable[..., dict[str, str]]:
    """Writes a kubeconfig for the secure server with this user; the environment that names it."""

    def write(user: dict[str, Any], **cluster: Any) -> dict[str, str]:
        entries = {
            "clusters": [{"name": "c", "cluster": {"server": secure.url, **trusting, **cluster}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (tmp_path / "config").write_text(yaml.safe_dump(entries))
        return {"KUBECONFIG": str(tmp_path / "config"), "HOME": str(tmp_path)}

    return write


def connected(environ: dict[str, str], *, clock: Any = time, **flags: Any) -> Cluster:
    """A connection as the program makes it."""
    return Cluster.connect(kubeconfig.resolve(Overrides(**flags), environ), clock=clock)


def at_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a person at a terminal in front of the program."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))


def identity(asked: Asked) -> dict[str, Any]:
    """All that says who asks."""
    said = {
        name: values
        for name, values in asked.headers.items()
        if name == "authorization" or name.startswith("impersonate-")
    }
    return {"client": asked.client, **said}


def as_kubectl(
    server: StandIn, environ: dict[str, str], tmp_path: Path, *flags: str, **overrides: Any
) -> dict[str, Any]:
    """Who we are, after a request, a command and a port-forward have all been seen to be kubectl's user."""

    def command(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        wire.end()

    server.on("GET", "/version", Says(body={}))
    server.on("GET", EXEC, command)
    server.on("GET", PORT, lambda wire: wire.accept("v4.channel.k8s.io"))
    done = kubectl("get", "--raw", "/version", *flags, environ=environ, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    cluster = connected(environ, **overrides)
    cluster.get("/version")
    cluster.exec("ns", "p", None, ["true"]).run()
    cluster.port_forward("ns", "p", 1).close()
    theirs, *ours = [identity(asked) for asked in server.asked]
    assert ours == [theirs] * 3
    return theirs


def test_token(secure: StandIn, given: Any, tmp_path: Path) -> None:
    seen = as_kubectl(secure, given({"token": "t"}), tmp_path)
    assert seen == {"client": None, "authorization": ["Bearer t"]}


def test_token_file(secure: StandIn, given: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-file\n")
    seen = as_kubectl(secure, given({"tokenFile": "token", "token": "of-config"}), tmp_path)
    assert seen["authorization"] == ["Bearer of-file"]


def test_password(secure: StandIn, given: Any, tmp_path: Path) -> None:
    seen = as_kubectl(secure, given({"username": "ü", "password": "p:w"}), tmp_path)
    assert seen["authorization"] == ["Basic " + base64.b64encode("ü:p:w".encode()).decode()]


def test_certificate_data_and_token(
    secure: StandIn, given: Any, tmp_path: Path, authority: Authority
) -> None:
    pair = authority.issue("admin")
    user = {"client-certificate-data": b64(pair.certificate), "client-key-data": b64(pair.key), "token": "t"}
    assert as_kubectl(secure, given(user), tmp_path) == {"client": "admin", "authorization": ["Bearer t"]}


def test_certificate_files(secure: StandIn, given: Any, tmp_path: Path, authority: Authority) -> None:
    pair = authority.issue("admin")
    (tmp_path / "me.crt").write_bytes(pair.certificate)
    (tmp_path / "me.key").write_bytes(pair.key)
    environ = given({"client-certificate": "me.crt", "client-key": "me.key"})
    assert as_kubectl(secure, environ, tmp_path)["client"] == "admin"


def test_flags(secure: StandIn, given: Any, tmp_path: Path) -> None:
    seen = as_kubectl(secure, given({"token": "t"}), tmp_path, "--token=mine", token="mine")
    assert seen["authorization"] == ["Bearer mine"]


def test_impersonation_of_the_kubeconfig(secure: StandIn, given: Any, tmp_path: Path) -> None:
    user = {
        "token": "t",
        "as": "jürgen",
        "as-uid": "42",
        "as-groups": ["a", "b"],
        "as-user-extra": {"example.org/Reason": ["x", "z"], "plain": ["1"]},
    }
    seen = as_kubectl(secure, given(user), tmp_path)
    assert seen["impersonate-user"] == ["jürgen".encode().decode("latin-1")]
    assert seen["impersonate-group"] == ["a", "b"]
    assert seen["impersonate-extra-example.org%2freason"] == ["x", "z"]


def test_impersonation_by_flags(secure: StandIn, given: Any, tmp_path: Path) -> None:
    flags = "--as=eve", "--as-group=x", "--as-group=y", "--as-uid=7"
    overrides: dict[str, Any] = {"as_user": "eve", "as_groups": ("x", "y"), "as_uid": "7"}
    environ = given({"token": "t", "as": "alice", "as-groups": ["a"]})
    seen = as_kubectl(secure, environ, tmp_path, *flags, **overrides)
    assert (seen["impersonate-user"], seen["impersonate-group"]) == (["eve"], ["x", "y"])


def test_no_secret_over_plain_http(server: StandIn, given: Any, tmp_path: Path) -> None:
    environ = given({"token": "t", "as": "alice"}, server=server.url)
    assert as_kubectl(server, environ, tmp_path) == {"client": None, "impersonate-user": ["alice"]}


def test_plugin_with_token_and_certificate(
    secure: StandIn, given: Any, tmp_path: Path, plugin: Any, authority: Authority
) -> None:
    pair = authority.issue("from-plugin")
    lines = f"""
assert sys.argv[1:] == ["--for", "c"], sys.argv
assert os.environ["PROFILE"] == "prod" and os.getcwd() == {str(tmp_path)!r}
assert sys.stdin.read() == ""
assert asked["kind"] == "ExecCredential" and asked["apiVersion"] == "{V1BETA1}"
assert asked["spec"] == {{"interactive": False}}
say(token="t", clientCertificateData={pair.certificate.decode()!r}, clientKeyData={pair.key.decode()!r})
"""
    with_env = {"args": ["--for", "c"], "env": [{"name": "PROFILE", "value": "prod"}]}
    user = {"exec": plugin(lines, version=V1BETA1, **with_env)}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        seen = as_kubectl(secure, given(user), tmp_path)
    assert seen == {"client": "from-plugin", "authorization": ["Bearer t"]}


def test_plugin_that_wants_to_know_the_cluster(
    secure: StandIn, given: Any, tmp_path: Path, plugin: Any, authority: Authority
) -> None:
    """What kubectl and we have told it is the same, the authority's file included as data."""
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    lines = 'say(token=__import__("hashlib").sha256(json.dumps(asked["spec"], sort_keys=True).encode())'
    lines += '.hexdigest()) if "audience" in asked["spec"]["cluster"]["config"] else sys.exit(9)'
    environ = given(
        {"exec": plugin(lines, provideClusterInfo=True)},
        extensions=[{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}}],
        **{"certificate-authority-data": None, "certificate-authority": "ca.crt"},
        **{"tls-server-name": "kubernetes"},
    )
    as_kubectl(secure, environ, tmp_path)


@pytest.mark.parametrize("static", [{"token": "t"}, {"username": "u", "password": "p"}])
def test_plugin_is_not_asked_where_there_is_a_credential(
    secure: StandIn, given: Any, tmp_path: Path, plugin: Any, static: dict[str, Any]
) -> None:
    as_kubectl(secure, given({"exec": plugin("sys.exit(1)"), **static}), tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('sys.exit("log in first")', "./bin/login failed with exit code 1"),
        ('print("hello")', "decoding stdout"),
        ("print([])", "decoding stdout"),
        ('print("{}")', "it returned None"),
        ("say()", "didn't return a token or cert/key pair"),
        ('say(clientCertificateData="c")', "only certificate or key, not both"),
        ('say(token="t", expirationTimestamp="soon")', "its expirationTimestamp is not a time"),
        ('say(token="t", expirationTimestamp="2999-01-01")', "its expirationTimestamp is not a time"),
        (f'print(json.dumps(dict(kind="ExecCredential", apiVersion="{V1BETA1}")))', f"it returned {V1BETA1}"),
    ],
)
def test_plugin_that_fails_ends_everything(
    secure: StandIn,
    given: Any,
    plugin: Any,
    capfd: pytest.CaptureFixture[str],
    line: str,
    said: str,
) -> None:
    """Nothing is asked as system:anonymous, and what the plugin says itself is seen."""
    cluster = connected(given({"exec": plugin(line)}))
    with pytest.raises(AdminError) as caught:
        cluster.get("/version")
    what = caught.value.what.replace(str(Path(kubeconfig.__file__)), "")
    assert what.startswith('getting credentials of user "u": exec: ')
    assert said.removeprefix("./bin/") in what
    assert secure.asked == []
    if "log in first" in line:
        assert capfd.readouterr().err == "log in first\n"


def test_plugin_that_is_not_there(given: Any) -> None:
    user = {"exec": {"apiVersion": V1BETA1, "command": "no-such-login", "installHint": "brew install it"}}
    with pytest.raises(AdminError, match="exec: executable no-such-login not found") as caught:
        connected(given(user)).get("/version")
    assert caught.value.hint == "brew install it"


def test_plugin_that_needs_a_terminal(given: Any, plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(AdminError, match="standard input is not a terminal"):
        connected(given({"exec": plugin("say(token='t')", interactiveMode="Always")})).get("/version")


COUNTING = """
count = len(open("count", "a+").read()) if not os.path.exists("count") else len(open("count").read())
open("count", "a").write("x")
"""


def test_plugin_is_asked_once_and_again_when_its_credential_has_expired(
    secure: StandIn, given: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    secure.on("GET", "/version", Says(body={}))
    lines = COUNTING + 'say(token=f"t{count}", expirationTimestamp="%s-01-01T00:00:00Z")'
    valid = connected(given({"exec": plugin(lines % 2999)}))
    valid.get("/version")
    valid.get("/version")
    expired = connected(given({"exec": plugin(lines % 2001)}))
    expired.get("/version")
    expired.get("/version")
    sent = [asked.header("Authorization") for asked in secure.asked]
    assert sent == ["Bearer t0", "Bearer t0", "Bearer t1", "Bearer t2"]


def test_plugin_is_asked_again_when_its_credential_is_refused(
    secure: StandIn, given: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a change is sent again: the first one was not carried out."""
    monkeypatch.chdir(tmp_path)
    refused = status(401, "Unauthorized", "Unauthorized")
    secure.on("POST", "/version", refused, Says(body={}))
    secure.on("GET", "/version", refused)
    secure.on("GET", PORT, lambda wire: wire.refuse(refused), lambda wire: wire.accept("v4.channel.k8s.io"))
    cluster = connected(given({"exec": plugin(COUNTING, 'say(token=f"t{count}")')}))
    cluster.post("/version", {})
    cluster.port_forward("ns", "p", 1).close()
    with pytest.raises(Unauthorized):
        cluster.get("/version")
    sent = [asked.header("Authorization") for asked in secure.asked]
    assert sent == [f"Bearer t{count}" for count in (0, 1, 1, 2, 2, 3)]


FAILING_NOW_AND_THEN = (
    COUNTING
    + """
if count in (1, 2): sys.exit(1)
say(token=f"t{count}", expirationTimestamp="%s-01-01T00:00:00Z")
"""
)


@pytest.fixture
def clock() -> Clock:
    """Nothing waits for anything, and everything knows how long it has."""
    return Clock()


def test_plugin_that_fails_later_is_waited_for(
    secure: StandIn, given: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """The network that is away may be its way to its issuer as well."""
    monkeypatch.chdir(tmp_path)
    secure.on("GET", "/version", Says(body={}))
    secure.on("POST", "/version", Says(body={}))
    cluster = connected(given({"exec": plugin(FAILING_NOW_AND_THEN % 2001)}), clock=clock).patient(Retry(60))
    cluster.get("/version")
    cluster.post("/version", {})
    assert [asked.header("Authorization") for asked in secure.asked] == ["Bearer t0", "Bearer t3"]
    assert sum(clock.slept) >= 2 * credentials.FAILURE_AGE


FAILING_AFTER = COUNTING + "if count: sys.exit(1)\nsay(token='t', expirationTimestamp='2001-01-01T00:00:00Z')"


def test_plugin_that_fails_for_good_is_not_run_at_every_try(
    secure: StandIn, given: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.chdir(tmp_path)
    secure.on("GET", "/version", Says(body={}))
    cluster = connected(given({"exec": plugin(FAILING_AFTER)}), clock=clock).patient(Retry(60))
    cluster.get("/version")
    begun = clock.now
    with pytest.raises(NothingSent, match="failed with exit code 1") as caught:
        cluster.get("/version")
    assert is_transient(caught.value)
    assert clock.now - begun > 55
    assert len((tmp_path / "count").read_text()) == 1 + 60 / credentials.FAILURE_AGE


@pytest.mark.parametrize("had", [False, True])
def test_plugin_that_may_ask_somebody_is_never_run_again_after_it_has_failed(  # noqa: PLR0917 - its fixtures
    secure: StandIn,
    given: Any,
    plugin: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    had: bool,
) -> None:
    """It may have opened a browser, and who has closed it does not want another."""
    monkeypatch.chdir(tmp_path)
    at_terminal(monkeypatch)
    secure.on("GET", "/version", Says(body={}))
    cluster = connected(
        given({"exec": plugin(FAILING_AFTER if had else COUNTING, interactiveMode="IfAvailable")}),
        clock=clock,
    ).patient(Retry(60))
    if had:
        cluster.get("/version")
    for _ in range(3):
        with pytest.raises(AdminError, match="exec: ") as caught:
            cluster.get("/version")
        assert not is_transient(caught.value)
        clock.now += 600
    assert len((tmp_path / "count").read_text()) == 1 + had
    assert clock.slept == []


def test_a_credential_is_used_while_it_lasts_where_the_plugin_fails(
    secure: StandIn, given: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """An API server that has just started knows nobody: the plugin is asked now and then, and may fail."""
    monkeypatch.chdir(tmp_path)
    refused = status(401, "Unauthorized", "Unauthorized")
    secure.on("GET", "/version", Says(body={}), refused, refused, refused, refused, Says(body={}))
    cluster = connected(given({"exec": plugin(FAILING_NOW_AND_THEN % 2999)}), clock=clock)
    cluster.get("/version")
    for passing in (0, credentials.FAILURE_AGE - 1, 1):
        clock.now += passing
        with pytest.raises(Unauthorized) as caught:
            cluster.get("/version")
        assert is_transient(caught.value)
    clock.now += credentials.FAILURE_AGE
    cluster.get("/version")
    sent = [asked.header("Authorization") for asked in secure.asked]
    assert sent == [f"Bearer t{count}" for count in (0, 0, 0, 0, 0, 3)]


def test_plugin_that_asks_nobody_is_beyond_the_reach_of_ctrl_c(
    secure: StandIn, given: Any, plugin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure.on("GET", "/version", Says(body={}))
    asking = plugin("say(token=str(os.getsid(0) == os.getpid()))", interactiveMode="IfAvailable")
    config = given({"exec": asking})
    monkeypatch.setattr(sys, "stdin", None)
    connected(config).get("/version")
    at_terminal(monkeypatch)
    connected(config).get("/version")
    assert [asked.header("Authorization") for asked in secure.asked] == ["Bearer True", "Bearer False"]


def test_plugin_that_never_answers_holds_nobody_up(
    given: Any, plugin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_plugin, "QUIET_TIMEOUT", 0.01)
    for command in (["sleep", "1000"], ["sh", "-c", "sleep 1000 & sleep 1000"]):
        entry = plugin("", command=command[0], args=command[1:])
        with pytest.raises(AdminError, match=f"executable {command[0]} gave no credential within"):
            connected(given({"exec": entry})).get("/version")


def test_plugin_that_writes_without_end_is_ended(given: Any, plugin: Any) -> None:
    for command in (["yes"], ["sh", "-c", "yes & yes"]):
        entry = plugin("", command=command[0], args=command[1:])
        with pytest.raises(AdminError, match=f"executable {command[0]} writes more than 1048576 bytes"):
            connected(given({"exec": entry})).get("/version")


def test_plugin_may_write_a_lot(secure: StandIn, given: Any, plugin: Any) -> None:
    secure.on("GET", "/version", Says(body={}))
    connected(given({"exec": plugin("say(token='t', more='x' * 1000000)")})).get("/version")


def test_an_extension_that_holds_itself_is_told(given: Any, plugin: Any) -> None:
    extension: dict[str, Any] = {}
    extension["self"] = extension
    extensions = [{"name": "client.authentication.k8s.io/exec", "extension": extension}]
    with pytest.raises(AdminError, match="an extension of the cluster can't be written as JSON"):
        connected(given({"exec": plugin("", provideClusterInfo=True)}, extensions=extensions)).get("/version")


def test_a_token_file_that_is_no_text(given: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(AdminError, match=r"^open .*/token: it is not text$"):
        connected(given({"tokenFile": "token"})).get("/version")


def test_certificate_files_are_read_again(
    secure: StandIn, given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    """Now and then, and at once where the server does not know the user any more; a half of it is none."""

    def put(certificate: bytes, key: bytes) -> None:
        (tmp_path / "me.crt").write_bytes(certificate)
        (tmp_path / "me.key").write_bytes(key)

    first, second, third = (authority.issue(name) for name in ("first", "second", "third"))
    put(first.certificate, first.key)
    secure.on("GET", "/version", Says(body={}))
    cluster = connected(given({"client-certificate": "me.crt", "client-key": "me.key"}))
    cluster.get("/version")
    put(second.certificate, second.key)
    cluster.get("/version")
    monkeypatch.setattr(credentials, "CERTIFICATE_FILE_AGE", -1)
    cluster.get("/version")
    put(third.certificate, second.key)
    cluster.get("/version")
    (tmp_path / "me.key").unlink()
    cluster.get("/version")
    monkeypatch.setattr(credentials, "CERTIFICATE_FILE_AGE", 300)
    put(third.certificate, third.key)
    secure.on("GET", "/version", status(401, "Unauthorized", "Unauthorized"), Says(body={}))
    cluster.get("/version")
    assert [asked.client for asked in secure.asked] == [
        *("first", "first", "second", "second", "second"),
        *("second", "third"),
    ]


def test_what_has_not_changed_is_not_sent_again_where_it_was_refused(secure: StandIn, given: Any) -> None:
    secure.on("GET", "/version", status(401, "Unauthorized", "Unauthorized"))
    with pytest.raises(Unauthorized):
        connected(given({"token": "t"})).get("/version")
    assert len(secure.asked) == 1


def test_plugin_that_changes_its_certificate(
    secure: StandIn,
    given: Any,
    plugin: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
) -> None:
    """Open connections would go on to show the old one."""
    monkeypatch.chdir(tmp_path)
    pairs = [authority.issue("first"), authority.issue("second")]
    shown = [(pair.certificate.decode(), pair.key.decode()) for pair in pairs]
    lines = f"certificate, key = {shown!r}[min(count, 1)]; past = '2001-01-01T00:00:00+01:00'"
    say = "say(clientCertificateData=certificate, clientKeyData=key, expirationTimestamp=past)"
    secure.on("GET", "/version", Says(body={}))
    cluster = connected(given({"exec": plugin(COUNTING, lines, say)}))
    cluster.get("/version")
    cluster.get("/version")
    assert secure.asked[-1].client == "second"


def test_a_token_file_is_read_again(
    secure: StandIn, given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kubectl_admin.cluster import credentials

    secure.on("GET", "/version", Says(body={}))
    (tmp_path / "token").write_text("old")
    cluster = connected(given({"tokenFile": "token"}))
    cluster.get("/version")
    (tmp_path / "token").write_text("new")
    cluster.get("/version")
    monkeypatch.setattr(credentials, "TOKEN_FILE_AGE", 0)
    cluster.get("/version")
    (tmp_path / "token").unlink()
    cluster.get("/version")
    sent = [asked.header("Authorization") for asked in secure.asked]
    assert sent == ["Bearer old", "Bearer old", "Bearer new", "Bearer new"]


def test_oidc(secure: StandIn, given: Any) -> None:
    def token(claims: str) -> str:
        return "h." + base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=") + ".s"

    secure.on("GET", "/version", Says(body={}))
    good = token('{"exp": 99999999999}')
    connected(given({"auth-provider": {"name": "oidc", "config": {"id-token": good}}})).get("/version")
    assert secure.asked[0].header("Authorization") == f"Bearer {good}"
    for bad in (token('{"exp": 1}'), "", "nonsense", "a.b.c"):
        user = {"auth-provider": {"name": "oidc", "config": {"id-token": bad}}}
        with pytest.raises(AdminError, match="missing or has expired"):
            connected(given(user)).get("/version")
    with pytest.raises(AdminError, match='no Auth Provider found for name "gcp"'):
        connected(given({"auth-provider": {"name": "gcp"}})).get("/version")


def test_a_server_that_is_not_trusted(secure: StandIn, given: Any, tmp_path: Path) -> None:
    other = b64(new_authority("other").pem)
    environ = given({"token": "t"}, **{"certificate-authority-data": other})
    cluster = connected(environ)
    with pytest.raises(Unreachable, match="tls: failed to verify certificate: "):
        cluster.get("/version")
    with pytest.raises(Unreachable, match="tls: failed to verify certificate: "):
        cluster.port_forward("ns", "p", 1)
    assert secure.asked == []
    assert (
        "tls: failed to verify certificate"
        in kubectl("get", "--raw", "/", environ=environ, cwd=tmp_path).stderr
    )


def test_the_server_name_that_is_expected(secure: StandIn, given: Any, tmp_path: Path) -> None:
    as_kubectl(secure, given({"token": "t"}, **{"tls-server-name": "kubernetes"}), tmp_path)
    wrong = connected(given({"token": "t"}, **{"tls-server-name": "elsewhere"}))
    with pytest.raises(Unreachable, match=r"not valid for 'elsewhere'"):
        wrong.get("/version")
    with pytest.raises(Unreachable, match=r"not valid for 'elsewhere'"):
        wrong.port_forward("ns", "p", 1)


def test_what_a_server_shows_of_itself(
    secure: StandIn, server: StandIn, given: Any, server_pair: Path
) -> None:
    shown = connected(given({"token": "t"})).server_certificate()
    assert shown == ssl.PEM_cert_to_DER_cert(server_pair.read_text().partition("-----BEGIN PRIVATE KEY")[0])
    assert secure.asked == []
    assert connected(given({"token": "t"}, server=server.url)).server_certificate() is None


def test_a_server_that_is_not_checked(
    secure: StandIn, given: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    insecure = {"insecure-skip-tls-verify": True, "certificate-authority-data": None}
    as_kubectl(secure, given({"token": "t"}, **insecure), tmp_path)
    assert capfd.readouterr().err == ""


def test_an_authority_that_signs_itself_may_be_the_server(
    secure: StandIn, given: Any, tmp_path: Path, server_pair: Path
) -> None:
    """As in Go, a certificate that is trusted need not be a root."""
    text = server_pair.read_text()
    own = text[: text.index("-----BEGIN PRIVATE KEY")]
    as_kubectl(secure, given({"token": "t"}, **{"certificate-authority-data": b64(own.encode())}), tmp_path)


def test_without_an_authority_the_system_s_are_trusted(
    secure: StandIn, given: Any, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they are: a bundle made on one distribution runs on another."""
    from kubectl_admin.cluster import tls

    (tmp_path / "roots").write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    monkeypatch.setattr(tls, "SYSTEM_ROOTS", (str(tmp_path / "missing"), str(tmp_path / "roots")))
    secure.on("GET", "/version", Says(body={}))
    connected(given({}, **{"certificate-authority-data": None})).get("/version")
    monkeypatch.setattr(tls, "SYSTEM_ROOTS", ())
    with pytest.raises(Unreachable, match="failed to verify"):
        connected(given({}, **{"certificate-authority-data": None})).get("/version")


@pytest.mark.parametrize("as_file", [False, True])
def test_what_stands_around_an_authority_does_not_count(
    secure: StandIn, given: Any, tmp_path: Path, authority: Authority, as_file: bool
) -> None:
    """As in the bundles of Mozilla and RHEL, with names as comments; a block that is broken is skipped."""
    broken = b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n"
    comment = "# Főtanúsítvány\n".encode() + b"\xff\xfe\n"
    bundle = comment + broken + new_authority("other").pem + comment + authority.pem + comment
    (tmp_path / "ca.crt").write_bytes(bundle)
    entry = {"certificate-authority": "ca.crt", "certificate-authority-data": None} if as_file else {}
    environ = given({"token": "t"}, **(entry or {"certificate-authority-data": b64(bundle)}))
    assert as_kubectl(secure, environ, tmp_path)["authorization"] == ["Bearer t"]


def test_broken_material(given: Any, authority: Authority) -> None:
    with pytest.raises(AdminError, match='unable to load root certificates of cluster "c"'):
        connected(given({}, **{"certificate-authority-data": b64(b"nonsense")}))
    with pytest.raises(AdminError, match="certificate-authority-data in the kubeconfig is not base64"):
        connected(given({}, **{"certificate-authority-data": "x"}))
    first, second = authority.issue("a"), authority.issue("b")
    user = {"client-certificate-data": b64(first.certificate), "client-key-data": b64(second.key)}
    with pytest.raises(AdminError, match='unable to load the client certificate and key of user "u"'):
        connected(given(user)).get("/version")


def test_a_server_without_tls(server: StandIn, given: Any) -> None:
    cluster = connected(given({"token": "t"}, server=server.url.replace("http:", "https:")))
    with pytest.raises(Unreachable, match="server gave HTTP response to HTTPS client"):
        cluster.get("/version")
    with pytest.raises(Unreachable, match="server gave HTTP response to HTTPS client"):
        cluster.port_forward("ns", "p", 1)


def test_no_key_stays_in_a_file(
    secure: StandIn, given: Any, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where memory files exist nor elsewhere, and not for the time of the connection either."""
    import os
    import tempfile

    secure.on("GET", "/version", Says(body={}))
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    pair = authority.issue("admin")
    user = {"client-certificate-data": b64(pair.certificate), "client-key-data": b64(pair.key)}
    for memory in (True, False):
        if not memory:
            monkeypatch.delattr(os, "memfd_create", raising=False)
        connected(given(user)).get("/version")
        assert secure.asked[-1].client == "admin"
        assert list(folder.iterdir()) == []


def test_an_encrypted_key_is_refused_without_a_question(given: Any, authority: Authority) -> None:
    from cryptography.hazmat.primitives import serialization

    pair = authority.issue("a")
    key = serialization.load_pem_private_key(pair.key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )
    user = {"client-certificate-data": b64(pair.certificate), "client-key-data": b64(key)}
    with pytest.raises(AdminError, match="is encrypted"):
        connected(given(user)).get("/version")


def test_tls_context_is_modern() -> None:
    """Nothing below TLS 1.2, as in Go."""
    from kubectl_admin.cluster.tls import context_to_loopback

    assert context_to_loopback(None, "u").minimum_version >= ssl.TLSVersion.TLSv1_2
