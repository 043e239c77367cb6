"""Certificates in objects of the API: whom API servers trust when they call webhooks and aggregated APIs, and
whom they trust when clients come to them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.facts import Seen, Source, Use
from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.paths import KUBE_SYSTEM, SYSTEM

# The authorities that API servers use, as they publish them for the servers of aggregated APIs.
# Source: docs «Configure the Aggregation Layer», «Extension Apiserver Authenticates the Request».
PUBLISHED = "extension-apiserver-authentication"
PUBLISHED_FIELDS = {"client-ca-file": "ca", "requestheader-client-ca-file": "front-proxy-ca"}
PUBLISHING = Right("get", "configmaps", KUBE_SYSTEM)  # the right to read them
CRD_PAGE = 50  # definitions carry schemas of many pages

Bundles = Iterator[tuple[str, object]]  # the name of an object, and a caBundle in it


def webhooks(document: Mapping[str, Any]) -> Bundles:
    """The bundles of a ValidatingWebhookConfiguration or MutatingWebhookConfiguration."""
    for hook in document.get("webhooks") or ():
        yield document["metadata"]["name"], (hook.get("clientConfig") or {}).get("caBundle")


def conversion(document: Mapping[str, Any]) -> Bundles:
    """The bundle of a CustomResourceDefinition whose versions a webhook converts."""
    webhook = ((document.get("spec") or {}).get("conversion") or {}).get("webhook") or {}
    yield document["metadata"]["name"], (webhook.get("clientConfig") or {}).get("caBundle")


def aggregated(document: Mapping[str, Any]) -> Bundles:
    """The bundle of an APIService that another server answers."""
    yield document["metadata"]["name"], (document.get("spec") or {}).get("caBundle")


# The kind in a word -> group, resource, objects a page, and a function that finds the bundles in one.
KINDS: Mapping[str, tuple[str, str, int, Callable[[Mapping[str, Any]], Bundles]]] = {
    "validatingwebhook": ("admissionregistration.k8s.io", "validatingwebhookconfigurations", 500, webhooks),
    "mutatingwebhook": ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", 500, webhooks),
    "crd": ("apiextensions.k8s.io", "customresourcedefinitions", CRD_PAGE, conversion),
    "apiservice": ("apiregistration.k8s.io", "apiservices", 500, aggregated),
}


def questions(cluster: Cluster) -> dict[Right, Callable[[], tuple[Seen, ...]]]:
    """Questions, by the right for each."""
    asked: dict[Right, Callable[[], tuple[Seen, ...]]] = {
        right(kind): partial(_listed, cluster, kind) for kind in KINDS
    }
    asked[PUBLISHING] = partial(published, cluster)
    return asked


def right(kind: str) -> Right:
    """The right to list the objects of a kind."""
    group, resource, _, _ = KINDS[kind]
    return Right("list", resource, group=group)


def path(kind: str) -> str:
    """The path of the list of a kind."""
    group, resource, _, _ = KINDS[kind]
    return f"/apis/{group}/v1/{resource}"


def published(cluster: Cluster) -> tuple[Seen, ...]:
    """The authorities that API servers publish as those of their clients. Raises AdminError."""
    return tuple(of_published(cluster.get(f"{SYSTEM}/configmaps/{PUBLISHED}")))


def of_objects(kind: str, documents: Iterable[Mapping[str, Any]]) -> Iterator[Seen]:
    """The authorities in the objects of a kind, each once for an object; unreadable ones as well."""
    find = KINDS[kind][3]
    for document in documents:
        told = set()
        for name, bundle in find(document):
            title = f"{kind}/{name}"
            for content in x509.of_base64(str(bundle)) if bundle else ():
                if content not in told:
                    told.add(content)
                    yield Seen(title, "", title, Source.OBJECT, Use.AUTHORITY, content)


def of_published(document: Mapping[str, Any]) -> Iterator[Seen]:
    """The authorities that API servers publish as those of their clients."""
    for field, name in PUBLISHED_FIELDS.items():
        if text := (document.get("data") or {}).get(field):
            where = f"configmap/{PUBLISHED} {field}"
            for content in x509.read(str(text).encode()):
                yield Seen(name, "", where, Source.OBJECT, Use.AUTHORITY, content)


def _listed(cluster: Cluster, kind: str) -> tuple[Seen, ...]:
    return tuple(of_objects(kind, cluster.list(path(kind), page=KINDS[kind][2])))
