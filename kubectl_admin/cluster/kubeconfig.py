"""Which cluster is meant, and as whom: kubeconfig files and flags put together, exactly as in kubectl.

Source: client-go tools/clientcmd/client_config.go, cli-runtime pkg/genericclioptions/config_flags.go.
"""

import base64
import fnmatch
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubectl_admin.cluster import usable
from kubectl_admin.cluster.kubeconfig_files import Entry, Kubeconfig, read
from kubectl_admin.errors import AdminError, UsageError

DEFAULT_SERVER = "http://localhost:8080"  # where kubectl goes when no file names a cluster
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Overrides:
    """kubectl's global flags as given; None or () is a flag that was not given, as is an empty string.

    request_timeout: seconds for one request; 0: no limit.
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

    cluster, user: fields named as in a kubeconfig; empty ones are left out, file names are absolute.
    request_timeout: seconds for one request; None: no limit of the user's.
    bypassed: the kubeconfig's entry of the cluster, where a flag leads to another server; else None.
    """

    context: str
    cluster_name: str
    user_name: str
    namespace: str
    cluster: Entry = field(repr=False)
    user: Entry = field(repr=False)
    request_timeout: float | None = None
    bypassed: Entry | None = field(default=None, repr=False)

    @property
    def server(self) -> str:
        """The API server's URL without a slash at its end; a host without a scheme is http, as in kubectl."""
        return url_of(self.cluster)


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
    written = entry(config.clusters, cluster_name, "cluster", named_by)
    cluster = with_cluster_flags(written, overrides)
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
        written if written.get("server") and url_of(written) != url_of(cluster) else None,
    )


def url_of(cluster: Mapping[str, Any]) -> str:
    """The URL of the server that an entry of a cluster names."""
    server = str(cluster["server"]).partition("?")[0].rstrip("/")
    return server if "://" in server else f"http://{server}"


def contexts(overrides: Overrides, environ: Mapping[str, str]) -> list[str]:
    """The names of all contexts, sorted as `kubectl config get-contexts` does."""
    return sorted(merged(overrides, environ).contexts)


def matching(contexts: Iterable[str], patterns: str) -> list[str]:
    """The contexts that any of these names or globs, separated by commas, matches, in their own order.

    Raises UsageError for a pattern that matches none.
    """
    contexts, wanted = list(contexts), [pattern.strip() for pattern in patterns.split(",")]
    for pattern in wanted:
        if not fnmatch.filter(contexts, pattern):
            raise UsageError(
                f"no context of the kubeconfig matches {pattern!r}",
                "kubectl config get-contexts lists them" if contexts else "the kubeconfig has no contexts",
            )
    return [name for name in contexts if any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted)]


def merged(overrides: Overrides, environ: Mapping[str, str]) -> Kubeconfig:
    """The files that these flags and environment variables name, as one; raises UsageError."""
    return read(overrides.kubeconfig, environ)


def entry(named: Mapping[str, Entry], name: str, kind: str, hint: str | None) -> Entry:
    """The entry of that name; {} where none is named.

    kubectl continues without a cluster or user that a context names and nobody defines, and so speaks to
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


def parse_duration(text: str) -> float:
    """Seconds of kubectl's `--request-timeout`: «30», «5s», «1m30s», «500ms»; 0: no limit.

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


def material(target: Target, field: str) -> bytes | None:
    """A certificate or key of the kubeconfig, from its data or its file; None where there is none."""
    entry = target.cluster if field == "certificate-authority" else target.user
    if data := entry.get(f"{field}-data"):
        try:
            return base64.b64decode(data)
        except ValueError:
            raise AdminError(f"{field}-data in the kubeconfig is not base64") from None
    try:
        return Path(entry[field]).read_bytes() if field in entry else None
    except OSError as error:
        raise AdminError(f"unable to read {field} {entry[field]}: {str(error.strerror).lower()}") from None
