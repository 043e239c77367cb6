"""The real CloudNativePG operator hands its primary over before its node is drained, and no write is lost.

Too slow for every run: `make cloudnative-pg` builds the operator and runs this alone.
"""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from kubectl_admin.cluster import kubeconfig as kubeconfigs
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from tests.cluster import labs
from tests.lab.nodes.lab import Lab
from tests.lab.progress import Progress
from tests.operators import cloudnative_pg as operator
from tests.operators.cloudnative_pg import CLUSTER, INSTANCES, NAMESPACE, WRITER

pytestmark = pytest.mark.lab

NAME = "pg"
IN = f"--namespace={NAMESPACE}"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
CLUSTERS = f"/apis/postgresql.cnpg.io/v1/namespaces/{NAMESPACE}/clusters"
PATIENCE = 600  # seconds for everything that the operator does
ROWS = 50  # that are written before something happens, and after it
DRAIN = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=5m", "--yes")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A control plane and three workers, with the operator, a healthy cluster and a client that writes."""
    with labs.standing(NAME, control_planes=1, workers=3, version="1.36") as here:
        operator.install(here, Progress(f"lab {NAME}", here.folder / "logs"))
        operator.apply(here, "cluster", operator.cluster())
        wait_until_healthy(here)
        operator.apply(here, "writer", operator.writer(here.control_planes[0].name))
        here.kubectl("wait", f"pod/{WRITER}", IN, "--for=condition=Ready", "--timeout=240s", timeout=250)
        yield here


def of_cluster(lab: Lab) -> Any:
    return json.loads(lab.kubectl("get", "clusters.postgresql.cnpg.io", CLUSTER, IN, "--output=json"))


def wait_until_healthy(lab: Lab) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        status = of_cluster(lab).get("status") or {}
        phase, ready = status.get("phase"), status.get("readyInstances")
        if phase == "Cluster in healthy state" and ready == INSTANCES:
            return
        assert time.monotonic() < end, f"{phase}: {status.get('phaseReason')}; {ready} instances are ready"
        time.sleep(1)


def node_of(lab: Lab, pod: str) -> str:
    return lab.kubectl("get", "pod", pod, IN, "--output=jsonpath={.spec.nodeName}")


def words_of_the_writer(lab: Lab) -> list[tuple[str, int]]:
    lines = lab.kubectl("logs", WRITER, IN).splitlines()
    said = [line.split() for line in lines if line.startswith(("acknowledged ", "failed "))]
    return [(word, int(number)) for word, number in said]


def acknowledged(lab: Lab) -> list[int]:
    return [number for word, number in words_of_the_writer(lab) if word == "acknowledged"]


def wait_for_rows(lab: Lab) -> None:
    """Until so many more rows are acknowledged."""
    end, before = time.monotonic() + PATIENCE, len(acknowledged(lab))
    while len(acknowledged(lab)) < before + ROWS:
        assert time.monotonic() < end, f"no more than {len(acknowledged(lab)) - before} rows were written"
        time.sleep(1)


class Seen:
    """What the API server tells, in its own order: when the primary was another, when a pod was to go."""

    def __init__(self, lab: Lab, primary: str) -> None:
        self.primary = primary
        self.handed_over: list[int] = []
        self.told_to_go: list[int] = []
        overrides = kubeconfigs.Overrides(kubeconfig=str(lab.kubeconfig))
        self.api = Cluster.connect(kubeconfigs.resolve(overrides, {}))
        for path, tell in {CLUSTERS: self.cluster, PODS: self.pod}.items():
            version = self.api.get(path)["metadata"]["resourceVersion"]
            threading.Thread(target=self.watch, args=(path, version, tell), daemon=True).start()

    def watch(self, path: str, version: str, tell: Any) -> None:
        with suppress(AdminError):  # in the end the lab is taken away
            for event in self.api.watch(path, [("resourceVersion", version)], timeout=PATIENCE):
                tell(event["object"], int(event["object"]["metadata"]["resourceVersion"]))

    def cluster(self, cluster: Any, version: int) -> None:
        if cluster["status"]["currentPrimary"] != self.primary:
            self.handed_over.append(version)

    def pod(self, pod: Any, version: int) -> None:
        if pod["metadata"]["name"] == self.primary and "deletionTimestamp" in pod["metadata"]:
            self.told_to_go.append(version)


def test_the_primary_moves_before_its_pod_is_evicted_and_no_row_is_lost(lab: Lab) -> None:
    say = Progress(f"lab {NAME}", lab.folder / "logs").say
    primary = of_cluster(lab)["status"]["currentPrimary"]
    node = node_of(lab, primary)
    wait_for_rows(lab)

    preview = labs.admin(lab, "drain", node, *DRAIN[:2], "--dry-run")
    assert preview.code == 0, preview
    assert re.search(rf"^evict +{NAMESPACE}/{primary} +primary ", preview.out, re.MULTILINE), preview

    seen, began = Seen(lab, primary), time.monotonic()
    drained = labs.admin(lab, "drain", node, *DRAIN, timeout=400)
    took = time.monotonic() - began
    say(drained.err)
    assert drained.code == 0, drained
    wait_for_rows(lab)
    after = of_cluster(lab)["status"]["currentPrimary"]
    assert after != primary
    assert node_of(lab, after) != node
    assert seen.handed_over
    assert seen.told_to_go
    assert seen.handed_over[0] < seen.told_to_go[0]

    uncordoned = labs.admin(lab, "uncordon", node, timeout=400)
    assert uncordoned.code == 0, uncordoned
    wait_until_healthy(lab)
    assert node_of(lab, primary) == node
    wait_for_rows(lab)

    lab.kubectl("exec", WRITER, IN, "--", "touch", "/tmp/stop")
    end = time.monotonic() + PATIENCE
    while not lab.kubectl("logs", WRITER, IN, "--tail=1").startswith("stopped"):
        assert time.monotonic() < end, "the client does not stop"
        time.sleep(0.5)
    words = words_of_the_writer(lab)
    query = ["psql", "--dbname=app", "--tuples-only", "--no-align", "--command=SELECT n FROM written"]
    told = lab.kubectl("exec", after, IN, "--container=postgres", "--", *query)
    there = set(map(int, told.split()))
    written = {number for word, number in words if word == "acknowledged"}
    failed = [number for word, number in words if word == "failed"]
    say(f"drain of {node} in {took:.0f} s: {primary} handed over to {after}")
    say(f"{len(written)} rows acknowledged, {len(written - there)} lost, {len(failed)} attempts failed")
    assert written <= there, sorted(written - there)
