"""What a restore means for objects, and what is done with them afterwards, on a real API server."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster import kubeconfig as kubeconfigs
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import ApiError, NotFound
from kubectl_admin.cluster.wait import wait_until
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore import before
from kubectl_admin.etcd.restore.afterwards import leaders, nodes, present, volumes, webhooks
from kubectl_admin.etcd.restore.consequences import gather, stored
from kubectl_admin.etcd.restore.consequences.facts import Side
from kubectl_admin.etcd.restore.consequences.judge import judge
from kubectl_admin.etcd.restore.consequences.workloads import blocking
from kubectl_admin.etcd.restore.record import Record
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.snapshot.verify import indexed, opened_database
from tests.apiserver.conftest import NAME
from tests.apiserver.test_etcd_diff import saved
from tests.unit.etcd.restore import test_before as files
from tests.unit.etcd.restore.consequences.objects import attachment, csi, endpoints, volume, webhook, workload

pytestmark = pytest.mark.lab

NODES = "/api/v1/nodes"
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
VOLUMES = "/api/v1/persistentvolumes"
ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
DEFAULT_LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
CLAIM = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}


@pytest.fixture
def cluster(kubeconfig: Path) -> Cluster:
    return Cluster.connect(kubeconfigs.resolve(kubeconfigs.Overrides(kubeconfig=str(kubeconfig)), {}))


@contextmanager
def there(cluster: Cluster, *things: tuple[str, dict[str, Any]]) -> Iterator[None]:
    """Inside, these objects are there. things: path of the list, object."""
    made = []
    try:
        for path, thing in things:
            thing["metadata"].pop("uid", None)
            made.append(f"{path}/{cluster.post(path, thing)['metadata']['name']}")
        yield
    finally:
        for path in reversed(made):
            with suppress(NotFound):
                cluster.delete(path)
                # Of volumes: no controller of theirs runs here.
                cluster.patch(path, {"metadata": {"finalizers": None}}, MERGE_PATCH)


def revision(cluster: Cluster) -> int:
    """The newest one."""
    return int(cluster.get("/api/v1/namespaces", [("limit", "1")])["metadata"]["resourceVersion"])


def record_of(cluster: Cluster, **changes: Any) -> Record:
    """As if a restore had begun at this revision."""
    uid = cluster.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    record = Record("0123456789", "f" * 64, revision(cluster), 0, uid, ("cp-1",), {}, 0.0)
    return replace(record, **changes)


def disk(name: str, claim: str, handle: str) -> tuple[str, dict[str, Any]]:
    item = volume(name, claim, csi=csi(handle))
    item["spec"] |= CLAIM
    return VOLUMES, item


def mount(name: str, claim: str) -> tuple[str, dict[str, Any]]:
    item = volume(name, claim, on="worker-1", local={"path": "/mnt/restore"})
    item["spec"] |= {**CLAIM, "storageClassName": "local"}
    return VOLUMES, item


def hook() -> tuple[str, dict[str, Any]]:
    """It is asked about no namespace that there is."""
    item = webhook("restore-hook", "default/restore-hook", ["pods"])
    item["webhooks"][0] |= {
        "namespaceSelector": {"matchLabels": {"restore": "nobody"}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    item["webhooks"][0]["rules"][0]["apiVersions"] = ["*"]
    return HOOKS, item


def behind(*ready: bool) -> tuple[str, dict[str, Any]]:
    item = endpoints("default/restore-hook", *(("worker-1", one) for one in ready))
    for number, one in enumerate(item["endpoints"]):
        one["addresses"] = [f"10.99.0.{number + 1}"]
    return SLICES, {**item, "addressType": "IPv4", "ports": []}


def deployed() -> tuple[str, dict[str, Any]]:
    item = workload("restore-web", "registry.example.com/nowhere:1", selector={"matchLabels": {"app": "r"}})
    item["metadata"]["namespace"] = "default"
    item["spec"]["template"]["metadata"] = {"labels": {"app": "r"}}
    item["spec"]["template"]["spec"]["containers"][0]["name"] = "c"
    return DEPLOYMENTS, item


def in_snapshot(folder: Path, name: str) -> Side:
    """The side of a snapshot of now."""
    with opened_database(saved(NAME, folder / name)) as database:
        latest = indexed(database, lambda _done, _total: None)
        assert isinstance(latest, Latest)
        return stored.side(latest)


def rules(old: Side, new: Side) -> dict[str, str]:
    return {one.rule: str(one.severity) for one in judge(old, new)}


def test_the_snapshot_of_a_moment_and_that_moment_are_the_same(cluster, tmp_path):
    tie = attachment("restore-tie", "worker-1", "restore-a")
    with there(
        cluster, disk("restore-a", "default/a", "1"), mount("restore-b", "default/b"), (ATTACHMENTS, tie)
    ):
        old, new = in_snapshot(tmp_path, "a.db"), gather.gather(cluster)
    assert len(new.nodes) >= 10
    for field in ("nodes", "images", "databases", "address_kinds"):
        assert getattr(old, field) == getattr(new, field), field
    for field in ("volumes", "attachments", "contents"):
        assert set(getattr(old, field)) == set(getattr(new, field)), field
    assert old.unread == {}
    assert "node-left-since" not in rules(old, new)
    assert len(old.templates) > 1


def test_what_a_snapshot_means_is_found(cluster, tmp_path):
    before_then = [
        disk("restore-gone", "default/a", "1"),
        mount("restore-b", "default/b"),
        hook(),
        deployed(),
    ]
    with there(cluster, *before_then, behind(False)):
        old = in_snapshot(tmp_path, "b.db")
    with there(cluster, mount("restore-c", "default/other"), disk("restore-new", "default/n", "2")):
        found = judge(old, gather.gather(cluster))
    by_rule = {one.rule: one for one in found}
    assert by_rule["storage-of-another-claim"].objects == ("persistentvolume/restore-b",)
    assert str(by_rule["storage-of-another-claim"].severity) == "violation"
    assert "csi disks.example.com 2" in by_rule["storage-orphaned"].evidence
    assert "persistentvolume/restore-gone" in by_rule["volume-dangling"].objects
    assert by_rule["webhook-restored-without-backend"].objects == (
        "validatingwebhookconfiguration/restore-hook",
    )
    assert "registry.example.com/nowhere:1" in by_rule["image-not-on-nodes"].evidence


def test_a_webhook_with_somebody_behind_it_is_none(cluster, tmp_path):
    with there(cluster, hook(), behind(False, True)):
        old = in_snapshot(tmp_path, "c.db")
    assert "webhook-restored-without-backend" not in rules(old, gather.gather(cluster))


def is_taken(cluster: Cluster) -> bool:
    """Whether a Lease can be made in namespace default; none stays."""
    try:
        cluster.post(DEFAULT_LEASES, {"metadata": {"name": "restore-asked"}})
    except ApiError as error:
        if "failed calling webhook" not in str(error):
            raise
        return False
    cluster.delete(f"{DEFAULT_LEASES}/restore-asked")
    return True


def test_a_webhook_with_nobody_behind_it_refuses_nothing_until_it_is_put_back(cluster, tmp_path, monkeypatch):
    path, item = hook()
    refusing = item["webhooks"][0]
    refusing["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": "default"}}
    refusing["rules"][0]["resources"] = ["leases"]
    another = {
        "objectSelector": {"matchLabels": {"restore": "nobody"}},
        "rules": [hook()[1]["webhooks"][0]["rules"][0]],
    }
    item["webhooks"].append({**refusing, **another, "name": "another.example.com"})
    monkeypatch.setattr(webhooks, "BEHIND_TIMEOUT", 0.0)
    with there(cluster, (path, item)):
        made = cluster.get(f"{path}/restore-hook")
        found = blocking(in_snapshot(tmp_path, "d.db"), gather.gather(cluster))
        planned = [one for one in found["default", "restore-hook"] if one.name != "another.example.com"]
        record = record_of(cluster, planned={webhooks.PLANNED: webhooks.planned(planned)})
        wait_until(lambda: not is_taken(cluster), "a Lease is refused", timeout=60, interval=0.2)
        webhooks.ignore(cluster, record)
        wait_until(lambda: is_taken(cluster), "a Lease is taken", timeout=60, interval=0.2)
        policies = [one["failurePolicy"] for one in cluster.get(f"{path}/restore-hook")["webhooks"]]
        assert policies == ["Ignore", "Fail"]
        (finding,) = webhooks.put_back(cluster, record).findings
        assert finding.objects == ("validatingwebhookconfiguration/restore-hook",)
        wait_until(lambda: not is_taken(cluster), "a Lease is refused again", timeout=60, interval=0.2)
        after = cluster.get(f"{path}/restore-hook")
        assert (after["webhooks"], webhooks.MARK in str(after["metadata"].get("annotations"))) == (
            made["webhooks"],
            False,
        )


FULL = {
    "metadata": {"name": "restore-w", "labels": {"disk": "ssd"}, "annotations": {"a": "b"}},
    "spec": {
        "podCIDR": "10.250.7.0/24",
        "podCIDRs": ["10.250.7.0/24"],
        "providerID": "cloud://7",
        "taints": [{"key": "dedicated", "value": "db", "effect": "NoSchedule"}],
    },
}


def others(cluster: Cluster) -> dict[str, Any]:
    return {name: one.node for name, one in nodes.present_nodes(cluster).items()}


def taints(node: dict[str, Any]) -> set[str]:
    return {one["key"] for one in node["spec"].get("taints") or ()}


def test_a_node_is_made_again_with_all_that_it_had(cluster):
    with there(cluster, (NODES, FULL)):
        whole = cluster.get(f"{NODES}/restore-w")
        cluster.delete(f"{NODES}/restore-w")
        done = nodes.make_again(cluster, record_of(cluster), whole, others(cluster))
        assert done.findings == ()
        made = cluster.get(f"{NODES}/restore-w")
    assert made["metadata"]["labels"] == whole["metadata"]["labels"]
    assert made["metadata"]["annotations"] == {"a": "b", nodes.MARK: "0123456789"}
    assert made["metadata"]["uid"] != whole["metadata"]["uid"]
    for field in ("podCIDR", "podCIDRs", "providerID"):
        assert made["spec"][field] == whole["spec"][field]
    assert "dedicated" in taints(made)


def test_a_node_that_its_kubelet_has_registered_is_completed(cluster):
    whole = {**FULL, "metadata": {**FULL["metadata"], "uid": "u"}}
    bare = {"metadata": {"name": "restore-w", "labels": {"kubernetes.io/hostname": "restore-w"}}}
    with there(cluster, (NODES, bare)):
        nodes.make_again(cluster, record_of(cluster), whole, others(cluster))
        made = cluster.get(f"{NODES}/restore-w")
        # Whoever comes again changes nothing.
        nodes.make_again(cluster, record_of(cluster), whole, others(cluster))
        assert cluster.get(f"{NODES}/restore-w") == made
    assert made["metadata"]["labels"] == {"kubernetes.io/hostname": "restore-w", "disk": "ssd"}
    assert (made["spec"]["podCIDRs"], made["spec"]["providerID"]) == (["10.250.7.0/24"], "cloud://7")
    assert "dedicated" in taints(made)


def test_a_node_that_left_is_cordoned(cluster):
    with there(cluster, (NODES, {"metadata": {"name": "restore-gone"}})):
        record = record_of(cluster, left=("restore-gone", "restore-nowhere"))
        (finding,) = nodes.cordon_left(cluster, record).findings
        assert finding.objects == ("node/restore-gone",)
        assert cluster.get(f"{NODES}/restore-gone")["spec"]["unschedulable"] is True
        cluster.patch(f"{NODES}/restore-gone", {"spec": {"unschedulable": None}}, MERGE_PATCH)
        nodes.cordon_left(cluster, record)
        assert "unschedulable" not in cluster.get(f"{NODES}/restore-gone")["spec"]


def lease(name: str) -> tuple[str, dict[str, Any]]:
    return leaders.LEASES, {"metadata": {"name": name}, "spec": {"holderIdentity": "cp-1_1"}}


def test_leases_of_the_past_go_and_those_of_now_stay(cluster):
    names = ("kube-controller-manager", "kube-scheduler")
    for name in names:
        with suppress(NotFound):
            cluster.delete(f"{leaders.LEASES}/{name}")
    with there(cluster, *map(lease, names)):
        record = record_of(cluster)
        path = f"{leaders.LEASES}/kube-scheduler"
        cluster.patch(path, {"spec": {"holderIdentity": "cp-1_2"}}, MERGE_PATCH)
        said = leaders.release(cluster, record).said
        assert said == ("the old Lease of kube-controller-manager is deleted; kube-scheduler leads already")
        assert cluster.get(path)["spec"]["holderIdentity"] == "cp-1_2"
        with pytest.raises(NotFound):
            cluster.get(f"{leaders.LEASES}/kube-controller-manager")


def test_the_cluster_itself_is_known(cluster):
    present.refuse_other(cluster, record_of(cluster))
    with pytest.raises(AdminError, match="does not serve the restored data"):
        present.refuse_other(cluster, record_of(cluster, bump=1_000_000_000))
    with pytest.raises(AdminError, match="is not the cluster of restore"):
        present.refuse_other(cluster, replace(record_of(cluster), cluster="another"))


def test_all_nodes_and_volumes_are_kept_and_compared_afterwards(cluster, tmp_path):
    hosts: Any = SimpleNamespace(cluster=cluster)
    with there(cluster, disk("restore-kept", "default/a", "7")):
        made = before.save(
            hosts, tmp_path / "s.db", record_of(cluster), watch=files.no_display, save_snapshot=files.saved
        )
    live = {item["metadata"]["name"]: item for item in cluster.list(NODES)}
    kept = {item["metadata"]["name"]: item for item in before.load(made.directory).nodes()}
    assert set(kept) == set(live)
    assert all(kept[name]["metadata"]["uid"] == live[name]["metadata"]["uid"] for name in live)
    assert all(item["status"] and item["kind"] == "Node" for item in kept.values())
    done = volumes.name_strays(cluster, made)
    (orphaned,) = [one for one in done.findings if one.rule == "storage-orphaned"]
    assert orphaned.objects == ("persistentvolume/restore-kept",)
