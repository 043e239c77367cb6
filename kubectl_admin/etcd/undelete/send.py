"""Sends one object to the API server, to be made, or put back to what it was; for a try, or in earnest.

Source: docs «Kubernetes API Concepts», dry-run, field managers; kubernetes/kubernetes
pkg/registry/core/service/storage/alloc.go (addresses and ports of Services that are taken).
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import ApiError, Conflict, NotFound
from kubectl_admin.cluster.requests import Query
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete.facts import Item, Json, Key, Owner, State
from kubectl_admin.etcd.undelete.identity import version_of
from kubectl_admin.etcd.undelete.merge import put_back
from kubectl_admin.etcd.undelete.unfinished import MANAGER, managers
from kubectl_admin.etcd.undelete.written import as_written

DRY = (("dryRun", "All"), ("fieldManager", MANAGER))
SERVICES, PODS = ("", "services"), ("", "pods")
# Fields of a Service for which the server gives another value where the one that is asked for is taken.
ADDRESS = re.compile(r"spec\.clusterIPs?\b")
NODE_PORT = re.compile(r"spec\.ports\[(\d+)\]\.nodePort$")
HEALTH_PORT = "spec.healthCheckNodePort"
SENT = 4  # times that a Service is sent at most: each time with less that is taken
TRIES = 3  # times that an object is sent whose answer is lost, and which is not there then
RETRY_INTERVAL = 1.0  # seconds between two of them
NO_DRY_RUN = (
    "does not support dry run"  # apiserver pkg/admission/plugin/webhook/errors, NewDryRunUnsupportedErr
)
NOBODY = Key("", "", "", "")
# A pod's account, which a controller makes in a new namespace: plugin/pkg/admission/serviceaccount.
NO_ACCOUNT = "error looking up service account"
ACCOUNT_TRIES = 30  # times that a pod is sent until its account is there


class UncertainError(AdminError):
    """Whether an object was made is not known: its answer is lost, and it can't be looked at."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What has come of an object that was sent.

    made: the object as the server answers. left: fields that others have taken, so that it has other values.
    error: why it was not made. there: the object that somebody else has made meanwhile.
    """

    made: Json | None = None
    left: tuple[str, ...] = ()
    error: AdminError | None = None
    there: Json | None = None

    @property
    def is_unsupported(self) -> bool:
        """Whether a webhook could not be tried, as it has effects of its own."""
        return isinstance(self.error, ApiError) and NO_DRY_RUN in self.error.message


def body(item: Item, uids: Mapping[Key, str], *, is_try: bool) -> Json:
    """The object as it is made. uids: of owners that are made in this run.

    is_try: an owner that is not there yet keeps the UID that it had. In earnest its reference is dropped: the
    garbage collector removes an object whose owners are not there.
    """
    made = as_written(item.then)
    made["metadata"].pop("ownerReferences", None)
    if owners := references(item, uids, is_try=is_try):
        made["metadata"]["ownerReferences"] = owners
    made["apiVersion"], made["kind"] = item.resource.api_version, item.resource.kind
    return made


def references(item: Item, uids: Mapping[Key, str], *, is_try: bool) -> list[Json]:
    """The references to its owners, with their UIDs of now. Arguments: as of `body`."""
    return [
        {**owner.reference, "uid": uid}
        for owner in item.owners
        if (uid := owner.uid or uids.get(owner.key or NOBODY, "") or (old_uid(owner) if is_try else ""))
    ]


def old_uid(owner: Owner) -> str:
    """The UID that an owner had."""
    return str(owner.reference.get("uid") or "")


def try_out(cluster: Cluster, item: Item, uids: Mapping[Key, str]) -> Sent:
    """The object is sent, and nothing is kept of it: all but the storing is done."""
    content, sent = body(item, uids, is_try=True), Sent()
    for _ in range(TRIES):
        sent = _sent(cluster, item, content, DRY)
        if sent.error is None or is_verdict(sent.error):
            return sent
        cluster.clock.sleep(RETRY_INTERVAL)
    return sent


def make(cluster: Cluster, item: Item, uids: Mapping[Key, str], manager: str) -> Sent:
    """The object is made, or put back. manager: tells this run's writes from all others.

    Where an answer is lost, the object is looked for, and whether it was written by this run. Raises
    UncertainError where that can't be told.
    """
    content, sent, number = body(item, uids, is_try=False), Sent(), 0
    while True:
        number += 1
        sent = _sent(cluster, item, content, [("fieldManager", manager)])
        if sent.error and not is_verdict(sent.error):
            sent = replace(sent, there=_look_again(cluster, item, sent.error))
        if sent.there and is_written_by(sent.there, manager):
            return Sent(made=sent.there)
        if sent.error is None or number >= tries(item, sent) or is_another(sent.there, item):
            return sent
        cluster.clock.sleep(RETRY_INTERVAL)


def tries(item: Item, sent: Sent) -> int:
    """How often an object is sent that fails so. Pure."""
    if sent.error is None:
        return 1
    if NO_ACCOUNT in sent.error.what and (item.resource.group, item.resource.plural) == PODS:
        return ACCOUNT_TRIES
    # A quota that is counted anew at that moment is a conflict, though no such object is there:
    # apiserver pkg/admission/plugin/resourcequota/controller.go.
    is_counted = isinstance(sent.error, Conflict) and item.state is State.MISSING and sent.there is None
    return TRIES if is_counted or not is_verdict(sent.error) else 1


def _look_again(cluster: Cluster, item: Item, error: AdminError) -> Json | None:
    """The object whose answer is lost."""
    try:
        return look(cluster, item)
    except AdminError as another:
        raise UncertainError(
            f"whether {item.title} was made is not known: {error.what}; {another.what}"
        ) from another


def is_verdict(error: AdminError) -> bool:
    """Whether the server has judged the object, and is not just in trouble itself.

    Source: apiserver pkg/admission/plugin/webhook/errors: a webhook that fails is an internal error, 500.
    """
    if not isinstance(error, ApiError):
        return False
    return not is_transient(error) or (error.status == 500 and "webhook" in error.message)


def is_another(there: Json | None, item: Item) -> bool:
    """Whether the object that is there is not the one that was there when the plan was made."""
    return version_of(there) != version_of(item.now)


def look(cluster: Cluster, item: Item) -> Json | None:
    """The object as it is now; None for none. Raises AdminError where that is not told."""
    try:
        found: Json = cluster.get(item.resource.path(item.key.namespace, item.key.name))
    except NotFound:
        return None
    return found


def is_written_by(there: Mapping[str, object], manager: str) -> bool:
    """Whether a run has written the object: the server notes by whom fields were set."""
    return any(one.get("manager") == manager for one in managers(there))


def _sent(cluster: Cluster, item: Item, content: Json, query: Query) -> Sent:
    """One object, sent; a Service again without the addresses and ports that others have."""
    left, last = list[str](), None
    # Each time, a server names one that is taken.
    for _ in range(SENT + len(mapping(content.get("spec")).get("ports") or ())):
        try:
            if item.state is State.MISSING:
                made = cluster.post(item.resource.path(item.key.namespace), content, query)
            else:
                path = item.resource.path(item.key.namespace, item.key.name)
                made = cluster.put(path, put_back(item.then, item.now or {}), query)
            return Sent(made=made, left=tuple(left))
        except Conflict as error:
            try:
                return Sent(error=error, there=look(cluster, item), left=tuple(left))
            except AdminError:
                return Sent(error=error, left=tuple(left))
        except AdminError as error:
            without = taken(item, content, error)
            if without is None:
                return Sent(error=error, left=tuple(left))
            last, (content, fields) = error, without
            left += fields
    return Sent(error=last, left=tuple(left))


def taken(item: Item, content: Json, error: AdminError) -> tuple[Json, list[str]] | None:
    """A Service without what the server says is taken, and the fields with their values; None for all else.

    Pure.
    """
    if (item.resource.group, item.resource.plural) != SERVICES or not isinstance(error, ApiError):
        return None
    causes = error.details.get("causes")
    named = [str(mapping(one).get("field") or "") for one in (causes if isinstance(causes, list) else ())]
    made, left = deepcopy(content), list[str]()
    spec = made.get("spec") or {}
    for field in named:
        if ADDRESS.match(field) and spec.get("clusterIP") not in (None, "", "None"):
            left.append(f"clusterIP {spec['clusterIP']}")
            spec.pop("clusterIPs", None)
            spec.pop("clusterIP", None)
        elif port := NODE_PORT.match(field):
            ports = spec.get("ports") or []
            place = int(port[1])
            if place < len(ports) and ports[place].get("nodePort"):
                left.append(f"nodePort {ports[place].pop('nodePort')}")
        elif field == HEALTH_PORT and spec.get("healthCheckNodePort"):
            left.append(f"healthCheckNodePort {spec.pop('healthCheckNodePort')}")
    return (made, left) if left else None
