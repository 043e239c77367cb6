"""`kubectl admin etcd-diff` on snapshots of a real API server's etcd, before and after real requests."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.etcd.stored.kinds import built_in
from tests.apiserver.conftest import NAME
from tests.apiserver.stored import configuration, provider, saved, serve
from tests.lab.api import api_only
from tests.lab.nodes import lab
from tests.lab.progress import Progress
from tests.lab.versions import RELEASES
from tests.permissions import Stage
from tests.program import run
from tests.unit.etcd.diff.history import History

pytestmark = pytest.mark.lab

SEALED = "test-sealed"  # a lab
SPACE = "etcd-diff"
GROUP = "diff.example.com"
BACKEND = {"apiGroup": GROUP, "kind": "Widget", "name": "w"}
Object = dict[str, Any]
Called = tuple[str, str, str | None, str]  # kind, group, namespace, name
Save = Callable[[str], Path]
EVENT = next(kind for kind in built_in() if kind.name == "Event")  # of two groups, stored in one place


@pytest.fixture
def save(kubeconfig: Path, tmp_path: Path) -> Save:  # noqa: ARG001 - the lab
    """Saves a snapshot of the etcd that all tests share."""
    return lambda name: saved(NAME, tmp_path / name)


def one(kind: str, name: str, version: str = "v1", **fields: Any) -> Object:
    """An object in the namespace of this test."""
    metadata = {"name": name, "namespace": SPACE}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def wide(kind: str, name: str, version: str = "v1", **fields: Any) -> Object:
    """An object without a namespace."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


def definition(kind: str, resource: str, scope: str) -> Object:
    """A CustomResourceDefinition."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": resource}
    spec = {"group": GROUP, "names": names, "scope": scope, "versions": [version]}
    return wide("CustomResourceDefinition", f"{resource}.{GROUP}", "apiextensions.k8s.io/v1", spec=spec)


def of_every_sort(name: str) -> list[Object]:
    """Objects of several kinds that are called so: stored in odd places, custom, without namespaces."""
    pod = {"containers": [{"name": "c", "image": "none"}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    deployment = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return [
        one("ConfigMap", name, data={"a": "1"}),
        one("Secret", name, stringData={"a": "1"}),
        one("Service", name, spec={"ports": [{"port": 80}], "clusterIP": "None"}),
        one("Deployment", name, "apps/v1", spec=deployment),
        one("Ingress", name, "networking.k8s.io/v1", spec={"defaultBackend": {"resource": BACKEND}}),
        one("Role", f"system:{name}", "rbac.authorization.k8s.io/v1", rules=[]),
        one("Widget", name, f"{GROUP}/v1"),
        wide("Gadget", name, f"{GROUP}/v1"),
        wide("Node", f"diff-{name}"),
        wide("PriorityClass", name, "scheduling.k8s.io/v1", value=1),
    ]


def called(thing: Object) -> Called:
    """Kind, group, namespace and name, as in the answer of the verb."""
    group, slash, _ = thing["apiVersion"].partition("/")
    metadata = thing["metadata"]
    return thing["kind"], group if slash else "", metadata.get("namespace"), metadata["name"]


def listed(things: Sequence[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "List", "items": list(things)}


def compared(a: Path, b: Path, *options: str) -> list[Object]:
    """The items of the verb's answer."""
    ended = run("etcd-diff", str(a), str(b), "-o", "json", *options)
    assert (ended.code, ended.err) == (0, "")
    items: list[Object] = json.loads(ended.out)["items"]
    return items


def by_object(items: Sequence[Object]) -> dict[Called, Object]:
    return {(each["kind"], each["group"], each["namespace"], each["name"]): each for each in items}


@pytest.fixture
def space(stage: Stage) -> Iterator[None]:
    """The namespace, and the custom kinds; all is gone afterwards."""
    definitions = [definition("Widget", "widgets", "Namespaced"), definition("Gadget", "gadgets", "Cluster")]
    stage.kubectl("create", "namespace", SPACE)
    try:
        stage.kubectl("create", "-f", "-", given=listed(definitions))
        crds = [f"crd/{each['metadata']['name']}" for each in definitions]
        stage.kubectl("wait", "--for=condition=Established", "--timeout=60s", *crds)
        yield
    finally:
        sorts = [
            thing for name in ("keep", "change", "gone", "again", "new") for thing in of_every_sort(name)
        ]
        stage.kubectl("delete", "-f", "-", "--ignore-not-found", "--wait=false", given=listed(sorts))
        stage.kubectl("delete", "--ignore-not-found", "--wait=false", *crds)
        stage.kubectl("delete", "--wait=false", "namespace", SPACE)


@pytest.mark.usefixtures("space")
def test_exactly_what_became_of_objects_in_between_is_said(stage: Stage, save: Save) -> None:
    before = [thing for name in ("keep", "change", "gone", "again") for thing in of_every_sort(name)]
    stage.kubectl("create", "-f", "-", given=listed(before))
    a = save("a.db")
    stage.kubectl("delete", "-f", "-", given=listed(of_every_sort("gone")))
    stage.kubectl("replace", "--force", "-f", "-", given=listed(of_every_sort("again")))
    stage.kubectl("create", "-f", "-", given=listed(of_every_sort("new")))
    for kind, _, namespace, name in map(called, of_every_sort("change")):
        where = [f"--namespace={namespace}"] if namespace else []
        stage.kubectl("label", *where, kind.lower(), name, "changed=yes")
    b = save("b.db")

    found = by_object(compared(a, b))
    said = {thing: each["difference"] for thing, each in found.items() if not each["noise"]}
    expected = {
        **{called(thing): "onlyInA" for thing in of_every_sort("gone")},
        **{called(thing): "recreated" for thing in of_every_sort("again")},
        **{called(thing): "onlyInB" for thing in of_every_sort("new")},
        **{called(thing): "changed" for thing in of_every_sort("change")},
    }
    assert said == expected

    for thing in of_every_sort("again"):
        each = found[called(thing)]
        kind, _, namespace, name = called(thing)
        where = [f"--namespace={namespace}"] if namespace else []
        live = stage.kubectl("get", *where, kind.lower(), name, "--output=jsonpath={.metadata.uid}")
        assert each["recreatedBy"] == "uid"
        assert each["b"]["uid"] == live != each["a"]["uid"]

    in_space = {called for called in expected if called[2] == SPACE}
    assert set(by_object(compared(a, b, "-n", SPACE))) == in_space
    secrets = {("Secret", "", SPACE, name) for name in ("gone", "again", "new", "change")}
    assert set(by_object(compared(a, b, "--kind", "secrets", "-n", SPACE))) == secrets
    mirrored = {"onlyInA": "onlyInB", "onlyInB": "onlyInA"}
    back = {thing: mirrored.get(each, each) for thing, each in said.items()}
    assert {
        thing: each["difference"] for thing, each in by_object(compared(b, a)).items() if thing in said
    } == back


def test_no_key_of_a_real_api_server_is_unknown(save: Save, tmp_path: Path) -> None:
    """Beside an etcd without any key, everything is only in B."""
    empty = History(None).save(tmp_path / "empty.db")
    items = compared(empty, save("all.db"))
    assert {each["difference"] for each in items} == {"onlyInB"}
    assert [each["key"] for each in items if each["kind"] is None] == []
    assert len(items) > 100
    kept = {each["kind"] for each in items if not each["noise"] and each["b"]["uid"] is None}
    assert kept <= {"RangeAllocation"}


def test_every_kind_that_is_served_is_in_the_table(stage: Stage) -> None:
    """With where its objects are: in namespaces or not."""
    table = {(kind.resource, kind.group): kind for kind in built_in()}
    groups = json.loads(stage.kubectl("get", "--raw", "/apis"))["groups"]
    paths = [
        "/api/v1",
        *(f"/apis/{version['groupVersion']}" for each in groups for version in each["versions"]),
    ]
    custom = stage.kubectl("get", "customresourcedefinitions", "-o", "name").splitlines()
    defined = {name.partition("/")[2] for name in custom}
    checked = 0
    for path in paths:
        answer = json.loads(stage.kubectl("get", "--raw", path))
        group, slash, _ = answer["groupVersion"].partition("/")
        for resource in answer["resources"]:
            # What can't be watched is made up for each request, and not stored.
            if "/" in resource["name"] or "watch" not in resource["verbs"]:
                continue
            if f"{resource['name']}.{group}" in defined:  # by other tests, or by one of this file
                continue
            kind = table[resource["name"], group if slash else ""] if resource["name"] != "events" else EVENT
            assert (kind.name, kind.namespaced) == (resource["kind"], resource["namespaced"])
            checked += 1
    assert checked > 50


@pytest.fixture
def sealed() -> Iterator[Stage]:
    """A lab of its own, whose Secrets can be encrypted; their clear text can still be read."""
    api_only.down(SEALED)
    progress = Progress(f"lab {SEALED}", lab.folder_of(SEALED) / "logs")
    admin = api_only.up(SEALED, RELEASES[0].kubernetes, 1, progress.say)
    yield Stage(admin, [], RELEASES[0].kubernetes, lambda who: api_only.user(SEALED, who))
    api_only.down(SEALED)


def test_what_a_real_api_server_has_encrypted_is_not_guessed(sealed: Stage, tmp_path: Path) -> None:
    names = ("change", "same", "again", "gone")
    secrets = [wide("Secret", name, stringData={"a": "1"}) for name in names]  # in namespace default
    sealed.kubectl("create", "-f", "-", given=listed(secrets))
    clear = saved(SEALED, tmp_path / "clear.db")
    serve(SEALED, configuration(provider("aescbc", "k1", bytes(32)), {"identity": {}}))
    sealed.kubectl("replace", "-f", "-", given=listed(secrets))  # nothing is changed, and all is encrypted
    first = saved(SEALED, tmp_path / "first.db")
    assert states(clear, first) == dict.fromkeys(names, "writtenEncrypted")

    sealed.kubectl("label", "secret", "change", "changed=yes")
    sealed.kubectl("delete", "secret", "again", "gone")
    sealed.kubectl("create", "-f", "-", given=listed([secrets[2]]))
    second = saved(SEALED, tmp_path / "second.db")
    assert states(first, second) == {"change": "writtenEncrypted", "again": "recreated", "gone": "onlyInA"}
    items = [each for each in compared(first, second) if each["kind"] == "Secret"]
    assert all(
        side["encrypted"] and side["uid"] is None for each in items for side in (each["a"], each["b"]) if side
    )
    assert [each["recreatedBy"] for each in items if each["difference"] == "recreated"] == ["createRevision"]


def states(a: Path, b: Path) -> dict[str, str]:
    """How Secrets differ, by their names."""
    return {each["name"]: each["difference"] for each in compared(a, b, "--kind", "secret")}
