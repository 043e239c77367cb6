"""Which files a configuration file of the control plane names, and which programs. Pure.

Sources: kubernetes apiserver pkg/apis/apiserver (admission, authorization, egress, encryption),
pkg/admission/plugin/webhook/config, plugin/pkg/admission/imagepolicy, kube-scheduler config/v1, client-go
tools/clientcmd/api/v1 (kubeconfig), etcd server/embed/config.go.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from kubectl_admin.cluster.decode import decode_yaml, mapping
from kubectl_admin.report.text import printable

MANY = 200  # entries of a list that are looked at
LONGEST = 4096  # characters of a path


class Form(Enum):
    """What a file may name further."""

    PLAIN = auto()  # nothing: certificates, keys, policies
    KUBECONFIG = auto()
    DOCUMENT = auto()  # a configuration, told by its kind


@dataclass(frozen=True, slots=True)
class Path:
    """A file that is named, as it is written there; a relative path begins where the naming file is."""

    path: str
    form: Form = Form.PLAIN


@dataclass(frozen=True, slots=True)
class Unkept:
    """A thing that is named and is no file. what: «KMS plugin vault at unix:///…». why: it can't be kept."""

    what: str
    why: str


Naming = Iterator[Path | Unkept]


def named_by(form: Form, text: str, title: str) -> Naming:
    """All that a file names. title: the file's name in errors. Raises AdminError for what is not YAML."""
    if form is Form.PLAIN:
        return
    for one in documents(text, title):
        found = mapping(one)
        if form is Form.KUBECONFIG:
            yield from _kubeconfig(found)
        else:
            yield from _document(found)


def document(text: str, title: str) -> Any:
    """The first document of a file; None where it has none. Raises AdminError, with nothing of the file."""
    return next(iter(documents(text, title)), None)


def documents(text: str, title: str) -> list[Any]:
    """All documents of a file. Raises AdminError, with nothing of the file."""
    if text.lstrip().startswith("{"):  # JSON may have tabs, which YAML does not take
        try:
            return [json.loads(text)]
        except (ValueError, RecursionError):
            pass
    return decode_yaml(text, title)


def _document(found: Mapping[str, Any]) -> Naming:
    reader = KINDS.get(str(found.get("kind") or ""))
    if reader:
        yield from reader(found)
        return
    # Two that have no kind: the configuration of ImagePolicyWebhook, and etcd's.
    yield from _file(mapping(found.get("imagePolicy")), "kubeConfigFile", Form.KUBECONFIG)
    for part in ("client-transport-security", "peer-transport-security"):
        settings = mapping(found.get(part))
        for field in settings:
            if str(field).endswith("-file"):
                yield from _file(settings, field)


def _kubeconfig(found: Mapping[str, Any]) -> Naming:
    for cluster in _listed(found, "clusters"):
        yield from _file(mapping(cluster.get("cluster")), "certificate-authority")
    for user in _listed(found, "users"):
        settings = mapping(user.get("user"))
        for field in ("client-certificate", "client-key", "tokenFile"):
            yield from _file(settings, field)
        program = mapping(settings.get("exec")).get("command")
        if isinstance(program, str) and program:
            yield Unkept(f"program {_shown(program)}", "it is a program, and gives credentials that it has")


def _admission(found: Mapping[str, Any]) -> Naming:
    for plugin in _listed(found, "plugins"):
        yield from _file(plugin, "path", Form.DOCUMENT)
        yield from _document(mapping(plugin.get("configuration")))


def _authorization(found: Mapping[str, Any]) -> Naming:
    for one in _listed(found, "authorizers"):
        connection = mapping(mapping(one.get("webhook")).get("connectionInfo"))
        yield from _file(connection, "kubeConfigFile", Form.KUBECONFIG)


def _encryption(found: Mapping[str, Any]) -> Naming:
    told = set()
    for entry in _listed(found, "resources"):
        for provider in _listed(entry, "providers"):
            kms = mapping(provider.get("kms"))
            what = f"KMS plugin {_shown(kms.get('name'))} at {_shown(kms.get('endpoint'))}"
            if kms and what not in told:
                told.add(what)
                yield Unkept(what, "it holds the key by which objects in etcd are encrypted")


def _egress(found: Mapping[str, Any]) -> Naming:
    for one in _listed(found, "egressSelections"):
        transport = mapping(mapping(one.get("connection")).get("transport"))
        secured = mapping(mapping(transport.get("tcp")).get("tlsConfig"))
        for field in ("caBundle", "clientKey", "clientCert"):
            yield from _file(secured, field)
        if name := mapping(transport.get("uds")).get("udsName"):
            yield Unkept(f"the program behind {_shown(name)}", "it carries the API server's connections")


def _scheduler(found: Mapping[str, Any]) -> Naming:
    yield from _file(mapping(found.get("clientConnection")), "kubeconfig", Form.KUBECONFIG)


def _webhooks(found: Mapping[str, Any]) -> Naming:
    yield from _file(found, "kubeConfigFile", Form.KUBECONFIG)


def _file(said: Mapping[str, Any], field: str, form: Form = Form.PLAIN) -> Naming:
    path = said.get(field)
    if isinstance(path, str) and 0 < len(path) <= LONGEST and "\0" not in path:
        yield Path(path, form)


def _listed(said: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    found = said.get(field)
    return [mapping(one) for one in found[:MANY]] if isinstance(found, list) else []


def _shown(said: object) -> str:
    return printable(str(said or "?"))[:120]


KINDS: Mapping[str, Callable[[Mapping[str, Any]], Naming]] = {
    "AdmissionConfiguration": _admission,
    "AuthorizationConfiguration": _authorization,
    "Config": _kubeconfig,
    "EgressSelectorConfiguration": _egress,
    "EncryptionConfiguration": _encryption,
    "KubeSchedulerConfiguration": _scheduler,
    "WebhookAdmission": _webhooks,
    "WebhookAdmissionConfiguration": _webhooks,
}
