"""The Leases of leaders: those of the past go, those of the present stay."""

from dataclasses import replace

import pytest

from kubectl_admin.cluster.errors import Conflict
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.afterwards import leaders, present
from tests.unit.etcd.restore.afterwards.api import BASE, RECORD, Api

MANAGER, SCHEDULER = (f"{leaders.LEASES}/kube-{name}" for name in ("controller-manager", "scheduler"))


def lease(version: int) -> dict[str, object]:
    return {"metadata": {"name": "x", "uid": "u", "resourceVersion": str(version)}, "spec": {}}


def release(api: Api) -> str:
    return leaders.release(api, RECORD).said  # type: ignore[arg-type]


def test_those_of_the_snapshot_are_deleted():
    api = Api({MANAGER: lease(40), SCHEDULER: lease(41)})
    assert release(api) == (
        "the old Lease of kube-controller-manager is deleted; the old Lease of kube-scheduler is deleted"
    )
    assert api.changes == [("DELETE", MANAGER), ("DELETE", SCHEDULER)]
    assert release(api).count("had no Lease") == 2


def test_a_leader_of_now_stays_one():
    api = Api({MANAGER: lease(BASE + 1), SCHEDULER: lease(41)})
    assert release(api).startswith("kube-controller-manager leads already; ")
    assert api.changes == [("DELETE", SCHEDULER)]


def test_one_that_becomes_the_leader_in_this_moment_stays_one():
    api = Api({MANAGER: lease(40), SCHEDULER: lease(BASE + 9)})
    api.refusing["DELETE", MANAGER] = [Conflict(409, "Conflict", "changed")]
    assert "has just become the leader" in release(api)
    assert api.changes == []


@pytest.mark.parametrize("revision", [BASE, BASE + 1])
def test_the_restored_cluster_is_known(revision):
    api = Api()
    api.revision = revision
    present.refuse_other(api, RECORD)  # type: ignore[arg-type]


@pytest.mark.parametrize("revision", [5, 41, BASE - 1])
def test_the_cluster_of_before_is_not_touched(revision):
    api = Api()
    api.revision = revision
    with pytest.raises(AdminError, match="does not serve the restored data"):
        present.refuse_other(api, RECORD)  # type: ignore[arg-type]


def test_another_cluster_is_not_touched():
    other = {"metadata": {"name": "kube-system", "uid": "another"}}
    api = Api({"/api/v1/namespaces/kube-system": other})
    with pytest.raises(AdminError, match="is not the cluster of restore 0123456789"):
        present.refuse_other(api, RECORD)  # type: ignore[arg-type]


def test_a_snapshot_that_tells_no_cluster_is_known_by_its_revisions():
    api, unknown = Api(), replace(RECORD, cluster="")
    present.refuse_other(api, unknown)  # type: ignore[arg-type]
    api.revision = BASE - 1
    with pytest.raises(AdminError, match="does not serve the restored data"):
        present.refuse_other(api, unknown)  # type: ignore[arg-type]
