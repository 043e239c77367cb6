"""What becomes of objects that were asked for, and the findings on them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past.facts import Past
from kubectl_admin.etcd.undelete import judge, owners
from kubectl_admin.etcd.undelete.facts import Asked, Claim, Key, State, Thing, Volume, VolumeSnapshot
from kubectl_admin.finding import Gap, Severity
from tests.unit.etcd.undelete.things import RESOURCES, found, key, live, owned, thing

TIME = "2026-01-01T00:00:00Z"
NOW = {"metadata": {"deletionTimestamp": TIME, "finalizers": ["x/y"]}}


def plan(*items, around=None, **how):
    return judge.plan(
        [found(one) if isinstance(one, dict) else one for one in items], around or live(), **how
    )


def by_name(planned):
    return {item.key.name: item for item in planned.items}


def rules_of(planned, severity=None):
    return [one.rule for one in planned.findings if severity in (None, one.severity)]


def under(kind, name, *by, **more):
    return thing(kind, name, metadata={"ownerReferences": [owned(one) for one in by]}, **more)


def leaving(item):
    return {**item, "metadata": {**item["metadata"], **NOW["metadata"]}}


def test_states():
    config = thing("ConfigMap", "same", data={"a": "b"})
    changed = thing("ConfigMap", "changed", data={"a": "b"})
    planned = plan(
        thing("ConfigMap", "missing"),
        found(config, {**config, "status": {}}),
        found(changed, {**changed, "data": {}}),
        thing("Event", "made"),
        found(thing("ConfigMap", "unknown"), None, unknown="HTTP 503"),
        found(thing("ConfigMap", "leaving"), leaving(thing("ConfigMap", "leaving"))),
    )
    assert {name: item.state for name, item in by_name(planned).items()} == {
        "missing": State.MISSING,
        "same": State.THERE,
        "changed": State.CHANGED,
        "made": State.MADE,
        "unknown": State.UNKNOWN,
        "leaving": State.LEAVING,
    }
    assert [item.key.name for item in planned.todo] == ["missing"]
    assert rules_of(planned) == ["undelete-terminating", "undelete-unknown"]
    assert all(one.severity is Severity.VIOLATION for one in planned.findings)


def test_changed_ones_are_taken_back_where_that_is_asked_for():
    item = thing("ConfigMap", "a", data={"a": "b"})
    assert not plan(found(item, thing("ConfigMap", "a"))).todo
    assert plan(found(item, thing("ConfigMap", "a")), changed=True).todo


def test_nothing_is_made_in_a_namespace_that_is_being_deleted():
    space = thing("Namespace", "shop")
    planned = plan(found(space, leaving(space), implied=True), thing("ConfigMap", "a"))
    assert not planned.todo
    (finding,) = planned.findings
    assert finding.rule == "undelete-terminating"
    assert finding.objects == ("namespace/shop", "configmap/shop/a")
    assert "x/y" in finding.evidence


def test_a_namespace_that_nobody_needs_is_left_out():
    space, config = thing("Namespace", "shop"), thing("ConfigMap", "a")
    assert list(by_name(plan(found(space, implied=True), found(config, config)))) == ["a"]
    assert list(by_name(plan(found(space, space, implied=True), config))) == ["a"]
    assert list(by_name(plan(found(space, implied=True), config))) == ["shop", "a"]
    assert list(by_name(plan(found(space), found(config, config)))) == ["shop", "a"]


def test_an_object_of_a_kind_that_is_not_served_needs_its_definition():
    around = live(resources=[each for each in RESOURCES if each.kind != "Widget"])
    definition = thing("CustomResourceDefinition", "widgets.example.com")
    alone = plan(thing("Widget", "w"), around=around)
    assert not alone.todo
    assert rules_of(alone) == ["undelete-kind"]
    both = plan(thing("Widget", "w"), found(definition, implied=True), around=around)
    assert [item.key.name for item in both.todo] == ["widgets.example.com", "w"]
    assert not both.findings


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a%2e"])
def test_a_name_that_leads_elsewhere_is_held_back(name):
    planned = plan(thing("ConfigMap", name))
    assert not planned.todo
    assert rules_of(planned) == ["undelete-name"]


# Owners.


def test_owners_that_come_back_are_kept():
    widget = thing("Widget", "w")
    planned = plan(under("ConfigMap", "a", widget), widget)
    assert [item.key.name for item in planned.todo] == ["w", "a"]
    (owner,) = planned.todo[1].owners
    assert (owner.comes_back, owner.uid, owner.key) == (True, "", key(widget))
    assert not planned.findings


def test_an_owner_that_is_there_is_kept_by_its_uid_of_now():
    widget = thing("Widget", "w")
    same = plan(under("ConfigMap", "a", widget), around=live(owners={key(widget): "uid-Widget-w"}))
    assert same.todo[0].owners[0].uid == "uid-Widget-w"
    assert not same.findings
    new = plan(under("ConfigMap", "a", widget), around=live(owners={key(widget): "new"}))
    assert new.todo[0].owners[0].uid == "new"
    assert rules_of(new, Severity.NOTE) == ["undelete-reference"]
    asked = plan(under("ConfigMap", "a", widget), found(widget, thing("Widget", "w", uid="new")))
    assert by_name(asked)["a"].owners[0].uid == "new"


def test_an_object_without_any_owner_is_left_out_with_all_that_it_owns():
    config = under("ConfigMap", "a", thing("Widget", "w"))
    planned = plan(config, under("Secret", "b", config), around=live(owners={key(thing("Widget", "w")): ""}))
    assert not planned.todo
    (finding,) = planned.findings
    assert (finding.rule, finding.severity) == ("undelete-owner", Severity.VIOLATION)
    assert finding.objects == ("configmap/shop/a", "secret/shop/b")


def test_of_several_owners_those_that_are_gone_are_dropped():
    gone, back = thing("Widget", "gone"), thing("Widget", "back")
    planned = plan(under("ConfigMap", "a", gone, back), back, around=live(owners={key(gone): ""}))
    assert [owner.key.name for owner in by_name(planned)["a"].owners] == ["back"]
    assert rules_of(planned, Severity.WARNING) == ["undelete-reference"]


def test_an_owner_that_could_not_be_looked_at_is_not_gone():
    planned = plan(under("ConfigMap", "a", thing("Widget", "w")))
    assert not planned.todo
    assert rules_of(planned, Severity.VIOLATION) == ["undelete-unknown"]


def test_an_owner_counts_by_its_uid():
    """A reference whose UID was another's even then held nothing: whoever took the name gets no objects."""
    planned = plan(under("ConfigMap", "a", thing("Widget", "w", uid="before")), thing("Widget", "w"))
    assert [item.key.name for item in planned.todo] == ["w"]
    other = plan(under("ConfigMap", "a", thing("Secret", "x", uid="uid-Widget-w")), thing("Widget", "w"),
                 around=live(owners={key(thing("Secret", "x")): ""}))  # fmt: skip
    assert [item.key.name for item in other.todo] == ["w"]


def test_an_owner_of_a_kind_that_nobody_serves_is_gone():
    strange = {"apiVersion": "gone.io/v1", "kind": "Gone", "metadata": {"name": "g", "uid": "u"}}
    assert rules_of(plan(under("ConfigMap", "a", strange))) == ["undelete-owner"]


def test_what_is_in_no_namespace_can_not_be_owned_by_what_is_in_one():
    planned = plan(under("ClusterRole", "a", thing("Widget", "w")))
    assert [item.owners for item in planned.todo] == [()]
    assert rules_of(planned) == ["undelete-reference"]


def test_what_a_made_object_owns_is_left_to_controllers_as_well():
    pod = under("Pod", "web-1", thing("ReplicaSet", "web"))
    pod["metadata"]["ownerReferences"][0]["controller"] = True
    planned = plan(pod, under("Widget", "endpoint", pod), under("Secret", "b", under("Widget", "endpoint")))
    assert {item.state for item in planned.items} == {State.MADE}
    assert not planned.findings


def test_a_claim_of_a_stateful_set_comes_back_without_it():
    sets = thing("StatefulSet", "db")
    planned = plan(
        under("PersistentVolumeClaim", "data-db-0", sets, spec={}), around=live(owners={key(sets): ""})
    )
    assert [item.owners for item in planned.todo] == [()]
    assert not planned.findings


def test_objects_that_own_each_other_come_back():
    a, b = thing("Widget", "a"), thing("Widget", "b")
    planned = plan(under("Widget", "a", b), under("Widget", "b", a))
    assert len(planned.todo) == 2
    assert rules_of(planned) == ["undelete-cycle"]


def test_owners_that_were_not_asked_for():
    widget, config = thing("Widget", "w"), thing("ConfigMap", "c")
    everything = [found(under("Secret", "a", widget, config)), found(config)]
    assert owners.elsewhere(everything, live()) == {key(widget)}


@pytest.mark.parametrize("odd", ["x", [None], [{}], [{"kind": "Widget", "apiVersion": "example.com/v1"}]])
def test_odd_owners_do_no_harm(odd):
    plan(thing("ConfigMap", "a", metadata={"ownerReferences": odd}))


def test_a_long_line_of_owners_without_an_end():
    line = [under("Widget", "w0", thing("Widget", "gone"))]
    for number in range(1, 2000):
        line.append(under("Widget", f"w{number}", line[-1]))
    planned = plan(*line, around=live(owners={key(thing("Widget", "gone")): ""}))
    assert not planned.todo


# Claims and volumes.

CLAIM = thing("PersistentVolumeClaim", "data-db-0", spec={"volumeName": "v"})
SET = thing("StatefulSet", "db", spec={"volumeClaimTemplates": [{"metadata": {"name": "data"}}]})
OWN = Claim("shop", "data-db-0", "uid-PersistentVolumeClaim-data-db-0")


def volume(phase="Released", policy="Retain", claim=OWN, handle="csi x 1", **more):
    return Volume("v", phase, policy, claim, handle, **more)


def claims(now):
    return live(volumes=[now] if now else [], before=[volume("Bound")])


def test_a_released_volume_is_freed_for_its_claim():
    planned = plan(CLAIM, SET, around=claims(volume()))
    assert [item.key.name for item in planned.todo] == ["data-db-0", "db"]
    assert planned.freed == {key(CLAIM): volume()}
    assert not planned.findings


def test_a_volume_that_a_later_claim_of_the_name_has_had_is_freed_and_said():
    """As after --undo, or where the namespace was deleted a second time."""
    later = volume(claim=Claim("shop", "data-db-0", "another life"))
    planned = plan(CLAIM, SET, around=claims(later))
    assert planned.freed == {key(CLAIM): later}
    (said,) = planned.findings
    assert (said.severity, "another claim of this name" in said.evidence) == (Severity.WARNING, True)


def test_a_volume_that_is_kept_for_its_claim_already_needs_nothing():
    planned = plan(CLAIM, around=claims(volume("Available", claim=Claim("shop", "data-db-0", ""))))
    assert planned.todo
    assert not planned.freed


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_volume_of_nobody_is_kept_for_the_claim_that_names_it(policy):
    """Otherwise another claim may take it before this one is made."""
    free = volume("Available", policy, claim=None)
    planned = plan(CLAIM, SET, around=claims(free))
    assert [item.key.name for item in planned.todo] == ["data-db-0", "db"]
    assert planned.freed == {key(CLAIM): free}
    assert not planned.findings


@pytest.mark.parametrize(
    "now",
    [
        None,
        volume(policy="Delete"),
        volume(policy="Recycle"),
        volume(deleted=True),
        volume("Bound"),
        volume("Failed"),
        volume(claim=Claim("other", "data-db-0", OWN.uid)),
        volume("Bound", claim=Claim("other", "x", "u")),
        volume(handle="csi x 2"),
        volume("Available", claim=None, handle="csi x 2"),
    ],
)
def test_a_claim_without_its_data_is_held_back_and_so_is_the_set_that_would_make_it_empty(now):
    planned = plan(CLAIM, SET, around=claims(now))
    assert not planned.todo
    assert not planned.freed
    assert rules_of(planned, Severity.VIOLATION) == ["undelete-data", "undelete-empty-claims"]


def test_volumes_that_could_not_be_looked_at_are_not_gone():
    planned = plan(CLAIM, SET, around=live(volumes=None), empty_volumes=True)
    assert not planned.todo
    assert "could not be looked at" in planned.findings[0].evidence


def test_an_empty_volume_is_taken_where_that_is_asked_for():
    planned = plan(CLAIM, SET, around=claims(None), empty_volumes=True)
    assert [item.key.name for item in planned.todo] == ["data-db-0", "db"]
    assert planned.todo[0].then["spec"] == {}
    assert CLAIM["spec"] == {"volumeName": "v"}
    assert rules_of(planned) == ["undelete-data"]
    assert not any(one.severity is Severity.VIOLATION for one in planned.findings)


def test_the_newest_volume_snapshot_that_is_ready_is_named():
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    snapshots = [
        VolumeSnapshot("shop", "first", "data-db-0", ready=True, taken=days[0]),
        VolumeSnapshot("shop", "second", "data-db-0", ready=True, taken=days[1]),
        VolumeSnapshot("shop", "third", "data-db-0", ready=False, taken=days[2]),
        VolumeSnapshot("other", "fourth", "data-db-0", ready=True, taken=days[2]),
        VolumeSnapshot("shop", "fifth", "data-db-1", ready=True, taken=days[2]),
        VolumeSnapshot("shop", "sixth", "data-db-0", ready=True, taken=None),
    ]
    planned = plan(CLAIM, around=live(volumes=[], snapshots=snapshots))
    assert "VolumeSnapshot shop/second, taken 2026-01-02" in planned.findings[0].fix


def test_a_set_whose_claims_nobody_asked_for_does_not_make_them_empty():
    assert rules_of(plan(SET, around=claims(volume()))) == ["undelete-empty-claims"]
    assert plan(SET, around=claims(volume("Bound"))).todo
    assert plan(SET, around=claims(volume()), empty_volumes=True).todo
    other = volume("Bound", claim=Claim("shop", "data-web-0", "u"))
    assert plan(SET, around=live(volumes=[], before=[other])).todo


def test_an_operator_does_not_make_the_claims_of_its_database_empty():
    database = thing("Widget", "db")
    claim = under("PersistentVolumeClaim", "db-1", database, spec={"volumeName": "v"})
    held = plan(claim, database, under("Secret", "a", database), around=claims(None))
    assert not held.todo
    assert rules_of(held) == ["undelete-data", "undelete-empty-claims", "undelete-owner"]
    assert [
        item.key.name for item in plan(claim, database, around=claims(None), empty_volumes=True).todo
    ] == [
        "db-1",
        "db",
    ]


def test_a_claim_of_a_pod_that_a_controller_makes_is_no_loss():
    pod = under("Pod", "web-1", thing("ReplicaSet", "web"))
    pod["metadata"]["ownerReferences"][0]["controller"] = True
    planned = plan(
        pod, under("PersistentVolumeClaim", "a", pod, spec={"volumeName": "v"}), around=claims(None)
    )
    assert {item.state for item in planned.items} == {State.MADE}
    assert not planned.findings


def test_a_claim_that_never_had_a_volume_comes_back():
    assert plan(thing("PersistentVolumeClaim", "a", spec={})).todo


def test_volumes_come_back_to_storage_that_is_there():
    kept = thing("PersistentVolume", "v", spec={"persistentVolumeReclaimPolicy": "Retain"})
    gone = thing("PersistentVolume", "v", spec={"persistentVolumeReclaimPolicy": "Delete"})
    both = plan(kept, CLAIM, around=claims(None))
    assert [item.key.name for item in both.todo] == ["v", "data-db-0"]
    assert rules_of(plan(gone, around=claims(None))) == ["undelete-volume"]
    assert rules_of(plan(kept, around=live(volumes=None))) == ["undelete-volume"]
    twin = Volume("w", "Bound", "Retain", None, "csi x 1")
    assert rules_of(plan(kept, around=live(volumes=[twin], before=[volume()]))) == ["undelete-volume"]


# What is to be known.


def test_what_has_come_to_its_end_does_not_run_again_unless_it_is_named():
    done = {"conditions": [{"type": "Complete", "status": "True"}], "startTime": TIME}
    job, pod = thing("Job", "m", status=done), thing("Pod", "p", status={"phase": "Succeeded"})
    assert not plan(job, pod).todo
    assert {one.severity for one in plan(job, pod).findings} == {Severity.NOTE}
    named = plan(found(job, named=True))
    assert named.todo
    assert [(one.rule, one.severity) for one in named.findings] == [("undelete-finished", Severity.WARNING)]
    assert rules_of(plan(thing("Job", "m", status={"startTime": TIME})), Severity.WARNING)
    assert not plan(thing("Job", "m", status={"conditions": [3]})).findings


def test_a_volume_snapshot_would_be_taken_of_the_data_of_now():
    item = thing("VolumeSnapshot", "s", spec={"source": {"persistentVolumeClaimName": "a"}})
    assert rules_of(plan(item), Severity.VIOLATION) == ["undelete-volume-snapshot"]
    kept = thing("VolumeSnapshot", "s", spec={"source": {"volumeSnapshotContentName": "c"}})
    assert plan(kept).todo


def test_what_is_named_and_made_by_a_controller_is_not_back():
    slices = {"labels": {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}}
    item = thing("EndpointSlice", "web-x", metadata=slices)
    assert rules_of(plan(found(item, named=True)), Severity.VIOLATION) == ["undelete-made"]
    assert not plan(found(item, item, named=True)).findings
    assert not plan(item).findings


def test_finalizers_tokens_and_objects_that_were_being_deleted_are_named():
    item = thing("ConfigMap", "a", metadata={"finalizers": ["x.io/keep"], "deletionTimestamp": TIME})
    token = thing("Secret", "t", type="kubernetes.io/service-account-token")
    planned = plan(item, token)
    assert rules_of(planned) == ["undelete-was-terminating", "undelete-token", "undelete-finalizers"]
    assert "x.io/keep" in planned.findings[2].evidence
    usual = thing("PersistentVolumeClaim", "a", metadata={"finalizers": ["kubernetes.io/pvc-protection"]})
    assert not plan(usual).findings


def test_gaps_around_are_notes_and_what_could_not_be_read_is_left_to_do():
    gap = Gap("widgets.example.com of the snapshot", "HTTP 500")
    known = [*judge.unread([gap]), *judge.absent([Thing("cm", "nope")], {}, "shop")]
    planned = judge.plan(
        [], live(), [Gap("VolumeSnapshots", "forbidden", "list volumesnapshots")], known=known
    )
    assert [(one.rule, one.severity) for one in planned.findings] == [
        ("undelete-unread", Severity.VIOLATION),
        ("undelete-not-found", Severity.VIOLATION),
        ("not-seen", Severity.NOTE),
    ]


# The cluster.


def past(cluster):
    return Past(Path("s.db"), 1, "", has_hash=True, etcd="", kubernetes="", cluster=cluster, moment=None,
                services=(), prefix="/registry")  # fmt: skip


@pytest.mark.parametrize(("then", "now"), [("a", "b"), ("", "b"), ("a", ""), ("", "")])
def test_a_snapshot_of_another_cluster_is_refused(then, now):
    with pytest.raises(AdminError, match="brought back"):
        judge.refuse_other_cluster(past(then), now, forced=False)
    (finding,) = judge.refuse_other_cluster(past(then), now, forced=True)
    assert finding.severity is Severity.WARNING


def test_a_snapshot_of_this_cluster_is_taken():
    assert not judge.refuse_other_cluster(past("a"), "a", forced=False)


def test_a_key_is_one_thing_in_every_version():
    assert plan(thing("Widget", "w")).items[0].key == Key("example.com", "widgets", "shop", "w")


def test_a_snapshot_that_has_nothing_of_it_is_no_success():
    asked = Asked("shpo", everywhere=False, things=())
    (finding,) = judge.nothing([], [], asked, "default")
    assert (finding.severity, finding.subject) == (Severity.VIOLATION, "namespace shpo")
    assert not judge.nothing([found(thing("ConfigMap", "a"))], [], asked, "default")


def test_without_a_namespace_it_is_said_which_one_was_taken():
    cart = Thing("cm", "cart")
    (finding,) = judge.absent([cart], {cart: "default"}, None)
    assert finding.evidence == "the snapshot does not have it in namespace default, which is taken without -n"
    assert judge.absent([cart], {cart: "shop"}, "shop")[0].evidence.endswith("it in namespace shop")
    assert judge.absent([Thing("pv", "v")], {}, None)[0].evidence == "the snapshot does not have it"
    kinds = Asked(None, everywhere=False, things=(Thing("deploy"),))
    (finding,) = judge.nothing([], [], kinds, "default")
    assert finding.evidence.endswith("asked for; without -n it is looked for in namespace default")


def test_who_gets_which_rights_again_is_said():
    role = {"kind": "ClusterRole", "name": "cluster-admin"}
    account = {"kind": "ServiceAccount", "name": "ci", "namespace": "ops"}
    subjects = [{"kind": "User", "name": "jane"}, account]
    bindings = [
        thing("ClusterRoleBinding", "former", roleRef=role, subjects=subjects),
        thing("RoleBinding", "empty", roleRef=role),
    ]
    (finding,) = plan(*bindings).findings
    assert (finding.rule, finding.severity) == ("undelete-rights", Severity.WARNING)
    assert finding.evidence == (
        "ClusterRole cluster-admin in the whole cluster: User jane, ServiceAccount ops/ci"
    )
    assert finding.objects == ("clusterrolebinding.rbac.authorization.k8s.io/former",)


def test_a_volume_that_was_wiped_has_no_data():
    claim = thing("PersistentVolumeClaim", "data", spec={"volumeName": "v"})
    wiped = Volume("v", "Available", "Recycle", None, "nfs x")
    planned = plan(claim, around=live(volumes=[wiped], before=[wiped]))
    assert by_name(planned)["data"].held == "volume v was wiped: its policy is Recycle"


def test_a_claim_that_was_made_again_empty_is_said_not_to_have_its_data():
    then = thing("PersistentVolumeClaim", "data", spec={"volumeName": "v"})
    now = thing("PersistentVolumeClaim", "data", uid="new", spec={"volumeName": "w"})
    released = Volume("v", "Released", "Retain", Claim("shop", "data", "uid"), "csi x 1")
    (finding,) = plan(found(then, now), around=live(volumes=[released], before=[released])).findings
    assert (finding.rule, finding.severity) == ("undelete-data", Severity.WARNING)
    assert finding.evidence == "it is there with volume w; that of then, v, is Released"
    moved = Volume("v", "Bound", "Retain", Claim("shop", "copy", "uid"), "csi x 1")
    assert not plan(found(then, now), around=live(volumes=[moved], before=[moved])).findings


def test_a_set_waits_until_its_claim_that_is_being_deleted_is_gone():
    planned = by_name(plan(found(CLAIM, leaving(CLAIM)), SET, around=claims(volume("Bound"))))
    assert planned["data-db-0"].state is State.LEAVING
    assert planned["db"].held == "it would make claim data-db-0 again, empty"


def test_a_set_waits_for_a_claim_that_nobody_asked_for_and_that_is_being_deleted():
    """Its volume is Bound until it is gone."""
    around = replace(claims(volume("Bound")), leaving=frozenset({("shop", "data-db-0")}))
    planned = plan(SET, around=around)
    assert by_name(planned)["db"].held == "it would make claim data-db-0 again, empty"
    assert rules_of(planned) == ["undelete-empty-claims"]
    other = replace(claims(volume("Bound")), leaving=frozenset({("other", "data-db-0")}))
    assert plan(SET, around=other).todo


def test_a_set_waits_where_its_claims_could_not_be_looked_at():
    planned = plan(SET, around=replace(claims(volume("Bound")), leaving=None))
    assert (
        by_name(planned)["db"].held == "whether its claim data-db-0 is being deleted could not be looked at"
    )
    assert rules_of(planned) == ["undelete-unknown"]
    without = thing("StatefulSet", "web", spec={})
    assert plan(without, around=replace(claims(volume("Bound")), leaving=None)).todo
    assert plan(SET, around=replace(claims(volume("Bound")), leaving=None), empty_volumes=True).todo


@pytest.mark.parametrize(
    ("kind", "then", "now", "is_said"),
    [
        ("ConfigMap", True, False, True),
        ("Secret", True, False, True),
        ("ConfigMap", False, False, False),
        ("ConfigMap", True, True, False),
    ],
)
def test_what_undo_can_not_take_back_is_said(kind, then, now, is_said):
    sides = [
        thing(kind, "a", immutable=each, data={"x": str(number)}) for number, each in enumerate((then, now))
    ]
    assert not plan(found(*sides)).findings
    planned = plan(found(*sides), changed=True)
    said = [(one.rule, one.severity) for one in planned.findings]
    assert said == ([("undelete-for-good", Severity.WARNING)] if is_said else [])
    assert not plan(thing(kind, "a", immutable=True), changed=True).findings


def test_a_token_to_join_nodes_is_said_to_be_one():
    token = thing("Secret", "bootstrap-token-abcdef", type="bootstrap.kubernetes.io/token")
    (finding,) = plan(token).findings
    assert (finding.rule, finding.evidence) == ("undelete-rights", "whoever has this token may join nodes")


@pytest.mark.parametrize(
    ("then", "now", "changed", "is_held"),
    [(3, 1, True, True), (3, 1, False, False), (1, 3, True, False)],
)
def test_a_set_does_not_grow_again_into_claims_whose_data_is_lost(then, now, changed, is_held):
    sides = [
        {**SET, "spec": {**SET["spec"], "replicas": replicas, "paused": replicas}} for replicas in (then, now)
    ]
    planned = by_name(plan(CLAIM, found(*sides), around=claims(None), changed=changed))
    assert bool(planned["db"].held) is is_held
