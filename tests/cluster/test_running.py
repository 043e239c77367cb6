"""`kubectl admin configz` and `metrics`: what components of real nodes say that they run with."""

import json
import time

import pytest

from tests import permissions
from tests.cluster.labs import PATIENCE, POLL_INTERVAL, admin, stage_of, wait_until_whole
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

OF_NODE = ["kubelet", "kube-proxy"]
OF_CONTROL_PLANE = [*OF_NODE, "kube-controller-manager", "kube-scheduler", "kube-apiserver"]
KUBELET = "/var/lib/kubelet/config.yaml"


def document(lab: Lab, *arguments: str) -> dict:
    answer = admin(lab, *arguments, "-o", "json")
    assert answer.code in (0, 3), answer.err
    return json.loads(answer.out)


def test_every_component_tells_its_configuration_flags_and_version(lab):
    for node, components in (("cp-1", OF_CONTROL_PLANE), ("worker-1", OF_NODE)):
        found = document(lab, "configz", node)
        assert found["findings"] == []
        assert [item["component"] for item in found["items"]] == components
        assert {item["version"] for item in found["items"]} == {lab.release.kubernetes}
        assert all(item["flags"] for item in found["items"])
        configured = [item["component"] for item in found["items"] if item["configuration"]]
        assert configured == [one for one in components if one != "kube-apiserver"]


def test_a_kubelet_that_runs_otherwise_than_written_is_told_by_its_field(lab):
    assert admin(lab, "configz", "worker-1", "--written").code == 0
    assert admin(lab, "configz", "worker-1", "--diff", "cp-1").code == 0
    restart = "systemctl restart kubelet"
    lab.exec(
        "worker-1", ["sh", "-c", f"cp {KUBELET} /root/kubelet.yaml; echo maxPods: 77 >> {KUBELET}; {restart}"]
    )
    try:
        wait_until_whole(lab)
        wait_until_forwarding(lab)
        other = admin(lab, "configz", "worker-1", "kubelet", "--diff", "cp-1")
        assert (other.code, other.out.split()[4:8]) == (3, ["kubelet", "maxPods", "77", "110"])
        written = admin(lab, "configz", "worker-1", "kubelet", "--written")
        assert written.code == 0  # what is not written is a default, whatever runs
    finally:
        lab.exec(
            "worker-1", ["sh", "-c", f"cp /root/kubelet.yaml {KUBELET}; rm /root/kubelet.yaml; {restart}"]
        )


def wait_until_forwarding(lab):
    """Return when the kubelet of worker-1 forwards ports: it listens before it knows its pods."""
    end = time.monotonic() + PATIENCE
    while (asked := admin(lab, "configz", "worker-1", "kubelet")).code:
        assert time.monotonic() < end, asked.err
        time.sleep(POLL_INTERVAL)


def test_metrics_are_passed_on_or_shown_by_the_beginning_of_their_names(lab):
    whole = admin(lab, "metrics", "cp-1", "etcd")
    assert (whole.code, whole.err) == (0, "")
    assert "# TYPE etcd_server_has_leader gauge\netcd_server_has_leader 1\n" in whole.out
    items = document(lab, "metrics", "cp-1", "etcd", "etcd_server_has_leader", "etcd_disk_wal_fsync")["items"]
    assert items[0] == {"name": "etcd_server_has_leader", "labels": {}, "value": "1"}
    assert items[1]["count"] > 0
    assert items[1]["quantiles"]["0.5"] > 0
    for component in ("kubelet", "kube-proxy", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        (build,) = document(lab, "metrics", "cp-1", component, "kubernetes_build_info")["items"]
        assert build["labels"]["git_version"] == f"v{lab.release.kubernetes}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("configz", "nowhere"), "there is no node nowhere"),
        (("configz", "worker-1", "kube-scheduler"), "node worker-1 does not run kube-scheduler"),
        (("metrics", "worker-1", "etcd"), "node worker-1 does not run etcd"),
        (("metrics", "cp-1", "etcd", "nothing"), "no metric that begins with nothing"),
        (("configz", "cp-1", "--diff", "worker-1", "--written"), "can't be used together"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(lab, arguments, said):
    answer = admin(lab, *arguments)
    assert answer.code in (1, 2)
    assert said in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("configz", ("configz", "cp-1", "--written")),
        ("metrics", ("metrics", "cp-1", "kubelet", "kubelet_pleg")),
    ],
)
def test_each_right_of_the_page_is_named_when_it_is_missing(lab, section, words):
    tried = permissions.try_out(
        stage_of(lab),
        section,
        lambda path: admin(lab, *words, "-o", "json", KUBECONFIG=str(path)),
        # Those of the control plane are asked of it, not of the kubelet.
        lambda right: section == "configz" or str(right) != "get /metrics",
    )
    assert tried.with_all.code == 0
    permissions.check(tried)
