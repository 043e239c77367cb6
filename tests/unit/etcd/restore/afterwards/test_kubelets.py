"""Kubelets after a restore: restarted once, seen at work by fresh signs alone, their pods compared."""

from collections.abc import Callable
from typing import Any

import pytest

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.afterwards import kubelets
from kubectl_admin.etcd.restore.afterwards.facts import Done
from tests.unit.etcd.restore.afterwards.api import Api

NODE, LEASE = "/api/v1/nodes/w1", f"{kubelets.LEASES}/w1"
UID, OTHER = "0f0f0f0f-1111-2222-3333-444444444444", "aaaaaaaa-1111-2222-3333-444444444444"


def ready(heartbeat: str = "1", status: str = "True") -> dict[str, Any]:
    condition = {"type": "Ready", "status": status, "lastHeartbeatTime": heartbeat, "message": "no network"}
    return {"metadata": {"name": "w1"}, "spec": {}, "status": {"conditions": [condition]}}


def pod(uid: str, name: str = "web", **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "ns", "name": name, "uid": uid, "annotations": annotations},
        "spec": {"nodeName": "w1"},
    }


def cluster(*pods: dict[str, Any]) -> Api:
    """A node whose kubelet reports while somebody waits."""
    objects = {f"/api/v1/namespaces/ns/pods/{one['metadata']['name']}": one for one in pods}
    api = Api({NODE: ready(), LEASE: {"metadata": {"name": "w1"}}, **objects})

    def reports() -> None:
        api.objects[NODE] = {**ready("2"), "metadata": {"name": "w1"}}
        api.objects[LEASE]["metadata"]["resourceVersion"] = "99"

    api.meanwhile = reports
    return api


class Host:
    """A host that answers so. answers: to «restart», «pods»; an error is raised."""

    node = "w1"

    def __init__(self, *answers: str | AdminError) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, ...]] = []

    def answer(self, _script: Any, *arguments: str, timeout: float = 0) -> bytes:
        assert timeout
        return self.script(_script, *arguments)

    def script(self, _script: Any, *arguments: str) -> bytes:
        self.asked.append(arguments)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, AdminError):
            raise answer
        return answer.encode()

    def persistently(self, action: Callable[[], bytes]) -> bytes:
        while True:
            try:
                return action()
            except BrokenStream:
                continue


def restart(api: Api, host: Host, times: list[float] | None = None) -> Done:
    moments = iter(times or [1000.0, 1000.0, 1010.0])
    return kubelets.restart(api, host, 900.0, lambda: next(moments))  # type: ignore[arg-type]


def test_it_is_restarted_and_seen_at_work():
    host = Host(f"kubelet 0\npod {UID} ns_web\n")
    done = restart(cluster(pod(UID)), host)
    assert done == Done("node w1: its kubelet was restarted, and it is Ready")
    assert host.asked == [("restart", "10000")]


def test_a_try_that_was_cut_off_counts_the_time_anew():
    """The kubelet that the first try has restarted is younger than the API by then, and than this run."""
    host = Host(BrokenStream("cut"), "kubelet 1100\n")
    done = restart(cluster(), host, [1000.0, 1000.0, 1012.5, 1012.6])
    assert host.asked == [("restart", "10000"), ("restart", "11250")]
    assert "its kubelet was restarted" in done.said


def test_one_that_an_earlier_run_has_restarted_is_said():
    assert "has been restarted already" in restart(cluster(), Host("kubelet 5000\n")).said


def test_the_time_that_has_passed_is_never_less_than_none():
    host = Host("kubelet 5000\n")
    restart(cluster(), host, [500.0, 500.0, 501.0])
    assert host.asked == [("restart", "0")]


def test_signs_of_the_past_do_not_count():
    """The restored object says Ready, as in the snapshot."""
    api = cluster()
    api.meanwhile = lambda: None
    with pytest.raises(AdminError, match=r"not seen Ready .*: its kubelet has not renewed its Lease"):
        restart(api, Host("kubelet 0\n"))

    def renews() -> None:
        api.objects[LEASE]["metadata"]["resourceVersion"] += "9"

    api.meanwhile = renews
    with pytest.raises(AdminError, match="its kubelet has not reported its state"):
        restart(api, Host("kubelet 0\n"))
    # One that was not restarted just now has nothing to report for five minutes.
    assert "Ready" in restart(api, Host("kubelet 5000\n")).said


def test_a_node_that_is_not_ready_is_not():
    api = cluster()

    def reports() -> None:
        api.objects[NODE] = {**ready("2", "False"), "metadata": {"name": "w1"}}
        api.objects[LEASE]["metadata"]["resourceVersion"] = "99"

    api.meanwhile = reports
    with pytest.raises(AdminError, match=r"not seen Ready .*: no network"):
        restart(api, Host("kubelet 0\n"))


def test_one_that_has_just_registered_has_no_lease_yet():
    api = cluster()
    lease = api.objects.pop(LEASE)

    def reports() -> None:
        api.objects |= {NODE: {**ready("2"), "metadata": {"name": "w1"}}, LEASE: lease}

    api.meanwhile = reports
    assert "Ready" in restart(api, Host("kubelet 0\n")).said


def test_pods_that_the_kubelet_is_ending_are_waited_for():
    host = Host(f"kubelet 0\npod {UID} ns_web\npod {OTHER} ns_late\n", f"pod {UID} ns_web\n")
    assert restart(cluster(pod(UID)), host).findings == ()
    assert host.asked[1:] == [("pods",)]


def test_phantoms_are_named():
    host = Host("kubelet 0\n", f"pod {UID} ns_web\npod {OTHER} ns_a_b\npod {OTHER[:-1]}0 -\n")
    host.answers[0] = f"kubelet 0\n{host.answers[1]}"
    (finding,) = restart(cluster(pod(UID)), host).findings
    assert (finding.rule, str(finding.severity)) == ("phantom-pod", "warning")
    assert "ns/a_b" in finding.evidence
    assert f"of UID {OTHER[:-1]}0" in finding.evidence
    assert finding.objects == ("node/w1", "pod/ns/a_b")


def test_static_pods_are_known_as_their_node_knows_them():
    uids = kubelets.uids(cluster(pod("object", **{"kubernetes.io/config.hash": UID})), "w1")  # type: ignore[arg-type]
    assert {UID, "object"} <= uids


def test_a_host_that_says_something_else_has_not_done_it():
    with pytest.raises(AdminError, match="unexpected answer of the host"):
        restart(cluster(), Host("what?\n"))


def test_one_of_the_control_plane_is_looked_at_and_left_alone():
    host = Host(f"pod {UID} ns_web\n")
    done = kubelets.look_at(cluster(pod(UID)), host)  # type: ignore[arg-type]
    assert done == Done("node w1 is Ready")
    assert host.asked == [("pods",)]
