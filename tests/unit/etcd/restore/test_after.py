"""The work after a restore as a whole: its order, that one failure stops nothing else, and a second run."""

import json
from base64 import b64encode
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.cluster.exec import ExecResult
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore import before
from kubectl_admin.etcd.restore.afterwards import after, kubelets, leaders
from kubectl_admin.etcd.restore.afterwards.facts import Outcome
from kubectl_admin.node.debug_pod import Options
from tests.fakes.host import OPERATION
from tests.fakes.hosts import Opened
from tests.unit.etcd.members.samples import LEADER, apiserver_command, etcd_pod, node_object, static_pod
from tests.unit.etcd.restore.afterwards.api import RECORD, Api
from tests.unit.etcd.restore.afterwards.test_kubelets import Host, pod, ready
from tests.unit.etcd.restore.consequences.objects import csi, node, volume, webhook
from tests.unit.etcd.restore.test_before import no_display, saved

KEY = "/kubectl-admin/restore/0123456789/decision"
HEADER = {"cluster_id": 1, "member_id": LEADER, "revision": 1_000_000_100, "raft_term": 2}
STEPS = [
    "leaders",
    "debug-pods",
    "nodes",
    "cordon",
    "members",
    "kubelet",
    "kubelet",
    "kubelet",
    "volumes",
    "addresses",
    "keys",
]


class Restored(Api):
    """A restored cluster: cp-1 and w1 of the snapshot, gone of the snapshot alone; w2 had joined since."""

    def __init__(self) -> None:
        pods = [etcd_pod(), static_pod("kube-apiserver", "cp-1", apiserver_command())]
        address = {"type": "InternalIP", "address": "192.0.2.1"}
        super().__init__(
            {
                **{f"/api/v1/namespaces/kube-system/pods/{one['metadata']['name']}": one for one in pods},
                "/api/v1/nodes/cp-1": node_object("cp-1", addresses=[address]),
                "/api/v1/nodes/w1": ready(),
                "/api/v1/nodes/gone": node("gone", "10.0.9.0/24"),
                f"{leaders.LEASES}/kube-scheduler": {"metadata": {"name": "kube-scheduler", "uid": "u"}},
                "/api/v1/persistentvolumes/old": volume("old", "ns/a", csi=csi("1")),
                "/api/v1/namespaces/ns/pods/web": pod("web"),
            }
        )
        self.target = SimpleNamespace(context="prod")
        self.keys = [KEY, "/registry/masterleases/192.0.2.1"]
        self.meanwhile = self.heartbeats

    def heartbeats(self) -> None:
        """Every kubelet reports, those of nodes that have an object."""
        for name in ("cp-1", "w1", "w2"):
            if item := self.objects.get(f"/api/v1/nodes/{name}"):
                item["status"] = {**(item.get("status") or {}), **ready(str(self.clock.now))["status"]}
                lease = {"metadata": {"name": name, "resourceVersion": str(self.clock.now)}}
                self.objects[f"{kubelets.LEASES}/{name}"] = lease

    def exec(self, _namespace: str, _pod: str, _container: str, command: list[str], **_: Any) -> Any:
        status = {"header": HEADER, "version": "3.6.8", "leader": LEADER, "raftTerm": 2, "raftIndex": 9}
        member = {
            "ID": LEADER,
            "name": "cp-1",
            "peerURLs": ["https://10.0.0.1:2380"],
            "clientURLs": ["https://x"],
        }
        answer: Any = {"header": HEADER}
        match command:
            case [*_, "endpoint", "status"]:
                answer = [{"Endpoint": "", "Status": status}]
            case [*_, "member", "list"]:
                answer = {"members": [member]}
            case [*_, "get", "--prefix", "--keys-only", "--", prefix]:
                found = [key for key in self.keys if key.startswith(prefix)]
                answer = {"kvs": [{"key": b64encode(key.encode()).decode()} for key in found]}
            case [*_, "del", "--prefix", "--", prefix]:
                self.keys = [key for key in self.keys if not key.startswith(prefix)]
            case [*_, "alarm", "list"]:
                pass
            case _:
                raise AssertionError(command)
        return SimpleNamespace(run=lambda _limit: ExecResult(0, json.dumps(answer).encode(), b""))


class Away(Host):
    """A host that can't be reached."""

    def script(self, *_: Any) -> bytes:
        raise AdminError("node w1: found no image", "name one")


def hosts_of(api: Api, hosts: dict[str, Host]) -> Any:
    def opener(name: str, _operation: Any) -> Any:
        host = hosts.get(name) or Host("kubelet 0\n")
        host.node = name
        return nullcontext(host)

    return Opened(api, OPERATION, Options(), lambda _: None, opener=opener)  # type: ignore[arg-type]


@pytest.fixture
def made(tmp_path: Path) -> before.Before:
    """What was there before: w2 with its range, and a volume that the snapshot does not have."""
    there = {
        "/api/v1/nodes/cp-1": node_object("cp-1"),
        "/api/v1/nodes/w1": ready(),
        "/api/v1/nodes/w2": node("w2", "10.0.2.0/24", taints=[{"key": "db", "effect": "NoSchedule"}]),
        "/api/v1/persistentvolumes/new": volume("new", "ns/b", csi=csi("2")),
    }
    hosts: Any = SimpleNamespace(cluster=Api(there))
    record = replace(RECORD, left=("gone",))
    return before.save(hosts, tmp_path / "s.db", record, watch=no_display, save_snapshot=saved)  # type: ignore[arg-type,return-value]


def finish(api: Api, made: before.Before, restored: Any = ("cp-1",), **hosts: Host) -> list[Outcome]:
    return after.finish(hosts_of(api, hosts), made, restored, say=lambda _: None)


def undone(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    return [(outcome.step.name, outcome.step.node) for outcome in outcomes if not outcome.is_done]


def test_everything_in_its_order(made):
    api = Restored()
    outcomes = finish(api, made)
    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    assert [outcome.step.name for outcome in outcomes] == STEPS
    assert {outcome.step.node for outcome in outcomes if outcome.step.node} == {"cp-1", "w1", "w2"}
    assert api.changes[0] == ("DELETE", f"{leaders.LEASES}/kube-scheduler")
    w2 = api.objects["/api/v1/nodes/w2"]
    assert (w2["spec"]["podCIDR"], w2["spec"]["taints"][0]["key"]) == ("10.0.2.0/24", "db")
    assert api.objects["/api/v1/nodes/gone"]["spec"]["unschedulable"] is True
    assert KEY not in api.keys
    findings = [finding for outcome in outcomes for finding in outcome.all_findings()]
    assert {finding.rule: str(finding.severity) for finding in findings} == {
        "node-left-since": "warning",
        "storage-orphaned": "warning",
        "volume-dangling": "warning",
    }
    assert str(made.directory / "volumes.json") in findings[1].fix


def test_leaders_work_in_the_moment_in_which_the_api_is_back(made):
    api, said = Restored(), list[str]()
    after.begin(api, made, say=said.append)  # type: ignore[arg-type]
    assert api.changes == [("DELETE", f"{leaders.LEASES}/kube-scheduler")]
    assert "the old Lease of kube-scheduler is deleted" in said[0]
    assert (made.directory / "api-back.json").exists()
    assert undone(finish(api, made)) == []


def test_a_beginning_that_fails_is_said_and_taken_again(made):
    api, said = Restored(), list[str]()
    api.refusing["GET", f"{leaders.LEASES}/kube-controller-manager"] = [Unreachable("no answer")]
    after.begin(api, made, say=said.append)  # type: ignore[arg-type]
    assert said == ["not done yet: let controller-manager and scheduler work at once: no answer"]
    assert undone(finish(api, made)) == []
    assert api.changes[0] == ("DELETE", f"{leaders.LEASES}/kube-scheduler")


def test_webhooks_are_ignored_before_all_else_and_put_back_after_it(made):
    api = Restored()
    hook = webhook("policy", "ns/policy", ["leases"])
    hook["metadata"]["uid"] = "u"
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/policy"
    api.objects[path] = {**hook, "metadata": {**hook["metadata"], "resourceVersion": "17"}}
    planned = [{"holder": "validatingwebhookconfiguration/policy", "uid": "u", "name": "policy.example.com"}]
    wanted = replace(made, record=replace(made.record, planned={"webhooks": planned}))
    after.begin(api, wanted, say=lambda _: None)  # type: ignore[arg-type]
    assert api.changes[:2] == [("PATCH", path), ("DELETE", f"{leaders.LEASES}/kube-scheduler")]
    outcomes = finish(api, wanted)
    assert undone(outcomes) == []
    assert [one.step.name for one in outcomes] == ["webhooks", *STEPS[:-1], "webhooks-back", "keys"]
    assert api.objects[path]["webhooks"] == hook["webhooks"]
    assert "webhook-restored-without-backend" in {one.rule for each in outcomes for one in each.findings}


def test_a_second_run_changes_nothing(made):
    api = Restored()
    finish(api, made)
    api.changes.clear()
    assert undone(finish(api, before.load(made.directory))) == []
    assert api.changes == []


def test_a_node_that_was_not_ready_before_keeps_nothing_from_being_done(tmp_path):
    there = {"/api/v1/nodes/cp-1": node_object("cp-1"), "/api/v1/nodes/w1": ready(status="Unknown")}
    hosts: Any = SimpleNamespace(cluster=Api(there))
    made = before.save(hosts, tmp_path / "s.db", RECORD, watch=no_display, save_snapshot=saved)  # type: ignore[arg-type,arg-type]
    api = Restored()
    api.objects["/api/v1/nodes/w1"] = ready(status="Unknown")
    del api.objects["/api/v1/nodes/gone"]
    heartbeats = api.meanwhile

    def all_but_one() -> None:
        heartbeats()
        api.objects["/api/v1/nodes/w1"] = ready(status="Unknown")

    api.meanwhile = all_but_one
    outcomes = finish(api, made)
    assert undone(outcomes) == []
    (said,) = [one.said for one in outcomes if one.step.node == "w1"]
    assert said == "node w1: it was not Ready before the restore either, so its kubelet was left alone"


def test_a_step_that_fails_stops_no_other_and_is_taken_up_by_the_next_run(made):
    api = Restored()
    api.refusing["POST", "/api/v1/nodes"] = [AdminError("admission webhook refused it")]
    outcomes = finish(api, made, w1=Away())
    assert undone(outcomes) == [("nodes", ""), ("kubelet", "w1")]
    assert KEY not in api.keys
    (violation, *_) = [
        one for outcome in outcomes for one in outcome.all_findings() if one.rule == "unfinished"
    ]
    assert (str(violation.severity), "admission webhook refused it" in violation.evidence) == (
        "violation",
        True,
    )
    assert violation.fix
    assert undone(finish(api, made)) == []
    assert "/api/v1/nodes/w2" in api.objects


def test_nodes_that_do_not_report_are_not_done(made):
    api = Restored()
    api.meanwhile = lambda: None
    outcomes = finish(api, made)
    assert ("nodes", "") in undone(outcomes)
    assert "not Ready: w2" in next(one for one in outcomes if one.step.name == "nodes").problem


def test_a_node_that_follows_later_keeps_the_keys(made):
    api = Restored()
    outcomes = finish(api, made, ())
    assert ("keys", "") in undone(outcomes)
    assert KEY in api.keys


def test_a_silent_api_is_not_done(made):
    api = Restored()
    api.refusing["GET", "/api/v1/persistentvolumes"] = [Unreachable("no answer")]
    assert undone(finish(api, made)) == [("volumes", "")]


def test_an_object_that_is_not_understood_ends_only_its_step(made):
    api = Restored()
    api.objects["/api/v1/persistentvolumes/odd"] = {"metadata": {"resourceVersion": "1"}, "spec": {}}
    api.refusing["GET", "/api/v1/persistentvolumes"] = [KeyError("name")]
    assert undone(finish(api, made)) == [("volumes", "")]


@pytest.mark.parametrize("wrong", ["data", "cluster", "rights"])
def test_nothing_is_touched_where_it_is_not_the_restored_cluster(made, wrong):
    api = Restored()
    if wrong == "data":
        api.revision = 55
    elif wrong == "cluster":
        api.objects["/api/v1/namespaces/kube-system"]["metadata"]["uid"] = "another"
    else:
        api.granted = False
    with pytest.raises(AdminError):
        finish(api, made)
    assert api.changes == []


def test_the_rights_are_those_of_all_parts():
    listed = set(map(str, after.rights("debug")))
    assert {
        "create nodes",
        "patch nodes",
        "list pods",
        "create pods in namespace debug",
        "delete leases.coordination.k8s.io in namespace kube-system",
        "get leases.coordination.k8s.io in namespace kube-node-lease",
        "create pods/exec in namespace kube-system",
        "list persistentvolumes",
    } <= listed


def test_planned_webhooks_let_pods_in_where_the_restored_data_are_served(tmp_path):
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/policy"
    item = webhook("policy", "ns/policy", ["pods"])
    item["metadata"]["uid"] = "u"
    (hook,) = item["webhooks"]
    api = Api({path: item})
    planned = {
        "webhooks": [{"holder": "validatingwebhookconfiguration/policy", "uid": "u", "name": hook["name"]}]
    }
    kept = before.Before(tmp_path, replace(RECORD, planned=planned))
    said: list[str] = []
    # The former data: these webhooks are those of now, and refuse what they refuse.
    api.revision = 17
    assert not after.let_pods_in(api, kept, say=said.append)
    assert (api.objects[path]["webhooks"][0]["failurePolicy"], said) == ("Fail", [])
    api.revision = RECORD.base
    assert after.let_pods_in(api, kept, say=said.append)
    assert api.objects[path]["webhooks"][0]["failurePolicy"] == "Ignore"
    assert said == ["webhooks that refuse nothing for now: validatingwebhookconfiguration/policy"]


def test_without_planned_webhooks_none_is_touched(tmp_path):
    api = Api()
    assert after.let_pods_in(api, None, say=print)
    assert after.let_pods_in(api, before.Before(tmp_path, RECORD), say=print)
    assert api.changes == []
