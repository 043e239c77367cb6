"""What kubectl refuses in a kubeconfig before it speaks to any server.

Source: client-go tools/clientcmd/validation.go, whose words these are.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.address import fault_of, shown
from kubectl_admin.errors import UsageError

INTERACTIVE_MODES = ("Never", "IfAvailable", "Always")


def check(cluster_name: str, cluster: Mapping[str, Any], user_name: str, user: Mapping[str, Any]) -> None:
    """Raises UsageError with everything that contradicts itself in this cluster and user."""
    found = [*of_cluster(cluster_name, cluster), *of_user(user_name, user)]
    if found:
        raise UsageError("invalid configuration: " + "; ".join(found))


def of_cluster(name: str, cluster: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with how the cluster is described."""
    authority = cluster.get("certificate-authority")
    if authority and "certificate-authority-data" in cluster:
        yield f"certificate-authority-data and certificate-authority are both specified for {name}"
    if authority and (reason := unreadable(authority)):
        yield f"unable to read certificate-authority {authority} for {name} due to {reason}"
    if cluster.get("insecure-skip-tls-verify") and (authority or "certificate-authority-data" in cluster):
        yield f"specifying a root certificates file with the insecure flag is not allowed for {name}"
    server = str(cluster["server"])
    server = server if "://" in server else f"http://{server}"
    yield from of_address(f"'server' {shown(server)!r} for cluster {name!r}", server, ("http", "https"))
    if proxy := str(cluster.get("proxy-url", "")):
        about = f"'proxy-url' {shown(proxy)!r} for cluster {name!r}"
        yield from of_address(about, proxy, ("http", "https", "socks5"))


def of_address(about: str, address: str, schemes: Sequence[str]) -> Iterator[str]:
    """What is wrong with an address. about: how it is named, without its password."""
    if address.partition("://")[0].lower() not in schemes:
        yield f"invalid {about}: must be {', '.join(schemes[:-1])}, or {schemes[-1]}"
    elif fault := fault_of(address):
        yield f"invalid {about}: {fault}"


def of_user(name: str, user: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with how the user is described."""
    if "token" in user and ("username" in user or "password" in user):
        yield f"more than one authentication method found for {name}; found [token basicAuth]"
    if "client-certificate" in user or "client-certificate-data" in user:
        yield from of_certificate(name, user)
    if "exec" in user:
        yield from of_plugin(name, user)
    if {"as-uid", "as-groups", "as-user-extra"} & set(user) and "as" not in user:
        yield f"requesting uid, groups or user-extra for {name} without impersonating a user"


def of_certificate(name: str, user: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a client certificate and its key."""
    if "client-certificate" in user and "client-certificate-data" in user:
        yield f"client-cert-data and client-cert are both specified for {name}"
    if "client-key" in user and "client-key-data" in user:
        yield f"client-key-data and client-key are both specified for {name}"
    if "client-key" not in user and "client-key-data" not in user:
        yield f"client-key-data or client-key must be specified for {name} to use the clientCert method"
    for field, word in (("client-certificate", "client-cert"), ("client-key", "client-key")):
        if field in user and (reason := unreadable(user[field])):
            yield f"unable to read {word} {user[field]} for {name} due to {reason}"


def of_plugin(name: str, user: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an exec credential plugin."""
    plugin = user["exec"]
    if "auth-provider" in user:
        yield f"authProvider cannot be provided in combination with an exec plugin for {name}"
    for field in ("command", "apiVersion"):
        if not plugin.get(field):
            yield f"{field} must be specified for {name} to use exec authentication plugin"
    mode = interactive_mode(plugin)
    if not mode:
        yield f"interactiveMode must be specified for {name} to use exec authentication plugin"
    elif mode not in INTERACTIVE_MODES:
        yield f"invalid interactiveMode for {name}: {mode!r}"


def interactive_mode(plugin: Mapping[str, Any]) -> str:
    """The plugin's relation to standard input; only the beta versions of its API have a default.

    Source: client-go tools/clientcmd/api/v1/defaults.go.
    """
    beta = str(plugin.get("apiVersion", "")).endswith(("/v1alpha1", "/v1beta1"))
    return str(plugin.get("interactiveMode") or ("IfAvailable" if beta else ""))


def unreadable(path: str) -> str | None:
    """Why the file can't be opened; None if it can."""
    try:
        with Path(path).open("rb"):
            return None
    except OSError as error:
        return f"open {path}: {str(error.strerror).lower()}"
