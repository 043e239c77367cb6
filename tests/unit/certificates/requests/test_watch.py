"""Requests approved as they come: one watch tells of those that wait, and of the certificates issued."""

import base64
from dataclasses import replace
from itertools import chain, repeat
from types import SimpleNamespace

import pytest
from cryptography import x509

from kubectl_admin.certificates.requests import gather, watch
from kubectl_admin.certificates.requests.approve import Outcome
from kubectl_admin.certificates.requests.facts import taken_apart
from kubectl_admin.certificates.requests.nodes import Addresses, Nodes
from kubectl_admin.certificates.requests.policy import FEW
from kubectl_admin.cluster.paths import KUBEADM_CONFIG
from kubectl_admin.errors import AdminError
from kubectl_admin.streams import ReaderGone
from tests.fakes.api_server import Says, StandIn, status
from tests.fakes.clock import Clock
from tests.unit.certificates.requests.samples import DEFAULT, NODES, badly_signed, csr, document, made, pem

APPROVED = {"type": "Approved", "status": "True"}
NODE = {"metadata": {"name": "w1"}, "status": {"addresses": [{"type": "Hostname", "address": "w1"}]}}


def named(name, request=None, **status_):
    found = document(request or pem(csr()))
    found["metadata"] |= {"name": name, "uid": f"uid-{name}"}
    return {**found, "status": status_}


class World:
    """What is watched, round by round, and what becomes of it."""

    def __init__(self, cluster, *rounds, tell=None, **calls):
        self.told, self.said, self.watches = [], [], 0
        self.clock = cluster.clock = Clock()
        self.rounds = iter(rounds)
        calls = watch.Calls(changes=self.changes, **calls)
        tell = tell or (lambda *each: self.told.append(each))
        self.follower = watch.Follower(cluster, 3600, tell, self.said.append, calls)

    def changes(self, _cluster, _seconds):
        self.watches += 1
        for one in next(self.rounds):
            yield one.pop("deleted", False), one

    def results(self):
        return [
            (judged.request.name, outcome and (outcome.problem or outcome.issued.serial))
            for judged, outcome in self.told
        ]


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.on("GET", "/api/v1/nodes", Says(body={"metadata": {}, "items": [NODE]}))
        stand_in.on("GET", "/api/v1/nodes/w1", Says(body=NODE))
        stand_in.on("GET", gather.SERVICE, Says(body={"spec": {"clusterIPs": ["10.96.0.1"]}}))
        stand_in.on("GET", KUBEADM_CONFIG, status(404, "NotFound", "not found"))
        stand_in.on("GET", gather.SLICES, Says(body={"metadata": {}, "items": []}))
        yield stand_in


def seeing(*listings):
    """What the nodes are, round by round, the last one again and again; every approval is taken."""
    nodes = chain(listings, repeat(listings[-1]))
    return {
        "nodes": lambda _cluster: next(nodes),
        "refresh": lambda _cluster, nodes, _node: nodes,
        "approve": lambda _cluster, judged, *_: Outcome(judged, approved=True),
    }


APPROVING = seeing(NODES)


def test_what_is_refused_is_told_once_until_the_reason_changes(server):
    changed = named("early", badly_signed(csr()))
    changed["metadata"]["resourceVersion"] = "2"
    rounds = [[named("early")], [named("early")], [changed]]
    server.on("GET", KUBEADM_CONFIG, Says(body={"data": {"ClusterConfiguration": "words"}}))
    world = World(server.connect(), *rounds)
    for _ in range(3):
        world.follower.round()
    assert [[breach.rule.id for breach in judged.breaches] for judged, _ in world.told] == [
        ["foreign-address"],
        ["bad-signature", "foreign-address"],
    ]
    assert [outcome for _, outcome in world.told] == [None, None]
    assert world.said == [
        "whether a request names the control plane's endpoint, or another name that kubeadm was told, is "
        "not judged: ConfigMap kube-system/kubeadm-config can't be read: "
        "its ClusterConfiguration is not a mapping"
    ]


def test_the_one_watch_tells_of_what_is_issued_and_nothing_is_waited_for_meanwhile():
    """None of them waits for the certificate of the one before; the second comes in another round."""
    first = [named("a"), named("b"), named("a", certificate=made()), named("b")]
    world = World(SimpleNamespace(), first, [named("b", certificate=made())], **APPROVING)
    world.follower.round()
    assert world.results() == [("a", "abc")]
    world.follower.round()
    assert world.results() == [("a", "abc"), ("b", "abc")]
    assert world.watches == 2


def test_a_signer_that_does_nothing_is_told_of_and_stops_nobody():
    world = World(SimpleNamespace(), [named("a"), named("b")], [named("c", certificate=made())], **APPROVING)
    world.follower.round()
    assert world.results() == []
    world.clock.now += watch.ISSUE_TIMEOUT + 1
    world.follower.round()
    assert [name for name, _ in world.results()] == ["a", "b"]
    assert all("no certificate was issued within 30s" in said for _, said in world.results())


def test_what_is_deleted_is_waited_for_no_more_and_forgotten():
    refused = named("b", badly_signed(csr()))
    rounds = [named("a"), refused, {**named("a"), "deleted": True}, {**refused, "deleted": True}, refused]
    world = World(SimpleNamespace(), rounds, **APPROVING)
    world.follower.round()
    assert world.results() == [
        ("b", None),
        ("a", "it was deleted before its certificate was seen"),
        ("b", None),
    ]


def test_a_certificate_that_is_not_what_was_judged_is_told_and_ends_it():
    foreign = made(names=[*DEFAULT, x509.DNSName("cp1")])
    world = World(SimpleNamespace(), [named("a"), named("a", certificate=foreign), named("b")], **APPROVING)
    with pytest.raises(
        AdminError, match="request a of node w1: its certificate is not what was judged: it also names cp1"
    ):
        world.follower.round()
    assert world.results() == [("a", "it also names cp1")]


def test_a_certificate_that_is_not_what_was_judged_ends_it_loudly_though_nobody_reads():
    """As with `| head -1`: the reader has gone before the certificate came."""

    def tell(*_):
        raise ReaderGone

    foreign = made(names=[*DEFAULT, x509.DNSName("cp1")])
    world = World(SimpleNamespace(), [named("a"), named("a", certificate=foreign)], tell=tell, **APPROVING)
    with pytest.raises(AdminError, match="its certificate is not what was judged"):
        world.follower.round()


def test_so_does_one_that_can_not_be_read():
    odd = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").decode()
    world = World(SimpleNamespace(), [named("a"), named("a", certificate=odd)], **APPROVING)
    with pytest.raises(AdminError, match="it can't be read"):
        world.follower.round()


def test_what_is_approved_is_told_though_its_end_is_not_seen():
    world = World(SimpleNamespace(), [named("a")], **APPROVING)
    world.follower.round()
    world.follower.give_up_all()
    world.follower.give_up_all()
    assert world.results() == [("a", "the run ended before its certificate was issued")]
    assert world.told[0][1].approved


def test_what_can_not_be_approved_is_told_at_once():
    def gone(_cluster, judged, *_):
        return Outcome(judged, problem="it no longer exists")

    world = World(SimpleNamespace(), [named("a")], **{**APPROVING, "approve": gone})
    world.follower.round()
    assert world.results() == [("a", "it no longer exists")]


def test_what_another_of_its_name_has_replaced_is_told_once():
    def another(_cluster, judged, *_):
        return Outcome(
            replace(judged, request=replace(judged.request, uid="another")), problem="it is not the same"
        )

    rounds = [named("a")], [named("b", conditions=[APPROVED])]
    world = World(SimpleNamespace(), *rounds, **{**APPROVING, "approve": another})
    world.follower.round()
    world.clock.now += watch.ISSUE_TIMEOUT + 1
    world.follower.round()
    world.follower.give_up_all()
    assert world.results() == [("a", "it is not the same")]


def test_what_is_decided_is_not_taken_apart():
    decided = [named("a", conditions=[APPROVED]), named("b", certificate=made())]
    world = World(SimpleNamespace(), decided, parse=lambda _request: pytest.fail("parsed"), **APPROVING)
    world.follower.round()
    assert world.told == []


class Counting:
    """How often requests are taken apart."""

    def __init__(self):
        self.names = []

    def parse(self, request):
        self.names.append(request.name)
        return taken_apart(request)


def test_what_is_refused_is_judged_again_only_when_it_or_its_node_has_changed():
    counting = Counting()
    early = Nodes({**NODES, "w1": Addresses(frozenset({"w1"}))})
    another = Nodes({**early, "w2": Addresses(frozenset({"w2"}))})
    calls = seeing(early, another, another, another, NODES)
    newer = named("a")
    newer["metadata"]["resourceVersion"] = "2"
    world = World(
        SimpleNamespace(),
        [named("a")],
        [named("a")],
        [newer],
        [newer],
        [newer],
        parse=counting.parse,
        **calls,
    )
    looked = []
    for _ in range(5):
        world.follower.round()
        looked.append(len(counting.names))
    assert looked == [1, 1, 2, 2, 3]
    assert len(world.told) == 1
    world.follower.give_up_all()
    assert world.results()[1:] == [("a", "the run ended before its certificate was issued")]


def test_a_doubt_is_judged_again_when_the_other_node_is_gone():
    twins = Nodes({**NODES, "w2": NODES["w1"]})
    calls = seeing(twins, Nodes({**NODES, "w2": NODES["w1"]}), NODES)
    counting = Counting()
    world = World(SimpleNamespace(), *[[named("a")]] * 3, parse=counting.parse, **calls)
    for _ in range(3):
        world.follower.round()
    world.follower.give_up_all()
    assert world.results() == [("a", None), ("a", "the run ended before its certificate was issued")]
    assert len(counting.names) == 2


def test_what_one_node_asks_for_without_end_starves_nobody():
    counting = Counting()
    request = badly_signed(csr())
    flood = [named(f"f{number}", request) for number in range(FEW + 3)]
    other = named("other")
    other["spec"] = {**other["spec"], "username": "system:node:w2"}
    world = World(SimpleNamespace(), [*flood, other], [*flood, other], parse=counting.parse, **APPROVING)
    world.follower.round()
    assert counting.names == [*(f"f{number}" for number in range(FEW)), "other"]
    (said,) = world.said
    assert "system:node:w1" in said
    world.follower.round()
    assert counting.names[FEW + 1 :] == [f"f{number}" for number in range(FEW, FEW + 3)]
