"""What is waited for of kube-proxy and CoreDNS, what fails, and what is only said."""

import pytest

from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.upgrade.addon_facts import DnsRollout
from kubectl_admin.upgrade.facts import Target
from kubectl_admin.upgrade.rollout import (
    CRASHES,
    STALL_TIMEOUT,
    STEADY_GRACE,
    Expectation,
    Source,
    Watched,
    wait_until_well,
)
from tests.fakes.clock import Clock
from tests.unit.upgrade.cases import NEW, OLD
from tests.unit.upgrade.rollouts import addons_of, pod, proxies

GOAL = Target(NEW, "1.37.2-1.1")
HALF = DnsRollout("1 of 2", serves=False)


def test_a_kube_proxy_is_well_when_it_says_so():
    assert Watched(lambda _: True).lacking([pod(restarts=7)], 0) == {}
    said = Watched(lambda _: False).lacking([pod()], 1000)
    assert said == {"a": "kube-proxy on node cp-1 saying that it is well"}


def test_one_that_can_not_be_asked_is_well_after_some_time_without_a_restart():
    watched = Watched(lambda _: None)
    said = watched.lacking([pod()], 100)
    assert said == {"a": "kube-proxy on node cp-1 running for 10s without a restart"}
    assert watched.lacking([pod()], 100 + STEADY_GRACE - 1)
    assert watched.lacking([pod(restarts=1)], 100 + STEADY_GRACE)
    assert not watched.lacking([pod(restarts=1)], 100 + 2 * STEADY_GRACE)


def test_restarts_count_since_the_first_look_and_all_of_a_pod_that_is_new_since():
    watched = Watched(lambda _: None)
    watched.lacking([pod(restarts=40)], 0)
    watched.lacking([pod(restarts=41), pod(uid="b", restarts=CRASHES)], 1, new=True)
    assert watched.crashed("a") == ""
    assert "ended 3 times" in watched.crashed("b")


class World:
    """What is seen at each look, the last one again and again, on a clock that moves with the pauses only.

    healthy: as kube-proxies say of themselves, but for those in `unwell`.
    """

    def __init__(self, *looks, healthy=True, unwell=()):
        self.looks = list(looks)
        self.said: list[list[str]] = []
        self.clock = Clock(0.0)
        self.source = Source(self.read, lambda pod: False if pod in unwell else healthy, self.clock)

    def read(self):
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, AdminError):
            raise look
        return look

    def wait(self, *, proxied=True, here=True, rolled_out=True, allowed=False, timeout=1000.0):
        expected = Expectation(proxied, here, rolled_out, allowed)
        return wait_until_well(
            self.source, "cp-1", GOAL, expected, timeout, lambda what: self.said.append(list(what))
        )


AWAY = Unreachable("Unable to connect to the server: tls: unexpected eof while reading")
OLD_HERE = addons_of(pod("1"))
NEW_ON_WORKER = pod(uid="b", node="w1")


@pytest.mark.parametrize(
    ("looks", "options", "lacks"),
    [
        ([addons_of(pod())], {}, None),
        ([AWAY, addons_of(pod())], {}, f"an answer about kube-proxy and CoreDNS ({AWAY.what})"),
        ([addons_of(), addons_of(pod())], {}, "a pod of kube-proxy"),
        ([addons_of()], {"proxied": False}, None),
        ([addons_of(proxy=None)], {}, None),
        (
            [OLD_HERE, addons_of(pod())],
            {"rolled_out": False},
            "the new kube-proxy here (0 of 4 pods are new)",
        ),
        ([OLD_HERE, addons_of(pod())], {"here": False}, "a first new kube-proxy (0 of 4 pods are new)"),
        (
            [addons_of(pod("1"), proxy=proxies(noticed=False)), addons_of(pod())],
            {"here": False},
            "the new kube-proxy noticed by the controller of its DaemonSet",
        ),
        ([OLD_HERE], {"here": False, "rolled_out": False}, None),
        ([addons_of(pod("1"), apiservers=(NEW, OLD))], {"here": False}, None),
        ([addons_of(pod("1"), elsewhere=(NEW_ON_WORKER,))], {"here": False}, None),
        ([addons_of(pod(), dns=HALF), addons_of(pod())], {}, "CoreDNS rolled out (1 of 2)"),
        ([addons_of(pod(), dns=HALF)], {"rolled_out": False}, None),
        ([addons_of(pod(), dns=HALF, apiservers=(NEW, OLD))], {}, None),
        ([addons_of(pod(), dns=None)], {}, None),
        (
            [addons_of(pod(running=False, restarts=1, ended="exit code 1")), addons_of(pod(restarts=1))],
            {},
            "kube-proxy on node cp-1 running (1 restarts, it ended with exit code 1)",
        ),
    ],
)
def test_what_is_waited_for(looks, options, lacks):
    world = World(*looks)
    assert world.wait(**options) == ()
    assert [each for said in world.said for each in said] == ([lacks] if lacks else [])


def test_a_roll_out_that_a_dead_node_holds_is_said_and_fails_nothing():
    world = World(addons_of(pod("1"), proxy=proxies(holding=("w7",))))
    words = "(0 of 4 pods are new, not available on w7)"
    assert world.wait(here=False) == (f"a first new kube-proxy {words}",)
    assert world.clock.now == pytest.approx(STALL_TIMEOUT)
    assert world.wait(here=True) == (f"the new kube-proxy here {words}",)
    assert world.wait(rolled_out=False) == (f"the new kube-proxy here {words}",)


def test_one_that_moves_is_waited_for_until_the_time_is_over():
    looks = [
        addons_of(pod("1"), proxy=proxies(number // 10, 500), elsewhere=(NEW_ON_WORKER,))
        for number in range(5000)
    ]
    world = World(*looks)
    assert world.wait() == ("the new kube-proxy here (100 of 500 pods are new)",)
    assert world.clock.now == pytest.approx(1000)


def test_one_that_stood_while_the_api_was_away_has_its_time_again():
    world = World(*[OLD_HERE] * 50, AWAY, OLD_HERE)
    assert world.wait(here=False)
    assert world.clock.now == pytest.approx(51 + STALL_TIMEOUT)


def test_a_template_that_no_controller_notices_fails():
    world = World(addons_of(pod("1"), proxy=proxies(noticed=False)))
    with pytest.raises(
        AdminError, match="not well in time: the new kube-proxy noticed by the controller of its DaemonSet"
    ):
        world.wait(here=False)


def test_on_delete_is_said_with_the_way_and_not_waited_for():
    world = World(addons_of(pod("1"), proxy=proxies(automatic=False)))
    assert world.wait(here=False) == ()
    (left,) = world.wait()
    assert "kubectl -n kube-system delete pod kube-proxy-x" in left
    assert world.said == []


def test_core_dns_of_which_one_pod_has_no_place_is_said():
    world = World(addons_of(pod(), dns=DnsRollout("3 of 3 pods are new, 2 available", serves=True)))
    assert world.wait() == ("CoreDNS rolled out (3 of 3 pods are new, 2 available)",)
    assert world.clock.now == pytest.approx(STALL_TIMEOUT)


def test_core_dns_whose_new_pods_do_not_work_fails_unless_it_is_allowed():
    world = World(addons_of(pod(), dns=HALF))
    with pytest.raises(AdminError, match="CoreDNS rolled out") as caught:
        world.wait()
    assert "describe deployment coredns" in str(caught.value.hint)
    assert world.wait(allowed=True) == ("CoreDNS rolled out (1 of 2)",)


def crashing(**where):
    """New kube-proxies that end at each look once more."""
    return [pod(running=False, restarts=count, ended="exit code 1: x", **where) for count in range(9)]


def test_a_kube_proxy_that_ends_again_and_again_is_not_waited_for_to_the_end():
    world = World(*[addons_of(each) for each in crashing()])
    with pytest.raises(AdminError, match=r"ended 3 times during the wait, with exit code 1: x$") as caught:
        world.wait(timeout=1e9, allowed=True)
    assert len(world.said) == CRASHES
    assert "logs -l k8s-app=kube-proxy --previous" in str(caught.value.hint)


@pytest.mark.parametrize("holding", [(), ("w1",)])
@pytest.mark.parametrize(("node", "trusted"), [("cp-2", True), ("w1", False)])
def test_a_new_one_that_ends_elsewhere_is_found_before_the_drain(node, trusted, holding):
    looks = [
        addons_of(pod("1"), elsewhere=(each,), trusted=trusted, proxy=proxies(1, holding=holding))
        for each in crashing(uid="b", node=node)
    ]
    world = World(*looks)
    with pytest.raises(AdminError, match=f"kube-proxy on node {node} has ended 3 times"):
        world.wait(here=False, timeout=1e9)


@pytest.mark.parametrize("healthy", [None, True])
def test_one_that_does_not_start_elsewhere_is_found_as_well(healthy):
    look = addons_of(pod("1"), elsewhere=(pod(uid="b", node="w1", running=False),))
    world = World(look, healthy=healthy)
    with pytest.raises(AdminError, match="kube-proxy on node w1 running") as caught:
        world.wait(here=False)
    assert "--allow addon-rollout" in str(caught.value.hint)
    assert world.wait(here=False, allowed=True) == ("kube-proxy on node w1 running (0 restarts)",)


def test_the_word_of_one_worker_does_not_decide_where_another_says_otherwise():
    good = pod(uid="c", node="w2")
    looks = [addons_of(pod("1"), elsewhere=(good, bad)) for bad in crashing(uid="b", node="w1")]
    assert World(*looks).wait(here=False) == ()
    world = World(addons_of(pod("1"), elsewhere=(pod(uid="b", name="bad", node="w1"), good)), unwell={"bad"})
    assert world.wait(here=False) == ()
    assert world.said == []


def test_others_are_waited_for_where_the_first_runs_and_says_that_it_has_ended():
    bad = [pod(uid="b", name="bad", node="w1", restarts=count) for count in range(9)]
    looks = [addons_of(pod("1"), elsewhere=(each,)) for each in bad]
    world = World(*looks, addons_of(pod("1"), elsewhere=(bad[-1], pod(uid="c", node="w2"))), unwell={"bad"})
    assert world.wait(here=False) == ()
    assert world.said == [["kube-proxy on node w1 saying that it is well"]] * 9


def test_two_workers_are_trusted():
    looks = [
        addons_of(pod("1"), elsewhere=(*both, pod(uid="d", node="w3")))
        for both in zip(crashing(uid="b", node="w1"), crashing(uid="c", node="w2"), strict=True)
    ]
    with pytest.raises(AdminError, match=r"on node w1 .* on node w2 has ended"):
        World(*looks).wait(here=False)


def test_what_ended_elsewhere_before_the_first_look_does_not_count():
    world = World(addons_of(pod("1"), elsewhere=(pod(uid="b", node="w1", restarts=40),)))
    assert world.wait(here=False) == ()


def test_nobody_waits_for_ever():
    world = World(AWAY)
    with pytest.raises(AdminError, match="tls: unexpected eof"):
        world.wait(timeout=100.0)
    assert world.clock.now > 99
