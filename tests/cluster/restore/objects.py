"""The objects by which a restore is told from none, and the hashes by which members of etcd are compared."""

import json
from pathlib import Path

from tests.cluster import etcd_direct
from tests.cluster.health.breaks import temporary
from tests.cluster.labs import admin
from tests.cluster.restore.watch import AS_BEFORE, RESTORED
from tests.lab.nodes.lab import Lab

NAMESPACE = "chaos"
LABEL = {"app": NAMESPACE}
THEN = frozenset(f"then-{number}" for number in range(20))
GONE = frozenset(f"then-{number}" for number in range(10))  # since
NEW = frozenset(f"now-{number}" for number in range(10))
NOW = THEN - GONE | NEW
EXPECTED = {RESTORED: THEN, AS_BEFORE: NOW}
SNAPSHOT_TIMEOUT = 300  # seconds
HASH_TRIES = 5  # the API server may compact etcd meanwhile


def take(lab: Lab, file: Path) -> None:
    """Takes a snapshot with the objects of THEN."""
    lab.kubectl("create", "namespace", NAMESPACE)
    make(lab, THEN)
    taken = admin(lab, "etcd-snapshot", "-o", str(file), timeout=SNAPSHOT_TIMEOUT)
    assert taken.code == 0, taken.err


def change(lab: Lab) -> None:
    """The objects are those of NOW."""
    lab.kubectl("--namespace", NAMESPACE, "delete", "configmaps", "--ignore-not-found", *sorted(GONE))
    make(lab, NEW)


def remove(lab: Lab) -> None:
    """Removes them all."""
    lab.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", timeout=240)


def make(lab: Lab, names: frozenset[str]) -> None:
    """Makes objects of these names, where they are not there."""
    items = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABEL},
        }
        for name in sorted(names)
    ]
    with temporary(lab, json.dumps({"apiVersion": "v1", "kind": "List", "items": items})) as file:
        lab.kubectl("apply", "-f", str(file))


def present(lab: Lab) -> frozenset[str]:
    """The names of those that are there."""
    asked = ("--namespace", NAMESPACE, "get", "configmaps", f"--selector=app={NAMESPACE}", "--output=name")
    return frozenset(line.removeprefix("configmap/") for line in lab.kubectl(*asked).split())


def hashes(lab: Lab) -> dict[str, str]:
    """The hash of what each member has, at one revision; by node."""
    for _ in range(HASH_TRIES):
        with etcd_direct.member(lab) as first:
            revision = first.revision()
        found = {each.name: hash_at(lab, each.name, revision) for each in lab.control_planes}
        if len({compacted for _, compacted in found.values()}) == 1:
            break
    return {name: hashed for name, (hashed, _) in found.items()}


def hash_at(lab: Lab, node: str, revision: int) -> tuple[str, str]:
    """A member's hash up to a revision, and the one up to which it is compacted."""
    with etcd_direct.member(lab, node) as etcd:
        etcd.names(etcd_direct.PREFIX)  # it answers once it has all that was written before
        told = etcd.ask("maintenance/hashkv", revision=revision)
    return str(told["hash"]), str(told.get("compact_revision", 0))
