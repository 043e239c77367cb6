"""The rights of etcd-undelete in docs/permissions.md, each taken away in turn, against a real API server.

The snapshot is opened once: to whom it is shown makes no difference there.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.kubeconfig import Overrides, resolve
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past.gather import of_file
from kubectl_admin.etcd.past.local import Local, opened
from kubectl_admin.etcd.undelete import judge, outcome
from kubectl_admin.etcd.undelete import undo as undoing
from kubectl_admin.etcd.undelete.apply import Run
from kubectl_admin.etcd.undelete.discovery import discover
from kubectl_admin.etcd.undelete.entries import Head
from kubectl_admin.etcd.undelete.facts import Asked, Thing
from kubectl_admin.etcd.undelete.gather import gather
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.rehearse import rehearse
from kubectl_admin.finding import Finding
from tests import permissions
from tests.apiserver import undelete_scene as scene
from tests.apiserver.conftest import NAME
from tests.apiserver.stored import saved
from tests.apiserver.test_etcd_open import programs
from tests.permissions import Stage
from tests.program import Ended, environ

pytestmark = pytest.mark.lab

SPACE = "und-rights"
MANY = 10  # of each kind: more than are asked for one by one
ROOT = f"/api/v1/namespaces/{SPACE}"
VOLUME = f"/api/v1/persistentvolumes/{SPACE}-data"
ASKED = Asked(SPACE, everywhere=False, things=(Thing("configmaps"), Thing("persistentvolumeclaims")))


@pytest.fixture(scope="module")
def cluster(kubeconfig: Path) -> Cluster:
    return Cluster.connect(resolve(Overrides(kubeconfig=str(kubeconfig)), {}))


@pytest.fixture(scope="module")
def past(stage: Stage, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A snapshot, open, of a namespace with ConfigMaps and claims, each also applied by the server."""
    folder = tmp_path_factory.mktemp("rights")
    stage.kubectl("create", "namespace", SPACE)
    try:
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        items = [scene.one(SPACE, "ConfigMap", f"map-{number}") for number in range(MANY)]
        items += [
            scene.one(SPACE, "PersistentVolumeClaim", f"claim-{number}", spec=claim) for number in range(MANY)
        ]
        stage.kubectl("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})
        scene.keep(cluster, SPACE)
        for path in (f"{ROOT}/configmaps/map-0", f"{ROOT}/persistentvolumeclaims/claim-0"):
            label(cluster, path, scene.APPLIER)
        snapshot = saved(NAME, folder / "snapshot.db")
        local = Local(programs(folder / "bin"), None, "", environ())
        with opened(of_file(snapshot), local, lambda _: None) as there:
            yield there.cluster
    finally:
        scene.empty(cluster, SPACE)
        cluster.delete(VOLUME)


@pytest.fixture
def listing(cluster: Cluster) -> Iterator[None]:
    """While this lasts all may list what else a namespace can hold, as who takes one back must."""
    kinds = (one for one in discover(cluster).preferred if one.namespaced)
    rules = [
        {"apiGroups": [one.group], "resources": [one.plural], "verbs": ["list"]}
        for one in kinds
        if one.title not in {thing.word for thing in ASKED.things}
    ]
    role = {"metadata": {"name": SPACE}, "rules": rules}
    group = {"kind": "Group", "name": "system:authenticated", "apiGroup": permissions.GROUP}
    bound = {"apiGroup": permissions.GROUP, "kind": "ClusterRole", "name": SPACE}
    binding = {"metadata": {"name": SPACE}, "roleRef": bound, "subjects": [group]}
    roles = f"/apis/{permissions.GROUP}/v1"
    cluster.post(f"{roles}/clusterroles", role)
    cluster.post(f"{roles}/clusterrolebindings", binding)
    yield
    cluster.delete(f"{roles}/clusterrolebindings/{SPACE}")
    cluster.delete(f"{roles}/clusterroles/{SPACE}")


def label(cluster: Cluster, path: str, value: str) -> None:
    """Applies a label to an object, on the server's side."""
    kind = "ConfigMap" if "configmaps" in path else "PersistentVolumeClaim"
    metadata = {"name": path.rpartition("/")[2], "labels": {"by": value}}
    content = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    query = [("fieldManager", scene.APPLIER), ("force", "true")]
    cluster.patch(path, content, "application/apply-patch+yaml", query)


def bring_back(past: Cluster, user: Cluster, file: Path, *, changed: bool) -> Iterator[Finding]:
    """The findings of a run of the verb, whatever comes of it."""
    found = gather(past, user, ASKED, "default")
    plan = judge.plan(found.found, found.live, found.gaps, changed=changed)
    yield from plan.findings
    tried = rehearse(user, plan.todo)
    yield from outcome.of_rehearsal(plan, tried, keep_going=True)
    head = Head(file.stem, "snapshot.db", "", "", datetime.now(UTC))
    run = Run(user, plan, file.stem, partial(Journal.begin, file, head), True, lambda _: None)
    run.run(tried)
    yield from outcome.outcome(run).findings


def take_back(user: Cluster, file: Path) -> Iterator[Finding]:
    """The findings of --undo."""
    with Journal.resume(file) as journal:
        done = list(undoing.take_back(user, journal, changed=True))
        yield from outcome.undone(done, journal.head).findings


@pytest.mark.usefixtures("listing")
def test_each_right_that_is_missing_is_named_by_etcd_undelete(
    stage: Stage, past: Cluster, cluster: Cluster, tmp_path: Path
) -> None:
    kept = cluster.get(VOLUME)["spec"]["claimRef"]
    number = iter(range(1000))

    def act(path: Path) -> Ended:
        """A namespace that is missing comes back, then what has changed in it; both are taken back."""
        scene.empty(cluster, SPACE)
        cluster.patch(VOLUME, {"spec": {"claimRef": kept}}, MERGE_PATCH)
        scene.set_phase(cluster, f"{SPACE}-data", "Released")
        user = Cluster.connect(resolve(Overrides(kubeconfig=str(path)), {}))
        first, second = (tmp_path / f"{next(number)}.jsonl" for _ in range(2))
        said = list[str]()

        def hear(findings: Iterator[Finding]) -> None:
            try:
                said.extend(one.evidence for one in findings)
            except AdminError as error:
                said.append(error.what)

        hear(bring_back(past, user, first, changed=False))
        with suppress(AdminError):  # nothing is there where a right was missing
            label(cluster, f"{ROOT}/configmaps/map-0", "another")
            label(cluster, f"{ROOT}/persistentvolumeclaims/claim-0", "another")
        hear(bring_back(past, user, second, changed=True))
        scene.release(cluster, SPACE)
        hear(take_back(user, first))
        return Ended(0, "\n".join(said), "")

    permissions.check(permissions.try_out(stage, "etcd-undelete", act))
