"""Whether kube-proxy and CoreDNS, as kubeadm has just rolled them out, are well: kubeadm waits for neither.

A kube-proxy has no probes, so its pod is Ready whatever it does, also while it ends and is restarted. It is
taken for well when it says so itself (its /healthz is 200 once its rules are in place), or, where it can't be
asked, when it has run for some seconds without a restart.

A rollout may take hours, or stand for as long as some node is down: a DaemonSet's controller replaces no pod
while others are not available. So the node's own kube-proxy must be well, and a new one somewhere must not
be unwell; that all are new is waited for as long as something moves, and said where it is not so.

Source: of /healthz kubernetes/kubernetes pkg/proxy/healthcheck/proxy_health.go, of rollouts
pkg/controller/daemon/update.go.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kubectl_admin.clock import Clock
from kubectl_admin.cluster import portforward
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.cluster.wait import looks
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import duration
from kubectl_admin.upgrade.addon_facts import Addons, ProxyPod
from kubectl_admin.upgrade.addons import PROXY, gather
from kubectl_admin.upgrade.facts import Target
from kubectl_admin.upgrade.rules import ADDON_ROLLOUT

HEALTHZ = 10256  # kube-proxy's, unless its configuration says otherwise
POLL_INTERVAL = 1.0  # seconds between two looks
STEADY_GRACE = (
    10.0  # seconds without a restart after which a kube-proxy that can't be asked is taken for well
)
STALL_TIMEOUT = 60.0  # seconds without any change after which a rollout counts as stalled
CRASHES = 3  # restarts seen here after which a kube-proxy is not waited for any longer
ASK_TIMEOUT = 5.0  # seconds for kube-proxy's own answer


@dataclass
class Watched:
    """kube-proxy's pods as seen so far. healthy: as `says_well`, by the pod's name."""

    healthy: Callable[[str], bool | None]
    since: dict[tuple[str, int], float] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    last: dict[str, ProxyPod] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    state: object = None
    changed: float = 0.0
    looked: bool = False

    def lacking(self, pods: Sequence[ProxyPod], now: float, *, new: bool = False) -> dict[str, str]:
        """The reason why each of these pods is not well, in words, by its uid; those that are have none.

        now: seconds of a clock that only goes forward. new: whether a pod that was not seen before has been
        made meanwhile, so that all of its restarts were, too.
        """
        missing = {}
        for pod in pods:
            self.first.setdefault(pod.uid, 0 if new else pod.restarts)
            self.last[pod.uid] = pod
            self.ended[pod.uid] = pod.ended or self.ended.get(pod.uid, "")
            started = self.since.setdefault((pod.uid, pod.restarts), now)
            name = f"kube-proxy on node {pod.node}"
            if not pod.running:
                ended = f", it ended with {pod.ended}" if pod.ended else ""
                missing[pod.uid] = f"{name} running ({pod.restarts} restarts{ended})"
            elif (well := self.healthy(pod.name)) is False:
                missing[pod.uid] = f"{name} saying that it is well"
            elif well is None and now - started < STEADY_GRACE:
                missing[pod.uid] = f"{name} running for {duration(STEADY_GRACE)} without a restart"
        return missing

    def crashed(self, uid: str) -> str:
        """How a pod has ended again and again while it was watched, in words; "" where it has not."""
        pod = self.last[uid]
        count = pod.restarts - self.first[uid]
        if count < CRASHES:
            return ""
        return (
            f"kube-proxy on node {pod.node} has ended {count} times during the wait, with {self.ended[uid]}"
        )

    def is_stalled(self, state: object, now: float) -> bool:
        """Whether the rollout has not moved for long. state: how far it is."""
        if state != self.state:
            self.state, self.changed = state, now
        return now - self.changed >= STALL_TIMEOUT


@dataclass(frozen=True, slots=True)
class Missing:
    """Faults, in words.

    unwell: add-ons that do not work. crashed: those that end again and again. awaited: parts of a rollout
    still to come. left: those not waited for.
    """

    unwell: tuple[str, ...] = ()
    crashed: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """Demands.

    proxied: whether the node has to have a kube-proxy. here: whether it is to be of the template that is
    deployed now. rolled_out: whether the new CoreDNS, and the new kube-proxy wherever the first ones are, are
    asked for, once their turn has come. allowed: whether these may be unwell.
    """

    proxied: bool
    here: bool
    rolled_out: bool
    allowed: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rollout is seen.

    read: the add-ons as they are now; raises AdminError where they can't be read.
    healthy: as `says_well`, by the pod's name.
    """

    read: Callable[[], Addons]
    healthy: Callable[[str], bool | None]
    clock: Clock = time

    @classmethod
    def of(cls, cluster: Cluster, node: str) -> "Source":
        """The cluster itself, with the add-ons that are on the node."""
        return cls(lambda: gather(cluster, node), lambda pod: says_well(cluster, pod), cluster.clock)


def says_well(cluster: Cluster, pod: str) -> bool | None:
    """Whether a kube-proxy says that it is well; None where it can't be asked."""
    try:
        answer = portforward.http_get(cluster, KUBE_SYSTEM, pod, HEALTHZ, "/healthz", timeout=ASK_TIMEOUT)
    except AdminError:
        return None
    return answer.status == 200


def wait_until_well(
    source: Source,
    node: str,
    target: Target,
    expected: Expectation,
    timeout: float,
    lacking: Callable[[Sequence[str]], None],
) -> tuple[str, ...]:
    """Returns when the node's kube-proxy is well, and no add-on that kubeadm has rolled out fails.

    Returns the parts of the rollout that are still to come, in words: it is waited for only as long as it
    moves. source: of that node. timeout: seconds. lacking: is told what is missing. Raises AdminError with
    the unwell ones then, and before that for a kube-proxy that ends again and again.
    """
    watched = Watched(source.healthy)
    for late in looks(timeout, POLL_INTERVAL, clock=source.clock):
        far: object = None
        try:
            seen = source.read()
        except AdminError as error:
            lacks = Missing((f"an answer about kube-proxy and CoreDNS ({error.what})",))
        else:
            lacks = judge(seen, watched, target, expected, source.clock.monotonic())
            far = (lacks.unwell, seen.proxy and seen.proxy.updated, seen.dns)
        stalled = watched.is_stalled(far, source.clock.monotonic())
        if not lacks.unwell and (not lacks.awaited or stalled or late):
            return (*lacks.awaited, *lacks.left)
        if lacks.crashed:
            raise AdminError(f"node {node}: {'; '.join(lacks.crashed)}", advice(lacks.crashed))
        if late:
            what = "; ".join(lacks.unwell)
            raise AdminError(f"node {node}: not well in time: {what}", advice(lacks.unwell))
        lacking((*lacks.unwell, *lacks.awaited))
    raise AssertionError("the last look returns or raises")


def judge(seen: Addons, watched: Watched, target: Target, expected: Expectation, now: float) -> Missing:
    """Faults now: of the node's own kube-proxy, and of kubeadm's rollout, once it has begun."""
    own = watched.lacking(seen.proxies, now, new=watched.looked)
    watched.looked = True
    unwell = list(own.values())
    awaited: list[str] = []
    left: list[str] = []
    proxy, turn = seen.proxy, expected.rolled_out and seen.have_their_turn(target)
    if expected.proxied and proxy and not seen.proxies:
        unwell.append("a pod of kube-proxy")
    if proxy and not seen.is_here and (expected.here or turn):
        if not proxy.automatic:
            names = " ".join(pod.name for pod in seen.proxies)
            way = f"its DaemonSet replaces none by itself: kubectl -n kube-system delete pod {names}"
            left += [f"the new kube-proxy here ({way})"] if expected.here else []
        elif not proxy.noticed:
            unwell.append("the new kube-proxy noticed by the controller of its DaemonSet")
        elif expected.here:
            awaited.append(f"the new kube-proxy here ({proxy})")
        elif not seen.elsewhere:
            awaited.append(f"a first new kube-proxy ({proxy})")
    others = of_others(seen, watched, now) if turn else {}
    rolled = list(others.values())
    if turn and seen.dns and seen.dns.lacks:
        (awaited if seen.dns.serves else rolled).append(f"CoreDNS rolled out ({seen.dns.lacks})")
    (left if expected.allowed else unwell).extend(rolled)
    final = own if expected.allowed or awaits_others(seen) else {**own, **others}
    crashed = [words for uid in final if (words := watched.crashed(uid))]
    return Missing(tuple(unwell), tuple(crashed), tuple(awaited), tuple(left))


def of_others(seen: Addons, watched: Watched, now: float) -> dict[str, str]:
    """Faults of new kube-proxies of other nodes, by uid.

    The word of one node that is not a control plane's counts only while no other one says otherwise.
    """
    missing = watched.lacking(seen.elsewhere, now)
    outvoted = not seen.trusted and len(missing) == 1 and len(seen.elsewhere) > 1
    return {} if outvoted else missing


def awaits_others(seen: Addons) -> bool:
    """Whether a new kube-proxy on yet another node comes: a rollout continues behind one that runs."""
    return not seen.trusted and len(seen.elsewhere) == 1 and seen.elsewhere[0].running


def advice(missing: Sequence[str]) -> str:
    """The fix for unwell add-ons."""
    if not any("kube-proxy" in each for each in missing):
        see = "see why with kubectl -n kube-system describe deployment coredns"
        return f"{see}; fix it and run the command again, or proceed with --allow {ADDON_ROLLOUT.id}"
    see = "see why a kube-proxy ends with kubectl -n kube-system logs -l k8s-app=kube-proxy --previous"
    fix = f"fix ConfigMap or DaemonSet kube-system/{PROXY} and run the command again"
    return f"{see}; {fix}; --allow {ADDON_ROLLOUT.id} does not ask those of other nodes"
