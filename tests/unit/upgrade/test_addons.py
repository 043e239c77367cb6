"""Whether kube-proxy and CoreDNS are well, and those that kubeadm deploys."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.upgrade import addons
from kubectl_admin.upgrade.addons import CRASHES, STEADY, Addons, ProxyPod, Watched, wait_until_well
from kubectl_admin.upgrade.facts import Target
from tests.unit.upgrade.cases import NEW, OLD

GOAL = Target(NEW, "1.37.2-1.1")
NEW_IMAGE, OLD_IMAGE = "registry.k8s.io/kube-proxy:v1.37.2", "registry.k8s.io/kube-proxy:v1.36.3"
DNS = "registry.k8s.io/coredns/coredns:v1.14.6"
ENDED = {"terminated": {"exitCode": 1, "message": "unrecognized\nfeature gate: SidecarContainers"}}


def pod(image=NEW_IMAGE, *, uid="a", running=True, restarts=0, ended="", node=""):
    return ProxyPod(f"kube-proxy-{node or 'x'}", uid, image, running, restarts, ended, node)


def on(node, **more):
    """The pod of the new image on another node."""
    return pod(uid=node, node=node, **more)


def addons_of(*proxies, elsewhere=(), deployed=NEW_IMAGE, rolls=True, rolling="", apiservers=(NEW,)):
    images = {"coredns": DNS, **({"kube-proxy": deployed} if deployed else {})}
    return Addons(proxies, elsewhere, images, rolls, rolling, apiservers)


def test_what_a_pod_says_of_itself():
    said = ProxyPod.of(
        {
            "metadata": {"name": "kube-proxy-x", "uid": "a"},
            "spec": {"containers": [{"image": NEW_IMAGE}]},
            "status": {
                "containerStatuses": [
                    {"state": {"waiting": {}}, "lastState": ENDED, "restartCount": 4},
                ]
            },
        }
    )
    words = "exit code 1: unrecognized feature gate: SidecarContainers"
    assert said == pod(running=False, restarts=4, ended=words)
    bare = ProxyPod.of({"metadata": {"name": "kube-proxy-x", "uid": "a"}, "spec": {}})
    assert bare == pod("", running=False)


@pytest.mark.parametrize(
    ("generation", "spec", "status", "lacks"),
    [
        (2, {}, {"observedGeneration": 1}, "its new template is not seen yet"),
        (2, {"replicas": 2}, {"observedGeneration": 2}, "0 of 2 pods are new, 0 available"),
        (
            1,
            {"replicas": 2},
            {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2},
            "1 old pods are left",
        ),
        (
            1,
            {"replicas": 2},
            {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1},
            "2 of 2 pods are new, 1 available",
        ),
        (
            1,
            {"replicas": 2},
            {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
            "",
        ),
        (1, {"replicas": 0}, {"observedGeneration": 1}, ""),
    ],
)
def test_a_roll_out(generation, spec, status, lacks):
    deployment = {"metadata": {"generation": generation}, "spec": spec, "status": status}
    assert addons.rolling(deployment) == lacks


def test_the_images_that_kubeadm_says():
    assert addons.named(f"{NEW_IMAGE}\n{DNS}\nregistry.k8s.io/pause:3.10.2\n")["coredns"] == DNS


@pytest.mark.parametrize(
    ("seen", "wanted", "found"),
    [
        (addons_of(), {"kube-proxy": NEW_IMAGE, "coredns": DNS}, []),
        (
            addons_of(deployed=OLD_IMAGE),
            {"kube-proxy": NEW_IMAGE, "coredns": DNS},
            [f"kube-proxy is {OLD_IMAGE}, kubeadm's is {NEW_IMAGE}"],
        ),
        (addons_of(), {"coredns": "other"}, [f"CoreDNS is {DNS}, kubeadm's is other"]),
        (addons_of(deployed=OLD_IMAGE, apiservers=(NEW, OLD)), {"kube-proxy": NEW_IMAGE}, []),
        (addons_of(deployed=OLD_IMAGE, apiservers=(NEW, None)), {"kube-proxy": NEW_IMAGE}, []),
        (addons_of(deployed=OLD_IMAGE, apiservers=()), {"kube-proxy": NEW_IMAGE}, []),
        (addons_of(deployed=None), {"kube-proxy": NEW_IMAGE}, []),
    ],
)
def test_add_ons_are_behind_once_it_is_their_turn(seen, wanted, found):
    assert addons.behind(seen, wanted, GOAL) == found


def test_a_kube_proxy_is_well_when_it_says_so():
    assert Watched(lambda _: True).lacking([pod(restarts=7)], 0) == []
    assert Watched(lambda _: False).lacking([pod()], 1000) == ["kube-proxy saying that it is well"]


def test_one_that_can_not_be_asked_is_well_after_some_time_without_a_restart():
    watched = Watched(lambda _: None)
    assert watched.lacking([pod()], 100) == ["kube-proxy running for 10s without a restart"]
    assert watched.lacking([pod()], 100 + STEADY - 1) != []
    assert watched.lacking([pod(restarts=1)], 100 + STEADY) != []
    assert watched.lacking([pod(restarts=1)], 100 + 2 * STEADY) == []


def test_restarts_count_since_the_first_look_and_all_of_a_pod_that_is_new_since():
    watched = Watched(lambda _: None)
    watched.lacking([pod(restarts=40)], 0)
    assert watched.crashes("a") == 0
    watched.lacking([pod(restarts=41), pod(uid="b", restarts=2)], 1)
    assert watched.crashes("ab") == 3
    assert watched.crashes("b") == 2


class World:
    """What is seen at each look, the last one again and again, on a clock that moves with the pauses only."""

    def __init__(self, monkeypatch, *looks, healthy=True):
        self.looks = list(looks)
        self.said: list[list[str]] = []
        self.now = 0.0
        monkeypatch.setattr(addons, "gather", self.gather)
        monkeypatch.setattr(addons, "says_well", lambda *_: healthy)
        monkeypatch.setattr(addons, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep))

    def sleep(self, seconds):
        self.now += seconds

    def gather(self, *_):
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, AdminError):
            raise look
        return look

    def wait(self, *, proxied=True, here=True, rolled_out=True, timeout=100.0):
        wait_until_well(
            None,
            "cp-1",
            GOAL,
            proxied=proxied,
            here=here,
            rolled_out=rolled_out,
            timeout=timeout,
            lacking=lambda what: self.said.append(list(what)),
        )


AWAY = Unreachable("Unable to connect to the server: tls: unexpected eof while reading")
OLD_HERE = addons_of(pod(OLD_IMAGE), deployed=NEW_IMAGE)


@pytest.mark.parametrize(
    ("looks", "options", "lacks"),
    [
        ([addons_of(pod())], {}, None),
        ([AWAY, addons_of(pod())], {}, f"an answer about kube-proxy and CoreDNS ({AWAY.what})"),
        ([addons_of(), addons_of(pod())], {}, "a pod of kube-proxy"),
        ([addons_of()], {"proxied": False}, None),
        ([addons_of(deployed=None)], {}, None),
        ([OLD_HERE, addons_of(pod())], {"rolled_out": False}, f"kube-proxy of {NEW_IMAGE} here"),
        ([OLD_HERE, addons_of(pod())], {"here": False}, "a first new kube-proxy"),
        ([OLD_HERE], {"here": False, "rolled_out": False}, None),
        ([addons_of(pod(OLD_IMAGE), elsewhere=(on("w1"),))], {"here": False}, None),
        ([addons_of(pod(OLD_IMAGE), rolls=False)], {}, None),
        (
            [addons_of(pod(), rolling="1 of 2"), addons_of(pod())],
            {},
            "CoreDNS rolled out (1 of 2)",
        ),
        ([addons_of(pod(), rolling="1 of 2")], {"rolled_out": False}, None),
        ([addons_of(pod(), rolling="1 of 2", apiservers=(NEW, OLD))], {}, None),
        (
            [addons_of(pod(running=False, restarts=1, ended="exit code 1")), addons_of(pod(restarts=1))],
            {},
            "kube-proxy running (1 restarts, it ended with exit code 1)",
        ),
    ],
)
def test_what_is_waited_for(monkeypatch, looks, options, lacks):
    world = World(monkeypatch, *looks)
    world.wait(**options)
    assert [each for said in world.said for each in said] == ([lacks] if lacks else [])


def test_a_kube_proxy_that_ends_again_and_again_is_not_waited_for_to_the_end(monkeypatch):
    looks = [addons_of(pod(running=False, restarts=count, ended="exit code 1: x")) for count in range(9)]
    world = World(monkeypatch, *looks)
    with pytest.raises(AdminError, match=r"ended 3 times meanwhile, with exit code 1: x$") as caught:
        world.wait(timeout=1e9)
    assert len(world.said) == CRASHES
    assert "logs -l k8s-app=kube-proxy --previous" in str(caught.value.hint)


def test_one_that_ends_elsewhere_counts_as_well(monkeypatch):
    looks = [
        addons_of(pod(OLD_IMAGE), elsewhere=(on("w1", running=False, restarts=count, ended="exit code 1"),))
        for count in range(9)
    ]
    world = World(monkeypatch, *looks)
    with pytest.raises(
        AdminError, match=r"^node w1: kube-proxy has ended 3 times meanwhile, with exit code 1$"
    ):
        world.wait(here=False, timeout=1e9)


BAD = on("w1", restarts=9, ended="exit code 1")


@pytest.mark.parametrize("bad", [BAD, replace(BAD, running=False)], ids=["running", "not running"])
def test_the_word_of_one_worker_does_not_decide_where_another_says_otherwise(monkeypatch, bad):
    world = World(monkeypatch, addons_of(pod(OLD_IMAGE), elsewhere=(bad, on("w2"))))
    monkeypatch.setattr(addons, "says_well", lambda _cluster, name: name != "kube-proxy-w1")
    world.wait(here=False)
    assert world.said == []


def test_others_are_waited_for_where_the_first_runs_and_says_that_it_has_ended(monkeypatch):
    alone, two = (addons_of(pod(OLD_IMAGE), elsewhere=pods) for pods in ((BAD,), (BAD, on("w2"))))
    world = World(monkeypatch, alone, two)
    monkeypatch.setattr(addons, "says_well", lambda _cluster, name: name != "kube-proxy-w1")
    world.wait(here=False)
    assert world.said == [["kube-proxy saying that it is well on node w1"]]


def test_two_workers_are_believed(monkeypatch):
    looks = [
        addons_of(pod(OLD_IMAGE), elsewhere=(on("w1", restarts=count), on("w2", restarts=count), on("w3")))
        for count in range(9)
    ]
    world = World(monkeypatch, *looks)
    monkeypatch.setattr(addons, "says_well", lambda _cluster, name: name == "kube-proxy-w3")
    with pytest.raises(AdminError, match="node w1: kube-proxy has ended 3 times"):
        world.wait(here=False)


def test_a_control_planes_word_is_taken_before_that_of_workers():
    workers = [on(f"w{number}") for number in range(5)]
    assert addons.to_be_asked([*workers, on("cp-2"), on("cp-3")], {"cp-1", "cp-2", "cp-3"}) == (on("cp-2"),)
    assert addons.to_be_asked(workers, {"cp-1"}) == tuple(workers[:3])
    assert addons.to_be_asked([], {"cp-1"}) == ()


def test_the_way_out_goes_by_what_is_missing_and_not_by_a_nodes_name():
    assert "rollout status" in addons.advice([f"kube-proxy of {NEW_IMAGE} here"])
    assert "logs -l k8s-app" in addons.advice(["kube-proxy running on node where-1"])


def test_nobody_waits_for_ever(monkeypatch):
    world = World(monkeypatch, AWAY)
    with pytest.raises(AdminError, match="tls: unexpected eof"):
        world.wait(timeout=100.0)
    assert world.now > 99
