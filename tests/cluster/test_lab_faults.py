"""Every fault of the lab is really there while it lasts, and gone afterwards with the lab whole."""

import json
import re
import socket
import subprocess
import time

import pytest

from tests.cluster import labs
from tests.cluster.labs import lab_command
from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.nodes import node
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

KUBELET_PORT = 10250


def on(lab: Lab, name: str, script: str) -> str:
    """What a shell script says on a node, whatever its exit code."""
    return lab.exec(name, ["sh", "-c", script], check=False).stdout.strip()


def seconds_to_connect(lab: Lab, name: str) -> float:
    """How long a connection to a node's kubelet takes; TimeoutError for more than ten seconds."""
    began = time.monotonic()
    socket.create_connection((lab.node(name).address, KUBELET_PORT), timeout=10).close()
    return time.monotonic() - began


def wait_for_node(lab: Lab, name: str, ready: str) -> None:
    """Wait until the API says of the node that it is Ready: True, False or Unknown."""
    condition = f"--for=condition=Ready={ready}"
    lab.kubectl("wait", f"node/{name}", condition, "--timeout=180s", timeout=190)


def test_a_node_without_power(lab):
    with lab.faults.node("worker-1"):
        assert not node.running(lab.node("worker-1"))
        with pytest.raises(OSError, match=r"timed out|No route to host"):
            seconds_to_connect(lab, "worker-1")
        assert re.search(rf"^{lab.name} .* stopped: worker-1 ", lab_command("list").stdout, re.MULTILINE)
        wait_for_node(lab, "worker-1", "Unknown")
    wait_for_node(lab, "worker-1", "True")
    labs.wait_until_whole(lab)  # a pod of the node itself has another address now
    # Its cable and the routes to the others' pods are back: those of CoreDNS answer it.
    output = "--output=jsonpath={.items[*].status.podIP}"
    for address in lab.kubectl("-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", output).split():
        assert on(lab, "worker-1", f"curl --silent --max-time 10 http://{address}:8181/ready") == "OK"


def test_a_kubelet_that_is_stopped(lab):
    proxy = on(lab, "worker-1", "pidof kube-proxy")
    with lab.faults.kubelet("worker-1"):
        assert on(lab, "worker-1", "systemctl is-active kubelet") == "inactive"
        with pytest.raises(ConnectionRefusedError):
            seconds_to_connect(lab, "worker-1")
        assert on(lab, "worker-1", "pidof kube-proxy") == proxy
    assert on(lab, "worker-1", "systemctl is-active kubelet") == "active"
    assert on(lab, "worker-1", "pidof kube-proxy") == proxy


def test_a_container_runtime_that_is_stopped(lab):
    proxy = on(lab, "worker-1", "pidof kube-proxy")
    with lab.faults.runtime("worker-1"):
        assert on(lab, "worker-1", "systemctl is-active containerd") == "inactive"
        assert on(lab, "worker-1", "pidof kube-proxy") == proxy
        wait_for_node(lab, "worker-1", "False")
    assert on(lab, "worker-1", "systemctl is-active containerd") == "active"
    assert on(lab, "worker-1", "pidof kube-proxy") == proxy
    wait_for_node(lab, "worker-1", "True")


def test_a_static_pod_that_is_stopped(lab):
    with lab.faults.static_pod("cp-3", "kube-scheduler"):
        assert on(lab, "cp-3", "pidof kube-scheduler") == ""
        lab.kubectl("-n", "kube-system", "wait", "pod/kube-scheduler-cp-3", "--for=delete", "--timeout=110s")
        assert on(lab, "cp-3", "pidof kube-apiserver") != ""
        assert on(lab, "cp-2", "pidof kube-scheduler") != ""
    assert on(lab, "cp-3", "pidof kube-scheduler") != ""


def test_a_load_balancer_that_is_stopped(lab):
    direct = f"--server=https://{lab.control_planes[0].address}:6443"
    with lab.faults.load_balancer():
        with pytest.raises(LabError, match="refused"):
            lab.kubectl("get", "--raw", "/readyz")
        assert lab.kubectl("get", "--raw", "/readyz", direct) == "ok"
    assert lab.kubectl("get", "--raw", "/readyz") == "ok"


def test_connections_that_are_cut(lab):
    kubectl = cache.root() / f"bin/kubernetes-{lab.release.kubernetes}/kubectl"
    watch = [kubectl, "--kubeconfig", lab.kubeconfig, "get", "--raw", "/api/v1/nodes?watch=1"]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["type"] == "ADDED"
        lab.faults.cut_connections()
        process.communicate(timeout=180)  # it would go on for an hour
    assert lab.kubectl("get", "--raw", "/readyz") == "ok"


def test_a_network_that_is_slow(lab):
    with lab.faults.network("worker-1", delay_ms=300):
        assert seconds_to_connect(lab, "worker-1") >= 0.6  # there and back
    assert_cabled(lab)
    seconds_to_connect(lab, "worker-1")


def test_a_network_that_loses_everything(lab):
    with (
        lab.faults.network("worker-1", delay_ms=0, loss_percent=100),
        pytest.raises(OSError, match=r"timed out|No route to host"),
    ):
        seconds_to_connect(lab, "worker-1")
    assert_cabled(lab)
    seconds_to_connect(lab, "worker-1")


def assert_cabled(lab: Lab) -> None:
    """Every node's cable is on the lab's bridge and nothing else is, and nothing slows it down."""
    told = subprocess.run(
        ["ip", "-j", "link", "show", "master", lab.network.bridge], capture_output=True, text=True, check=True
    )
    links = {link["ifname"]: link.get("qdisc") for link in json.loads(told.stdout)}
    assert links.keys() == {lab.network.cable(each.number) for each in lab.nodes}
    assert "netem" not in links.values()


def test_a_folder_that_is_full(lab):
    on(lab, "worker-1", "mkdir -p /srv/data/deep && echo kept > /srv/data/deep/file")
    write = "dd if=/dev/zero of=/srv/data/more bs=1M count=1 2>&1; rm -f /srv/data/more"
    with lab.faults.disk("worker-1", "/srv/data", size_mib=16):
        assert "No space left on device" in on(lab, "worker-1", write)
        assert on(lab, "worker-1", "cat /srv/data/deep/file") == "kept"
        assert on(lab, "worker-1", "echo short > /srv/data/deep/file; mountpoint /srv/data") != ""
    assert "No space left on device" not in on(lab, "worker-1", write)
    assert on(lab, "worker-1", "mountpoint -q /srv/data || ls -A /srv/data /var/small-disks") == (
        "/srv/data:\ndeep\n\n/var/small-disks:"
    )
    assert on(lab, "worker-1", "rm -r /srv/data") == ""


def test_etcds_disk_that_is_full(lab):
    with lab.faults.disk("cp-3", size_mib=512):
        assert on(lab, "cp-3", "df --output=pcent /var/lib/etcd | tail -n 1").strip() == "100%"
        assert on(lab, "cp-3", "ls /var/lib/etcd") == "member"
    assert on(lab, "cp-3", "mountpoint -q /var/lib/etcd/member || ls -A /var/lib/etcd") == "member"
    labs.wait_until_whole(lab)
    told = lab.kubectl("get", "--raw", "/readyz/etcd", f"--server=https://{lab.node('cp-3').address}:6443")
    assert told == "ok"


def test_a_fault_from_a_shell_begins_and_ends(lab):
    def fault(*words: str) -> str:
        return lab_command("fault", lab.name, *words).stderr

    assert fault("kubelet", "worker-1") == "begun: the kubelet of worker-1 is stopped\n"
    assert fault("kubelet", "worker-1") == "begun: the kubelet of worker-1 is stopped\n"  # twice is once
    assert on(lab, "worker-1", "systemctl is-active kubelet") == "inactive"
    assert fault("kubelet", "worker-1", "--undo") == "undone: the kubelet of worker-1 is stopped\n"
    assert on(lab, "worker-1", "systemctl is-active kubelet") == "active"
