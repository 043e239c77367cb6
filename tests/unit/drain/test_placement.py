import pytest

from kubectl_admin.drain.facts import AntiAffinity, Claim, Taint, Toleration
from kubectl_admin.drain.labels import Requirement, Selector
from kubectl_admin.drain.placement import UNSCHEDULABLE, unplaceable
from tests.unit.drain.samples import asking, facts, label, node, pod

HOST = "kubernetes.io/hostname"
GPU = Taint("gpu", "", "NoSchedule")
DB = Selector((label("app", "db"),))


class Counted(Selector):
    """A selector that counts how often it is asked."""

    asked = 0

    def selects(self, labels):
        Counted.asked += 1
        return super().selects(labels)


@pytest.mark.parametrize("zone", [HOST, "zone"])
def test_what_must_be_apart_is_looked_for_once_a_pod_and_not_once_a_node(zone):
    others = tuple(node(f"n{number}", labels={"zone": f"z{number % 3}"}) for number in range(300))
    neighbours = tuple(pod(f"db-{name.name}", node=name.name, labels={"app": "db"}) for name in others[2:])
    apart = AntiAffinity(Counted((label("app", "db"),)), zone, ("shop",))
    leaving = [
        pod(f"new-{n}", labels={"app": "db"}, demands=asking(anti_affinity=(apart,))) for n in range(3)
    ]
    Counted.asked = 0
    found = unplaceable(facts(*leaving, others=others, neighbours=neighbours), leaving)
    # Two nodes have none of them; all zones have.
    assert len(found) == (1 if zone == HOST else 3)
    assert Counted.asked <= 3 * 301


@pytest.mark.parametrize(
    ("name", "demands", "others", "why"),
    [
        ("another node takes it", asking(), [node("w2")], ""),
        ("no other node", asking(), [], "there is no other node"),
        ("cordoned", asking(), [node("w2", unschedulable=True)], "0 of 1 other nodes: 1 cordoned"),
        ("the cordon's taint", asking(),
         [node("w2", unschedulable=True, taints=(UNSCHEDULABLE,))],
         "0 of 1 other nodes: 1 cordoned"),
        ("tainted", asking(), [node("w2", taints=(GPU,))], "0 of 1 other nodes: 1 tainted gpu:NoSchedule"),
        ("tolerated", asking(tolerations=(Toleration("gpu", "Exists", "", ""),)),
         [node("w2", taints=(GPU,))], ""),
        ("only preferred not", asking(), [node("w2", taints=(Taint("gpu", "", "PreferNoSchedule"),))], ""),
        ("node selector", asking(node_selector=(label("disk", "ssd"),)), [node("w2")],
         "0 of 1 other nodes: 1 without label disk=ssd"),
        ("its label is there", asking(node_selector=(label("disk", "ssd"),)),
         [node("w2", labels={"disk": "ssd"})], ""),
        ("affinity to this node", asking(affinity=((label("metadata.name", "w1"),),)), [node("w2")],
         "0 of 1 other nodes: 1 outside its node affinity"),
        ("one of two alternatives", asking(affinity=((label("zone", "a"),), (label("metadata.name", "w2"),))),
         [node("w2")], ""),
        ("an empty affinity", asking(affinity=()), [node("w2")],
         "0 of 1 other nodes: 1 outside its node affinity"),
        ("too large", asking(requests={"cpu": 5.0}), [node("w2")],
         "0 of 1 other nodes: 1 too small for its cpu"),
        ("just so", asking(requests={"cpu": 4.0}), [node("w2")], ""),
        ("a resource that is not there", asking(requests={"example.com/gpu": 1.0}), [node("w2")],
         "0 of 1 other nodes: 1 too small for its example.com/gpu"),
        ("reasons are counted", asking(), [node("w2", taints=(GPU,)), node("w3", taints=(GPU,)),
                                           node("w4", unschedulable=True)],
         "0 of 3 other nodes: 2 tainted gpu:NoSchedule, 1 cordoned"),
    ],
)  # fmt: skip
def test_where_a_pod_can_go(name, demands, others, why):
    one = pod(demands=demands)
    assert unplaceable(facts(one, others=tuple(others)), [one]).get(one.key, "") == why, name


def test_a_local_volume_keeps_its_pod_on_its_node():
    one = pod(claims=("data",))
    here = Claim("pv-1", ((label(HOST, "w1"),),))
    both = Claim("pv-2", ((Requirement(HOST, "In", ("w1", "w2")),),))
    known = {("shop", "data"): here}
    assert unplaceable(facts(one, claims=known), [one]) == {
        one.key: "0 of 1 other nodes: 1 can't use volume pv-1"
    }
    assert unplaceable(facts(one, claims={("shop", "data"): both}), [one]) == {}
    assert unplaceable(facts(one), [one]) == {}, "an unbound claim is no reason"


def test_room_is_what_others_have_left_and_goes_to_the_largest_first():
    """Of 4 cores 1 is taken; 2 and 1 fit, a third does not."""
    taken = pod("taken", node="w2", demands=asking(requests={"cpu": 1.0}))
    sizes = {"small": 1.0, "large": 2.0, "middle": 1.5}
    pods = [pod(name, demands=asking(requests={"cpu": cpu})) for name, cpu in sizes.items()]
    known = facts(*pods, neighbours=(taken,))
    assert unplaceable(known, pods) == {("shop", "middle"): "0 of 1 other nodes: 1 without room for its cpu"}


def test_a_higher_priority_is_placed_before_a_larger_size():
    large = pod("large", demands=asking(requests={"cpu": 4.0}))
    first = pod("first", demands=asking(requests={"cpu": 1.0}), priority=10)
    assert list(unplaceable(facts(neighbours=()), [large, first])) == [("shop", "large")]


def test_finished_neighbours_take_no_room():
    done = pod("done", node="w2", phase="Succeeded", demands=asking(requests={"cpu": 4.0}))
    one = pod(demands=asking(requests={"cpu": 4.0}))
    assert unplaceable(facts(one, neighbours=(done,)), [one]) == {}


def test_where_neighbours_are_not_known_only_the_nodes_size_counts():
    pods = [pod(str(number), demands=asking(requests={"cpu": 3.0})) for number in range(5)]
    assert unplaceable(facts(*pods), pods) == {}


@pytest.mark.parametrize(
    ("name", "apart", "free"),
    [
        ("a node each", AntiAffinity(DB, HOST, ("shop",)), False),
        ("other pods", AntiAffinity(Selector((label("app", "web"),)), HOST, ("shop",)), True),
        ("another namespace's", AntiAffinity(DB, HOST, ("other",)), True),
        ("the zone has one", AntiAffinity(DB, "zone", ("shop",)), False),
        ("no such topology", AntiAffinity(DB, "rack", ("shop",)), True),
    ],
)
def test_pods_that_must_be_apart(name, apart, free):
    other = pod("db-1", node="w2", labels={"app": "db"})
    one = pod("db-0", labels={"app": "db"}, demands=asking(anti_affinity=(apart,)))
    known = facts(one, neighbours=(other,), others=(node("w2", labels={"zone": "a"}),))
    assert (unplaceable(known, [one]) == {}) is free, name


def test_two_that_must_be_apart_do_not_go_to_the_same_node():
    apart = asking(anti_affinity=(AntiAffinity(DB, HOST, ("shop",)),))
    pods = [pod(f"db-{number}", labels={"app": "db"}, demands=apart) for number in range(2)]
    assert len(unplaceable(facts(*pods, neighbours=()), pods)) == 1
