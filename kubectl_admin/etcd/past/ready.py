"""Waits until an opened snapshot answers, and asks it what of it can't be read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import ApiError
from kubectl_admin.cluster.wait import looks
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import rules
from kubectl_admin.etcd.past.facts import Past, Sample
from kubectl_admin.finding import Finding
from kubectl_admin.report.text import duration, printable

READY_TIMEOUT = 600.0  # seconds in which the API server must be ready, on a slow disk
READY_INTERVAL = 0.2  # seconds between two questions
ANSWER_TIMEOUT = 10.0  # seconds for an answer
# Checks that may fail for what the snapshot holds, or its encryption: all else can be read.
OPTIONAL = ("informer-sync", "kms-providers", "poststarthook/storage-readiness")
READYZ = [("exclude", name) for name in OPTIONAL]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
UNREADABLE = (
    500  # the status of an object that can't be decrypted; apiserver pkg/storage/errors.go, InternalError
)
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


def unread(cluster: Cluster, past: Past) -> list[Finding]:
    """All that can't be read as it was, as far as the opened API tells it. A look that fails is a finding."""
    return [*_encrypted(cluster, past.encrypted), *_conversions(cluster)]


def cluster_uid(cluster: Cluster) -> str:
    """The UID of namespace kube-system, or ""."""
    try:
        found = mapping(cluster.get("/api/v1/namespaces/kube-system", timeout=ANSWER_TIMEOUT))
    except AdminError:
        return ""
    return str(mapping(found.get("metadata")).get("uid") or "")


def _encrypted(cluster: Cluster, samples: Sequence[Sample]) -> Iterator[Finding]:
    """Reads each of them. One of a key that the API server does not have is refused with status 500."""
    for one in samples:
        subject = printable(f"{one.resource}.{one.group}".strip(".") or one.key)
        by = printable(one.by)
        about = f"{by}, as {printable(f'{one.namespace}/{one.name}'.lstrip('/'))},"
        if not one.resource:
            yield unseen(subject, f"its key does not tell which object it is, and it is encrypted by {by}")
            continue
        try:
            cluster.get(path_of(one, _version(cluster, one.group)), timeout=ANSWER_TIMEOUT)
        except AdminError as error:
            said = printable(error.message if isinstance(error, ApiError) else error.what)[:LONGEST]
            if isinstance(error, ApiError) and error.status == UNREADABLE:
                yield rules.OPEN_UNREADABLE.warning(
                    subject=subject,
                    evidence=f"those that are encrypted by {about} can't be read: {said}",
                    fix="open it where the API server has the key, or name its configuration with "
                    "--local --encryption-provider-config",
                )
            else:
                yield unseen(subject, f"those that are encrypted by {about} could not be looked at: {said}")


def _version(cluster: Cluster, group: str) -> str:
    """The version in which a group is best read. Raises AdminError where it is not served."""
    if not group:
        return "v1"
    found = mapping(cluster.get(f"/apis/{quote(group, safe='')}", timeout=ANSWER_TIMEOUT))
    return str(mapping(found.get("preferredVersion")).get("version"))


def path_of(one: Sample, version: str) -> str:
    """Where the API has it. Pure."""
    root = f"/apis/{quote(one.group, safe='')}" if one.group else "/api"
    space = f"/namespaces/{quote(one.namespace, safe='')}" if one.namespace else ""
    return (
        f"{root}/{quote(version, safe='')}{space}/{quote(one.resource, safe='')}/{quote(one.name, safe='')}"
    )


def unseen(subject: str, evidence: str) -> Finding:
    """Something of which it is not known whether it can be read."""
    return rules.OPEN_UNSEEN.warning(subject=subject, evidence=evidence, fix="read it, and see what is said")


def _conversions(cluster: Cluster) -> Iterator[Finding]:
    try:
        for item in cluster.list(DEFINITIONS, timeout=ANSWER_TIMEOUT):
            if found := conversion(item):
                yield found
    except AdminError as error:
        said = printable(error.what)[:LONGEST]
        yield unseen("CustomResourceDefinitions", f"they could not be looked at: {said}")


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
