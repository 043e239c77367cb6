"""An API server whose etcd has raised NOSPACE: what can still be done through it, and what can't."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError, NotFound
from kubectl_admin.cluster.retry import FULL, is_transient
from tests.apiserver.conftest import NAME
from tests.apiserver.test_lease import connected
from tests.lab.api import api_only
from tests.lab.api.sketch import Sketch

pytestmark = pytest.mark.lab

SPACE = "/api/v1/namespaces/default"
MAPS, PODS, ACCOUNTS = (f"{SPACE}/{name}" for name in ("configmaps", "pods", "serviceaccounts"))
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


def etcd(path: str, **body: Any) -> dict[str, Any]:
    """What the lab's etcd answers through its JSON gateway."""
    folder = api_only.folder_of(NAME)
    address = Sketch(network=api_only.block(folder)).address(0)
    request = Request(f"https://{address}:2379/v3/{path}", json.dumps(body).encode())
    with urlopen(request, timeout=60, context=api_only.trust(folder, "etcd-client")) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@contextmanager
def full() -> Iterator[None]:
    """Inside, the alarm is raised, as a database at its quota raises it."""
    member = etcd("maintenance/status")["header"]["member_id"]
    alarm = {"memberID": member, "alarm": "NOSPACE"}
    try:
        etcd("maintenance/alarm", action="ACTIVATE", **alarm)
        yield
    finally:
        etcd("maintenance/alarm", action="DEACTIVATE", **alarm)


@pytest.fixture
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    here = connected(kubeconfig)
    for path in (MAPS, ACCOUNTS):
        here.post(path, named("full-etcd"))
    yield here
    for path in (f"{MAPS}/full-etcd", f"{MAPS}/full-etcd-2", f"{ACCOUNTS}/full-etcd"):
        with suppress(NotFound):
            here.delete(path)


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **more}


def test_no_pod_and_no_lease_can_be_made_and_what_is_there_can_be_read_and_deleted(cluster):
    """So no debug pod reaches a node, and no run can hold a lock."""
    pod = named("full-etcd", spec={"nodeName": "cp-1", "containers": [{"name": "c", "image": "c"}]})
    pod["spec"] |= {"automountServiceAccountToken": False, "serviceAccountName": "full-etcd"}
    with full():
        for path, body in ((MAPS, named("full-etcd-2")), (PODS, pod), (LEASES, named("full-etcd"))):
            with pytest.raises(ApiError, match=FULL) as refused:
                cluster.post(path, body)
            assert not is_transient(refused.value)
        assert cluster.get(f"{MAPS}/full-etcd")["metadata"]["name"] == "full-etcd"
        cluster.delete(f"{MAPS}/full-etcd")
        with pytest.raises(NotFound):
            cluster.get(f"{MAPS}/full-etcd")
    cluster.post(MAPS, named("full-etcd-2"))
