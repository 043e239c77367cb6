"""Every boundary of the skew policy, each row named after the sentence that it proves.

The first test holds the numbers of the policy themselves; all others follow from the constants.
"""

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.versions import policy, rules
from kubectl_admin.versions.breaches import breaches
from kubectl_admin.versions.facts import Reach
from kubectl_admin.versions.policy import MinorRange
from kubectl_admin.versions.version import Version
from tests.unit.versions.samples import cluster, part

OLDER, FORMERLY, FIRST = (
    policy.KUBELET_OLDER,
    policy.KUBELET_OLDER_FORMERLY,
    policy.FIRST_WITH_KUBELET_OLDER,
)


@pytest.mark.parametrize(
    ("sentence", "number", "value"),
    [
        ("the newest and oldest kube-apiserver within one minor", policy.APISERVER_OLDER, 1),
        ("kubelet may be up to three minor versions older than kube-apiserver", OLDER, 3),
        ("kubelet < 1.25 may only be up to two minor versions older", (FORMERLY, FIRST), (2, 25)),
        ("controllers may be up to one minor version older", policy.CONTROLLER_OLDER, 1),
        ("kubectl within one minor version (older or newer)", policy.KUBECTL_APART, 1),
    ],
)
def test_the_numbers_of_the_policy(sentence, number, value):
    assert number == value, sentence


@pytest.mark.parametrize(
    ("sentence", "rule", "apiservers", "allowed"),
    [
        ("newest and oldest kube-apiserver within one minor", policy.apiserver_minors, (37,), (36, 37)),
        ("others are supported at 1.37 and 1.36", policy.apiserver_minors, (36, 37), (36, 37)),
        ("kubelet not newer than kube-apiserver", policy.kubelet_minors, (37,), (37 - OLDER, 37)),
        (
            "skew between kube-apiservers narrows the kubelet",
            policy.kubelet_minors,
            (36, 37),
            (37 - OLDER, 36),
        ),
        (
            "kubelet of 1.25 up to three older",
            policy.kubelet_minors,
            (FIRST + OLDER,),
            (FIRST, FIRST + OLDER),
        ),
        (
            "kubelet before 1.25 up to two older",
            policy.kubelet_minors,
            (FIRST + FORMERLY,),
            (FIRST, FIRST + FORMERLY),
        ),
        ("kubelet before 1.25 beside 1.26", policy.kubelet_minors, (26,), (26 - FORMERLY, 26)),
        ("kube-proxy up to three older", policy.kube_proxy_minors, (37,), (37 - OLDER, 37)),
        (
            "skew between kube-apiservers narrows kube-proxy",
            policy.kube_proxy_minors,
            (36, 37),
            (37 - OLDER, 36),
        ),
        ("controllers up to one minor older", policy.controller_minors, (37,), (36, 37)),
        ("skew between kube-apiservers narrows controllers", policy.controller_minors, (36, 37), (36, 36)),
        ("kubectl within one minor", policy.kubectl_minors, (37,), (36, 38)),
        ("skew between kube-apiservers narrows kubectl", policy.kubectl_minors, (36, 37), (36, 37)),
        ("kube-apiservers two apart leave controllers nothing", policy.controller_minors, (35, 37), (36, 35)),
    ],
)
def test_ranges(sentence, rule, apiservers, allowed):
    assert rule(apiservers) == MinorRange(*allowed), sentence


@pytest.mark.parametrize(
    ("sentence", "kubelet", "allowed"),
    [
        ("three older or newer than the kubelet", 34, (34 - OLDER, 34 + OLDER)),
        ("kube-proxy before 1.25 two older", 27, (27 - FORMERLY, 27 + OLDER)),
        ("kube-proxy before 1.25 two newer", 20, (20 - FORMERLY, 20 + FORMERLY)),
        ("a kube-proxy of 1.25 three newer", FIRST - OLDER, (FIRST - OLDER - FORMERLY, FIRST)),
    ],
)
def test_kube_proxy_beside_its_kubelet(sentence, kubelet, allowed):
    assert policy.kube_proxy_minors_beside(kubelet) == MinorRange(*allowed), sentence


def broken(facts):
    return [(str(breach.instance), breach.rule, str(breach.allowed)) for breach in breaches(facts)]


@pytest.mark.parametrize(
    ("sentence", "apiserver", "component", "version", "rule"),
    [
        ("kubelet equal", "1.37.0", Component.KUBELET, "1.37.9", None),
        ("kubelet newer", "1.36.0", Component.KUBELET, "1.37.0", rules.KUBELET_SKEW),
        ("kubelet three older", "1.37.0", Component.KUBELET, f"1.{37 - OLDER}.0", None),
        ("kubelet four older", "1.37.0", Component.KUBELET, f"1.{36 - OLDER}.9", rules.KUBELET_SKEW),
        (
            "kubelet of 1.24, three older",
            f"1.{24 + FORMERLY + 1}.0",
            Component.KUBELET,
            "1.24.0",
            rules.KUBELET_SKEW,
        ),
        ("kube-proxy newer", "1.36.0", Component.KUBE_PROXY, "1.37.0", rules.KUBE_PROXY_SKEW),
        ("kube-proxy three older", "1.37.0", Component.KUBE_PROXY, f"1.{37 - OLDER}.0", None),
        ("kube-proxy four older", "1.37.0", Component.KUBE_PROXY, f"1.{36 - OLDER}.0", rules.KUBE_PROXY_SKEW),
        ("controller-manager newer", "1.36.0", Component.CONTROLLER_MANAGER, "1.37.0", rules.CONTROLLER_SKEW),
        ("controller-manager one older", "1.37.0", Component.CONTROLLER_MANAGER, "1.36.0", None),
        (
            "controller-manager two older",
            "1.37.0",
            Component.CONTROLLER_MANAGER,
            "1.35.0",
            rules.CONTROLLER_SKEW,
        ),
        ("scheduler two older", "1.37.0", Component.SCHEDULER, "1.35.0", rules.CONTROLLER_SKEW),
        (
            "cloud-controller-manager newer",
            "1.36.0",
            Component.CLOUD_CONTROLLER_MANAGER,
            "1.37.0",
            rules.CONTROLLER_SKEW,
        ),
        ("kubectl one newer", "1.36.0", Component.KUBECTL, "1.37.0", None),
        ("kubectl two newer", "1.35.0", Component.KUBECTL, "1.37.0", rules.KUBECTL_SKEW),
        ("kubectl two older", "1.37.0", Component.KUBECTL, "1.35.0", rules.KUBECTL_SKEW),
        ("patches don't matter", "1.36.0", Component.KUBELET, "1.36.9", None),
        ("a vendor's build", "1.36.4-eks-2d5f260", Component.KUBELET, "1.36.5-gke.1014001", None),
        ("etcd and CoreDNS have no skew policy", "1.36.0", Component.ETCD, "3.5.0", None),
    ],
)
def test_one_api_server(sentence, apiserver, component, version, rule):
    facts = cluster({}, {}, part(Component.APISERVER, apiserver, "cp1"), part(component, version, "w1"))
    assert [found for _, found, _ in broken(facts)] == ([rule] if rule else []), sentence


def test_kube_proxy_too_far_from_its_kubelet():
    facts = cluster(
        {"cp1": "1.37.0"}, {"w1": f"1.{36 - OLDER}.0"}, part(Component.KUBE_PROXY, "1.37.0", "w1")
    )
    assert (str(facts.instances[-1]), rules.KUBE_PROXY_KUBELET_SKEW, f"1.{36 - 2 * OLDER} to 1.36") in broken(
        facts
    )


def test_a_cluster_of_one_version_breaks_nothing():
    assert broken(cluster({"cp1": "1.36.3", "cp2": "1.36.3", "cp3": "1.36.1"}, {"w1": "1.36.3"})) == []


def test_api_servers_two_minors_apart():
    facts = cluster({"cp1": "1.37.0", "cp2": "1.35.0"}, {})
    assert ("kube-apiserver on cp2", rules.APISERVER_SKEW, "1.36 to 1.37") in broken(facts)


def half_upgraded(**reach):
    """cp1 is at 1.37 with its controllers, cp2 still at 1.36."""
    return cluster(
        {},
        {},
        part(Component.APISERVER, "1.37.2", "cp1"),
        part(Component.APISERVER, "1.36.3", "cp2"),
        part(Component.SCHEDULER, "1.37.2", "cp1", **reach),
        part(Component.SCHEDULER, "1.36.3", "cp2"),
    )


def test_a_controller_is_measured_strictly_while_its_api_server_is_not_known():
    found = breaches(half_upgraded())
    assert [(str(breach.instance), breach.legal_if_local) for breach in found] == [
        ("kube-scheduler on cp1", True)
    ]


def test_a_controller_that_talks_to_its_own_node_is_measured_by_that_api_server():
    assert breaches(half_upgraded(reach=Reach.LOCAL)) == []


def test_a_controller_behind_a_load_balancer_has_no_excuse():
    found = breaches(half_upgraded(reach=Reach.ANY))
    assert [(str(breach.allowed), breach.legal_if_local) for breach in found] == [("1.36", False)]


def test_an_emulated_version_counts_instead_of_the_binary():
    emulating = part(Component.APISERVER, "1.37.2", "cp1", emulates=Version(1, 36, 0))
    assert broken(cluster({}, {}, emulating, part(Component.KUBELET, "1.36.0", "w1"))) == []
    newer = cluster({}, {}, emulating, part(Component.KUBELET, "1.37.0", "w1"))
    assert broken(newer) == [("kubelet on w1", rules.KUBELET_SKEW, f"1.{36 - OLDER} to 1.36")]


def test_without_any_api_server_nothing_is_judged():
    assert broken(cluster({}, {"w1": "1.20.0"})) == []
