"""Asks each pod of the cluster's DNS for the Service of the API servers, over TCP by a port-forward."""

import time
from dataclasses import replace

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking import dns, silence
from kubectl_admin.health.asking.exchange import Patience
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.facts import NoReply, Pod, Resolver, Why

PORT, NAMED = 53, "dns-tcp"  # as kubeadm names CoreDNS' own; some let it listen above 1023
DOMAIN = "cluster.local"  # where nothing says otherwise


def ask(cluster: Cluster, listed: Listed, pod: Pod, patience: Patience) -> Resolver:
    """A DNS pod with its answer; it is asked again where a single answer is missed.

    Where the domain is not known, one that knows nothing of the usual one may be right.
    """
    name = f"kubernetes.default.svc.{listed.domain or DOMAIN}"
    only_6 = bool(listed.service) and all(":" in one for one in listed.service)
    kind = dns.AAAA if only_6 else dns.A
    expected = tuple(one for one in listed.service if (":" in one) == only_6)
    for look in range(1 + patience.retries):
        began = patience.end.clock.monotonic()
        answer = _once(cluster, pod, name, kind, patience)
        if not (isinstance(answer, NoReply) and answer.why in silence.ASKED_AGAIN):
            break
        if look < patience.retries and not patience.pause(began):
            answer = silence.too_late(answer)
            break
    if not listed.domain and knows_nothing(answer):
        said = f"it knows nothing of {DOMAIN}, and the domain of the cluster's names is not known"
        answer = NoReply(Why.NO_WAY, said)
    return Resolver(pod, name, answer, expected)


def knows_nothing(answer: tuple[str, ...] | NoReply) -> bool:
    """Whether a DNS server has answered, and without an address."""
    if isinstance(answer, NoReply):
        return answer.why is Why.GARBLED and dns.REFUSES in answer.said
    return not answer


def _once(cluster: Cluster, pod: Pod, name: str, kind: int, patience: Patience) -> tuple[str, ...] | NoReply:
    began = time.monotonic()
    number = pod.ports.get(NAMED, PORT)
    try:
        forwarded = cluster.forward_ports(
            pod.namespace, pod.name, [number], timeout=patience.left, opening=patience.for_one
        )
    except AdminError as error:
        silent = silence.of_way(error, time.monotonic() - began)
        # A kubelet that says nothing, not the DNS server.
        return replace(silent, why=Why.FORWARD) if silent.why is Why.SILENT else silent
    with forwarded:
        (port,) = forwarded.ports
        port.limit(dns.LONGEST)
        port.finish_within(patience.for_one)
        try:
            return dns.ask(port, name, kind, port.what)
        except AdminError as error:
            return silence.of_port(error)
