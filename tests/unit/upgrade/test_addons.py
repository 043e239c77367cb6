"""What the cluster has of kube-proxy and CoreDNS, beside those that kubeadm deploys."""

import pytest

from kubectl_admin.finding import Severity
from kubectl_admin.upgrade import addon_facts, addons
from kubectl_admin.upgrade.addon_facts import DnsRollout, ProxyPod, ProxyRollout
from kubectl_admin.upgrade.facts import Target
from tests.unit.upgrade.cases import NEW, OLD
from tests.unit.upgrade.rollouts import addons_of, pod, proxies

GOAL = Target(NEW, "1.37.2-1.1")
NEW_IMAGE, OLD_IMAGE = "registry.k8s.io/kube-proxy:v1.37.2", "registry.k8s.io/kube-proxy:v1.36.3"
DNS = "registry.k8s.io/coredns/coredns:v1.14.6"
ENDED = {"terminated": {"exitCode": 1, "message": "unrecognized\nfeature gate: SidecarContainers"}}


def test_what_a_pod_says_of_itself():
    said = ProxyPod.of(
        {
            "metadata": {"name": "kube-proxy-x", "uid": "a", "labels": {"pod-template-generation": "2"}},
            "spec": {"nodeName": "cp-1", "containers": [{"image": NEW_IMAGE}]},
            "status": {
                "containerStatuses": [
                    {"state": {"waiting": {}}, "lastState": ENDED, "restartCount": 4},
                ]
            },
        }
    )
    words = "exit code 1: unrecognized feature gate: SidecarContainers"
    assert said == pod(running=False, ready=False, restarts=4, ended=words)
    bare = ProxyPod.of({"metadata": {"name": "kube-proxy-x", "uid": "a"}, "spec": {}})
    assert bare == pod("", node="", begun=False, running=False, ready=False)


@pytest.mark.parametrize(
    ("why", "rollout", "here"),
    [
        (
            "it bears the template's number, whatever image a webhook has put into it",
            proxies(template="2"),
            True,
        ),
        ("it is of another template, though of the same image", proxies(template="3"), False),
        (
            "the template went back to this pod's own: all pods count as new",
            proxies(3, 3, template="3"),
            True,
        ),
        (
            "that is not known of a template that was not noticed",
            proxies(3, 3, template="3", noticed=False),
            False,
        ),
        ("a number that nobody says is no number", proxies(template=""), False),
        ("OnDelete makes no old pod a new one", proxies(template="3", automatic=False), False),
    ],
)
def test_a_pod_is_compared_with_its_daemonset_by_the_template(why, rollout, here):
    seen = addons_of(pod("2"), proxy=rollout)
    assert seen.is_here is here, why
    assert addons_of(pod(""), proxy=proxies(template="")).is_here is False


def test_a_daemonset_says_how_far_it_is():
    said = {
        "metadata": {"generation": 4, "annotations": {addon_facts.GENERATION: "2"}},
        "spec": {"updateStrategy": {"type": "OnDelete"}},
        "status": {"observedGeneration": 4, "updatedNumberScheduled": 3, "desiredNumberScheduled": 12},
    }
    assert ProxyRollout.of(said) == proxies(3, 12, automatic=False)
    assert ProxyRollout.of({**said, "status": {"observedGeneration": 3}}).noticed is False
    assert str(proxies(3, 12)) == "3 of 12 pods are new"
    held = tuple(f"w{number}" for number in range(7))
    assert str(proxies(3, 12, holding=held)).endswith("not available on w0, w1, w2, w3, w4 and 2 more")


class Listing:
    """A cluster whose listings are given. asked: what was listed without a node."""

    def __init__(self, *pods, template="2", control_plane=("cp-1", "cp-2")):
        self.nodes = [{"metadata": {"name": name}} for name in control_plane]
        self.pods = pods
        self.daemonset = {
            "metadata": {
                "name": "kube-proxy",
                "uid": "ds",
                "generation": 2,
                "annotations": {addon_facts.GENERATION: template},
            },
            "spec": {"template": {"spec": {"containers": [{"image": NEW_IMAGE}]}}},
            "status": {"observedGeneration": 2, "updatedNumberScheduled": 0, "desiredNumberScheduled": 4},
        }

    def list(self, path, query, **_):
        if path == "/api/v1/nodes":
            return self.nodes
        if ("labelSelector", addons.APISERVERS) in query:
            return []
        if path.endswith("daemonsets"):
            return [self.daemonset]
        if path.endswith("deployments"):
            return []
        nodes = [value.partition("=")[2] for name, value in query if name == "fieldSelector"]
        return [each for each in self.pods if not nodes or each["spec"]["nodeName"] in nodes]


def listed(node, template="1", *, ready=True, owner="ds", leaving=False, state="running"):
    """A pod of kube-proxy as the API has it."""
    return {
        "metadata": {
            "name": f"kube-proxy-{node}",
            "uid": node,
            "labels": {"pod-template-generation": template},
            "ownerReferences": [{"uid": owner}],
            **({"deletionTimestamp": "now"} if leaving else {}),
        },
        "spec": {"nodeName": node, "containers": [{"image": "mirror/kube-proxy@sha256:1"}]},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [{"state": {state: {}}}] if state else [],
        },
    }


@pytest.mark.parametrize(
    ("why", "pods", "elsewhere", "trusted", "holding"),
    [
        ("nothing is new yet", [listed("w1")], (), False, ()),
        ("a node that is down holds all others", [listed("w1", leaving=True)], (), False, ("w1",)),
        ("its pod is not ready", [listed("w1", ready=False)], (), False, ("w1",)),
        (
            "a pod that no kubelet has begun is no witness",
            [listed("w1", "2", state="", ready=False)],
            (),
            False,
            ("w1",),
        ),
        ("a new one", [listed("w1", "2")], ("w1",), False, ()),
        ("a control plane's counts alone", [listed("w1", "2"), listed("cp-2", "2")], ("cp-2",), True, ()),
        ("some of many", [listed(f"w{number}", "2") for number in range(9)], ("w0", "w1", "w2"), False, ()),
        (
            "those that are ready first",
            [listed("w1", "2", ready=False, state="waiting"), listed("w2", "2")],
            ("w2", "w1"),
            False,
            ("w1",),
        ),
        (
            "nor is one whose node has gone down since",
            [listed("w1", "2", ready=False)],
            (),
            False,
            ("w1",),
        ),
        ("labels alone are in anybody's hands", [listed("w1", "2", owner="x")], (), False, ()),
    ],
)
def test_new_ones_on_other_nodes_and_who_holds_them(why, pods, elsewhere, trusted, holding):
    seen = addons.gather(Listing(listed("cp-1"), *pods), "cp-1")
    assert [each.node for each in seen.proxies] == ["cp-1"]
    assert (tuple(each.node for each in seen.elsewhere), seen.trusted) == (elsewhere, trusted), why
    assert seen.proxy is not None
    assert seen.proxy.holding == holding, why


def test_nobody_else_is_asked_where_the_nodes_own_is_new():
    seen = addons.gather(Listing(listed("cp-1", "2"), listed("w1", "2")), "cp-1")
    assert seen.is_here
    assert seen.elsewhere == ()


AVAILABLE = [{"type": "Available", "status": "True"}]


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
    assert DnsRollout.of(deployment) == DnsRollout(lacks, serves=False)


@pytest.mark.parametrize(
    ("why", "total", "updated", "available", "serves"),
    [
        ("of three new ones, one has no place", 3, 3, 2, True),
        ("the only new one is not available", 3, 1, 2, False),
        ("both new ones end again and again", 3, 2, 1, False),
        ("one of two new ones is available, whichever it is", 3, 2, 2, True),
        ("none is new", 2, 0, 2, False),
    ],
)
def test_a_new_pod_serves_where_more_are_new_or_available_than_there_are(
    why, total, updated, available, serves
):
    status = {
        "observedGeneration": 1,
        "replicas": total,
        "updatedReplicas": updated,
        "availableReplicas": available,
        "conditions": AVAILABLE,
    }
    deployment = {"metadata": {"generation": 1}, "spec": {"replicas": 3}, "status": status}
    assert DnsRollout.of(deployment).serves is serves, why
    status["conditions"] = [{"type": "Available", "status": "False"}]
    assert DnsRollout.of(deployment).serves is False


def test_the_images_that_kubeadm_says():
    assert addons.parse_images(f"{NEW_IMAGE}\n{DNS}\nregistry.k8s.io/pause:3.10.2\n")["coredns"] == DNS


@pytest.mark.parametrize(
    ("seen", "wanted", "found"),
    [
        (addons_of(), {"kube-proxy": NEW_IMAGE, "coredns": DNS}, []),
        (
            addons_of(images={"kube-proxy": OLD_IMAGE}),
            {"kube-proxy": NEW_IMAGE, "coredns": DNS},
            [f"kube-proxy is {OLD_IMAGE}, kubeadm's is {NEW_IMAGE}"],
        ),
        (addons_of(images={"coredns": "own/dns:v1.14.6"}), {"coredns": DNS}, []),
        (addons_of(images={"coredns": "own/coredns:v1.14.10"}), {"coredns": DNS}, []),
        (addons_of(images={"coredns": "own/coredns:v1.14.6@sha256:1"}), {"coredns": DNS}, []),
        (
            addons_of(images={"coredns": "own/coredns@sha256:1"}),
            {"coredns": DNS},
            [f"CoreDNS is own/coredns@sha256:1, kubeadm's is {DNS}"],
        ),
        (addons_of(images={"kube-proxy": OLD_IMAGE}, apiservers=(NEW, OLD)), {"kube-proxy": NEW_IMAGE}, []),
        (addons_of(images={"kube-proxy": OLD_IMAGE}, apiservers=(NEW, None)), {"kube-proxy": NEW_IMAGE}, []),
        (addons_of(images={"kube-proxy": OLD_IMAGE}, apiservers=()), {"kube-proxy": NEW_IMAGE}, []),
        (addons_of(images={}), {"kube-proxy": NEW_IMAGE}, []),
    ],
)
def test_add_ons_are_behind_where_they_are_older_once_it_is_their_turn(seen, wanted, found):
    assert addons.behind(seen, wanted, GOAL) == found


def test_one_that_is_behind_is_a_violation_and_a_roll_out_that_goes_on_a_warning():
    behind, left = addons.behind_findings("cp-1", ["x"]), addons.rollout_findings("cp-1", ["y"])
    assert [(each.rule, each.severity) for each in (*behind, *left)] == [
        ("addon-behind", Severity.VIOLATION),
        ("addon-rollout", Severity.WARNING),
    ]
