"""Which cluster is meant: each case is put before a real kubectl as well, and must come out the same."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_admin.cluster import kubeconfig
from kubectl_admin.cluster.kubeconfig import Overrides, Target, parse_duration
from kubectl_admin.errors import UsageError
from tests.unit.cluster.kubectl import kubectl

DATA = base64.b64encode(b"material").decode()

Write = Callable[[str, Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a kubeconfig, given as its text or its content, under a name."""

    def put(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
        return path

    return put


def config(
    current: str | None = "one",
    *,
    contexts: dict[str, Any] | None = None,
    clusters: dict[str, Any] | None = None,
    users: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A kubeconfig: context, cluster and user «one», or what is given."""
    parts = {
        "contexts": ({"one": {"cluster": "one", "user": "one"}} if contexts is None else contexts, "context"),
        "clusters": ({"one": {"server": "https://one:6443"}} if clusters is None else clusters, "cluster"),
        "users": ({"one": {"token": "one"}} if users is None else users, "user"),
    }
    lists = {
        kind: [{"name": name, key: body} for name, body in entries.items()]
        for kind, (entries, key) in parts.items()
    }
    return {"apiVersion": "v1", "kind": "Config", "current-context": current, **lists}


def as_kubectl_sees_it(tmp_path: Path, environ: dict[str, str], *flags: str) -> dict[str, Any]:
    """Context, cluster and user of `kubectl config view --minify --raw`, empty fields left out."""
    done = kubectl("config", "view", "--minify", "--raw", "-o", "json", *flags, environ=environ, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    (context,), (cluster,) = seen["contexts"], seen["clusters"]
    (user,) = seen["users"] or [{"name": "", "user": {}}]
    return {
        "context": context["name"],
        "cluster_name": cluster["name"],
        "user_name": context["context"]["user"],
        "namespace": context["context"].get("namespace", "default"),
        "cluster": without_empty(cluster["cluster"]),
        "user": without_empty(user["user"]),
    }


def as_seen_here(target: Target) -> dict[str, Any]:
    """The same of ours."""
    names = ("context", "cluster_name", "user_name", "namespace")
    return {
        **{name: getattr(target, name) for name in names},
        "cluster": without_empty(target.cluster),
        "user": without_empty(target.user),
    }


def without_empty(value: Any) -> Any:
    """The value without what kubectl writes for «nothing»."""
    if isinstance(value, dict):
        kept = {key: without_empty(part) for key, part in value.items()}
        return {key: part for key, part in kept.items() if part not in (None, "", [], {}, False)}
    return [without_empty(part) for part in value] if isinstance(value, list) else value


def same(
    tmp_path: Path, environ: dict[str, str], *flags: str, base: Path | None = None, **overrides: Any
) -> Target:
    """Ours, after it has been found to be the same as kubectl's.

    base: the folder of the kubeconfig, where it has relative file names: kubectl shows them as they are.
    """
    target = kubeconfig.resolve(Overrides(**overrides), environ)
    seen = as_kubectl_sees_it(tmp_path, environ, *flags)
    if base:
        seen["cluster"] = with_absolute(seen["cluster"], base, "certificate-authority")
        seen["user"] = with_absolute(seen["user"], base, "client-certificate", "client-key", "tokenFile")
        if "/" in seen["user"].get("exec", {}).get("command", ""):
            seen["user"]["exec"] = with_absolute(seen["user"]["exec"], base, "command")
    assert as_seen_here(target) == seen
    return target


def with_absolute(fields: dict[str, Any], base: Path, *names: str) -> dict[str, Any]:
    """The fields with these file names made absolute."""
    return fields | {name: os.path.normpath(base / fields[name]) for name in names if name in fields}


def test_one_file(write: Write, tmp_path: Path) -> None:
    target = same(tmp_path, {"KUBECONFIG": str(write("config", config()))})
    assert target.server == "https://one:6443"


def test_home(write: Write, tmp_path: Path) -> None:
    write(".kube/config", config())
    assert same(tmp_path, {"HOME": str(tmp_path)}).context == "one"
    assert same(tmp_path, {"HOME": str(tmp_path), "KUBECONFIG": ""}).context == "one"


def test_several_files(write: Write, tmp_path: Path) -> None:
    """The first file wins for the current context and for each entry, whole; missing ones are skipped."""
    first = write(
        "first",
        config(
            "two",
            contexts={"one": {"cluster": "one", "user": "one", "namespace": "first"}},
            clusters={"one": {"server": "https://first"}},
            users={},
        ),
    )
    second = write(
        "second",
        config(
            "one",
            contexts={
                "one": {"cluster": "one", "user": "two"},
                "two": {"cluster": "one", "user": "two", "namespace": "second"},
            },
            clusters={"one": {"server": "https://second", "tls-server-name": "second"}},
            users={"two": {"token": "second"}, "one": {"token": "second-one"}},
        ),
    )
    listed = os.pathsep.join(["", str(tmp_path / "missing"), str(first), "", str(second), str(first)])
    target = same(tmp_path, {"KUBECONFIG": listed})
    assert (target.context, target.namespace, target.server) == ("two", "second", "https://first")
    assert "tls-server-name" not in target.cluster
    assert target.user["token"] == "second"
    same(tmp_path, {"KUBECONFIG": listed}, "--context", "one", context="one")


def test_a_current_context_that_only_a_later_file_names(write: Write, tmp_path: Path) -> None:
    first = write("first", config(""))
    second = write("second", config("other", contexts={"other": {"cluster": "one", "user": "one"}}))
    assert same(tmp_path, {"KUBECONFIG": f"{first}:{second}"}).context == "other"


def test_the_flag_beats_the_variable(write: Write, tmp_path: Path) -> None:
    other, mine = write("other", config(clusters={"one": {"server": "https://other"}})), write("a", config())
    target = same(
        tmp_path, {"KUBECONFIG": str(other)}, "--kubeconfig", str(mine), "--merge=true", kubeconfig=str(mine)
    )
    assert target.server == "https://one:6443"


def test_relative_files(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File names are relative to the kubeconfig that they stand in, which may itself be named relatively."""
    for name in ("deep/pki/ca.crt", "deep/pki/me.crt", "deep/me.key"):
        write(name, "material")
    write(
        "deep/config",
        config(
            clusters={"one": {"server": "https://one", "certificate-authority": "pki/ca.crt"}},
            users={
                "one": {
                    "client-certificate": "./pki/../pki/me.crt",
                    "client-key": str(tmp_path / "deep/me.key"),
                }
            },
        ),
    )
    monkeypatch.chdir(tmp_path)
    target = same(tmp_path, {"KUBECONFIG": "deep/config"}, base=tmp_path / "deep")
    assert target.cluster["certificate-authority"] == str(tmp_path / "deep/pki/ca.crt")
    assert target.user["client-certificate"] == str(tmp_path / "deep/pki/me.crt")


def test_a_token_file(write: Write, tmp_path: Path) -> None:
    path = write("deep/config", config(users={"one": {"tokenFile": "token"}}))
    target = same(tmp_path, {"KUBECONFIG": str(path)}, base=path.parent)
    assert target.user == {"tokenFile": str(tmp_path / "deep/token")}


@pytest.mark.parametrize("command", ["./bin/login", "login", "/opt/login"])
def test_a_plugin(write: Write, tmp_path: Path, command: str) -> None:
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": command,
        "args": ["--cluster", "one"],
        "env": [{"name": "PROFILE", "value": "prod"}],
        "interactiveMode": "IfAvailable",
        "installHint": "install it",
        "provideClusterInfo": True,
    }
    path = write("config", config(users={"one": {"exec": plugin}}))
    same(tmp_path, {"KUBECONFIG": str(path)}, base=tmp_path)


def test_every_other_field(write: Write, tmp_path: Path) -> None:
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}}
    path = write(
        "config",
        config(
            contexts={"one": {"cluster": "one", "user": "one", "namespace": "prod"}},
            clusters={
                "one": {
                    "server": "https://one/k8s/clusters/c-1",
                    "certificate-authority-data": DATA,
                    "tls-server-name": "kubernetes",
                    "proxy-url": "http://me:secret@proxy:3128",
                    "disable-compression": True,
                    "extensions": [extension],
                }
            },
            users={
                "one": {
                    "client-certificate-data": DATA,
                    "client-key-data": DATA,
                    "as": "alice",
                    "as-uid": "42",
                    "as-groups": ["a", "b"],
                    "as-user-extra": {"reason": ["x", "z"]},
                    "token": "t",
                }
            },
        ),
    )
    assert same(tmp_path, {"KUBECONFIG": str(path)}).namespace == "prod"


def test_json_with_tabs(write: Write, tmp_path: Path) -> None:
    path = write("config", json.dumps(config(), indent="\t"))
    same(tmp_path, {"KUBECONFIG": str(path)})


@pytest.mark.parametrize(
    "after", ["---\n", "---\n\n", "---\nkind: Config\ncurrent-context: other\n", "---\na: [\n", "...\n"]
)
def test_only_the_first_document_counts(write: Write, tmp_path: Path, after: str) -> None:
    path = write("config", yaml.safe_dump(config()) + after)
    assert same(tmp_path, {"KUBECONFIG": str(path)}).context == "one"


def test_many_contexts_sorted(write: Write, tmp_path: Path) -> None:
    many = {f"c{number}": {"cluster": "one", "user": "one"} for number in range(200)}
    environ = {"KUBECONFIG": str(write("config", config("c7", contexts=many)))}
    same(tmp_path, environ)
    done = kubectl("config", "get-contexts", "-o", "name", environ=environ, cwd=tmp_path)
    assert kubeconfig.contexts(Overrides(), environ) == done.stdout.split()


def test_no_file_at_all(tmp_path: Path) -> None:
    """kubectl then tries this machine, and says that nobody is there."""
    environ = {"HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "missing")}
    target = kubeconfig.resolve(Overrides(), environ)
    assert (target.context, target.server, target.user) == ("", "http://localhost:8080", {})
    done = kubectl("get", "--raw", "/version", environ=environ, cwd=tmp_path)
    assert "localhost:8080 was refused" in done.stderr
    assert kubeconfig.contexts(Overrides(), environ) == []


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "apiVersion: v1\nkind: Config\n"])
def test_an_empty_file(write: Write, tmp_path: Path, text: str) -> None:
    environ = {"KUBECONFIG": str(write("config", text))}
    assert kubeconfig.resolve(Overrides(), environ).server == "http://localhost:8080"
    assert "localhost:8080" in kubectl("get", "--raw", "/", environ=environ, cwd=tmp_path).stderr


def refused(environ: dict[str, str], **overrides: Any) -> str:
    """What is said of it."""
    with pytest.raises(UsageError) as caught:
        kubeconfig.resolve(Overrides(**overrides), environ)
    return caught.value.what


def test_wrong_names(write: Write, tmp_path: Path) -> None:
    """kubectl's words for flags that name what is not there."""
    environ = {"KUBECONFIG": str(write("config", config()))}
    for flag in ("context", "cluster", "user"):
        done = kubectl("get", "--raw", "/", f"--{flag}=nope", environ=environ, cwd=tmp_path)
        assert done.stderr == f"error: {refused(environ, **{flag: 'nope'})}\n"


def test_an_entry_that_is_named_and_not_there(write: Write) -> None:
    """kubectl would go to localhost, or on as nobody; neither is ever meant."""
    path = write("config", config(contexts={"one": {"cluster": "lost", "user": "one"}}))
    assert refused({"KUBECONFIG": str(path)}) == 'cluster "lost" does not exist'
    path = write("config", config(contexts={"one": {"cluster": "one", "user": "lost"}}))
    assert refused({"KUBECONFIG": str(path)}) == 'auth info "lost" does not exist'
    path = write("config", config("lost"))
    assert refused({"KUBECONFIG": str(path)}) == 'context "lost" does not exist'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("contexts: [", "did not find expected node content"),
        ("{", "Expecting property name"),
        ("just words", "it is not a kubeconfig"),
        ("contexts: 7", "contexts is not a list"),
        ("contexts: [7]", "an entry of contexts makes no sense"),
        ("users: [{name: a, user: {token: x}}, {name: a}]", 'duplicate name "a" in users'),
    ],
)
def test_a_broken_file(write: Write, tmp_path: Path, text: str, said: str) -> None:
    path = write("config", text)
    environ = {"KUBECONFIG": str(path)}
    message = refused(environ)
    assert message.startswith(f'error loading config file "{path}": ')
    assert said in message
    assert kubectl("get", "--raw", "/", environ=environ, cwd=tmp_path).stderr.startswith("error: ")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    endless = tmp_path / "endless"
    endless.symlink_to(endless)
    assert "too many levels of symbolic links" in refused({"KUBECONFIG": str(endless)})
    assert "is a directory" in refused({"KUBECONFIG": str(tmp_path)})
    missing = tmp_path / "missing"
    done = kubectl("get", "--raw", "/", f"--kubeconfig={missing}", environ={}, cwd=tmp_path)
    assert done.stderr == f"error: {refused({}, kubeconfig=str(missing))}\n"


@pytest.mark.parametrize(
    ("cluster", "user", "said"),
    [
        (
            {"certificate-authority": "ca", "certificate-authority-data": DATA},
            {},
            "are both specified for one",
        ),
        ({"certificate-authority": "nope"}, {}, "unable to read certificate-authority"),
        (
            {"certificate-authority-data": DATA, "insecure-skip-tls-verify": True},
            {"token": "t"},
            "with the insecure flag",
        ),
        ({"proxy-url": "ftp://x"}, {}, "must be http, https, or socks5"),
        ({}, {"token": "t", "username": "u"}, "more than one authentication method found for one"),
        ({}, {"client-certificate": "ca"}, "client-key-data or client-key must be specified for one"),
        ({}, {"client-certificate": "ca", "client-key": "nope"}, "unable to read client-key"),
        (
            {},
            {"client-certificate": "ca", "client-certificate-data": DATA, "client-key-data": DATA},
            "client-cert-data and client-cert are both specified for one",
        ),
        (
            {},
            {"as-groups": ["g"]},
            "requesting uid, groups or user-extra for one without impersonating a user",
        ),
        (
            {},
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1"}},
            "command must be specified for one",
        ),
        (
            {},
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "login"}},
            "interactiveMode must be specified for one",
        ),
    ],
)
def test_what_contradicts_itself(
    write: Write, tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], said: str
) -> None:
    write("ca", "material")
    path = write(
        "config", config(clusters={"one": {"server": "https://127.0.0.1:1", **cluster}}, users={"one": user})
    )
    environ = {"KUBECONFIG": str(path)}
    message = refused(environ)
    assert message.startswith("invalid configuration: ")
    assert said in message
    assert said in kubectl("get", "--raw", "/", environ=environ, cwd=tmp_path).stderr


LOGIN = {"apiVersion": "client.authentication.k8s.io/v1", "command": "true", "interactiveMode": "Never"}


@pytest.mark.parametrize(
    ("cluster", "user", "said"),
    [
        ({"server": 5}, {}, "server of one must be text"),
        ({"proxy-url": ["http://p"]}, {}, "proxy-url of one must be text"),
        ({"certificate-authority": 5}, {}, "certificate-authority of one must be a file name"),
        ({"certificate-authority": "a\0b"}, {}, "certificate-authority of one must be a file name"),
        ({"certificate-authority-data": 5}, {}, "certificate-authority-data of one must be text"),
        ({"insecure-skip-tls-verify": "false"}, {}, "insecure-skip-tls-verify of one must be true or false"),
        ({"extensions": "abc"}, {}, "extensions of one must be a list of objects"),
        ({"tls-server-name": 5}, {}, "tls-server-name of one must be text"),
        ({"tls-server-name": ".x"}, {}, "tls-server-name of one is not a host name"),
        ({"tls-server-name": "a" * 300}, {}, "tls-server-name of one is not a host name"),
        ({"tls-server-name": "a." * 150 + "a"}, {}, "tls-server-name of one is not a host name"),
        ({}, {"token": 5}, "token of one must be text"),
        ({}, {"tokenFile": ["t"]}, "tokenFile of one must be a file name"),
        ({}, {"client-certificate-data": 5, "client-key-data": 6}, "client-certificate-data of one must be"),
        ({}, {"as": "a", "as-groups": "abc"}, "as-groups of one must be a list of text"),
        ({}, {"as": "a", "as-groups": [5]}, "as-groups of one must be a list of text"),
        ({}, {"as": "a", "as-user-extra": ["a"]}, "as-user-extra of one must be lists of text by"),
        ({}, {"as": "a", "as-user-extra": {"a": 5}}, "as-user-extra of one must be lists of text by"),
        ({}, {"as": "a", "as-user-extra": {"a": [5]}}, "as-user-extra of one must be lists of text by"),
        ({}, {"auth-provider": "oidc"}, "auth-provider of one must be an object"),
        ({}, {"auth-provider": {"name": "oidc", "config": "x"}}, "config of auth-provider of one must be an"),
        ({}, {"exec": ["a"]}, "exec of one must be an object"),
        ({}, {"exec": {**LOGIN, "command": 5}}, "command of exec of one must be text"),
        ({}, {"exec": {**LOGIN, "command": ["/bin/true"]}}, "command of exec of one must be text"),
        ({}, {"exec": {**LOGIN, "args": 5}}, "args of exec of one must be a list of text"),
        ({}, {"exec": {**LOGIN, "args": ["a\0"]}}, "args of exec of one must be a list of text"),
        ({}, {"exec": {**LOGIN, "env": "abc"}}, "env of exec of one must be a list of objects"),
        ({}, {"exec": {**LOGIN, "env": [{}]}}, "env of exec of one has a variable without a name"),
        ({}, {"exec": {**LOGIN, "env": [{"name": "a=b"}]}}, "env of exec of one has a variable without a"),
        (
            {},
            {"exec": {**LOGIN, "env": [{"name": "A", "value": "a\0b"}]}},
            "value of env of exec of one must",
        ),
    ],
)
def test_what_is_of_another_type_is_told(
    write: Write, cluster: dict[str, Any], user: dict[str, Any], said: str
) -> None:
    entries = config(clusters={"one": {"server": "https://one", **cluster}}, users={"one": user})
    environ = {"KUBECONFIG": str(write("config", json.dumps(entries)))}
    assert said in refused(environ)
    entries["current-context"] = ""
    entries["contexts"] = []
    environ = {"KUBECONFIG": str(write("config", json.dumps(entries)))}
    assert kubeconfig.contexts(Overrides(), environ) == []  # others are not in its way


def test_nobodys_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """No $HOME, and a user that this machine does not know, as in a container."""

    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    assert kubeconfig.contexts(Overrides(), {}) == []


def test_flags_over_the_cluster(write: Write) -> None:
    """Source: clientcmd's getCluster."""
    file = {
        "server": "https://file",
        "certificate-authority-data": DATA,
        "tls-server-name": "of-file",
        "proxy-url": "http://file:1",
    }
    environ = {"KUBECONFIG": str(write("config", config(clusters={"one": file})))}
    authority = str(write("ca", "material"))

    def with_flags(**flags: Any) -> Any:
        return kubeconfig.resolve(Overrides(**flags), environ).cluster

    assert with_flags() == file
    moved = with_flags(server="https://flag")
    assert (moved["server"], "tls-server-name" in moved) == ("https://flag", False)
    assert with_flags(server="https://flag", tls_server_name="of-flag")["tls-server-name"] == "of-flag"
    assert with_flags(certificate_authority=authority)["certificate-authority"] == authority
    assert "certificate-authority-data" not in with_flags(certificate_authority=authority)
    insecure = with_flags(insecure_skip_tls_verify=True)
    assert insecure["insecure-skip-tls-verify"]
    assert "certificate-authority-data" not in insecure
    assert with_flags(insecure_skip_tls_verify=False) == file
    assert with_flags(proxy_url="http://flag:2")["proxy-url"] == "http://flag:2"


@pytest.mark.parametrize(
    ("flags", "written"),
    [
        ({}, None),
        ({"server": "https://one:6443"}, None),
        ({"server": "https://one:6443/"}, None),
        ({"server": "https://cp-1:6443"}, "https://one:6443"),
        ({"server": "https://cp-1:6443", "cluster": "two"}, "https://two:6443"),
    ],
)
def test_the_server_that_a_flag_leads_past_is_known(
    write: Write, flags: dict[str, str], written: str | None
) -> None:
    both = config(clusters={name: {"server": f"https://{name}:6443"} for name in ("one", "two")})
    target = kubeconfig.resolve(Overrides(**flags), {"KUBECONFIG": str(write("config", both))})
    assert (target.bypassed or {}).get("server") == written


def test_without_a_server_in_the_file_a_flag_leads_past_none(write: Write) -> None:
    environ = {"KUBECONFIG": str(write("config", config(clusters={"one": {}})))}
    assert kubeconfig.resolve(Overrides(server="https://cp-1:6443"), environ).bypassed is None


def test_flags_over_the_context(write: Write) -> None:
    two = config(
        clusters={"one": {"server": "https://one"}, "two": {"server": "https://two"}},
        users={"one": {"token": "one"}, "two": {"token": "two"}},
    )
    environ = {"KUBECONFIG": str(write("config", two))}
    overrides = Overrides(cluster="two", namespace="mine", request_timeout=5.0)
    target = kubeconfig.resolve(overrides, environ)
    assert (target.server, target.user["token"], target.namespace) == ("https://two", "one", "mine")
    assert target.request_timeout == 5.0
    assert kubeconfig.resolve(replace(overrides, user="two"), environ).user["token"] == "two"
    assert kubeconfig.resolve(Overrides(request_timeout=0), environ).request_timeout is None


@pytest.mark.parametrize("proxy", ["ftp://me:s3cret@p", "me:s3cret@p:1"])
def test_a_proxy_that_is_none_is_told_without_its_password(write: Write, proxy: str) -> None:
    path = write("config", config(clusters={"one": {"server": "https://one", "proxy-url": proxy}}))
    assert "s3cret" not in refused({"KUBECONFIG": str(path)})


def test_secrets_do_not_show(write: Write) -> None:
    environ = {"KUBECONFIG": str(write("config", config(users={"one": {"token": "s3cret"}})))}
    assert "s3cret" not in repr(kubeconfig.resolve(Overrides(), environ))


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a process in a pod without a kubeconfig."""
    monkeypatch.setattr(kubeconfig, "SERVICE_ACCOUNT", tmp_path)
    for name, text in (("token", "t"), ("ca.crt", "c"), ("namespace", "mine\n")):
        (tmp_path / name).write_text(text)
    home = str(tmp_path / "home")
    return {"HOME": home, "KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def test_inside_a_pod(pod: dict[str, str], tmp_path: Path) -> None:
    target = kubeconfig.resolve(Overrides(as_user="alice"), pod)
    assert target.server == "https://10.96.0.1:443"
    assert target.cluster["certificate-authority"] == str(tmp_path / "ca.crt")
    assert target.user == {"tokenFile": str(tmp_path / "token"), "as": "alice"}
    assert target.namespace == "mine"
    assert kubeconfig.resolve(Overrides(), pod | {"POD_NAMESPACE": "other"}).namespace == "other"
    assert kubeconfig.resolve(Overrides(namespace="flag"), pod).namespace == "flag"
    address = pod | {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert kubeconfig.resolve(Overrides(), address).server == "https://[fd00::1]:443"
    assert kubeconfig.resolve(Overrides(token="mine"), pod).user == {"token": "mine"}


def test_a_pod_with_a_kubeconfig_or_a_server_of_its_own(pod: dict[str, str], write: Write) -> None:
    environ = pod | {"KUBECONFIG": str(write("config", config()))}
    assert kubeconfig.resolve(Overrides(), environ).server == "https://one:6443"
    elsewhere = kubeconfig.resolve(Overrides(server="https://elsewhere"), pod)
    assert (elsewhere.server, elsewhere.user) == ("https://elsewhere", {})  # its token is not for others


def test_nothing_but_yaml_is_imported() -> None:
    """The shell completes names of contexts, and must not wait for the kubernetes package."""
    code = "import sys, kubectl_admin.cluster.kubeconfig as k; k.contexts(k.Overrides(), {}); "
    code += (
        "print(sorted({'kubernetes', 'urllib3', 'websocket', 'cryptography', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("30", 30), ("5s", 5), ("1m30s", 90), ("1.5h", 5400), ("500ms", 0.5), (".5s", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "5x", "-5s", "5 s", "1m-5s", "soon"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="invalid timeout"):
        parse_duration(text)
