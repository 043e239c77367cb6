"""Debug pods that come back with a snapshot: deleted, those of this restore never."""

from typing import Any

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.afterwards.past import delete_debug_pods
from kubectl_admin.node import manifest
from tests.unit.etcd.restore.afterwards.api import RECORD, Api

OWN = "aaaaaaaaaa"
PAST, LATER = "1970-01-01T00:00:09Z", "1970-01-01T00:00:10Z"  # it began at 9.5


def pod(operation: str, namespace: str = "kube-system", created: str = PAST, **about: Any) -> Any:
    """A debug pod."""
    name = f"kubectl-admin-{operation}-w1"
    annotations = {manifest.OPERATION: operation}
    labels = {**manifest.LABELS, manifest.OPERATION: operation}
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": annotations,
            "creationTimestamp": created,
            **about,
        },
        "spec": {"nodeName": "w1"},
    }


def api(*pods: Any) -> Api:
    return Api(
        {
            f"/api/v1/namespaces/{one['metadata']['namespace']}/pods/{one['metadata']['name']}": one
            for one in pods
        }
    )


def delete(there: Api) -> Any:
    return delete_debug_pods(there, RECORD, [OWN])  # type: ignore[arg-type]


def test_those_of_the_past_go_in_every_namespace():
    there = api(pod("b" * 10), pod("c" * 10, "debug"))
    done = delete(there)
    assert {path.rpartition("-")[0].rpartition("-")[2] for _, path in there.changes} == {"b" * 10, "c" * 10}
    assert "kube-system/kubectl-admin-bbbbbbbbbb-w1" in done.said
    assert delete(there).said == "debug pods of the past deleted: there are none"


@pytest.mark.parametrize(
    "one",
    [
        pod(OWN),
        pod(RECORD.id),
        pod("b" * 10, created=LATER),
        pod("b" * 10, created=""),
        pod("b" * 10, created="1970-01-01T00:00:01"),
        pod("b" * 10, ownerReferences=[{"kind": "ReplicaSet"}]),
        pod("b" * 10, name="kubectl-admin-web"),
    ],
)
def test_no_other_goes(one):
    there = api(one)
    delete(there)
    assert there.changes == []


def test_one_that_stays_keeps_no_others():
    there = api(pod("b" * 10), pod("c" * 10))
    name = "kubectl-admin-bbbbbbbbbb-w1"
    there.refusing["DELETE", f"/api/v1/namespaces/kube-system/pods/{name}"] = [AdminError("refused")]
    with pytest.raises(AdminError, match=f"pod kube-system/{name}: refused"):
        delete(there)
    assert len(there.changes) == 1
