"""Facts on a cluster's health, made by hand. What is not said is a healthy cluster's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.asking import judged_metrics as names
from kubectl_admin.health.facts import (
    Clock,
    Condition,
    Container,
    Endpoint,
    Facts,
    Lease,
    Node,
    NoReply,
    Pod,
    Process,
    Reply,
    Sample,
    Why,
)

AT = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
JUST_NOW, YESTERDAY = AT - timedelta(seconds=2), AT - timedelta(days=1)
APISERVER, ETCD, KUBELET = Component.APISERVER, Component.ETCD, Component.KUBELET
KUBE_PROXY, MANAGER, SCHEDULER = Component.KUBE_PROXY, Component.CONTROLLER_MANAGER, Component.SCHEDULER
HAS = frozenset({APISERVER, ETCD, KUBELET, KUBE_PROXY, MANAGER, SCHEDULER, Component.COREDNS})
RIGHT = Clock(0.0, 0.05)
# Of each component: its port, its scheme, and what is asked there.
ASKED = {
    APISERVER: (6443, "https", ("/livez", "/readyz")),
    ETCD: (2381, "http", ("/health", "/readyz")),
    KUBELET: (10250, "https", ("/healthz",)),
    KUBE_PROXY: (10256, "http", ("/healthz", "/livez")),
    MANAGER: (10257, "https", ("/healthz",)),
    SCHEDULER: (10259, "https", ("/readyz",)),
}


def ago(seconds):
    """A time so many seconds before the look."""
    return AT - timedelta(seconds=seconds)


def fine(text="ok", seconds=0.01):
    """An answer that all is well."""
    return Reply(200, text, seconds)


def bad(text="", status=500, seconds=0.01):
    """An answer that it is not."""
    return Reply(status, text, seconds)


def no_reply(why, said="", permission=""):
    """No answer, for a reason: «refused», «silent»."""
    return NoReply(Why(why), said, permission)


def container(name="", started=YESTERDAY, **fields):
    """A container that runs since yesterday."""
    return Container(**({"name": name, "ready": True, "restarts": 0, "started": started} | fields))


def pod(component, node, containers=None, **fields):
    """The pod of a component: of a static pod, or of a DaemonSet where it is kube-proxy's."""
    standing = {
        "namespace": "kube-system",
        "name": f"{component}-{node}",
        "node": node,
        "phase": "Running",
        "ready": True,
        "created": YESTERDAY,
        "host_network": True,
        "priority_class": "system-node-critical",
        "owner": "DaemonSet" if component is KUBE_PROXY else "Node",
        "containers": (container(str(component)),) if containers is None else containers,
    }
    return Pod(**(standing | fields))


def process(component, node="cp-1", replies=None, **fields):
    """A component that is well on a node; replies: by path, or one for every path that is asked."""
    port, scheme, paths = ASKED[component]
    if not isinstance(replies, dict):
        replies = dict.fromkeys(paths, replies or fine())
    standing = {
        "component": component,
        "node": node,
        "pod": None if component is KUBELET else pod(component, node),
        "endpoint": Endpoint("127.0.0.1", port, scheme),
        "replies": replies,
    }
    return Process(**(standing | fields))


def lease(holder="cp-1_0f62c528", renewed=JUST_NOW, name="", duration=15.0, **fields):
    """A Lease that was renewed two seconds ago."""
    return Lease(name=name, holder=holder, renewed=renewed, duration=duration, **fields)


def node(name="cp-1", processes=None, clock=RIGHT, ready="True", **fields):
    """A node that is well: of the control plane where its name begins with «cp».

    processes: those that are not well, or all of them with only=True.
    """
    control_plane = name.startswith("cp")
    here = (
        (APISERVER, ETCD, MANAGER, SCHEDULER, KUBELET, KUBE_PROXY) if control_plane else (KUBELET, KUBE_PROXY)
    )
    given = {one.component: one for one in processes or ()}
    standing = {
        "name": name,
        "is_control_plane": control_plane,
        "created": YESTERDAY,
        "conditions": (Condition("Ready", ready, since=ago(3600)),),
        "kubelet": "v1.36.3",
        "lease": lease(name, ago(5), name, 40.0),
        "way": f"kube-proxy-{name}",
        "clock": clock,
        "processes": tuple(given.get(component) or process(component, name) for component in here),
    }
    return Node(**(standing | fields))


def facts(*nodes, **fields):
    """A cluster of these nodes, else of one control plane and a worker."""
    standing = {
        "context": "admin@lab",
        "server": "https://10.0.0.10:6443",
        "at": AT,
        "took": 0.5,
        "nodes": nodes or (node("cp-1"), node("w1")),
        "has": HAS,
        "leaders": {
            MANAGER: lease(name="kube-controller-manager"),
            SCHEDULER: lease(name="kube-scheduler"),
        },
    }
    return Facts(**(standing | fields))


def metrics(*given, **values):
    """Metrics: of a name, or of a name with labels: metrics(("up", {"to": "x"}, 1.0), up_too=1)."""
    made = {}
    for name, labels, value in (*given, *((name, {}, value) for name, value in values.items())):
        made.setdefault(name, []).append(Sample(labels, float(value)))
    return {name: tuple(samples) for name, samples in made.items()}


def with_process(one, component, **changes):
    """The node with other fields of one of its components."""
    return replace(
        one,
        processes=tuple(
            replace(process, **changes) if process.component is component else process
            for process in one.processes
        ),
    )


def on(component, *args, **fields):
    """A control plane that is well but for a component."""
    return node("cp-1", [process(component, "cp-1", *args, **fields)])


def brief(findings):
    """Findings as pairs of rule and severity."""
    return [(finding.rule, str(finding.severity)) for finding in findings]


def bucket(name, counts, **labels):
    """A histogram's buckets: counts by their upper limits («0.512», «+Inf»)."""
    return [(name, {**labels, "le": limit}, count) for limit, count in counts.items()]


def etcd_metrics(identity, known=("a1", "a2", "a3"), active=None, leader=None, **values):
    """What a member's metrics say of it: its id, whom it knows, and to whom it has a connection.

    active: None for all that it knows besides itself. leader: whether it leads.
    """
    if active is None:
        active = [peer for peer in known if peer != identity]
    standing = {
        names.HAS_LEADER: 1,
        names.IS_LEADER: (identity == "a1") if leader is None else leader,
        names.IS_LEARNER: 0,
        names.DATABASE_SIZE: 200 << 20,
        names.DATABASE_IN_USE: 180 << 20,
        names.QUOTA: 2 << 30,
        names.COMMITTED: 50_000,
        names.APPLIED: 50_000,
    }
    version = {"server_version": values.pop("version", "3.6.8")}
    return metrics(
        (names.MEMBER_ID, {"server_id": identity}, 1),
        (names.MEMBER_VERSION, version, 1),
        *((names.KNOWN_PEERS, {"Local": identity, "Remote": peer}, 1) for peer in known),
        *((names.ACTIVE_PEERS, {"Local": identity, "Remote": peer}, 1) for peer in active),
        **(standing | values),
    )


def etcd(number, replies=None, said=None, **fields):
    """The control plane cp-NUMBER with its member aNUMBER. said: its metrics, None for none."""
    flags = {
        "name": f"cp-{number}",
        "listen-client-urls": f"https://127.0.0.1:2379,https://10.0.0.1{number}:2379",
    }
    one = process(ETCD, f"cp-{number}", replies, metrics=said, flags=flags, **fields)
    return node(f"cp-{number}", [one])


def stacked(*changed, **fields):
    """A cluster of three control planes with a member each; changed: those that differ."""
    given = {one.name: one for one in changed}
    nodes = [
        given.get(f"cp-{number}") or etcd(number, said=etcd_metrics(f"a{number}")) for number in (1, 2, 3)
    ]
    return facts(*nodes, **fields)
