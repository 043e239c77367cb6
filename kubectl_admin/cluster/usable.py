"""Faults of a kubeconfig that kubectl refuses before it speaks to a server.

Source: client-go tools/clientcmd/validation.go, whose words these are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.address import fault_of, is_host_name, shown
from kubectl_admin.cluster.decode import is_text
from kubectl_admin.errors import UsageError


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of value of a field. words: its name."""

    words: str
    may_be: Callable[[Any], bool]


def is_one_text(value: object) -> bool:
    """Whether this is text that a program or a server may be given."""
    return is_text(value) and "\0" not in str(value)


def are_texts(value: object) -> bool:
    """Whether this is a list of it."""
    return isinstance(value, list) and all(map(is_one_text, value))


def are_objects(value: object) -> bool:
    """Whether this is a list of objects."""
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def are_texts_by_key(value: object) -> bool:
    """Whether these are lists of text by their keys."""
    return isinstance(value, dict) and all(is_one_text(key) and are_texts(value[key]) for key in value)


TEXT = Kind("text", is_one_text)
FILE = Kind("a file name", lambda value: isinstance(value, str) and "\0" not in value)
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
TEXTS = Kind("a list of text", are_texts)
OBJECT = Kind("an object", lambda value: isinstance(value, dict))
OBJECTS = Kind("a list of objects", are_objects)
EXTRA = Kind("lists of text by their keys", are_texts_by_key)
CLUSTER = {
    **dict.fromkeys(("server", "tls-server-name", "proxy-url", "certificate-authority-data"), TEXT),
    "certificate-authority": FILE,
    "insecure-skip-tls-verify": FLAG,
    "disable-compression": FLAG,
    "extensions": OBJECTS,
}
USER = {
    **dict.fromkeys(("token", "username", "password", "as", "as-uid"), TEXT),
    **dict.fromkeys(("client-certificate-data", "client-key-data"), TEXT),
    **dict.fromkeys(("tokenFile", "client-certificate", "client-key"), FILE),
    "as-groups": TEXTS,
    "as-user-extra": EXTRA,
    "exec": OBJECT,
    "auth-provider": OBJECT,
}
PLUGIN = {
    **dict.fromkeys(("command", "apiVersion", "interactiveMode", "installHint"), TEXT),
    "args": TEXTS,
    "env": OBJECTS,
    "provideClusterInfo": FLAG,
}
VARIABLE = {"name": TEXT, "value": TEXT}
PROVIDER = {"name": TEXT, "config": OBJECT}
INTERACTIVE_MODES = ("Never", "IfAvailable", "Always")


def check(cluster_name: str, cluster: Mapping[str, Any], user_name: str, user: Mapping[str, Any]) -> None:
    """Raises UsageError with everything that contradicts itself in this cluster and user."""
    found = [*mistyped(cluster_name, cluster, CLUSTER), *mistyped(user_name, user, USER)]
    found = found or [*of_cluster(cluster_name, cluster), *of_user(user_name, user)]
    if found:
        raise UsageError("invalid configuration: " + "; ".join(found))


def mistyped(name: str, entry: Mapping[str, Any], wanted: Mapping[str, Kind]) -> Iterator[str]:
    """Which fields are of another type, those within them included; their values are not shown."""
    held = {field: kind for field, kind in wanted.items() if entry.get(field) is not None}
    wrong = [field for field, kind in held.items() if not kind.may_be(entry[field])]
    yield from (f"{field} of {name} must be {wanted[field].words}" for field in wrong)
    if wrong:
        return
    if wanted is USER:
        yield from mistyped(f"exec of {name}", entry.get("exec") or {}, PLUGIN)
        yield from mistyped(f"auth-provider of {name}", entry.get("auth-provider") or {}, PROVIDER)
    if wanted is PLUGIN:
        for variable in entry.get("env") or ():
            yield from mistyped(f"env of {name}", variable, VARIABLE)
            if not variable.get("name") or "=" in str(variable["name"]):
                yield f"env of {name} has a variable without a name that one may have"


def of_cluster(name: str, cluster: Mapping[str, Any]) -> Iterator[str]:
    """Faults in the description of the cluster."""
    authority = cluster.get("certificate-authority")
    if authority and "certificate-authority-data" in cluster:
        yield f"certificate-authority-data and certificate-authority are both specified for {name}"
    if authority and (reason := unreadable(authority)):
        yield f"unable to read certificate-authority {authority} for {name} due to {reason}"
    if not is_host_name(cluster.get("tls-server-name", "unset")):
        yield f"tls-server-name of {name} is not a host name"
    if cluster.get("insecure-skip-tls-verify") and (authority or "certificate-authority-data" in cluster):
        yield f"specifying a root certificates file with the insecure flag is not allowed for {name}"
    server = str(cluster["server"])
    server = server if "://" in server else f"http://{server}"
    yield from of_address(f"'server' {shown(server)!r} for cluster {name!r}", server, ("http", "https"))
    if proxy := str(cluster.get("proxy-url", "")):
        about = f"'proxy-url' {shown(proxy)!r} for cluster {name!r}"
        yield from of_address(about, proxy, ("http", "https", "socks5"))


def of_address(about: str, address: str, schemes: Sequence[str]) -> Iterator[str]:
    """Faults of an address. about: how it is named, without its password."""
    if address.partition("://")[0].lower() not in schemes:
        yield f"invalid {about}: must be {', '.join(schemes[:-1])}, or {schemes[-1]}"
    elif fault := fault_of(address):
        yield f"invalid {about}: {fault}"


def of_user(name: str, user: Mapping[str, Any]) -> Iterator[str]:
    """Faults in the description of the user."""
    if "token" in user and ("username" in user or "password" in user):
        yield f"more than one authentication method found for {name}; found [token basicAuth]"
    if "client-certificate" in user or "client-certificate-data" in user:
        yield from of_certificate(name, user)
    if "exec" in user:
        yield from of_plugin(name, user)
    if {"as-uid", "as-groups", "as-user-extra"} & set(user) and "as" not in user:
        yield f"requesting uid, groups or user-extra for {name} without impersonating a user"


def of_certificate(name: str, user: Mapping[str, Any]) -> Iterator[str]:
    """Faults of a client certificate and its key."""
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
    """Faults of an exec credential plugin."""
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
