"""Objects are made, or it is known that they are not; the journal says what may have been done."""

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster.errors import ApiError, Conflict, Forbidden
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete import apply, judge, outcome, undo
from kubectl_admin.etcd.undelete.around import volume_of
from kubectl_admin.etcd.undelete.ends import Became
from kubectl_admin.etcd.undelete.entries import Head
from kubectl_admin.etcd.undelete.facts import Plan
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.rehearse import Rehearsed, rehearse, try_all
from kubectl_admin.finding import Severity
from tests.fakes.object_store import Object, ObjectStore
from tests.unit.etcd.undelete.things import RESOURCES, found, live, owned, thing

BEGAN = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
CONFIG = thing("ConfigMap", "a")
MAPS = "/api/v1/namespaces/shop/configmaps"


def planned(*items: Object) -> Plan:
    return judge.plan([found(one) for one in items], live())


def a_run(
    store: ObjectStore, plan: Plan, folder: Path, *, keep_going: bool = False, operation: str = "op"
) -> apply.Run:
    file = folder / "journal.jsonl"
    return apply.Run(
        store,  # type: ignore[arg-type]
        plan,
        operation,
        lambda: Journal.begin(file, Head(operation, "s.db", "", "", BEGAN)),
        keep_going,
        lambda _: None,
    )


def failing(method: str, *errors: AdminError, at: str = "") -> Callable[[str, str, Any], None]:
    """Fails the first requests of this method with these, one after the other."""
    left = list(errors)

    def fail(asked: str, path: str, _body: object) -> None:
        if asked == method and path.startswith(at or "/") and left:
            raise left.pop(0)

    return fail


def together(*hooks: Callable[[str, str, Any], None]) -> Callable[[str, str, Any], None]:
    def each(*request: Any) -> None:
        for hook in hooks:
            hook(*request)

    return each


def late() -> ApiError:
    return ApiError(504, "Timeout", "request timed out")


def became(run: apply.Run) -> list[Became]:
    return [one.became for one in run.outcomes.values()]


def pending(run: apply.Run) -> Sequence[object]:
    assert run.journal
    return undo.pending(run.journal)


def test_an_answer_that_is_lost_and_an_object_that_can_not_be_looked_at(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    store.hook = together(failing("POST", late()), failing("GET", ApiError(503, "", "away")))
    run = a_run(store, planned(CONFIG), tmp_path)
    with pytest.raises(AdminError, match="whether configmap/a in shop was made is not known"):
        run.run(Rehearsed())
    assert became(run) == [Became.UNKNOWN]
    assert len(pending(run)) == 1


def test_an_object_that_a_server_in_trouble_may_make_yet_stays_in_the_journal(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    store.hook = failing("POST", *(late() for _ in range(9)))
    run = a_run(store, planned(CONFIG), tmp_path, keep_going=True)
    with pytest.raises(ApiError, match="request timed out"):
        run.run(Rehearsed())
    assert became(run) == [Became.UNKNOWN]
    assert len(pending(run)) == 1


def test_one_that_is_refused_does_not(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    store.hook = failing("POST", Forbidden(403, "Forbidden", "no"))
    run = a_run(store, planned(CONFIG), tmp_path, keep_going=True)
    run.run(Rehearsed())
    assert (became(run), pending(run)) == ([Became.REFUSED], [])


def test_a_quota_that_is_counted_at_that_moment_refuses_nothing(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    said = "Operation cannot be fulfilled on resourcequotas: the object has been modified"
    store.hook = failing("POST", Conflict(409, "Conflict", said))
    run = a_run(store, planned(CONFIG), tmp_path)
    run.run(Rehearsed())
    assert became(run) == [Became.MADE]


def test_a_service_of_whose_ports_all_are_taken_comes_back_with_others(tmp_path: Path) -> None:
    ports = [{"port": number, "nodePort": 30000 + number} for number in range(9)]
    store = ObjectStore(RESOURCES)

    def take(method: str, _path: str, body: Any) -> None:
        spec = body["spec"] if method == "POST" else {"ports": []}
        number = next((place for place, one in enumerate(spec["ports"]) if "nodePort" in one), None)
        if number is not None:
            causes = [{"field": f"spec.ports[{number}].nodePort"}]
            raise ApiError(422, "Invalid", "provided port is already allocated", {"causes": causes})

    store.hook = take
    run = a_run(store, planned(thing("Service", "web", spec={"ports": ports})), tmp_path)
    run.run(Rehearsed())
    assert became(run) == [Became.MADE]
    assert len(next(iter(run.outcomes.values())).left) == 9


def no_account() -> Forbidden:
    said = 'error looking up service account shop/default: serviceaccount "default" not found'
    return Forbidden(403, "Forbidden", said)


def test_a_pod_waits_for_the_account_of_a_new_namespace(tmp_path: Path) -> None:
    plan = planned(thing("Namespace", "shop"), thing("Pod", "p", spec={"containers": []}))
    store = ObjectStore(RESOURCES)
    pods = "/api/v1/namespaces/shop/pods"
    store.hook = failing("POST", *(no_account() for _ in range(6)), at=pods)
    untried = [item for item in plan.todo if item.key.plural == "pods"]
    run = a_run(store, plan, tmp_path)
    run.run(Rehearsed(untried=untried))
    assert became(run) == [Became.MADE, Became.MADE]


@pytest.mark.parametrize(("account", "is_refused"), [("web", False), ("other", True)])
def test_a_pod_is_not_refused_for_what_comes_back_before_it(account: str, is_refused: bool) -> None:
    pod = thing("Pod", "p", spec={"serviceAccountName": account, "containers": []})
    plan = planned(thing("ServiceAccount", "web"), pod)
    store = ObjectStore(RESOURCES)
    store.hook = failing("POST", no_account(), at="/api/v1/namespaces/shop/pods")
    tried = try_all(store, plan.todo, {}, coming=plan.todo)  # type: ignore[arg-type]
    assert (len(tried.refused), len(tried.unsupported)) == ((1, 0) if is_refused else (0, 1))


def test_a_rehearsal_changes_nothing() -> None:
    names = ("a", "b", "c")
    items = [found(thing("ConfigMap", name)) for name in names]
    changed = thing("Secret", "s", data={"a": "MQ=="}), thing("Secret", "s", data={"a": "Mg=="})
    plan = judge.plan([*items, found(*changed)], live(), changed=True)
    store = ObjectStore(RESOURCES, changed[1])
    before = dict(store.items)
    tried = rehearse(store, plan.todo)  # type: ignore[arg-type]
    assert (len(plan.todo), tried.refused, store.sent, store.items) == (4, {}, [], before)


def test_field_managers_come_back_though_controllers_have_written_since(tmp_path: Path) -> None:
    argo = {"manager": "argocd", "operation": "Apply"}
    plan = planned(thing("ConfigMap", "a", metadata={"managedFields": [argo]}))
    store = ObjectStore(RESOURCES)
    status = {"manager": "controller", "operation": "Update", "subresource": "status"}

    def write(method: str, path: str, _body: object) -> None:
        if method == "PATCH" and status not in (there := store.items[path]["metadata"])["managedFields"]:
            there["managedFields"].append(status)
            there["resourceVersion"] = "999"

    store.hook = write
    run = a_run(store, plan, tmp_path)
    run.run(Rehearsed())
    assert run.notes == []
    assert store.items[f"{MAPS}/a"]["metadata"]["managedFields"] == [argo, status]


def test_what_is_taken_back_until_the_server_falls_silent_is_told(tmp_path: Path) -> None:
    plan = planned(*(thing("ConfigMap", name) for name in "abc"), thing("Secret", "s"))
    store = ObjectStore(RESOURCES)

    def fail(method: str, path: str, _body: object) -> None:
        if method == "POST" and path.endswith("/secrets"):
            raise Forbidden(403, "Forbidden", "no")
        if method == "DELETE" and path == f"{MAPS}/a":
            raise AdminError("silence")

    store.hook = fail
    run = a_run(store, plan, tmp_path)
    with pytest.raises(AdminError, match="silence"):
        run.run(Rehearsed())
    told = {key.name: str(one.became) for key, one in run.outcomes.items()}
    assert told == {"a": "made", "b": "taken back", "c": "taken back", "s": "refused"}


# Volumes.

CLAIM = thing("PersistentVolumeClaim", "data", spec={"volumeName": "v"})
VOLUME = "/api/v1/persistentvolumes/v"
FORMER = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "namespace": "shop",
    "name": "data",
    "uid": "uid-PersistentVolumeClaim-data",
}


def volume(phase: str, reference: Object | None) -> Object:
    spec: Object = {"persistentVolumeReclaimPolicy": "Retain", "nfs": {"server": "n", "path": "/v"}}
    if reference:
        spec["claimRef"] = reference
    return thing("PersistentVolume", "v", spec=spec, status={"phase": phase})


def with_volume(there: Object, *others: Object) -> tuple[Plan, ObjectStore]:
    """The plan for a claim whose volume is there."""
    fact = volume_of(there)
    plan = judge.plan(
        [found(one) for one in (CLAIM, *others)],
        live(volumes=[fact], before=[volume_of(volume("Bound", FORMER))]),
    )
    return plan, ObjectStore(RESOURCES, there)


def test_a_volume_of_nobody_is_kept_for_its_claim_before_that_is_made(tmp_path: Path) -> None:
    plan, store = with_volume(volume("Available", None))
    run = a_run(store, plan, tmp_path)
    run.run(Rehearsed())
    assert became(run) == [Became.MADE]
    assert [method for method, _ in store.sent] == ["PATCH", "POST"]
    reference = store.items[VOLUME]["spec"]["claimRef"]
    assert reference == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": "shop",
        "name": "data",
    }
    assert run.journal
    assert not undo.left(list(undo.take_back(store, Journal.resume(run.journal.path))))  # type: ignore[arg-type]
    assert "claimRef" not in store.items[VOLUME]["spec"]


def test_a_volume_of_nobody_that_another_claim_has_taken_meanwhile_stays_its_own(tmp_path: Path) -> None:
    plan, store = with_volume(volume("Available", None))
    store.items[VOLUME] = volume("Bound", {"namespace": "other", "name": "x", "uid": "u"})
    run = a_run(store, plan, tmp_path)
    run.run(Rehearsed())
    assert (became(run), store.sent) == ([Became.REFUSED], [])


def test_a_volume_of_nobody_stays_with_the_claim_that_has_taken_it_since(tmp_path: Path) -> None:
    plan, store = with_volume(volume("Available", None))
    run = a_run(store, plan, tmp_path)
    run.run(Rehearsed())
    store.items[VOLUME]["spec"]["claimRef"] = {"namespace": "other", "name": "x", "uid": "u"}
    assert run.journal
    undone = list(undo.take_back(store, Journal.resume(run.journal.path)))  # type: ignore[arg-type]
    assert [one.why for one in undo.left(undone)] == ["it is of another claim now"]


@pytest.mark.parametrize("there", [volume("Released", FORMER), volume("Available", None)])
def test_a_volume_whose_claim_is_refused_is_given_back_in_the_same_run(tmp_path: Path, there: Object) -> None:
    plan, store = with_volume(there, CONFIG)
    store.hook = failing("POST", Forbidden(403, "Forbidden", "no"), at="/api/v1/namespaces/shop/persistent")
    run = a_run(store, plan, tmp_path, keep_going=True)
    run.run(Rehearsed())
    assert sorted(became(run)) == [Became.MADE, Became.REFUSED]
    assert store.items[VOLUME]["spec"] == there["spec"]
    assert len(pending(run)) == 1  # the ConfigMap
    assert not run.undone


def test_a_volume_that_can_not_be_given_back_is_named(tmp_path: Path) -> None:
    plan, store = with_volume(volume("Released", FORMER))
    refuse = failing("POST", Forbidden(403, "Forbidden", "no"))
    patched = list[str]()

    def refuse_second(method: str, path: str, _body: object) -> None:
        if method == "PATCH":
            patched.append(path)
            if len(patched) > 1:
                raise Forbidden(403, "Forbidden", "not again")

    store.hook = together(refuse, refuse_second)
    run = a_run(store, plan, tmp_path, keep_going=True)
    run.run(Rehearsed())
    assert [(one.entry.name, one.why) for one in run.undone] == [("v", "not again")]
    assert len(pending(run)) == 1


# Owners and field managers that are noted afterwards.

TENANT = thing("Widget", "w")
ARGO = {"manager": "argocd", "operation": "Apply"}
OWNED = thing(
    "PersistentVolumeClaim",
    "data",
    spec={},
    metadata={"ownerReferences": [owned(TENANT)], "managedFields": [ARGO]},
)
CLAIM_PATH = "/api/v1/namespaces/shop/persistentvolumeclaims/data"


def again(store: ObjectStore) -> Plan:
    """The plan of a second run: for the objects as they are now."""
    items = [found(one, store.items.get(store.path(one))) for one in (OWNED, TENANT)]
    return judge.plan(items, live())


def references(store: ObjectStore) -> list[str]:
    return [one["uid"] for one in store.items[CLAIM_PATH]["metadata"].get("ownerReferences", ())]


def cut_at(number: int) -> Callable[[str, str, Any], None]:
    """The client is gone at its nth change."""
    left = [number]

    def cut(method: str, _path: str, _body: object) -> None:
        if method in ("POST", "PATCH", "PUT"):
            left[0] -= 1
            if left[0] <= 0:
                raise AdminError("cut")

    return cut


@pytest.mark.parametrize("number", range(1, 5))
def test_a_second_run_notes_what_one_that_was_cut_has_not(tmp_path: Path, number: int) -> None:
    store = ObjectStore(RESOURCES)
    store.hook = cut_at(number)
    with contextlib.suppress(AdminError):
        a_run(store, planned(OWNED, TENANT), tmp_path).run(Rehearsed())
    store.hook = lambda *_: None
    plan = again(store)
    assert plan.todo or plan.unfinished
    (tmp_path / "again").mkdir()
    run = a_run(store, plan, tmp_path / "again", operation="second")
    run.run(Rehearsed())
    owner = store.items[store.path(TENANT)]["metadata"]["uid"]
    assert references(store) == [owner]
    assert store.items[CLAIM_PATH]["metadata"]["managedFields"] == [ARGO]
    assert run.notes == []
    last = again(store)
    assert (last.todo, last.unfinished) == ((), ())


def test_what_a_second_run_notes_can_be_taken_back(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    store.hook = cut_at(3)
    with pytest.raises(AdminError, match="cut"):
        a_run(store, planned(OWNED, TENANT), tmp_path).run(Rehearsed())
    store.hook = lambda *_: None
    (tmp_path / "again").mkdir()
    run = a_run(store, again(store), tmp_path / "again", operation="second")
    run.run(Rehearsed())
    assert became(run) == [Became.COMPLETED]
    assert run.journal
    undone = list(undo.take_back(store, Journal.resume(run.journal.path)))  # type: ignore[arg-type]
    assert ([str(one.became) for one in undone], references(store)) == (["put back"], [])


def test_nothing_is_put_into_an_object_that_no_run_has_made() -> None:
    config, widget = thing("ConfigMap", "a", metadata={"ownerReferences": [owned(TENANT)]}), TENANT
    now = thing("ConfigMap", "a", metadata={"managedFields": [{"manager": "kubectl-edit"}]})
    plan = judge.plan([found(config, now), found(widget, widget)], live())
    assert not plan.unfinished


def test_owners_that_others_have_noted_stay(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    other = {**owned(TENANT), "name": "other", "uid": "other"}

    def adopt(method: str, path: str, _body: object) -> None:
        if method == "POST" and path.endswith("/widgets"):
            store.items[CLAIM_PATH]["metadata"]["ownerReferences"] = [other]

    store.hook = adopt
    a_run(store, planned(OWNED, TENANT), tmp_path).run(Rehearsed())
    assert references(store) == ["other", store.items[store.path(TENANT)]["metadata"]["uid"]]


def test_owners_that_can_not_be_noted_are_left_to_do(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    store.hook = failing("PATCH", *(Forbidden(403, "Forbidden", "no") for _ in range(9)))
    run = a_run(store, planned(OWNED, TENANT), tmp_path)
    run.run(Rehearsed())
    said = outcome.outcome(run).findings
    assert [(one.rule, one.severity) for one in said] == [
        ("undelete-unfinished", Severity.VIOLATION),
        ("undelete-managers", Severity.WARNING),
    ]
    plan = again(store)
    assert (plan.todo, [item.key.name for item in plan.unfinished]) == ((), ["data"])
    (tmp_path / "again").mkdir()
    store.hook = failing("PATCH", *(Forbidden(403, "Forbidden", "no") for _ in range(9)))
    second = a_run(store, plan, tmp_path / "again", operation="second")
    second.run(Rehearsed())
    assert became(second) == [Became.REFUSED]
    assert outcome.outcome(second).violated
    assert pending(second) == []


def test_what_was_made_is_noted_as_the_server_has_answered(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    run = a_run(store, planned(thing("ConfigMap", "a", data={"x": "1"})), tmp_path)
    run.run(Rehearsed())
    assert run.journal
    (entry,) = Journal.resume(run.journal.path).entries.values()
    assert entry.after
    assert (entry.after["data"], "managedFields" in entry.after["metadata"]) == ({"x": "1"}, False)


def test_all_is_taken_back_in_the_same_run_whoever_has_written_it_since(tmp_path: Path) -> None:
    """An operator writes a custom object as soon as it is there."""
    store = ObjectStore(RESOURCES)

    def fail(method: str, path: str, _body: object) -> None:
        if method == "POST" and path.endswith("/pods"):
            widget = store.items[store.path(TENANT)]
            widget["spec"] = {"size": 3}
            widget["metadata"]["managedFields"].append({"manager": "operator", "operation": "Update"})
            raise Forbidden(403, "Forbidden", "no")

    store.hook = fail
    a_run(store, planned(TENANT, thing("Pod", "p", spec={})), tmp_path).run(Rehearsed())
    assert store.items == {}


def changing(name: str, data: Object) -> Callable[[str, str, Any], None]:
    """A webhook that changes the data of one object, and labels all of them."""

    def change(method: str, _path: str, body: Any) -> None:
        if method == "POST":
            body["metadata"]["labels"] = {"injected": "yes"}
            if body["metadata"]["name"] == name:
                body["data"] = data

    return change


def test_what_a_webhook_changes_in_what_comes_back_is_known_before_and_said_after(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    store.hook = changing("a", {"n": "2"})
    plan = planned(*(thing("ConfigMap", name, data={"n": "1"}) for name in "abc"))
    known = rehearse(store, plan.todo)  # type: ignore[arg-type]
    run = a_run(store, plan, tmp_path)
    run.run(known)
    assert became(run) == [Became.MADE] * 3
    for findings in (
        outcome.of_rehearsal(plan, known, keep_going=False),
        outcome.outcome(run).findings,
    ):
        said = {one.objects: (one.rule, one.severity, one.evidence) for one in findings}
        assert said == {
            ("configmap/shop/a",): (
                "undelete-altered",
                Severity.WARNING,
                "the API server, or a webhook, changes these fields: data.n, metadata.labels",
            ),
            ("configmap/shop/b", "configmap/shop/c"): (
                "undelete-altered",
                Severity.NOTE,
                "the API server, or a webhook, adds these fields: metadata.labels",
            ),
        }


def test_a_service_whose_addresses_are_taken_is_not_said_twice_to_be_another(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES)
    cause = {"field": "spec.clusterIPs[0]", "message": "provided IP is already allocated"}
    taken = ApiError(422, "Invalid", "taken", {"causes": [cause]})
    store.hook = failing("POST", taken)
    run = a_run(store, planned(thing("Service", "web", spec={"clusterIP": "10.96.0.9"})), tmp_path)
    run.run(Rehearsed())
    assert [one.rule for one in outcome.outcome(run).findings] == ["undelete-taken"]
