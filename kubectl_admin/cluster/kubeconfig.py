"""Which cluster is meant, and as whom: kubectl's kubeconfig files, merged and overridden as kubectl does.

The kubernetes package takes the last file's current-context where kubectl takes the first one's, and knows
nothing of impersonation, so the files are read here. Nothing but PyYAML is imported.

Source: client-go tools/clientcmd (loader.go, client_config.go), cli-runtime genericclioptions.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubectl_admin.cluster import usable
from kubectl_admin.errors import UsageError

Entry = Mapping[str, Any]

DEFAULT_SERVER = "http://localhost:8080"  # where kubectl goes when no file names a cluster
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# Fields of an entry that name files, relative to the kubeconfig they stand in.
CLUSTER_FILES = ("certificate-authority",)
USER_FILES = ("client-certificate", "client-key", "tokenFile")
DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Overrides:
    """kubectl's global flags as given; None or () is a flag that was not given, as is an empty string.

    request_timeout: seconds for one request; 0 is no limit.
    """

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None
    server: str | None = None
    token: str | None = None
    certificate_authority: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    tls_server_name: str | None = None
    proxy_url: str | None = None
    insecure_skip_tls_verify: bool | None = None
    request_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One cluster and how to speak to it: the kubeconfig's entries with the flags over them.

    cluster, user: fields named as in a kubeconfig; what is empty is left out, file names are absolute.
    request_timeout: seconds for one request; None is no limit of the user's.
    """

    context: str
    cluster_name: str
    user_name: str
    namespace: str
    cluster: Entry = field(repr=False)
    user: Entry = field(repr=False)
    request_timeout: float | None = None

    @property
    def server(self) -> str:
        """The API server's URL without a slash at its end; a host without a scheme is http, as in kubectl."""
        server = str(self.cluster["server"]).partition("?")[0].rstrip("/")
        return server if "://" in server else f"http://{server}"


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The merged files, each entry by its name."""

    current_context: str
    contexts: Mapping[str, Entry]
    clusters: Mapping[str, Entry]
    users: Mapping[str, Entry]


def resolve(overrides: Overrides, environ: Mapping[str, str]) -> Target:
    """The cluster, user and namespace that kubectl would use with these flags and environment variables.

    Without any kubeconfig this is the cluster around a pod, or else localhost:8080. Raises UsageError with
    kubectl's words for a file, context, cluster or user that is missing or makes no sense.
    """
    config = merged(overrides, environ)
    context_name = overrides.context or config.current_context
    context = entry(config.contexts, context_name, "context", "kubectl config get-contexts lists them")
    cluster_name = overrides.cluster or str(context.get("cluster", ""))
    user_name = overrides.user or str(context.get("user", ""))
    named_by = f'context "{context_name}" names it' if context_name else None
    cluster = with_cluster_flags(entry(config.clusters, cluster_name, "cluster", named_by), overrides)
    user = with_user_flags(entry(config.users, user_name, "auth info", named_by), overrides)
    namespace = overrides.namespace or context.get("namespace")
    if not cluster_name and inside_pod(environ) and set(cluster) <= {"certificate-authority"}:
        cluster = service_account_cluster(environ) | cluster
        user = user if "token" in user else user | {"tokenFile": str(SERVICE_ACCOUNT / "token")}
        namespace = namespace or service_account_namespace(environ)
    cluster.setdefault("server", environ.get("KUBERNETES_MASTER") or DEFAULT_SERVER)
    usable.check(cluster_name, cluster, user_name, user)
    return Target(
        context_name,
        cluster_name,
        user_name,
        str(namespace or "default"),
        cluster,
        user,
        overrides.request_timeout or None,
    )


def contexts(overrides: Overrides, environ: Mapping[str, str]) -> list[str]:
    """The names of all contexts, sorted as `kubectl config get-contexts` does."""
    return sorted(merged(overrides, environ).contexts)


def merged(overrides: Overrides, environ: Mapping[str, str]) -> Kubeconfig:
    """All files that count: the flag's alone, or each of $KUBECONFIG, or ~/.kube/config.

    The first file to name a context, cluster or user, or a current context, wins. Missing files are skipped
    unless the flag names them. Raises UsageError for a file that can't be read or is no kubeconfig.
    """
    files = [loaded(path, required=bool(overrides.kubeconfig)) for path in paths(overrides, environ)]
    by_name: dict[str, dict[str, Entry]] = {"contexts": {}, "clusters": {}, "users": {}}
    for file in reversed(files):
        for kind, entries in by_name.items():
            entries.update(file.get(kind, {}))
    current = (str(file["current-context"]) for file in files if file.get("current-context"))
    return Kubeconfig(next(current, ""), **by_name)


def paths(overrides: Overrides, environ: Mapping[str, str]) -> Iterator[Path]:
    """The files to read, in the order in which they win."""
    if overrides.kubeconfig:
        yield Path(overrides.kubeconfig)
    elif listed := environ.get("KUBECONFIG"):
        yield from (Path(path) for path in dict.fromkeys(listed.split(os.pathsep)) if path)
    else:
        yield Path(environ.get("HOME") or Path.home(), ".kube", "config")


def loaded(path: Path, *, required: bool) -> dict[str, Any]:
    """One file's current-context and its entries by name, file names made absolute; {} for a missing file."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if required:
            raise UsageError(f"stat {path}: no such file or directory") from None
        return {}
    except OSError as error:
        raise broken(path, f"open {path}: {str(error.strerror).lower()}") from None
    document = parsed(path, text)
    base = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would follow links, kubectl does not
    return {
        "current-context": document.get("current-context"),
        "contexts": entries(path, document, "contexts", "context"),
        "clusters": {
            name: with_absolute_files(cluster, CLUSTER_FILES, base)
            for name, cluster in entries(path, document, "clusters", "cluster").items()
        },
        "users": {
            name: with_absolute_command(with_absolute_files(user, USER_FILES, base), base)
            for name, user in entries(path, document, "users", "user").items()
        },
    }


def parsed(path: Path, text: bytes) -> Entry:
    """The file's document; an empty file is an empty kubeconfig."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is 17 times as fast
    try:
        # JSON first: it may be indented with tabs, which YAML forbids.
        json_like = text.lstrip().startswith(b"{")
        document = json.loads(text) if json_like else yaml.load(text, loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError) as error:
        raise broken(path, " ".join(str(error).split())) from None
    if not isinstance(document or {}, dict):
        raise broken(path, "it is no kubeconfig")
    return document or {}


def entries(path: Path, document: Entry, kind: str, key: str) -> dict[str, dict[str, Any]]:
    """One list of the file as a mapping by name, empty fields left out."""
    found: dict[str, dict[str, Any]] = {}
    listed = document.get(kind) or []
    if not isinstance(listed, list):
        raise broken(path, f"{kind} is no list")
    for item in listed:
        body = (item.get(key) or {}) if isinstance(item, dict) else None
        if not isinstance(body, dict):
            raise broken(path, f"an entry of {kind} makes no sense")
        name = str(item.get("name", ""))
        if name in found:
            raise broken(path, f'duplicate name "{name}" in {kind}')
        found[name] = {
            field: value for field, value in body.items() if value not in (None, "", [], {}, False)
        }
    return found


def with_absolute_files(fields: dict[str, Any], names: tuple[str, ...], base: Path) -> dict[str, Any]:
    """The entry with its file names made absolute against the folder of its own kubeconfig."""
    return fields | {name: os.path.normpath(base / fields[name]) for name in names if name in fields}


def with_absolute_command(user: dict[str, Any], base: Path) -> dict[str, Any]:
    """A credential plugin named by a relative path is beside the kubeconfig; a bare name is on PATH."""
    plugin = user.get("exec")
    if not isinstance(plugin, dict) or os.sep not in str(plugin.get("command", "")):
        return user
    return user | {"exec": plugin | {"command": os.path.normpath(base / plugin["command"])}}


def entry(named: Mapping[str, Entry], name: str, kind: str, hint: str | None) -> Entry:
    """The entry of that name; {} where none is named.

    kubectl goes on without a cluster or user that a context names and nobody defines, and so speaks to
    localhost, or as nobody. That is never meant, hence an error with the words it has for wrong flags.
    """
    if name and name not in named:
        raise UsageError(f'{kind} "{name}" does not exist', hint)
    return named.get(name, {})


def with_cluster_flags(cluster: Entry, flags: Overrides) -> dict[str, Any]:
    """The cluster with the flags over it. Source: clientcmd's getCluster."""
    result = dict(cluster)
    if flags.insecure_skip_tls_verify or flags.certificate_authority:
        # Either one replaces whatever the file says of trust.
        for name in ("insecure-skip-tls-verify", "certificate-authority", "certificate-authority-data"):
            result.pop(name, None)
    if flags.server:
        # The name belongs to the file's server, not to the flag's.
        result.pop("tls-server-name", None)
    return result | given(
        {
            "server": flags.server,
            "tls-server-name": flags.tls_server_name,
            "certificate-authority": absolute(flags.certificate_authority),
            "insecure-skip-tls-verify": flags.insecure_skip_tls_verify,
            "proxy-url": flags.proxy_url,
        }
    )


def with_user_flags(user: Entry, flags: Overrides) -> dict[str, Any]:
    """The user with the flags over it. Source: clientcmd's getAuthInfo."""
    result = dict(user)
    if flags.client_certificate:
        result.pop("client-certificate-data", None)
    if flags.client_key:
        result.pop("client-key-data", None)
    if flags.token:
        result.pop("tokenFile", None)
    return result | given(
        {
            "token": flags.token,
            "client-certificate": absolute(flags.client_certificate),
            "client-key": absolute(flags.client_key),
            "as": flags.as_user,
            "as-uid": flags.as_uid,
            "as-groups": list(flags.as_groups),
        }
    )


def given(flags: dict[str, Any]) -> dict[str, Any]:
    """The flags that have a value."""
    return {name: value for name, value in flags.items() if value}


def absolute(path: str | None) -> str | None:
    """A flag's file name, relative to the working directory, made absolute."""
    return os.path.abspath(path) if path else None  # noqa: PTH100 - resolve() would follow links


def inside_pod(environ: Mapping[str, str]) -> bool:
    """Whether this process runs in a pod that has a service account's token."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    return bool(host and port) and (SERVICE_ACCOUNT / "token").is_file()


def service_account_cluster(environ: Mapping[str, str]) -> dict[str, Any]:
    """The cluster around the pod. Source: client-go rest.InClusterConfig."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    authority = SERVICE_ACCOUNT / "ca.crt"
    return {"server": server} | ({"certificate-authority": str(authority)} if authority.is_file() else {})


def service_account_namespace(environ: Mapping[str, str]) -> str | None:
    """The namespace of the pod."""
    file = SERVICE_ACCOUNT / "namespace"
    return environ.get("POD_NAMESPACE") or (file.read_text().strip() if file.is_file() else None)


def broken(path: Path, reason: str) -> UsageError:
    """A kubeconfig that is there and can't be used."""
    return UsageError(f'error loading config file "{path}": {reason}')


def parse_duration(text: str) -> float:
    """Seconds of kubectl's `--request-timeout`: «30», «5s», «1m30s», «500ms»; 0 is no limit.

    Raises UsageError. Source: clientcmd.ParseTimeout, Go's time.ParseDuration.
    """
    if text.isdecimal():
        return float(text)
    parts = DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(
            f'invalid timeout "{text}"',
            "it is a number of seconds, or numbers with their units: 30, 5s, 1m30s",
        )
    return sum(float(number) * SECONDS[unit] for number, unit in parts)
