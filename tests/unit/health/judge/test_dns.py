import pytest

from kubectl_admin.drain.labels import Selector, equalities
from kubectl_admin.health.facts import Pod, Resolver
from kubectl_admin.health.judge import dns
from kubectl_admin.health.object_facts import DNS, Backend, Objects, Workload
from tests.unit.health.made import YESTERDAY, ago, facts, no_reply, node

LABELS = {"k8s-app": "kube-dns"}
QUESTION = "kubernetes.default.svc.cluster.local"


def coredns(replicas=2, ready=2):
    """The Deployment of CoreDNS."""
    selector = Selector(equalities(LABELS))
    counts = (replicas, replicas, replicas, ready, ready)
    return Workload("Deployment", "kube-system", "coredns", *counts, YESTERDAY, selector)


def pod(name, ready=True, seconds=3600, **fields):
    """A pod of CoreDNS."""
    standing = {"since": ago(seconds), "created": YESTERDAY, "labels": LABELS}
    return Pod("kube-system", name, "w1", "Running", ready, **(standing | fields))


def found_of(backend, replicas=2, pods=(), nodes=(), **fields):
    """The findings on DNS with this behind its Service."""
    workloads = () if replicas is None else (coredns(replicas),)
    objects = Objects(backends={DNS: backend} if backend else {}, workloads=workloads, pods=pods)
    return list(dns.down(facts(*nodes, objects=objects, **fields)))


def judged(*given, **fields):
    """The severities and rules of what is found of DNS."""
    return [(str(one.severity), one.rule) for one in found_of(*given, **fields)]


@pytest.mark.parametrize(
    ("backend", "severity"),
    [
        (Backend(None, ("a", "b")), None),
        (Backend(True, (), ("a", "b"), ago(600)), "violation"),
        (Backend(True, (), ("a", "b"), ago(30)), "note"),
        (Backend(True), "violation"),
        (Backend(False), None),  # this cluster has no DNS of that name
        (Backend(True, elsewhere="dns.example.com"), None),
        (None, None),  # not to be seen
        (Backend(None, ("a",), ("b",), ago(600)), "warning"),
        (Backend(None, ("a",), ("b",), ago(30)), None),  # a roll-out, a drain
        (Backend(None, ("a",), (), ago(600)), "warning"),
    ],
)
def test_dns_needs_pods(backend, severity):
    assert judged(backend) == ([(severity, "dns-down")] if severity else [])


def test_where_no_pod_is_wanted_none_will_come():
    just_now = Backend(True, changed=ago(5))
    (found,) = found_of(just_now, replicas=0)
    assert str(found.severity) == "violation"
    assert found.evidence == "it has no pod, and none is wanted: Deployment coredns has 0 replicas"
    assert "kubectl -n kube-system scale deployment coredns --replicas 2" in found.fix
    assert judged(just_now) == judged(just_now, replicas=None) == [("note", "dns-down")]


def test_what_the_pods_answer_is_told():
    silent = Resolver(pod("coredns-2", ready=False), QUESTION, no_reply("silent"), ("10.96.0.1",))
    (found,) = found_of(
        Backend(True, (), ("coredns-1", "coredns-2", "coredns-3"), ago(600)),
        resolvers=(resolver(FAILING, ready=False), silent),
    )
    assert found.evidence == (
        "no pod of it is ready: coredns-1 (it answers SERVFAIL), coredns-2 (no answer in time), coredns-3"
    )


def test_a_pod_that_has_just_been_made_may_be_ready_in_a_moment():
    alone = Backend(None, ("a",), ("b",), ago(600))
    coming, sick = pod("b", ready=False, seconds=30), pod("b", ready=False, seconds=600)
    assert judged(alone, pods=(pod("a"), coming)) == []
    assert judged(alone, pods=(pod("a"), sick)) == [("warning", "dns-down")]


def test_one_pod_by_decision_is_a_note():
    alone = Backend(None, ("a",), (), ago(6000))
    assert judged(alone, replicas=1) == [("note", "dns-down")]
    assert judged(alone, replicas=1, nodes=(node("cp-1"),)) == []  # there is one node as well


FAILING = no_reply(
    "garbled", "dns-tcp of pod coredns-1: this is not an answer of DNS: the server says SERVFAIL"
)


def resolver(answer, expected=("10.96.0.1",), **fields):
    """A pod of CoreDNS and its answer."""
    return Resolver(pod("coredns-1", **fields), QUESTION, answer, expected)


@pytest.mark.parametrize(
    ("one", "severity", "evidence"),
    [
        (resolver(("10.96.0.1",)), None, ""),
        (resolver(("10.96.0.1",), ("10.96.0.1", "fd00::1")), None, ""),
        (resolver(("10.0.0.7",), ()), None, ""),  # nobody knows what is right
        (resolver(("10.0.0.7",)), "violation", f"{QUESTION}: it answers 10.0.0.7, and not 10.96.0.1"),
        (resolver(()), "violation", f"{QUESTION}: it knows no address"),
        (resolver(no_reply("silent")), "violation", f"{QUESTION}: no answer in time"),
        (resolver(no_reply("refused", "ECONNREFUSED")), "violation", "nothing listens at its port (ECONN"),
        (resolver(no_reply("garbled")), "violation", "its answer can't be read"),
        (resolver(FAILING), "violation", f"{QUESTION}: it answers SERVFAIL"),
        (resolver(no_reply("silent"), ready=False), None, ""),  # dns-down and critical-pod tell of it
        (resolver(no_reply("silent"), deleted=ago(3)), None, ""),
        (resolver(no_reply("node", "no route to host")), "note", "no route to host"),
        (resolver(no_reply("forbidden", "no", "create pods/portforward")), "note", "no"),
        (resolver(no_reply("late")), "note", "late"),
    ],
)
def test_dns_pods_answer_what_is_right(one, severity, evidence):
    found = list(dns.answers(facts(resolvers=(one,))))
    rule = "not-seen" if severity == "note" else "dns-no-answer"
    assert [(str(each.severity), each.rule) for each in found] == ([(severity, rule)] if severity else [])
    assert all(evidence in each.evidence for each in found)


def test_pods_that_could_not_be_asked_for_one_reason_are_one_note():
    late = [resolver(no_reply("forbidden", "no", "create pods/portforward")) for _ in range(2)]
    (found,) = dns.answers(facts(resolvers=tuple(late)))
    assert found.subject == "the answers of coredns-1, coredns-1"
    assert "create pods/portforward" in found.fix
