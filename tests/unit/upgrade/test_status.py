"""Whose Lease an upgrade holds, and what its jobs have written."""

import pytest

from kubectl_admin.node import lease
from kubectl_admin.upgrade import status
from tests.fakes.renewal import Host


class Cluster:
    """A control plane of which no pod is to be seen, and a worker that shows pods of one."""

    def list(self, path, query):
        if path == "/api/v1/nodes":
            labelled = query == [("labelSelector", "node-role.kubernetes.io/control-plane")]
            return [{"metadata": {"name": name}} for name in ("cp-1", *(() if labelled else ("worker-1",)))]
        pod = {"namespace": "kube-system", "name": "kube-apiserver-worker-1"}
        return [{"metadata": pod, "spec": {"nodeName": "worker-1"}}]


@pytest.mark.parametrize(
    ("node", "name"), [("cp-1", lease.CONTROL_PLANE), ("worker-1", lease.of_node("worker-1"))]
)
def test_the_label_of_the_node_decides(node, name):
    assert status.lease_name(Cluster(), node) == name


@pytest.mark.parametrize(
    ("written", "note"), [("", "no upgrade of node w1 runs, or it has written nothing yet"), ("done\n", "")]
)
def test_logs_that_are_empty_say_why(written, note):
    host, wrote, noted = Host("w1"), [], []
    host.answers["job-logs"] = written.encode()
    status.show_logs(host, wrote.append, noted.append)
    assert (wrote, noted) == ([written], [note] * bool(note))
    assert host.asked == [("job-logs", "/var/lib/kubectl-admin/upgrade")]
