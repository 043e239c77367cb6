"""Gathers all facts: listings and components side by side, under one deadline for the whole.

A question that hangs is given up, and costs only its own answer.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.kubeconfig import url_of
from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.endpoints import FORWARDING
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.health.asking import contact, instances, listing, objects, resolvers, second_look, silence
from kubectl_admin.health.asking.ask import Asked, Asker
from kubectl_admin.health.asking.choice import choose
from kubectl_admin.health.asking.exchange import LOOK_INTERVAL, Patience
from kubectl_admin.health.asking.from_host import FromHosts
from kubectl_admin.health.asking.judged_metrics import JUDGED
from kubectl_admin.health.asking.listed import RIGHTS as LISTING_RIGHTS
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.asking.unseen import KUBELETS, attributed, gaps_of
from kubectl_admin.health.components.signs import SIGN_OF_LIFE
from kubectl_admin.health.facts import (
    Balancer,
    Facts,
    Lease,
    Node,
    NoReply,
    Pod,
    Reply,
    Resolver,
    Why,
)
from kubectl_admin.health.object_facts import Objects
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.kept_hosts import KeptHosts, kept
from kubectl_admin.pool import LateError, ask_all

WORKERS = 16  # nodes at a time
RESOLVERS_ASKED = 50  # DNS pods
BALANCER, BYPASSED = "the address that is spoken to", "the kubeconfig's own address"
HOST, DNS = "host", "DNS"  # questions beside those to a node's ports
SPARE = 0.08  # of the time limit, for what was asked last to be put together
# Seconds at most, and of the time limit: for one answer, and from a look at what has not answered to the
# next.
ANSWER, INTERVAL = (3.0, 0.3), (LOOK_INTERVAL, 0.2)
LEASE_INTERVAL = 1.0  # seconds from one look at a Lease to the next
FOLLOWED = 3  # nodes whose Leases are looked at again and again
RUNNING_PODS = "kubelet_running_pods"
METRICS: Mapping[Component, tuple[str, ...]] = {
    component: (*names, RUNNING_PODS) if component is Component.KUBELET else tuple(names)
    for component, names in JUDGED.items()
}
PROXYING = Right("get", "pods/proxy", "kube-system")
# The rights beside those for the objects that are listed, which `objects.questions` names.
RIGHTS = (*LISTING_RIGHTS, *FORWARDING, PROXYING, *KUBELETS)

Answers = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class How:
    """How a cluster is looked at.

    timeout: seconds for the whole, besides `sample`. retries: further looks at what one answer would make a
    violation of. sample: seconds between two looks at metrics; None for one look. all_nodes: whether all are
    asked however many there are. hosts: makes the hosts of nodes that no other pod leads to, or on which
    something is bound to another address than the loopback; None for no debug pods.
    """

    timeout: float = 10.0
    retries: int = 1
    sample: float | None = None
    all_nodes: bool = False
    hosts: Callable[[Cluster], Hosts] | None = None


def gather(cluster: Cluster, how: How, answered: Callable[[int], None] | None = None) -> Facts:
    """The facts of a cluster, within how.timeout.

    answered: is called after each node and resolver, with how many there are.

    Raises AdminError where the API server can't be spoken to, or lists neither nodes nor pods; also where
    the second look of `sample` sees no metrics at all.
    """
    with kept(how.hosts(cluster) if how.hosts else None) as hosts:
        return _gathered(cluster, how, hosts, answered)


def _gathered(
    cluster: Cluster, how: How, hosts: KeptHosts | None, answered: Callable[[int], None] | None
) -> Facts:
    at, began = datetime.now(UTC), time.monotonic()
    patience = patience_of(cluster, how)
    contact.make(cluster, listing.WORKERS, patience)
    with explained(cluster, RIGHTS):
        listed = listing.listed(cluster, patience.left)
    server_time = _server_time(cluster, began)
    chosen = choose(listed, server_time or at, all_nodes=how.all_nodes)
    asker = Asker(cluster, patience, METRICS)
    pods = listed.resolvers[:RESOLVERS_ASKED]
    from_hosts = FromHosts(asker, listed, hosts)
    looks = {
        name: from_hosts.looks(name) for name in sorted(chosen, key=lambda name: name not in listed.ways)
    }
    further = {name: there for name in chosen if (there := from_hosts.further(name))}
    # Questions by debug pods are last: nothing else is kept waiting while those start.
    asking: dict[Any, Callable[[], Any]] = {
        **looks,
        **{(pod.name, DNS): partial(resolvers.ask, cluster, listed, pod, patience) for pod in pods},
        **{(name, HOST): each for name, each in further.items()},
    }
    in_objects = objects.questions(cluster, patience.left)
    listings: dict[Any, Callable[[], Any]] = {
        BALANCER: partial(instances.get_reply, cluster, "/readyz", patience),
        **in_objects,
    }
    bypassed = cluster.target.bypassed
    if bypassed:
        listings[BYPASSED] = partial(instances.get_from_bypassed, cluster, "/readyz", patience)
    told, heard = _side_by_side(listings, asking, patience, how.timeout * SPARE / 2, answered)
    seen = {
        key: look.so_far() if isinstance(heard[key], AdminError) else heard[key]
        for key, look in (*looks.items(), *(((name, HOST), look) for name, look in further.items()))
    }
    told_by = {name: from_hosts.together(name, seen[name], seen.get((name, HOST))) for name in chosen}
    asked: Mapping[str, Asked] = attributed(cluster, told_by)
    window, leaders = None, listed.leaders
    before: Mapping[str, Lease] = {}
    unrated: tuple[Gap, ...] = ()
    if how.sample is not None:
        first = time.monotonic()
        cluster.clock.sleep(how.sample)
        again = from_hosts.again(Asker(cluster, patience_of(cluster, how), METRICS), asked)
        second = second_look.take(cluster, again, listed, asked, how.timeout)
        window = time.monotonic() - first
        asked, unrated = second.asked, second.gaps
        leaders, before = second.leaders, listed.leaders
    found = objects.put_together({what: told[what] for what in in_objects})
    later = renewed(cluster, asked, {node.name: node.lease for node in listed.nodes if node.lease}, patience)
    nodes = tuple(_node(node, listed, asked.get(node.name), later.get(node.name)) for node in listed.nodes)
    return Facts(
        context=cluster.target.context,
        server=cluster.server,
        at=at,
        took=time.monotonic() - began,
        nodes=nodes,
        has=listed.has | {Component.COREDNS} if listed.resolvers else listed.has,
        balancer=Balancer(cluster.server, _reply(told[BALANCER])),
        leaders=leaders,
        resolvers=tuple(_resolver(pod, heard[pod.name, DNS]) for pod in pods),
        objects=found.objects.joined(Objects(pods=listed.pods, proxy_mode=listed.proxy_mode)),
        sampled=len(chosen) if len(chosen) < len(nodes) else None,
        window=window,
        gaps=tuple(
            dict.fromkeys((*listed.gaps, *found.gaps, *unrated, *gaps_of(cluster, nodes), *not_asked(listed)))
        ),
        server_time=server_time,
        earlier_leaders=before,
        bypassed=Balancer(url_of(bypassed), _reply_of_address(told[BYPASSED])) if bypassed else None,
    )


def not_asked(listed: Listed) -> list[Gap]:
    """The gap that DNS pods are, of which there are too many to ask all."""
    further = len(listed.resolvers) - RESOLVERS_ASKED
    if further <= 0:
        return []
    return [Gap(f"the answers of {further:,} further DNS pods", f"no more than {RESOLVERS_ASKED} are asked")]


def patience_of(cluster: Cluster, how: How) -> Patience:
    """How long is waited for answers from now on."""
    end = Deadline.after(how.timeout * (1 - SPARE), cluster.clock)
    each, interval = (min(most, how.timeout * part) for most, part in (ANSWER, INTERVAL))
    return Patience(end, each, how.retries, interval)


def renewed(
    cluster: Cluster, asked: Mapping[str, Asked], before: Mapping[str, Lease], patience: Patience
) -> Mapping[str, Lease]:
    """The nodes' Leases once more, where a kubelet has not answered. before: as they were, by node.

    One that is alive has renewed its own meanwhile. A kubelet that hangs and one whose runtime hangs look
    alike but for that, so as long as a Lease is young and the same, and there is time, it is read again.
    """
    silent = [
        name for name, one in asked.items() if isinstance(one.way, NoReply) and one.way.why is Why.SILENT
    ]
    if not silent:
        return {}
    try:
        found = listing.leases(cluster, listing.OF_NODES, timeout=patience.left)
        for name in silent[:FOLLOWED]:
            while _is_undecided(before.get(name), found.get(name)) and patience.left > 2 * LEASE_INTERVAL:
                cluster.clock.sleep(LEASE_INTERVAL)
                found |= listing.leases(cluster, listing.OF_NODES, timeout=patience.left, name=name)
    except AdminError:
        return {}
    return found


def _is_undecided(before: Lease | None, now: Lease | None) -> bool:
    """Whether a Lease has not been renewed since, and would not have to be yet."""
    if before is None or now is None or now.renewed is None or now.read is None:
        return False
    return now.renewed == before.renewed and (now.read - now.renewed).total_seconds() <= SIGN_OF_LIFE


def _side_by_side(
    listings: Mapping[Any, Callable[[], Any]],
    asking: Mapping[Any, Callable[[], Any]],
    patience: Patience,
    grace: float,
    answered: Callable[[int], None] | None,
) -> tuple[Answers, Answers]:
    """The answers of listings and of nodes; neither waits for the other.

    grace: seconds after the end of patience within which answers are taken.
    """
    left = patience.left + grace / 2
    sides: dict[str, Callable[[], Answers]] = {
        "listings": partial(ask_all, listings, deadline=left, workers=listing.WORKERS),
        "nodes": partial(ask_all, asking, deadline=left, workers=WORKERS, answered=answered),
    }
    both = ask_all(sides, deadline=patience.left + grace, workers=len(sides))
    late = LateError("no answer came in time")
    told, heard = (
        dict.fromkeys(asked, late) if isinstance(answers, AdminError) else answers
        for asked, answers in ((listings, both["listings"]), (asking, both["nodes"]))
    )
    return told, heard


def _server_time(cluster: Cluster, began: float) -> datetime | None:
    """The API server's clock when all began, by its latest answer, which knows no parts of a second."""
    said = cluster.server_time
    return said and said + timedelta(seconds=0.5 - (time.monotonic() - began))


def _node(node: Node, listed: Listed, asked: Asked | None, lease: Lease | None) -> Node:
    """A node with what came of asking it. lease: of later on, if any."""
    planned = tuple(plan.process for plan in listed.plans.get(node.name, ()))
    if asked is None:
        return replace(node, way=NoReply(Why.LEFT_OUT), processes=planned)
    processes = asked.processes or planned
    running = next(
        (
            sum(sample.value for sample in process.metrics.get(RUNNING_PODS, ()))
            for process in processes
            if process.component is Component.KUBELET and isinstance(process.metrics, Mapping)
        ),
        None,
    )
    return replace(
        node,
        way=asked.way,
        processes=processes,
        host=asked.host,
        clock=asked.clock,
        lease=lease or node.lease,
        running=int(running) if running is not None else None,
    )


def _reply(answer: Reply | AdminError) -> Reply | NoReply:
    return silence.of_proxy(answer) if isinstance(answer, AdminError) else answer


def _reply_of_address(answer: Reply | AdminError) -> Reply | NoReply:
    return silence.of_address(answer) if isinstance(answer, AdminError) else answer


def _resolver(pod: Pod, answer: Resolver | AdminError) -> Resolver:
    if isinstance(answer, AdminError):
        return Resolver(pod, "", silence.of_way(answer, 0.0))
    return answer
