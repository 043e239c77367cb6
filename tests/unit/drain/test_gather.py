"""What is asked of the API server for a preview, and how often."""

from collections import Counter

import pytest

from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.drain.facts import Claim, Scale
from kubectl_admin.drain.filters import Flags
from kubectl_admin.drain.gather import gather
from kubectl_admin.drain.preview import preview
from kubectl_admin.errors import AdminError, UsageError
from tests.fakes import drain_api as api
from tests.fakes.api_server import Says, StandIn, status
from tests.unit.drain.samples import NOW, label

CNPG = "/apis/postgresql.cnpg.io/v1/clusters"
PRIMARY = {"cnpg.io/cluster": "pg", "cnpg.io/podRole": "instance", "cnpg.io/instanceRole": "primary"}


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        yield stand_in


def gathered(server, selector=""):
    return gather(server.connect(), "w1", selector)


def asked(server):
    """How often each listing was asked for; that of pods apart by what it selects."""
    return Counter(
        (each.path, dict(each.query).get("fieldSelector", "").partition(",")[0]) for each in server.asked
    )


def test_250_pods_and_200_budgets_take_one_listing_each(server):
    api.serving(
        server,
        *(api.pod(f"pod-{number}", labels={"app": str(number % 200)}) for number in range(250)),
        budgets=[api.budget(f"budget-{number}", {"app": str(number)}) for number in range(200)],
        neighbours=[api.pod("other", "w2")],
    )
    facts = gathered(server)
    assert (len(facts.pods), len(facts.budgets)) == (250, 200)
    assert asked(server) == {
        (api.NODE, ""): 1,
        (api.PODS, "spec.nodeName=w1"): 1,
        (api.PODS, "spec.nodeName!=w1"): 1,
        (api.BUDGETS, ""): 1,
        ("/api/v1/nodes", ""): 1,
        ("/apis/apps/v1/replicasets", ""): 1,
    }


def test_nothing_is_asked_for_that_no_pod_makes_necessary(server):
    api.serving(server)
    gathered(server)
    assert {path for path, _ in asked(server)} == {api.NODE, api.PODS, api.BUDGETS, "/api/v1/nodes"}


def test_on_large_clusters_the_pods_of_other_nodes_are_not_listed(server):
    api.serving(server, api.pod("one"))
    server.on("GET", "/api/v1/nodes", api.listing(*(api.node(f"w{number}") for number in range(1, 102))))
    facts = gathered(server)
    assert (len(facts.others), facts.neighbours) == (100, None)
    assert (api.PODS, "spec.nodeName!=w1") not in asked(server)


def test_controllers_claims_and_volumes_of_the_pods_are_looked_up(server):
    api.serving(server, api.pod("one", claim="data"), api.pod("two", kind="DaemonSet", owner="agent"))
    name = {"namespace": "shop", "name": "data"}
    server.on(
        "GET",
        "/api/v1/persistentvolumeclaims",
        api.listing({"metadata": name, "spec": {"volumeName": "pv"}}),
    )
    term = {"matchExpressions": [{"key": "host", "operator": "In", "values": ["w1"]}]}
    volume = {
        "metadata": {"name": "pv"},
        "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}},
    }
    server.on("GET", "/api/v1/persistentvolumes", api.listing(volume))
    agent = {"metadata": {"namespace": "shop", "name": "agent"}}
    server.on("GET", "/apis/apps/v1/daemonsets", api.listing(agent))
    facts = gathered(server)
    assert facts.claims == {("shop", "data"): Claim("pv", ((label("host", "w1"),),))}
    assert facts.daemonsets == {("shop", "agent")}
    assert facts.scales == {"uid-web": Scale(3, 3)}


def test_statefulsets_tell_both_numbers_in_one_cell(server):
    api.serving(server, api.pod("db-0", kind="StatefulSet", owner="db"))
    table = api.replicasets(("db", 0, "1/2")).body
    server.on("GET", "/apis/apps/v1/statefulsets", Says(body=table))
    assert gathered(server).scales == {"uid-db": Scale(2, 1)}


def test_a_databases_members_are_found_on_all_nodes_and_its_leader_by_its_operators_word(server):
    one, two = api.pod("pg-1", labels=PRIMARY), api.pod("pg-2", "w2", labels=PRIMARY)
    api.serving(server, one, neighbours=[one, two])
    cluster = {"metadata": {"namespace": "shop", "name": "pg"}, "status": {"currentPrimary": "pg-2"}}
    server.on("GET", CNPG, api.listing(cluster))
    members = gathered(server).members
    assert [(each.pod[1], each.node, each.leads) for each in members] == [
        ("pg-1", "w1", False),
        ("pg-2", "w2", True),
    ]


def test_a_label_of_an_operator_that_is_not_there_is_no_gap(server):
    api.serving(server, api.pod("pg-1", labels=PRIMARY), neighbours=[api.pod("pg-1", labels=PRIMARY)])
    server.on("GET", CNPG, status(404, "NotFound", "the server could not find the requested resource"))
    facts = gathered(server)
    assert [each.leads for each in facts.members] == [True]
    assert facts.gaps == ()


def test_what_may_not_be_listed_is_a_gap_with_its_permission(server):
    api.serving(server, api.pod("one"))
    server.on("GET", api.BUDGETS, api.forbidden("poddisruptionbudgets"))
    (gap,) = gathered(server).gaps
    assert (gap.what, gap.permission) == ("disruption budgets", "list poddisruptionbudgets.policy")
    assert gap.why == 'user "me" may not list them'


def test_nodes_that_may_not_be_listed_are_not_taken_for_none(server):
    api.serving(server, api.pod("one"))
    server.on("GET", "/api/v1/nodes", api.forbidden("nodes"))
    facts = gathered(server)
    assert facts.others is None
    assert preview(facts, Flags(), NOW).pending == {}


def test_a_pod_is_a_member_of_one_kind_of_database_alone(server):
    """Patroni's pods are a StatefulSet's as well."""
    labels = {"cluster-name": "pg", "role": "master", "statefulset.kubernetes.io/pod-name": "pg-0"}
    other = {"role": "leader", "statefulset.kubernetes.io/pod-name": "kv-0", "app": "kv"}
    pods = [api.pod("pg-0", labels=labels), api.pod("kv-0", labels=other)]
    api.serving(server, *pods, neighbours=pods)
    assert sorted((each.operator, each.pod[1]) for each in gathered(server).members) == [
        ("Patroni", "pg-0"),
        ("StatefulSet", "kv-0"),
    ]


def test_pods_of_daemonsets_that_may_not_be_listed_are_taken_for_theirs(server):
    api.serving(server, api.pod("one", kind="DaemonSet", owner="agent"))
    server.on("GET", "/apis/apps/v1/daemonsets", api.forbidden("daemonsets"))
    assert gathered(server).daemonsets == {("shop", "agent")}


def test_without_the_nodes_pods_there_is_no_preview(server):
    api.serving(server)
    server.on("GET", api.PODS, api.forbidden("pods"))
    with pytest.raises(Forbidden):
        gathered(server)


def test_a_node_that_is_not_there_is_told(server):
    server.on("GET", api.NODE, status(404, "NotFound", 'nodes "w1" not found'))
    with pytest.raises(AdminError, match="there is no node w1") as caught:
        gathered(server)
    assert caught.value.hint == "kubectl get nodes lists them"


def test_a_selector_that_is_none_is_wrong_usage(server):
    api.serving(server)
    server.on("GET", api.PODS, status(400, "BadRequest", "unable to parse requirement"))
    with pytest.raises(UsageError, match="--pod-selector 'a b': unable to parse"):
        gathered(server, "a b")


def test_a_selector_is_handed_on(server):
    api.serving(server)
    gathered(server, "app=web")
    assert ("labelSelector", "app=web") in next(each for each in server.asked if each.path == api.PODS).query
