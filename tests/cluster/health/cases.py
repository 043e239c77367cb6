"""Every way in which the matrix breaks a lab of three control planes and a worker, and what must be said.

A case is a row. `then` names what else may truly be found while the break lasts: what follows from it sooner
or later in the cluster itself (a node without a kubelet is not Ready after 50 s). In the first look that
names the break it should not be there yet, and nothing else may ever be.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.health import breaks, edits
from tests.lab.nodes.lab import Lab

APISERVER, ETCD, KUBELET, KUBE_PROXY, MANAGER, SCHEDULER = (
    *("kube-apiserver", "etcd", "kubelet", "kube-proxy", "kube-controller-manager", "kube-scheduler"),
)
NODES = ("cp-1", "cp-2", "cp-3", "worker-1")
LEADER = "leader"  # the node of the controller-manager that leads
ETCD_LATER = ("member-down", "no-spare-member", "apiserver-unhealthy", "apiserver-count")
USER = ("expires-soon",)  # its certificate is made for a month
NODE_LATER = ("node-not-ready", "lease-old", "node-condition", "critical-pod")  # of a node without a kubelet


@dataclass(frozen=True)
class Case:
    """A break, and what `health` must say of it.

    node: where it is broken, or LEADER. rule: of the finding that names it; "" where nothing is wrong.
    objects: of that finding; by default its node. component, state: the cell of the matrix that must show it.
    «|» in rule and state is between those of which one is. then: the rules of what may follow. patience:
    seconds until it must be named. look: further arguments. short: whether `make test` tries it.
    says: words that the finding has. ends: words of the error with which `health` ends; "" for none.
    cells: the state that all cells of a node must have, by its name; «well» for one that is not named here.
    None: only `component` counts. blind: seconds from the break in which a look may end with an error, since
    the load balancer still leads to what is broken.
    """

    name: str
    node: str
    broken: Callable[[Lab, str], AbstractContextManager[Path | None]]
    rule: str
    component: str = ""
    state: str = ""
    severity: str = "violation"
    objects: tuple[str, ...] | None = None
    then: tuple[str, ...] = ()
    patience: float = 90
    look: tuple[str, ...] = ()
    short: bool = False
    says: str = ""
    ends: str = ""
    cells: Mapping[str, str] | None = None
    blind: float = 0


def by(way: Callable[..., AbstractContextManager[Any]], *given: Any, **named: Any) -> Callable[..., Any]:
    """A way to break with what it takes beside the lab and the node."""

    def broken(lab: Lab, node: str) -> AbstractContextManager[Any]:
        return way(lab, node, *given, **named)

    return broken


def webhook(policy: str) -> dict[str, object]:
    """A webhook for objects that nobody makes, whose Service there is not."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "without-backend"},
        "webhooks": [
            {
                "name": "nobody.example.com",
                "clientConfig": {"service": {"namespace": "default", "name": "nobody"}},
                "rules": [
                    {
                        "apiGroups": ["batch"],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["cronjobs"],
                    }
                ],
                "failurePolicy": policy,
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }


APISERVICE = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v1.nobody.example.com"},
    "spec": {
        "group": "nobody.example.com",
        "version": "v1",
        "groupPriorityMinimum": 1,
        "versionPriority": 1,
        "insecureSkipTLSVerify": True,
        "service": {"namespace": "default", "name": "nobody"},
    },
}

# One that does not lead needs no API server for its own checks: a controller-manager shows nothing of it,
# and a scheduler only its kubelet, after a minute.
CUT_OFF = {
    MANAGER: ("", "", {}),
    SCHEDULER: (
        "verdicts-differ",
        "well",
        {"severity": "warning", "then": ("port-closed",), "patience": 150},
    ),
}
CONTROLLERS = [
    Case(f"{title}: {what}", "cp-3", by(way, component), rule, component, state, **more)
    for title, component in (("controller-manager", MANAGER), ("scheduler", SCHEDULER))
    for what, way, (rule, state, more) in (
        ("stopped", breaks.stopped, ("component-missing", "missing", {"then": ("port-closed",)})),
        ("frozen", breaks.frozen, ("component-hangs", "hanging", {"short": component == MANAGER})),
        ("wrong flag", edits.wrong_flag, ("component-crashing", "crashing", {"then": ("port-closed",)})),
        ("cut off from its API server (a stand-in: --master)", edits.without_api, CUT_OFF[component]),
    )
]

CASES = [
    Case("healthy", "worker-1", by(breaks.nothing), "", short=True),
    Case(
        *("API server: stopped", "cp-3", by(breaks.stopped, APISERVER), "port-closed", APISERVER, "closed"),
        then=("component-missing", *NODE_LATER, "apiserver-count"),
    ),
    Case(
        *(
            "API server: frozen",
            "cp-3",
            by(breaks.frozen, APISERVER),
            "component-hangs",
            APISERVER,
            "hanging",
        ),
        then=(*NODE_LATER, "apiserver-count"),
    ),
    Case(
        # Its kubelet can tell nobody that it crashes.
        *("API server: wrong flag", "cp-3", by(edits.wrong_flag, APISERVER)),
        *("port-closed|component-crashing", APISERVER, "closed|crashing"),
        then=(*NODE_LATER, "apiserver-count"),
    ),
    Case(
        *("API server: cut off from etcd", "cp-3", by(breaks.cut_off, breaks.ETCD_PORT)),
        *("apiserver-unhealthy", APISERVER, "unhealthy"),
        then=(*NODE_LATER, "apiserver-count"),
        blind=10,
    ),
    Case(
        *("etcd: stopped", "cp-3", by(breaks.stopped, ETCD), "port-closed", ETCD, "closed"),
        then=("component-missing", *ETCD_LATER, *NODE_LATER),
    ),
    Case(
        *("etcd: frozen", "cp-3", by(breaks.frozen, ETCD), "component-hangs", ETCD, "hanging"),
        then=("component-hangs", *ETCD_LATER, *NODE_LATER),
    ),
    Case(
        *("etcd: wrong flag", "cp-3", by(edits.wrong_flag, ETCD)),
        *("port-closed|component-crashing", ETCD, "closed|crashing"),
        then=(*ETCD_LATER, *NODE_LATER),
    ),
    Case(
        *("etcd: cut off from its peers", "cp-3", by(breaks.cut_off, breaks.PEER_PORT)),
        *("no-leader", ETCD, "unhealthy|unknown"),
        then=("etcd-unhealthy", *ETCD_LATER, *NODE_LATER),
    ),
    Case(
        *("etcd: alarm NOSPACE", "cp-3", by(breaks.no_space), "alarm-nospace", ETCD, "unhealthy"),
        objects=(),  # which member has raised it is known to etcdctl alone
        then=("leader-lost", "two-leaders", *NODE_LATER),
    ),
    *CONTROLLERS,
    Case(
        *("the controller-manager that leads: frozen", LEADER, by(breaks.frozen, MANAGER)),
        *("component-hangs", MANAGER, "hanging"),
    ),
    Case(
        *("scheduler: listens at the node's address", "cp-3", by(edits.other_address, SCHEDULER)),
        *("bound-elsewhere", SCHEDULER, "bound elsewhere", "note"),
    ),
    Case(
        *("scheduler: listens at the node's address, --host", "cp-3", by(edits.other_address, SCHEDULER)),
        *("", SCHEDULER, "well"),
        # Until it runs again; an earlier case may have ended it within ten minutes, which counts until then.
        then=("component-missing", "port-closed", "component-crashing"),
        look=("--host",),
        short=True,
    ),
    Case(
        *("scheduler: runs and does not listen", "cp-3", by(edits.not_listening, SCHEDULER)),
        *("port-closed", SCHEDULER, "closed"),
        then=("component-missing", "critical-pod"),
    ),
    Case(
        *("kubelet: stopped", "worker-1", breaks.kubelet_stopped, "kubelet-down", KUBELET, "kubelet down"),
        then=NODE_LATER,
    ),
    Case(
        *("kubelet: frozen", "worker-1", by(breaks.frozen, KUBELET), "kubelet-down", KUBELET, "kubelet down"),
        # As long as its lease is young, it looks like one whose runtime hangs.
        then=("runtime-hangs", *NODE_LATER),
    ),
    Case(
        *("kubelet: wrong flag", "worker-1", edits.kubelet_flag, "kubelet-down", KUBELET, "kubelet down"),
        then=NODE_LATER,
    ),
    Case(
        *("kubelet: cut off from the API servers", "worker-1", by(breaks.cut_off, breaks.API_PORT)),
        # It asks them whom it may let in, unless it has asked within the last minutes.
        *("node-not-ready|kubelet-down", KUBELET, "well|kubelet down"),
        then=("lease-old", "node-condition", "critical-pod", "runtime-hangs"),
        patience=150,
    ),
    Case(
        *("kube-proxy: gone", "worker-1", breaks.no_kube_proxy, "component-missing", KUBE_PROXY, "missing"),
        then=("critical-pod", "daemonset-stuck"),
    ),
    Case(
        *("kube-proxy: frozen", "worker-1", by(breaks.frozen, KUBE_PROXY)),
        *("component-hangs", KUBE_PROXY, "hanging"),
    ),
    Case(
        *("kube-proxy: wrong configuration", "worker-1", edits.kube_proxy_flag),
        *("component-crashing", KUBE_PROXY, "crashing"),
        then=("port-closed", "critical-pod"),
    ),
    Case(
        *("kube-proxy: its rules are not written", "worker-1", breaks.rules_not_written),
        *("kube-proxy-unhealthy", KUBE_PROXY, "unhealthy"),
        then=("kube-proxy-behind",),
        patience=180,
    ),
    Case("kube-proxy: lock of xtables held (no effect in nft form)", "worker-1", breaks.xtables_locked, ""),
    Case(
        *("worker: powered off", "worker-1", breaks.off, "node-unreachable", KUBELET, "node off"),
        then=(*NODE_LATER, "kubelet-down", "runtime-hangs", "dns-down", "dns-no-answer"),
        short=True,
    ),
    Case(
        *("control plane: powered off", "cp-3", breaks.off, "node-unreachable", KUBELET, "node off"),
        then=(
            *NODE_LATER,
            "kubelet-down",
            "runtime-hangs",
            *ETCD_LATER,
            "dns-no-answer",
        ),
    ),
    Case(
        *("runtime: stopped", "worker-1", breaks.runtime_stopped, "runtime-hangs", KUBELET, "runtime hangs"),
        then=NODE_LATER,
    ),
    Case(
        *("runtime: frozen", "worker-1", by(breaks.frozen, "containerd")),
        *("runtime-hangs", KUBELET, "runtime hangs"),
        then=(*NODE_LATER, "kubelet-down"),
    ),
    Case(
        *("clock of a control plane: 3 s ahead (a stand-in)", "cp-3", by(breaks.clock_off, 3)),
        *("clock-differs", KUBE_PROXY, "well", "warning"),
    ),
    Case(
        *("clock of a worker: 10 min behind (a stand-in)", "worker-1", by(breaks.clock_off, -600)),
        *("clock-differs", KUBE_PROXY, "well"),
    ),
    Case(
        *("webhook without backend, Fail", "worker-1", by(breaks.objects, webhook("Fail"))),
        "webhook-no-backend",
        objects=("validatingwebhook/without-backend",),
    ),
    Case(
        *("webhook without backend, Ignore", "worker-1", by(breaks.objects, webhook("Ignore"))),
        "webhook-no-backend",
        severity="warning",
        objects=("validatingwebhook/without-backend",),
    ),
    Case(
        *("an APIService of nothing", "worker-1", by(breaks.objects, APISERVICE), "apiservice-unavailable"),
        objects=("apiservice/v1.nobody.example.com",),
    ),
    Case(
        *("CoreDNS: stopped", "worker-1", breaks.no_dns, "dns-down"),
        objects=("service/kube-system/kube-dns",),
        says="none is wanted",
    ),
    Case(
        *("CoreDNS: frozen", "worker-1", breaks.dns_frozen, "dns-no-answer"),
        objects=(),
        says="no answer in time",
        then=("dns-down", "critical-pod"),
    ),
    Case(
        # For a minute after its last pod was Ready that is a note: it may just begin.
        *("CoreDNS: without the API", "worker-1", breaks.dns_without_api, "dns-down"),
        objects=("service/kube-system/kube-dns",),
        says="it answers SERVFAIL",
        # Its other pod may be about to be started again.
        then=("critical-pod", "dns-no-answer"),
        patience=150,
    ),
    Case(
        *("the balancer gone: an API server asked directly", "cp-1", breaks.no_balancer),
        *("balancer-unhealthy", "", "", "warning"),
        objects=(),
        look=("--server", "https://{cp-1}:6443"),
        says="connection refused; the API servers on cp-1, cp-2, cp-3 are ready",
        then=("node-not-ready", "lease-old"),
        cells={},
    ),
    Case(
        *("the balancer gone: nobody else asked", "cp-1", breaks.no_balancer, ""),
        ends="--server https://CONTROL-PLANE:6443",
    ),
    Case(
        *("a user who may list nodes and pods", "cp-1", breaks.few_rights),
        *("not-seen", ETCD, "denied", "note"),
        objects=(),
        says="create and get pods/portforward in namespace kube-system",
        ends="no component of the cluster has answered",
        then=USER,
        cells=dict.fromkeys(NODES, "denied"),
    ),
    Case(
        *("a user who may forward ports to pods of cp-2 alone", "cp-1", by(breaks.rights_on, "cp-2")),
        *("not-seen", ETCD, "denied", "note"),
        objects=(),
        says="create and get pods/portforward in namespace kube-system",
        then=USER,
        cells={name: "denied" for name in NODES if name != "cp-2"},
    ),
    Case(
        *("a user who may not ask kubelets", "cp-1", by(breaks.rights_without, "get nodes/healthz")),
        *("not-seen", KUBELET, "well", "note"),
        objects=(),
        says="get nodes/healthz",
        then=USER,
        cells={},
    ),
    Case(
        *("a user with the rights of the page", "cp-1", by(breaks.rights_without), ""),
        then=USER,
        cells={},
    ),
]
