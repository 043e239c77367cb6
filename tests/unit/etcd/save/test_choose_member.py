"""From which member a snapshot is taken."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.members.etcdctl import Etcdctl, EtcdctlError, Listed
from kubectl_admin.etcd.members.facts import LAG
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.members.gather import etcdctl
from kubectl_admin.etcd.members.pods import EtcdPod
from kubectl_admin.etcd.save.choose_member import (
    OUTSIDE,
    Source,
    best,
    choose,
    doubts_about,
    external_source,
    first_ready_node,
    left_out,
)
from tests.fakes.api_server import Says, StandIn, refusal
from tests.fakes.api_server import status as status_of
from tests.unit.etcd.members.samples import (
    LEADER,
    PKI,
    apiserver_command,
    etcd_pod,
    node_object,
    of_pods,
    static_pod,
    status,
)

PODS = "/api/v1/namespaces/kube-system/pods"
NODE_LIST = "/api/v1/nodes"
SERVER_PAIR = (f"{PKI}/ca.crt", f"{PKI}/server.crt", f"{PKI}/server.key")
CLIENT_PAIR = (
    f"{PKI}/ca.crt",
    "/etc/kubernetes/pki/apiserver-etcd-client.crt",
    "/etc/kubernetes/pki/apiserver-etcd-client.key",
)
FOLLOWER, OTHER = LEADER + 1, LEADER + 2


def members(*nodes: str):
    """The members of these nodes, as their pods show them."""
    return of_pods([etcd_pod(node, f"192.0.2.{number}") for number, node in enumerate(nodes, 1)]).members


def chosen(*statuses) -> str:
    """The node of the best of cp-1, cp-2, … with these statuses."""
    pods = members(*(f"cp-{number}" for number, _ in enumerate(statuses, 1)))
    found = best(dict(zip(pods, statuses, strict=True)))
    return found.node if found else ""


@pytest.mark.parametrize(
    ("why", "statuses", "node"),
    [
        ("the only one", [status()], "cp-1"),
        ("a follower goes before the leader", [status(), status(FOLLOWER)], "cp-2"),
        ("wherever the leader is", [status(FOLLOWER), status()], "cp-1"),
        (
            "of followers, the one that has applied the most",
            [status(), status(FOLLOWER, applied=2053), status(OTHER, applied=2054)],
            "cp-3",
        ),
        (
            "a follower that is behind by a little goes before the leader",
            [status(applied=2000 + LAG), status(FOLLOWER, applied=2000)],
            "cp-2",
        ),
        (
            "one that is behind by much does not",
            [status(applied=2001 + LAG), status(FOLLOWER, applied=2000)],
            "cp-1",
        ),
        ("one that knows no leader does not", [status(), status(FOLLOWER, leader=0)], "cp-1"),
        (
            "nor one whose data is corrupt",
            [status(), status(FOLLOWER, errors=(f"memberID:{FOLLOWER} alarm:CORRUPT",))],
            "cp-1",
        ),
        (
            "that another one's data is corrupt says nothing against it",
            [status(), status(FOLLOWER, errors=(f"memberID:{OTHER} alarm:CORRUPT",))],
            "cp-2",
        ),
        (
            "nor that it is full",
            [status(), status(FOLLOWER, errors=(f"memberID:{FOLLOWER} alarm:NOSPACE",))],
            "cp-2",
        ),
        ("a learner never", [status(), status(FOLLOWER, learner=True)], "cp-1"),
        ("a learner never, though it is the only one", [status(FOLLOWER, learner=True)], ""),
        (
            "where none knows a leader, what has the most",
            [status(leader=0), status(FOLLOWER, leader=0, applied=9)],
            "cp-1",
        ),
        ("none at all", [], ""),
    ],
)
def test_the_best_member(why, statuses, node):
    assert chosen(*statuses) == node, why


def test_a_learner_does_not_make_a_voter_look_far_behind():
    assert chosen(status(applied=10), status(OTHER, learner=True, applied=10 + 2 * LAG)) == "cp-1"


def test_a_member_whose_container_is_not_running_is_none():
    (pod,) = members("cp-1")
    assert best({replace(pod, container_id=""): status()}) is None


def test_what_is_to_be_said_against_a_member():
    corrupt = f"memberID:{FOLLOWER} alarm:CORRUPT"
    bad = status(FOLLOWER, leader=0, applied=0, errors=(corrupt, "etcdserver: no leader"))
    assert doubts_about(bad, [status(applied=LAG + 1), bad]) == [
        "knows no leader, so it may lack what the others have",
        f"is {LAG + 1} raft entries behind",
        "has raised the alarm that its data is corrupt",
    ]
    assert doubts_about(status(), [status(), status(FOLLOWER)]) == []


def test_what_is_kept_in_another_etcd_is_told_once():
    overrides = "--etcd-servers-overrides=/events#https://10.0.0.9:2379;https://10.0.0.8:2379,apps/deployments#https://10.0.0.7:2379"
    apiservers = of_pods(
        [static_pod("kube-apiserver", node, [*apiserver_command(), overrides]) for node in ("cp-1", "cp-2")]
    ).apiservers
    assert list(left_out(apiservers)) == [
        "events is kept in another etcd (https://10.0.0.9:2379;https://10.0.0.8:2379) "
        "and not in this snapshot",
        "apps/deployments is kept in another etcd (https://10.0.0.7:2379) and not in this snapshot",
    ]


SERVERS = "https://10.0.0.1:2379,https://10.0.0.2:2379"


def apiservers(*nodes: str, servers: str = SERVERS):
    return of_pods(
        [static_pod("kube-apiserver", node, apiserver_command(servers)) for node in nodes]
    ).apiservers


def test_an_external_etcd_is_where_the_api_servers_say():
    accesses = (
        Access("https://10.0.0.1:2379", True, *CLIENT_PAIR),
        Access("https://10.0.0.2:2379", True, *CLIENT_PAIR),
    )
    assert external_source(apiservers("cp-1", "cp-2"), None) == Source("cp-1", OUTSIDE, "", accesses)
    assert external_source(apiservers("cp-1", "cp-2"), "cp-2") == Source("cp-2", OUTSIDE, "", accesses)


def test_an_external_etcd_without_tls():
    (flags,) = of_pods(
        [static_pod("kube-apiserver", "cp-1", ["kube-apiserver", "--etcd-servers=http://10.0.0.1:2379"])]
    ).apiservers
    assert external_source([flags], None).accesses == (Access("http://10.0.0.1:2379"),)


def test_an_external_etcd_is_spoken_to_by_each_api_servers_own_flags():
    both = apiservers("cp-1") + apiservers("cp-2", servers="https://10.0.0.3:2379")
    assert [access.endpoint for access in external_source(both, "cp-2").accesses] == ["https://10.0.0.3:2379"]


def test_an_external_etcd_from_a_node_without_an_api_server():
    with pytest.raises(AdminError) as refused:
        external_source(apiservers("cp-1", "cp-2"), "worker-1")
    assert "node worker-1 runs no API server" in refused.value.what
    assert refused.value.hint == "there are cp-1, cp-2"


@pytest.fixture
def server():
    with StandIn().serving() as server:
        yield server


def node(name: str, ready: str) -> dict:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def show(server: StandIn, **of_nodes: str) -> None:
    """Nodes by name, and whether they are Ready."""
    for name, is_ready in of_nodes.items():
        real = name.replace("_", "-")
        server.on("GET", f"/api/v1/nodes/{real}", says(node(real, is_ready)))


def says(body) -> Says:
    return Says(body=body)


def test_an_external_etcd_is_reached_through_a_node_that_is_ready(server):
    show(server, cp_1="Unknown", cp_2="True")
    assert first_ready_node(server.connect(), apiservers("cp-1", "cp-2")) == "cp-2"


def test_where_no_node_is_ready_there_is_none(server):
    show(server, cp_1="Unknown", cp_2="False")
    assert first_ready_node(server.connect(), apiservers("cp-1", "cp-2")) is None


def listing(*ids: int, learners: tuple[int, ...] = ()) -> tuple[Listed, ...]:
    """A list of members with these ids."""
    return tuple(Listed(one, f"cp-{one}", (), (), one in learners) for one in (*ids, *learners))


ALL = listing(LEADER, FOLLOWER, OTHER)


def answering(answers: dict, lists: dict | None = None) -> Callable[[object, EtcdPod], Etcdctl]:
    """Gives an etcdctl that comes to this in the pod of each node: a Status, or an error.

    lists: the list of members that each node gives; all of them if not given.
    """

    class Answering(Etcdctl):
        def status(self):
            return self.answer(answers[self.program])

        def members(self):
            return self.answer(ALL if lists is None else lists[self.program])

        def answer(self, answer):
            if isinstance(answer, Exception):
                raise answer
            return answer

    return lambda _cluster, pod: Answering(lambda _: None, pod.access, program=pod.node)


def choose_among(
    server: StandIn,
    pods: list,
    wanted: str | None = None,
    control_plane: tuple[str, ...] | None = None,
    etcdctl: Callable[[object, EtcdPod], Etcdctl] = etcdctl,
) -> Source:
    """What is chosen of these pods. control_plane: the nodes that are of it; the pods' own if not given."""
    server.on("GET", PODS, says({"items": pods}))
    nodes = {pod["spec"]["nodeName"] for pod in pods} if control_plane is None else control_plane
    server.on("GET", NODE_LIST, says({"items": [node_object(name) for name in nodes]}))
    if wanted and wanted != "nosuch":
        server.on("GET", f"{NODE_LIST}/{wanted}", says(node_object(wanted)))
    return choose(server.connect(), wanted, etcdctl=etcdctl)


STACKED = [etcd_pod("cp-1", "192.0.2.1"), etcd_pod("cp-2", "192.0.2.2"), etcd_pod("cp-3", "192.0.2.3")]


def test_a_snapshot_is_taken_from_a_follower(server):
    says = answering({"cp-1": status(), "cp-2": status(FOLLOWER), "cp-3": status(OTHER, applied=9)})
    assert choose_among(server, STACKED, etcdctl=says) == Source(
        "cp-2",
        "running-on-cp-2",
        "/var/lib/etcd",
        (Access("https://127.0.0.1:2379", True, *SERVER_PAIR),),
        cluster_id=status().cluster_id,
        member_id=FOLLOWER,
    )


def test_one_member_that_is_down_is_no_matter(server):
    down = EtcdctlError("etcdctl", "connection refused")
    says = answering({"cp-1": status(), "cp-2": down, "cp-3": down})
    assert choose_among(server, STACKED, etcdctl=says).node == "cp-1"


def test_a_node_that_is_named_is_taken_though_it_leads(server):
    says = answering({"cp-1": status(), "cp-2": status(FOLLOWER), "cp-3": status(OTHER)})
    found = choose_among(server, STACKED, "cp-1", etcdctl=says)
    assert (found.node, found.notes) == ("cp-1", ())


def test_what_is_to_be_said_against_the_chosen_one_goes_with_it(server):
    says = answering({"cp-1": status(leader=0)})
    override = "--etcd-servers-overrides=/events#https://10.0.0.9:2379"
    apiserver = static_pod("kube-apiserver", "cp-1", [*apiserver_command(), override])
    assert choose_among(server, [STACKED[0], apiserver], etcdctl=says).notes == (
        "node cp-1: its member knows no leader, so it may lack what the others have",
        "events is kept in another etcd (https://10.0.0.9:2379) and not in this snapshot",
    )


def test_why_no_member_can_give_one(server):
    in_file = static_pod("etcd", "cp-3", ["etcd", "--config-file=/etc/etcd.yaml"])
    down = EtcdctlError("etcdctl", "connection refused")
    says = answering({"cp-1": down, "cp-2": status(OTHER, learner=True)})
    with pytest.raises(AdminError) as refused:
        choose_among(server, [*STACKED[:2], in_file], etcdctl=says)
    assert refused.value.what == (
        "no etcd member can give a snapshot: cp-1: connection refused; cp-2: it is a learner; "
        "cp-3: its flags are in a file"
    )


def test_a_learner_is_refused_by_name_too(server):
    says = answering({"cp-1": status(), "cp-2": status(OTHER, learner=True), "cp-3": status(FOLLOWER)})
    with pytest.raises(AdminError, match=r"snapshot: cp-2: it is a learner$"):
        choose_among(server, STACKED, "cp-2", etcdctl=says)


THREE = {"cp-1": status(), "cp-2": status(FOLLOWER), "cp-3": status(OTHER)}


def test_a_member_that_was_removed_and_still_answers_gives_none(server):
    both = listing(LEADER, OTHER)
    says = answering(THREE, {"cp-1": both, "cp-2": ALL, "cp-3": both})
    assert choose_among(server, STACKED, etcdctl=says).node == "cp-3"
    with pytest.raises(AdminError) as refused:
        choose_among(server, STACKED, "cp-2", etcdctl=says)
    assert refused.value.what == (
        "no etcd member can give a snapshot: cp-2: its member 9d806c50726f9644 is not in the cluster's list "
        "of members"
    )


@pytest.mark.parametrize("node", [None, "cp-1", "cp-3"])
def test_members_of_different_clusters_give_none(server, node):
    says = answering({**THREE, "cp-3": status(OTHER, cluster_id=0x666, applied=10**9)})
    with pytest.raises(AdminError) as refused:
        choose_among(server, STACKED, node, etcdctl=says)
    assert "different clusters (1f446a79e5d49d70: cp-1, cp-2; 666: cp-3)" in refused.value.what


def test_one_that_is_a_learner_by_the_others_list_alone_gives_none(server):
    says = answering(THREE, dict.fromkeys(THREE, listing(LEADER, OTHER, learners=(FOLLOWER,))))
    with pytest.raises(AdminError, match="cp-2: it is a learner"):
        choose_among(server, STACKED, "cp-2", etcdctl=says)


def test_without_any_list_of_members_there_is_none(server):
    says = answering(THREE, dict.fromkeys(THREE, EtcdctlError("etcdctl", "deadline exceeded")))
    with pytest.raises(AdminError, match="no member gave the list of members, which takes a quorum"):
        choose_among(server, STACKED, etcdctl=says)


def test_a_member_without_a_leader_is_known_by_the_others(server):
    alone = {**THREE, "cp-3": status(OTHER, leader=0)}
    lists = {"cp-1": ALL, "cp-2": ALL, "cp-3": EtcdctlError("etcdctl", "deadline exceeded")}
    says = answering(alone, lists)
    found = choose_among(server, STACKED, "cp-3", etcdctl=says)
    assert (found.member_id, len(found.notes)) == (OTHER, 1)


def test_the_only_member_speaks_for_itself(server):
    says = answering({"cp-1": status()}, {"cp-1": listing(LEADER)})
    assert choose_among(server, STACKED[:1], etcdctl=says).member_id == LEADER


def test_a_pod_that_only_wears_the_labels_of_etcd_gives_none(server):
    ahead = status(OTHER, applied=10**9, cluster_id=666)
    says = answering({"cp-1": status(), "cp-2": status(FOLLOWER), "worker-1": ahead})
    pods = [*STACKED[:2], etcd_pod("worker-1", "192.0.2.9")]
    assert choose_among(server, pods, control_plane=("cp-1", "cp-2"), etcdctl=says).node == "cp-2"


def test_such_a_pod_is_none_though_its_node_is_named(server):
    pods = [*STACKED[:2], etcd_pod("worker-1", "192.0.2.9")]
    with pytest.raises(AdminError) as refused:
        choose_among(server, pods, "worker-1", control_plane=("cp-1", "cp-2"))
    assert refused.value.what == (
        "node worker-1 does not run an etcd member; pod etcd-worker-1 looks like one, but node worker-1 does "
        "not carry the label node-role.kubernetes.io/control-plane; nodes that do: cp-1, cp-2"
    )


def test_a_control_plane_that_lost_its_labels_is_told_so(server):
    with pytest.raises(AdminError, match="etcd-cp-1 looks like one, but node cp-1 does not carry the label"):
        choose_among(server, STACKED[:1], control_plane=())


def test_a_node_without_a_member(server):
    with pytest.raises(AdminError) as refused:
        choose_among(server, STACKED, "worker-1")
    assert refused.value.what == "node worker-1 does not run an etcd member; nodes that do: cp-1, cp-2, cp-3"


def test_a_node_that_is_not_there(server):
    server.on("GET", f"{NODE_LIST}/nosuch", status_of(404, "NotFound", 'nodes "nosuch" not found'))
    with pytest.raises(AdminError, match="there is no node nosuch"):
        choose_among(server, STACKED, "nosuch")


def test_a_cluster_that_shows_nothing(server):
    with pytest.raises(AdminError, match="is the control plane a managed one"):
        choose_among(server, [])


def test_a_right_that_is_missing_is_not_taken_for_a_member_that_is_down(server):
    refused = Forbidden(403, "Forbidden", refusal(403, "Forbidden", 'User "ann" cannot create')["message"])
    says = answering({"cp-1": status(), "cp-2": refused, "cp-3": refused})
    with pytest.raises(Forbidden):
        choose_among(server, STACKED, etcdctl=says)


def test_an_external_etcd_is_chosen_where_no_pod_runs_one(server):
    show(server, cp_1="True")
    pods = [static_pod("kube-apiserver", "cp-1", apiserver_command(SERVERS))]
    assert choose_among(server, pods).container == OUTSIDE


def test_a_name_that_is_none_is_wrong_usage(server):
    pods = [static_pod("kube-apiserver", "../cp-1", apiserver_command(SERVERS))]
    with pytest.raises(UsageError):
        choose_among(server, pods)


@pytest.mark.parametrize("code", [500, 503, 504])
def test_an_api_server_that_can_not_answer_may_mean_that_the_quorum_is_lost(server, code):
    server.on("GET", PODS, status_of(code, "Timeout", "etcdserver: request timed out"))
    server.on("GET", NODE_LIST, status_of(code, "Timeout", "etcdserver: request timed out"))
    with pytest.raises(AdminError, match="etcdserver: request timed out") as failed:
        choose(server.connect(), None)
    assert "lost its quorum" in str(failed.value.hint)
