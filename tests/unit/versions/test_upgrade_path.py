from kubectl_admin.control_plane.component import Component
from kubectl_admin.versions import upstream
from kubectl_admin.versions.policy import KUBELET_OLDER
from kubectl_admin.versions.upgrade_path import upgrade_path
from tests.unit.versions.samples import cluster, part

TABLE = upstream.load()
OLDEST_AT_37 = 37 - KUBELET_OLDER  # a kubelet


def steps(facts, target):
    return [
        (step.minor, step.title.partition(",")[0], step.objects)
        for step in upgrade_path(facts, TABLE, target)
    ]


def illegal(facts, target):
    return [
        (step.minor, finding.rule) for step in upgrade_path(facts, TABLE, target) for finding in step.illegal
    ]


def test_api_servers_first_then_controllers_kubelets_proxies_and_kubectl():
    facts = cluster(
        {"cp1": "1.36.3", "cp2": "1.36.3"},
        {"w1": "1.36.3"},
        part(Component.KUBE_PROXY, "1.36.3", "w1"),
        part(Component.KUBECTL, "1.36.3", None),
    )
    assert steps(facts, 37) == [
        (37, "kube-apiserver", ("node/cp1", "node/cp2")),
        (37, "kube-controller-manager and kube-scheduler", ("node/cp1", "node/cp2")),
        (37, "kubelet", ("node/w1",)),
        (37, "kube-proxy", ("node/w1",)),
        (37, "kubectl", ()),
    ]
    assert illegal(facts, 37) == []


def test_minors_are_not_skipped():
    assert [step.minor for step in upgrade_path(cluster({"cp1": "1.34.0"}, {}), TABLE, 36)] == [
        35,
        35,
        36,
        36,
    ]


def test_kubelets_may_wait_as_long_as_the_policy_lets_them():
    assert illegal(cluster({"cp1": "1.35.0"}, {"w1": f"1.{OLDEST_AT_37}.0"}), 37) == []
    assert illegal(cluster({"cp1": "1.35.0"}, {"w1": f"1.{OLDEST_AT_37 - 1}.0"}), 37) == [
        (37, "kubelet-skew")
    ]


def test_a_kubelet_too_old_for_the_first_of_several_new_api_servers():
    facts = cluster(
        {"cp1": "1.36.3", "cp2": "1.36.3", "cp3": "1.36.3"},
        {"w1": f"1.{OLDEST_AT_37 - 1}.9", "w2": f"1.{OLDEST_AT_37}.0"},
    )
    blocked = [finding for step in upgrade_path(facts, TABLE, 37) for finding in step.illegal]
    assert [finding.objects for finding in blocked] == [("node/w1",)]


def test_an_etcd_that_must_not_take_the_step():
    facts = cluster({"cp1": "1.36.3"}, {}, part(Component.ETCD, "3.6.8"))
    assert illegal(facts, 37) == [(37, "etcd-too-old-to-upgrade")]


def test_a_client_bars_no_step_of_the_cluster():
    facts = cluster({"cp1": "1.36.3"}, {}, part(Component.KUBECTL, "1.35.0", None))
    assert illegal(facts, 37) == []
    waits = {step.title: step.optional for step in upgrade_path(facts, TABLE, 37)}
    assert waits["kubectl"] is False
    newer = cluster({"cp1": "1.36.3"}, {}, part(Component.KUBECTL, "1.36.0", None))
    assert {step.title: step.optional for step in upgrade_path(newer, TABLE, 37)}["kubectl"] is True


def test_half_an_upgrade_is_finished_first():
    facts = cluster({"cp1": "1.37.2", "cp2": "1.36.3"}, {})
    assert steps(facts, 37)[0] == (37, "kube-apiserver", ("node/cp2",))


def test_there_already():
    assert upgrade_path(cluster({"cp1": "1.37.2"}), TABLE, 37) == []
