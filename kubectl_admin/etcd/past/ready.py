"""Waits until an opened snapshot answers, and asks it what of it can't be read."""

from collections.abc import Callable, Iterator
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import ApiError
from kubectl_admin.cluster.wait import looks
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import rules
from kubectl_admin.finding import Finding
from kubectl_admin.report.text import duration, printable

READY_TIMEOUT = 600.0  # seconds in which the API server must be ready, on a slow disk
READY_INTERVAL = 0.2  # seconds between two questions
ANSWER_TIMEOUT = 10.0  # seconds for an answer
# Checks that may fail for what the snapshot holds, or its encryption: all else can be read.
OPTIONAL = ("informer-sync", "kms-providers", "poststarthook/storage-readiness")
READYZ = [("exclude", name) for name in OPTIONAL]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SECRETS = "/api/v1/secrets"
LONGEST = 300  # characters of an API server's words that are shown


def wait_until_ready(cluster: Cluster, check: Callable[[], None], *, timeout: float = READY_TIMEOUT) -> None:
    """Returns once the API server is ready. check: raises AdminError where a program has ended.

    Raises AdminError where it is not ready after so many seconds.
    """
    last: AdminError | None = None
    for late in looks(timeout, READY_INTERVAL, clock=cluster.clock):
        check()
        try:
            cluster.get_text("/readyz", READYZ, timeout=ANSWER_TIMEOUT)
            return
        except AdminError as error:
            last = error
        if late:
            break
    raise AdminError(
        f"the snapshot's API server is not ready after {duration(timeout)}: {last.what if last else ''}",
        "is the machine very busy, or its disk slow?",
    )


def unread(cluster: Cluster) -> list[Finding]:
    """All that can't be read as it was, as far as the opened API tells it."""
    return [*_secrets(cluster), *_conversions(cluster)]


def cluster_uid(cluster: Cluster) -> str:
    """The UID of namespace kube-system, or ""."""
    try:
        found = mapping(cluster.get("/api/v1/namespaces/kube-system", timeout=ANSWER_TIMEOUT))
    except AdminError:
        return ""
    return str(mapping(found.get("metadata")).get("uid") or "")


def _secrets(cluster: Cluster) -> Iterator[Finding]:
    try:
        cluster.get(SECRETS, [("limit", "1")], timeout=ANSWER_TIMEOUT)
    except ApiError as error:
        yield rules.OPEN_UNREADABLE.warning(
            subject="Secrets",
            evidence=f"they can't be read: {printable(error.message)[:LONGEST]}",
            fix="open it where the API server has the key, or name its configuration with "
            "--local --encryption-provider-config",
        )


def _conversions(cluster: Cluster) -> Iterator[Finding]:
    for item in cluster.list(DEFINITIONS, timeout=ANSWER_TIMEOUT):
        if found := conversion(item):
            yield found


def conversion(definition: dict[str, Any]) -> Finding | None:
    """Whether a CustomResourceDefinition has versions that only a webhook makes. Pure."""
    spec = mapping(definition.get("spec"))
    if mapping(spec.get("conversion")).get("strategy") != "Webhook":
        return None
    versions = [mapping(one) for one in spec.get("versions") or () if isinstance(one, dict)]
    stored = next((str(one.get("name")) for one in versions if one.get("storage")), "")
    others = [str(one.get("name")) for one in versions if one.get("served") and not one.get("storage")]
    if not others:
        return None
    name = str(mapping(definition.get("metadata")).get("name"))
    resource, _, group = name.partition(".")
    return rules.OPEN_CONVERSION.note(
        subject=f"CustomResourceDefinition {printable(name)}",
        evidence=f"{printable(', '.join(others))} can't be read",
        fix=f"read {printable(f'{resource}.{stored}.{group}')}",
    )
