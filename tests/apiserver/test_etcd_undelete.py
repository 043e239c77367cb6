"""`kubectl admin etcd-undelete` on a snapshot of a real API server's etcd, with real requests."""

import json
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import ApiError, NotFound
from kubectl_admin.cluster.kubeconfig import Overrides, resolve
from kubectl_admin.cluster.wait import wait_until
from kubectl_admin.etcd.past.gather import of_file
from kubectl_admin.etcd.past.local import Local, opened
from kubectl_admin.etcd.undelete import apply, judge
from kubectl_admin.etcd.undelete import undo as undoing
from kubectl_admin.etcd.undelete.ends import Became, Outcome
from kubectl_admin.etcd.undelete.entries import Head
from kubectl_admin.etcd.undelete.facts import Asked, Item
from kubectl_admin.etcd.undelete.gather import gather
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.rehearse import Rehearsed, rehearse
from tests.apiserver import undelete_scene as scene
from tests.apiserver.conftest import NAME
from tests.apiserver.stored import saved
from tests.apiserver.test_etcd_open import programs
from tests.permissions import Stage
from tests.program import Ended, environ, run

pytestmark = pytest.mark.lab

SPACES = ("und-whole", "und-changed", "und-refused", "und-cut", "und-undo", "und-many")
MADE = ("ReplicaSet", "Pod", "EndpointSlice", "ControllerRevision")  # kinds that controllers make
Undelete = Callable[..., Ended]
Undo = Callable[[str], Ended]


@pytest.fixture(scope="module")
def cluster(kubeconfig: Path) -> Cluster:
    return Cluster.connect(resolve(Overrides(kubeconfig=str(kubeconfig)), {}))


@pytest.fixture(scope="module")
def before(
    stage: Stage, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A snapshot with namespaces full of objects, and these objects."""
    crd = scene.definition()
    stage.kubectl("create", "-f", "-", given=crd)
    stage.kubectl("wait", "--for=condition=Established", "--timeout=60s", f"crd/{crd['metadata']['name']}")
    try:
        for space in SPACES:
            scene.fill(stage, cluster, space, 300 if space == "und-many" else 0)
        objects = {space: scene.read(cluster, space) for space in SPACES}
        yield saved(NAME, tmp_path_factory.mktemp("undelete") / "snapshot.db"), objects
    finally:
        for space in SPACES:
            scene.empty(cluster, space)
        stage.kubectl(
            "delete", "pv", "--ignore-not-found", "--wait=false", *(f"{each}-data" for each in SPACES)
        )
        stage.kubectl("delete", "--ignore-not-found", "--wait=false", f"crd/{crd['metadata']['name']}")


@pytest.fixture(scope="module")
def snapshot(before: tuple[Path, dict[str, Any]]) -> Path:
    return before[0]


@pytest.fixture(scope="module")
def undelete(snapshot: Path, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Undelete:
    """Runs the verb. The snapshot is opened by programs of this machine."""
    directory = programs(tmp_path_factory.mktemp("programs") / "bin")

    def run_it(*words: str, user: Path = kubeconfig) -> Ended:
        local = ("--local", "--bin", str(directory), str(snapshot))
        return run("etcd-undelete", *local, *words, env=environ(KUBECONFIG=str(user)))

    return run_it


@pytest.fixture(scope="module")
def undo(kubeconfig: Path) -> Undo:
    """Takes back what the journal has."""
    env = environ(KUBECONFIG=str(kubeconfig))
    return lambda journal: run("etcd-undelete", "--undo", journal, "--yes", "-o", "json", env=env)


def document(ended: Ended) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_a_deleted_namespace_comes_back_as_it_was(
    undelete: Undelete, cluster: Cluster, before: tuple[Path, dict[str, Any]]
) -> None:
    space = "und-whole"
    scene.empty(cluster, space)
    ended = undelete("-n", space, "--yes", "-o", "json")
    assert ended.code == 0, ended
    assert "undelete-altered" not in {one["rule"] for one in document(ended)["findings"]}
    back = scene.read(cluster, space)
    then = scene.all_lasting(before[1][space], MADE)
    assert scene.all_lasting(back, MADE).keys() == then.keys()
    for key, item in scene.all_lasting(back, MADE).items():
        assert item == then[key]
    owner = back["Widget", "owner"]["metadata"]["uid"]
    assert back["ConfigMap", "of-widget"]["metadata"]["ownerReferences"][0]["uid"] == owner
    volume = cluster.get(f"/api/v1/persistentvolumes/{space}-data")
    assert "uid" not in volume["spec"]["claimRef"]
    assert managers_of(back["ConfigMap", "applied"]) == [scene.APPLIER]
    journal = Path(document(ended)["journal"])
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600


def test_what_is_there_is_left_alone(undelete: Undelete) -> None:
    ended = undelete("-n", "und-changed", "--yes", "-o", "json")
    assert (ended.code, {one["state"] for one in document(ended)["items"]} & {"missing", "changed"}) == (
        0,
        set(),
    )


@pytest.fixture
def refusing(cluster: Cluster) -> Iterator[str]:
    """A policy that refuses ConfigMaps of this name in one namespace."""
    name, space = "und-policy", "und-refused"
    group = "/apis/admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    # The second one is always there: in it is seen whether the policy holds.
    chosen = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [space, "default"]}
    matched = {
        "resourceRules": [rule],
        "namespaceSelector": {"matchExpressions": [chosen]},
    }
    expression = "object.metadata.name != 'applied'"
    policy = {
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": matched,
            "validations": [{"expression": expression, "message": "nobody applies here"}],
        },
    }
    binding = {"metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]}}
    cluster.post(f"{group}/validatingadmissionpolicies", policy)
    cluster.post(f"{group}/validatingadmissionpolicybindings", binding)
    try:
        wait_until_refused(cluster)
        yield space
    finally:
        cluster.delete(f"{group}/validatingadmissionpolicybindings/{name}")
        cluster.delete(f"{group}/validatingadmissionpolicies/{name}")


def wait_until_refused(cluster: Cluster) -> None:
    """The API server hears of a policy a moment after it is made."""
    body = scene.one("default", "ConfigMap", "applied")
    path = "/api/v1/namespaces/default/configmaps"

    def is_refused() -> bool:
        try:
            cluster.post(path, body, [("dryRun", "All")])
        except ApiError as error:
            return "nobody applies here" in error.message
        return False

    wait_until(is_refused, "the policy does not hold", timeout=60, interval=0.2)


def test_nothing_is_made_if_an_object_is_refused(undelete: Undelete, cluster: Cluster, refusing: str) -> None:
    cluster.delete(f"/api/v1/namespaces/{refusing}/configmaps/applied")
    cluster.delete(f"/api/v1/namespaces/{refusing}/configmaps/web")
    ended = undelete("-n", refusing, "--yes")
    assert ended.code == 3
    assert "nobody applies here" in ended.out
    assert ("ConfigMap", "web") not in scene.read(cluster, refusing)
    ended = undelete("-n", refusing, "--yes", "--keep-going")
    assert ended.code == 3
    assert "nobody applies here" in ended.out
    there = scene.read(cluster, refusing)
    assert (("ConfigMap", "web") in there, ("ConfigMap", "applied") in there) == (True, False)


def test_all_is_taken_back_if_one_is_refused_in_a_namespace_that_is_made(
    undelete: Undelete, cluster: Cluster, refusing: str
) -> None:
    scene.empty(cluster, refusing)
    ended = undelete("-n", refusing, "--yes", "-o", "json")
    assert ended.code == 3
    outcomes = {(one["kind"], one["name"]): one["outcome"] for one in document(ended)["items"]}
    assert outcomes["Namespace", refusing] == "taken back"
    assert outcomes["ConfigMap", "applied"] == "refused"
    there = cluster.get(f"/api/v1/namespaces/{refusing}")
    assert there["metadata"]["deletionTimestamp"]
    scene.empty(cluster, refusing)


def test_changed_objects_are_put_back_and_that_is_undone(
    undelete: Undelete, undo: Undo, cluster: Cluster
) -> None:
    space = "und-changed"
    path = f"/api/v1/namespaces/{space}/configmaps/web"
    cluster.patch(path, {"data": {"a": "2"}}, MERGE_PATCH)
    ended = undelete("-n", space, "cm/web", "--changed", "--diff")
    assert [line for line in ended.out.splitlines() if " a: " in line] == ['-  a: "2"', '+  a: "1"']
    assert cluster.get(path)["data"] == {"a": "2"}
    assert undelete("-n", space, "cm/web", "--yes").code == 0
    assert cluster.get(path)["data"] == {"a": "2"}
    ended = undelete("-n", space, "cm/web", "--changed", "--yes", "-o", "json")
    assert (ended.code, cluster.get(path)["data"]) == (0, {"a": "1"})
    ended = undo(document(ended)["journal"])
    assert (ended.code, cluster.get(path)["data"]) == (0, {"a": "2"})


def managers_of(item: dict[str, Any]) -> list[str]:
    return [one["manager"] for one in item["metadata"]["managedFields"]]


def test_what_a_person_has_changed_since_stays_unless_it_is_asked_for(
    undelete: Undelete, undo: Undo, cluster: Cluster, kubeconfig: Path
) -> None:
    space = "und-changed"
    names = ("configmaps/web", "configmaps/applied", "secrets/web")
    paths = [f"/api/v1/namespaces/{space}/{name}" for name in names]
    for path in paths:
        cluster.delete(path)
    journal = document(undelete("-n", space, "--yes", "-o", "json"))["journal"]
    cluster.patch(paths[0], {"data": {"a": "3"}}, MERGE_PATCH, [("fieldManager", "kubectl-edit")])
    ended = undo(journal)
    assert ended.code == 3, ended
    assert "it has changed since it was made: data.a" in ended.out
    assert cluster.get(paths[0])["data"] == {"a": "3"}
    for path in paths[1:]:
        with pytest.raises(NotFound):
            cluster.get(path)
    words = ("--undo", journal, "--changed", "--yes")
    ended = run("etcd-undelete", *words, env=environ(KUBECONFIG=str(kubeconfig)))
    assert ended.code == 0, ended
    with pytest.raises(NotFound):
        cluster.get(paths[0])
    assert undelete("-n", space, "--yes").code == 0


def test_all_that_was_made_is_taken_back(undelete: Undelete, undo: Undo, cluster: Cluster) -> None:
    space = "und-undo"
    scene.empty(cluster, space)
    journal = document(undelete("-n", space, "--yes", "-o", "json"))["journal"]
    cluster.post(f"/api/v1/namespaces/{space}/configmaps", scene.one(space, "ConfigMap", "stranger"))
    ended = undo(journal)
    assert ended.code == 3
    assert "others have made configmap/stranger of it since" in ended.out
    kept_by_finalizers = {"kept", "data-db-0", "claim-of-widget"}
    assert {name for _, name in scene.read(cluster, space)} == {"stranger", *kept_by_finalizers}
    scene.wipe(cluster, space)
    ended = undo(journal)
    assert (ended.code, {one["outcome"] for one in document(ended)["items"]}) == (0, {"deleted", "put back"})
    volume = cluster.get(f"/api/v1/persistentvolumes/{space}-data")
    assert volume["spec"]["claimRef"]["uid"]
    assert cluster.get(f"/api/v1/namespaces/{space}")["metadata"]["deletionTimestamp"]
    assert undo(journal).code == 0


def test_manifests_are_those_that_kubectl_applies(undelete: Undelete, cluster: Cluster, stage: Stage) -> None:
    space = "und-changed"
    path = f"/api/v1/namespaces/{space}/secrets/web"
    then = scene.lasting(cluster.get(path))
    cluster.delete(path)
    ended = undelete("-n", space, "-o", "yaml")
    assert ended.code == 0
    with pytest.raises(NotFound):
        cluster.get(path)
    (manifest,) = yaml.safe_load_all(ended.out)
    stage.kubectl("create", "-f", "-", given=manifest)
    assert scene.lasting(cluster.get(path)) == then


def test_a_right_that_is_missing_is_known_beforehand(
    undelete: Undelete, cluster: Cluster, stage: Stage
) -> None:
    space, who = "und-refused", "undelete-jane"
    rules = [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
    ]
    role = {"metadata": {"name": who}, "rules": rules}
    subject = {"kind": "User", "name": who, "apiGroup": "rbac.authorization.k8s.io"}
    bound = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": who}
    binding = {"metadata": {"name": who}, "roleRef": bound, "subjects": [subject]}
    roles = "/apis/rbac.authorization.k8s.io/v1"
    cluster.post(f"{roles}/clusterroles", role)
    cluster.post(f"{roles}/clusterrolebindings", binding)
    try:
        scene.empty(cluster, space)
        ended = undelete("-n", space, "--yes", "-o", "json", user=stage.certified(who))
    finally:
        cluster.delete(f"{roles}/clusterrolebindings/{who}")
        cluster.delete(f"{roles}/clusterroles/{who}")
    assert ended.code == 3
    assert "may not create secrets in namespace und-refused" in ended.out
    with pytest.raises(NotFound):
        cluster.get(f"/api/v1/namespaces/{space}")


class CutError(Exception):
    """The client is gone."""


class Cut(Cluster):
    """The connection of a client that is killed at its nth change, before it is sent or after it is made."""

    def __init__(self, cluster: Cluster, number: int, *, after: bool) -> None:
        super().__init__(cluster.target, cluster._transport)
        self.left, self.after = number, after

    def _change(self, method: str, path: str, query: Any, *others: Any, **more: Any) -> Any:
        if ("dryRun", "All") in query or method not in ("POST", "PATCH", "PUT"):
            return super()._change(method, path, query, *others, **more)
        self.left -= 1
        if self.left > 0:
            return super()._change(method, path, query, *others, **more)
        if self.after and self.left == 0:
            super()._change(method, path, query, *others, **more)
        raise CutError


@pytest.fixture(scope="module")
def past(snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The snapshot, open."""
    directory = programs(tmp_path_factory.mktemp("open") / "bin")
    with opened(of_file(snapshot), Local(directory, None, "", environ()), lambda _: None) as open_:
        yield open_.cluster


def attempt(
    past: Cluster,
    live: Cluster,
    space: str,
    file: Path,
    client: Cluster | None = None,
    *,
    keep_going: bool = False,
) -> apply.Run:
    """A run in this process. client: the one that makes the changes."""
    asked = Asked(space, everywhere=False, things=())
    found = gather(past, live, asked, "default")
    plan = judge.plan(found.found, found.live, found.gaps)
    head = Head(file.stem, "snapshot.db", "", "", datetime.now(UTC))
    begin = partial(Journal.begin, file, head)
    done = apply.Run(client or live, plan, file.stem, begin, keep_going, lambda _: None)
    done.run(rehearse(live, plan.todo))
    return done


def rehearsed(past: Cluster, live: Cluster, space: str) -> Rehearsed:
    """What the API server says of all that would come back."""
    found = gather(past, live, Asked(space, everywhere=False, things=()), "default")
    return rehearse(live, judge.plan(found.found, found.live, found.gaps).todo)


def test_a_run_that_is_cut_at_any_change_is_resumed(
    past: Cluster, cluster: Cluster, before: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    space = "und-cut"
    then = scene.all_lasting(before[1][space], MADE)
    number, client = 0, Cut(cluster, 0, after=False)
    while number == 0 or client.left <= 0:
        number += 1
        scene.empty(cluster, space)
        client = Cut(cluster, number, after=number % 2 == 0)
        try:
            attempt(past, cluster, space, tmp_path / f"{number}-a.jsonl", client)
        except CutError:
            attempt(past, cluster, space, tmp_path / f"{number}-b.jsonl")
        there = scene.read(cluster, space)
        assert scene.all_lasting(there, MADE) == then, number
        assert managers_of(there["ConfigMap", "applied"]) == [scene.APPLIER], number
        owner = there["Widget", "owner"]["metadata"]["uid"]
        claim = there["PersistentVolumeClaim", "claim-of-widget"]["metadata"]
        assert [one["uid"] for one in claim["ownerReferences"]] == [owner], number
    assert number > len(then)


def test_a_service_whose_addresses_are_taken_gets_others(
    past: Cluster, cluster: Cluster, before: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    space = "und-cut"
    then = before[1][space]["Service", "web"]["spec"]
    scene.empty(cluster, space)
    thief = {**then, "selector": {"app": "another"}}
    cluster.post("/api/v1/namespaces/default/services", scene.one("default", "Service", "thief", spec=thief))
    try:
        done = attempt(past, cluster, space, tmp_path / "j.jsonl")
    finally:
        cluster.delete("/api/v1/namespaces/default/services/thief")
    (outcome,) = [one for one in done.outcomes.values() if one.left]
    port = then["ports"][0]["nodePort"]
    assert outcome.left == (f"clusterIP {then['clusterIP']}", f"nodePort {port}")
    back = cluster.get(f"/api/v1/namespaces/{space}/services/web")["spec"]
    assert back["clusterIP"] not in ("", "None", then["clusterIP"])


def test_a_quota_that_is_full_is_known_beforehand(past: Cluster, cluster: Cluster, tmp_path: Path) -> None:
    space = "und-changed"
    quotas = f"/api/v1/namespaces/{space}/resourcequotas"
    hard = {"count/configmaps": "1"}
    cluster.delete(f"/api/v1/namespaces/{space}/configmaps/applied")
    cluster.post(quotas, scene.one(space, "ResourceQuota", "full", spec={"hard": hard}))
    cluster.patch(f"{quotas}/full/status", {"status": {"hard": hard, "used": hard}}, MERGE_PATCH)
    try:
        wait_until(
            lambda: "exceeded quota" in str(rehearsed(past, cluster, space).refused.values()),
            "the API server has not heard of the quota",
            timeout=60,
            interval=0.5,
        )
    finally:
        cluster.delete(f"{quotas}/full")
    attempt(past, cluster, space, tmp_path / "j.jsonl")
    assert cluster.get(f"/api/v1/namespaces/{space}/configmaps/applied")["data"] == {"by": "argo"}


def test_hundreds_of_objects_come_back(
    past: Cluster, cluster: Cluster, before: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    space = "und-many"
    scene.empty(cluster, space)
    attempt(past, cluster, space, tmp_path / "j.jsonl")
    then = scene.all_lasting(before[1][space], MADE)
    assert scene.all_lasting(scene.read(cluster, space), MADE) == then
    # As the controller does that protects claims in use.
    claim = f"/api/v1/namespaces/{space}/persistentvolumeclaims/data-db-0"
    cluster.patch(claim, {"metadata": {"finalizers": None}}, MERGE_PATCH)
    with Journal.resume(tmp_path / "j.jsonl") as journal:
        assert not undoing.left(list(undoing.take_back(cluster, journal)))


def test_the_others_come_back_into_a_namespace_in_which_one_is_refused(
    past: Cluster, cluster: Cluster, refusing: str, tmp_path: Path
) -> None:
    scene.empty(cluster, refusing)
    done = attempt(past, cluster, refusing, tmp_path / "j.jsonl", keep_going=True)
    states = {(item.resource.kind, item.key.name): one.became for item, one in by_item(done)}
    refused = [named for named, became in states.items() if became is not Became.MADE]
    assert (refused, states["ConfigMap", "applied"]) == ([("ConfigMap", "applied")], Became.REFUSED)
    assert ("ConfigMap", "web") in scene.read(cluster, refusing)


def by_item(done: apply.Run) -> list[tuple[Item, Outcome]]:
    return [(one.item, one) for one in done.outcomes.values()]
