"""Finds out what is on a node and around it: one listing of each kind that the pods there make necessary."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from kubectl_admin.cluster.access import may_not
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError, Forbidden, NotFound
from kubectl_admin.cluster.nodes import read_node
from kubectl_admin.cluster.requests import Query
from kubectl_admin.drain import read, stateful
from kubectl_admin.drain.cordon import Cordon
from kubectl_admin.drain.facts import Facts, Member, Name, Node, Pod, Scale
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.finding import Gap
from kubectl_admin.pool import ask_all

LIST_TIMEOUT = 60.0  # seconds for all listings together
CROWD = 100  # nodes; on larger clusters the pods of all others are not listed to see how much room there is

PODS = "/api/v1/pods"
BUDGETS = "/apis/policy/v1/poddisruptionbudgets"
SCALES = {"ReplicaSet": "/apis/apps/v1/replicasets", "StatefulSet": "/apis/apps/v1/statefulsets"}

PERMISSIONS = {
    "budgets": "list poddisruptionbudgets.policy",
    "nodes": "list nodes",
    "neighbours": "list pods",
    "daemonsets": "list daemonsets.apps",
    "claims": "list persistentvolumeclaims",
    "volumes": "list persistentvolumes",
    "ReplicaSet": "list replicasets.apps",
    "StatefulSet": "list statefulsets.apps",
}
WORDS = {
    "neighbours": "pods of other nodes",
    "budgets": "disruption budgets",
    "volumes": "persistent volumes",
}


def gather(cluster: Cluster, node: str, pod_selector: str = "") -> Facts:
    """All that a drain of the node has to know.

    pod_selector: a label selector; pods that it does not select are not looked at, as with kubectl drain.

    A list that the user may not read is a Gap. Raises UsageError for a selector that is not one, AdminError
    where the node or its pods can't be seen.
    """
    item = read_node(cluster, node)
    here, mark = read.node(item), Cordon.of(item)
    pods = list(pods_of(cluster, node, pod_selector))
    gaps: list[Gap] = []
    answers = answered(questions(cluster, pods), gaps)
    volumes = {item["metadata"]["name"]: item for item in answers.get("volumes", ())}
    nodes: list[Node] | None = answers.get("nodes")
    return Facts(
        context=cluster.target.context,
        node=here,
        pods=tuple(pods),
        drained_since=mark.since if mark and here.unschedulable else "",
        budgets=tuple(read.budget(item) for item in answers.get("budgets", ())),
        others=None if nodes is None else tuple(each for each in nodes if each.name != node),
        neighbours=neighbours(cluster, node, nodes or [], gaps),
        daemonsets=frozenset(answers.get("daemonsets", ())) | assumed_daemonsets(pods, gaps),
        claims={
            (item["metadata"]["namespace"], item["metadata"]["name"]): read.claim(item, volumes)
            for item in answers.get("claims", ())
        },
        scales={uid: scale for kind in SCALES for uid, scale in answers.get(kind, {}).items()},
        members=members(answers),
        gaps=tuple(gaps),
    )


def pods_of(cluster: Cluster, node: str, pod_selector: str = "") -> Iterable[Pod]:
    """The pods of a node."""
    query = [("fieldSelector", f"spec.nodeName={node}")]
    query += [("labelSelector", pod_selector)] if pod_selector else []
    try:
        return [read.pod(item) for item in cluster.list(PODS, query)]
    except ApiError as error:
        if error.status == 400 and pod_selector:
            raise UsageError(f"--pod-selector {pod_selector!r}: {error.message}") from error
        raise


def questions(cluster: Cluster, pods: Sequence[Pod]) -> dict[str, Callable[[], Any]]:
    """The listings that the pods of the node make necessary, by name."""
    kinds = {pod.controller.kind for pod in pods if pod.controller}
    asked: dict[str, Callable[[], Any]] = {
        "budgets": partial(listed, cluster, BUDGETS),
        "nodes": lambda: [read.node(item) for item in cluster.list("/api/v1/nodes")],
    }
    if "DaemonSet" in kinds:
        asked["daemonsets"] = partial(daemonsets, cluster)
    for kind in SCALES.keys() & kinds:
        asked[kind] = partial(scales, cluster, kind)
    if any(pod.claims for pod in pods):
        asked["claims"] = partial(listed, cluster, "/api/v1/persistentvolumeclaims")
        asked["volumes"] = partial(listed, cluster, "/api/v1/persistentvolumes")
    for operator in {operator for pod in pods if (operator := stateful.operator_of(pod.labels))}:
        query = [("labelSelector", str(operator.pods))]
        asked[f"pods of {operator.name}"] = partial(listed, cluster, PODS, query)
        if operator.resource:
            asked[f"objects of {operator.name}"] = partial(objects, cluster, operator.resource)
    return asked


def listed(cluster: Cluster, path: str, query: Query = ()) -> list[Any]:
    """A whole list."""
    return list(cluster.list(path, query))


def answered(asked: Mapping[str, Callable[[], Any]], gaps: list[Gap]) -> dict[str, Any]:
    """The answers by name; a failure is a gap instead."""
    answers = ask_all(asked, deadline=LIST_TIMEOUT)
    for name, answer in answers.items():
        if isinstance(answer, AdminError):
            gaps.append(gap(name, answer, PERMISSIONS.get(name, "")))
    return {name: answer for name, answer in answers.items() if not isinstance(answer, AdminError)}


def gap(name: str, error: AdminError, permission: str) -> Gap:
    """Names a list that failed, and why."""
    what = WORDS.get(name, name)
    if isinstance(error, Forbidden):
        return Gap(what, may_not(error.user, "list them"), permission)
    return Gap(what, error.what)


def neighbours(cluster: Cluster, node: str, nodes: list[Node], gaps: list[Gap]) -> tuple[Pod, ...] | None:
    """The pods of all other nodes, which take room; None for a large cluster, or where they can't be seen."""
    if not 1 < len(nodes) <= CROWD:
        return None
    query = [("fieldSelector", f"spec.nodeName!={node},status.phase!=Succeeded,status.phase!=Failed")]
    try:
        return tuple(read.pod(item) for item in cluster.list(PODS, query) if item["spec"].get("nodeName"))
    except AdminError as error:
        gaps.append(gap("neighbours", error, PERMISSIONS["neighbours"]))
        return None


def daemonsets(cluster: Cluster) -> list[Name]:
    """Every DaemonSet."""
    return [
        (item["metadata"]["namespace"], item["metadata"]["name"])
        for item in cluster.list("/apis/apps/v1/daemonsets")
    ]


def assumed_daemonsets(pods: Iterable[Pod], gaps: Iterable[Gap]) -> set[Name]:
    """Where DaemonSets can't be listed, those that pods name are taken to be there: the pods stay."""
    if not any(gap.what == "daemonsets" for gap in gaps):
        return set()
    return {
        (pod.namespace, pod.controller.name) for pod in pods if pod.controller and pod.controller.daemonset
    }


def scales(cluster: Cluster, kind: str) -> dict[str, Scale]:
    """How many pods each controller of a kind wants and has ready, by its UID."""
    return {metadata["uid"]: scale for metadata, scale in workloads(cluster, kind)}


def workloads(cluster: Cluster, kind: str) -> Iterator[tuple[Mapping[str, Any], Scale]]:
    """Each controller's metadata, and how many pods it wants and has ready; from the server's own Table."""
    table = cluster.table(SCALES[kind], include_object="Metadata")
    names = ("Desired", "Ready") if kind == "ReplicaSet" else ("Ready", "Ready")
    for item, (desired, ready) in zip(table.objects, table.named(*names), strict=True):
        if scale := scale_of(desired, ready):
            yield item["metadata"], scale


def scale_of(desired: str, ready: str) -> Scale | None:
    """A scale out of a Table's cells; StatefulSets have «1/2» in one."""
    has, _, wants = ready.partition("/")
    try:
        return Scale(int(wants or desired), int(has))
    except ValueError:
        return None


def objects(cluster: Cluster, path: str) -> list[Any]:
    """An operator's own objects; none where the cluster does not know the kind."""
    try:
        return listed(cluster, path)
    except NotFound:
        return []


def members(answers: Mapping[str, Any]) -> tuple[Member, ...]:
    """The members of all databases, wherever they are, their leaders as the operators' objects name them."""
    found: list[Member] = []
    leaders: dict[tuple[str, str], str] = {}
    for operator in stateful.OPERATORS:
        pods = answers.get(f"pods of {operator.name}", ())
        found += [
            member
            for pod in pods
            if stateful.operator_of(pod["metadata"].get("labels") or {}) is operator
            and (member := operator.member(pod))
        ]
        leaders |= stateful.leaders_named(operator, answers.get(f"objects of {operator.name}", ()))
    return stateful.corrected(found, leaders)
