"""Asking the members, against a cluster whose pods answer as etcdctl in them would."""

import json
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.errors import ApiError, BrokenStream, Forbidden, Unreachable
from kubectl_admin.cluster.exec import ExecResult
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import gather
from kubectl_admin.etcd.members.judge import judge
from tests.unit.etcd.members.samples import apiserver_command, etcd_pod, node_object, static_pod

NODES = ("cp-1", "cp-2", "cp-3")
ADDRESS = {node: f"192.0.2.{node[-1]}" for node in NODES}
ID = {node: 10_000_000_000_000_000_000 + int(node[-1]) for node in NODES}
HEADER = {"cluster_id": 77, "member_id": 1, "revision": 100, "raft_term": 2}


def listed(node):
    return {
        "ID": ID[node],
        "name": node,
        "peerURLs": [f"https://{ADDRESS[node]}:2380"],
        "clientURLs": [f"https://{ADDRESS[node]}:2379"],
    }


def refused(verb, resource):
    message = f'{resource} is forbidden: User "eve" cannot {verb} resource "{resource}" in API group ""'
    return Forbidden(403, "Forbidden", message)


class Cluster:
    """The API server. Its attributes are what a test changes: broken pods, members that nobody reaches."""

    def __init__(self, nodes=NODES):
        self.target = SimpleNamespace(context="prod")
        self.server = "https://192.0.2.100:6443"
        self.pods = [etcd_pod(node, ADDRESS[node]) for node in nodes]
        self.pods += [static_pod("kube-apiserver", node, apiserver_command()) for node in nodes]
        self.nodes = [node_object(node) for node in nodes]
        self.members = [listed(node) for node in nodes]
        self.broken = {}  # node -> why its pod can't be asked
        self.down = set()  # nodes whose member answers nobody
        self.alarms = []
        self.leader = ID["cp-1"]
        self.granted = False
        self.in_use = 1000
        self.executed = []

    def list(self, path, *_, **__):
        found = self.pods if path.endswith("/pods") else self.nodes
        if isinstance(found, AdminError):
            raise found
        return iter(found)

    def review(self, _path, _review, **_limits):
        return {"status": {"allowed": self.granted}}

    def exec(self, namespace, pod, container, command, **_):
        node = pod.removeprefix("etcd-")
        assert (namespace, container, command[0]) == ("kube-system", "etcd", "etcdctl")
        self.executed.append((node, list(command)))
        if node in self.broken:
            raise self.broken[node]
        return SimpleNamespace(run=lambda _limit: self.etcdctl(node, command))

    def etcdctl(self, node, command):
        endpoint = command[1].removeprefix("--endpoints=")
        asked = next((each for each in NODES if ADDRESS[each] in endpoint), node)
        if asked in self.down:
            return ExecResult(
                1, b"null", b"Failed to get the status of endpoint x (context deadline exceeded)"
            )
        match command[-2:] if "hashkv" not in command else ["endpoint", "hashkv"]:
            case ["endpoint", "status"]:
                answer = [{"Endpoint": endpoint, "Status": self.status(asked)}]
            case ["endpoint", "hashkv"]:
                value = {"header": HEADER, "hash": 7, "compact_revision": 90, "hash_revision": 100}
                answer = [{"Endpoint": endpoint, "HashKV": value}]
            case ["member", "list"]:
                answer = {"header": HEADER, "members": self.members}
            case ["alarm", "list"]:
                answer = {"header": HEADER, "alarms": self.alarms}
        if command[-2:] == ["member", "list"] and not self.leader:
            return ExecResult(1, b"", b"Error: context deadline exceeded\n")
        return ExecResult(0, json.dumps(answer).encode(), b"")

    def status(self, node):
        return {
            "header": {**HEADER, "member_id": ID[node]},
            "version": "3.6.8",
            "dbSize": 2000,
            "dbSizeInUse": self.in_use,
            "leader": self.leader,
            "raftIndex": 200,
            "raftTerm": 2,
            "raftAppliedIndex": 200,
        }


def shown(state):
    return {member.name: (member.up, member.problem, member.asked_from) for member in state.members}


def test_a_sound_cluster():
    cluster = Cluster()
    counted = []
    state = gather.gather(cluster, answered=counted.append)
    assert shown(state) == dict.fromkeys(NODES, (True, "", ""))
    assert [member.node for member in state.members] == list(NODES)
    assert (state.leader.name, state.hashed, state.unhashed, state.unanswered) == ("cp-1", 100, "", ())
    assert {member.hash.value for member in state.members} == {7}
    assert [node.name for node in state.etcd.nodes] == list(NODES)
    assert counted == [3, 3, 3]


def test_every_member_is_asked_in_its_own_pod_with_its_own_files():
    cluster = Cluster()
    gather.gather(cluster)
    statuses = [(node, command) for node, command in cluster.executed if command[-1] == "status"]
    assert sorted(node for node, _ in statuses) == list(NODES)
    for _, command in statuses:
        assert command[1:5] == [
            "--endpoints=https://127.0.0.1:2379",
            "--cacert=/etc/kubernetes/pki/etcd/ca.crt",
            "--cert=/etc/kubernetes/pki/etcd/server.crt",
            "--key=/etc/kubernetes/pki/etcd/server.key",
        ]


def test_a_member_whose_pod_does_not_answer_is_asked_from_others():
    cluster = Cluster()
    cluster.broken["cp-2"] = ApiError(500, "InternalError", "error dialing backend: connection refused")
    state = gather.gather(cluster)
    assert shown(state)["cp-2"] == (True, "error dialing backend: connection refused", "cp-1")
    assert state.members[1].hash is None


def test_a_member_that_answers_nobody():
    cluster = Cluster()
    cluster.broken["cp-2"] = BrokenStream("the connection was lost")
    cluster.down.add("cp-2")
    member = gather.gather(cluster).members[1]
    assert (member.up, member.problem) == (False, "the connection was lost")
    assert member.unreachable == "from node cp-3: context deadline exceeded"
    assert member.pod.name == "etcd-cp-2"


def test_a_node_without_power_is_not_taken_for_a_silent_api_server():
    cluster = Cluster()
    cluster.broken["cp-2"] = Unreachable("Unable to connect to the server: dial x: i/o timeout")
    assert gather.gather(cluster).members[1].problem == (
        "no answer in time through the API server and the kubelet"
    )


def test_a_member_that_never_started_has_nowhere_to_be_asked():
    cluster = Cluster()
    cluster.members.append({"ID": 5, "peerURLs": ["https://192.0.2.9:2380"], "isLearner": True})
    member = next(member for member in gather.gather(cluster).members if member.id == 5)
    assert (member.up, member.problem) == (False, "no static pod runs it")
    assert member.unreachable == "it has no client address"


def test_alarms_come_with_their_members():
    cluster = Cluster()
    cluster.alarms = [{"memberID": ID["cp-3"], "alarm": 1}, {"memberID": 5, "alarm": 2}]
    state = gather.gather(cluster)
    assert [member.alarms for member in state.members] == [(), (), ("NOSPACE",)]
    assert [alarm.kind for alarm in state.alarms] == ["NOSPACE", "CORRUPT"]


def test_without_a_leader_what_members_say_of_themselves_is_shown():
    cluster = Cluster()
    cluster.leader = 0
    state = gather.gather(cluster)
    assert [gap.what for gap in state.unanswered] == ["the list of members"]
    assert [member.status.leader for member in state.members] == [0, 0, 0]
    assert (state.voters, state.leader) == ((), None)


def test_one_that_knows_the_leader_answers_for_the_cluster():
    cluster = Cluster()
    lost = cluster.status
    cluster.status = lambda node: {**lost(node), "leader": 0 if node == "cp-1" else ID["cp-2"]}
    gather.gather(cluster)
    assert [node for node, command in cluster.executed if command[-2:] == ["member", "list"]] == ["cp-2"]


def test_flags_in_a_file_are_a_problem_of_that_member_alone():
    cluster = Cluster()
    cluster.pods[0] = static_pod("etcd", "cp-1", ["etcd", "--config-file=/etc/etcd.yaml"])
    assert shown(gather.gather(cluster)) == {
        "cp-1": (True, "its flags are in /etc/etcd.yaml on node cp-1, which is not read", "cp-2"),
        "cp-2": (True, "", ""),
        "cp-3": (True, "", ""),
    }


def test_large_databases_are_not_hashed_unasked():
    cluster = Cluster()
    cluster.in_use = 1 << 30
    state = gather.gather(cluster)
    assert (state.hashed, state.members[0].hash) == (0, None)
    assert "--hash" in state.unhashed
    assert gather.gather(cluster, compare=True).hashed == 100


def test_external_etcd_takes_no_exec():
    cluster = Cluster()
    cluster.pods = [static_pod("kube-apiserver", "cp-1", apiserver_command("https://192.0.2.50:2379"))]
    state = gather.gather(cluster)
    assert (state.members, state.etcd.external, cluster.executed) == ((), True, [])


def test_a_pod_of_a_worker_is_asked_nothing_whatever_its_labels_are():
    cluster = Cluster()
    cluster.pods.append(etcd_pod("worker-1", "192.0.2.9"))
    state = gather.gather(cluster)
    assert [member.node for member in state.members] == list(NODES)
    assert {node for node, _ in cluster.executed} == set(NODES)
    (impostor,) = state.etcd.impostors
    assert (impostor.pod, impostor.node, impostor.component) == ("etcd-worker-1", "worker-1", "etcd")


def test_where_nodes_may_not_be_listed_nobody_is_asked():
    cluster = Cluster()
    cluster.nodes = refused("list", "nodes")
    with pytest.raises(AdminError, match="list nodes"):
        gather.gather(cluster)
    assert cluster.executed == []


def test_where_no_pod_can_be_asked_nothing_is_known_of_etcd():
    cluster = Cluster()
    cluster.broken = dict.fromkeys(NODES, ApiError(500, "InternalError", "error dialing backend"))
    state = gather.gather(cluster)
    assert [member.up for member in state.members] == [False, False, False]
    assert (state.listed, state.unanswered) == (False, ())
    with pytest.raises(AdminError) as refused:
        gather.require_answer(state)
    assert refused.value.what.startswith(
        "no member of etcd could be asked: cp-1: error dialing backend; cp-2: error dialing backend; cp-3:"
    )


def test_one_answer_is_an_answer():
    cluster = Cluster()
    cluster.broken = dict.fromkeys(NODES[1:], ApiError(500, "InternalError", "error dialing backend"))
    cluster.down = set(NODES[1:])
    state = gather.gather(cluster)
    gather.require_answer(state)
    assert [one.rule for one in judge(state)][:3] == ["quorum-lost", "member-down", "member-down"]


@pytest.mark.parametrize(
    ("pods", "what"),
    [
        ([static_pod("kube-apiserver", "cp-1", apiserver_command("https://192.0.2.50:2379"))], "outside of"),
        ([], "found no static pod of etcd"),
    ],
)
def test_where_there_is_no_pod_to_ask_nothing_is_known_either(pods, what):
    cluster = Cluster()
    cluster.pods = pods
    with pytest.raises(AdminError, match=what):
        gather.require_answer(gather.gather(cluster))


def test_all_rights_that_are_missing_are_named():
    cluster = Cluster()
    cluster.pods = refused("list", "pods")
    with pytest.raises(AdminError) as caught:
        gather.gather(cluster)
    assert (
        "list pods in namespace kube-system; list nodes; create and get pods/exec in namespace kube-system"
        in caught.value.what
    )


def test_who_may_not_exec_is_told_so():
    cluster = Cluster()
    cluster.broken = dict.fromkeys(NODES, refused("create", "pods/exec"))
    with pytest.raises(AdminError) as caught:
        gather.gather(cluster)
    assert 'user "eve" may not' in caught.value.what
    assert "create and get pods/exec in namespace kube-system" in caught.value.what


@pytest.mark.parametrize(
    ("error", "hinted"),
    [
        (Unreachable("Unable to connect to the server: tls: unexpected eof while reading"), True),
        (ApiError(429, "TooManyRequests", "storage is (re)initializing"), True),
        (ApiError(500, "InternalError", "etcdserver: request timed out"), True),
        (ApiError(401, "Unauthorized", "who are you"), False),
    ],
)
def test_an_api_server_that_can_not_answer_may_lack_its_etcd(error, hinted):
    cluster = Cluster()
    cluster.pods = error
    with pytest.raises(AdminError) as caught:
        gather.gather(cluster)
    assert ("quorum" in (caught.value.hint or "")) is hinted
