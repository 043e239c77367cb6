"""How far a node's upgrade is, seen from anywhere: who does it, which work runs there, which versions."""

from collections.abc import Callable
from dataclasses import dataclass

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.control_plane import static_pods
from kubectl_admin.node import jobs, lease
from kubectl_admin.node.host import Host, Say
from kubectl_admin.report import Column, Report, Table
from kubectl_admin.upgrade import gather
from kubectl_admin.upgrade.actions import patient
from kubectl_admin.upgrade.facts import ClusterFacts, Disk, Record
from kubectl_admin.upgrade.host_jobs import DIRECTORY, JOBS, NAME
from kubectl_admin.versions.version import Version


@dataclass(frozen=True, slots=True)
class Status:
    """A node in its upgrade. holder: who does it, in words. work: the jobs at work on its host."""

    facts: ClusterFacts
    disk: Disk
    holder: str
    work: tuple[str, ...]


def status(
    cluster: Cluster,
    host: Host,
    *,
    read: Callable[..., ClusterFacts] = gather.cluster_facts,
    survey: Callable[[Host, ClusterFacts], Disk] = gather.disk,
) -> Status:
    """How far it is. Raises AdminError where the node or the API can't be asked.

    read, survey: gather.cluster_facts and gather.disk.
    """
    patiently = patient(host.say, host.clock)
    facts = patiently(lambda: read(cluster, host.node, members=False))
    holder = patiently(lambda: lease.who(cluster, lease_name(cluster, host.node)))
    work = tuple(name for name in JOBS if jobs.running(host, NAME, f"{DIRECTORY}/{name}"))
    return Status(facts, survey(host, facts), str(holder) if holder else "", work)


def show_logs(host: Host, write: Callable[[str], None], note: Say) -> None:
    """Writes the output of the jobs of an upgrade that is not over on the host; notes where there is none."""
    written = jobs.logs(host, DIRECTORY)
    write(written)
    if not written:
        note(f"no upgrade of node {host.node} runs, or it has written nothing yet")


def lease_name(cluster: Cluster, node: str) -> str:
    """The Lease of a run that upgrades this node: control planes, which share etcd, have one for all."""
    known = (each.name for each in static_pods.control_plane_nodes(cluster))
    return lease.CONTROL_PLANE if node in known else lease.of_node(node)


def report(seen: Status) -> Report:
    """The same as a table."""
    facts, installed = seen.facts, seen.disk.packages.installed
    mark = facts.mark
    rows = [
        ["upgraded by", seen.holder or "nobody at the moment"],
        ["at work there", ", ".join(seen.work) or "nothing"],
        ["marked for", f"{mark.target} since {mark.since}" if mark else "-"],
        ["node", ("Ready" if facts.ready else "NotReady") + (", cordoned" if facts.cordoned else "")],
        ["kubelet", f"{facts.kubelet} runs, {seen.disk.kubelet} is on the disk"],
        *([name, f"{version or '?'} runs"] for name, version in facts.static_versions().items()),
        *([f"package {name}", version] for name, version in sorted(installed.items())),
        *([f"step {name}", ended(record)] for name, record in sorted(seen.disk.records.items())),
        ["held packages", ", ".join(sorted(seen.disk.packages.held)) or "none"],
        ["kubeadm-config", str(facts.versions.kubeadm or "?")],
    ]
    return Report(
        kind="NodeUpgradeStatus",
        items=lambda: [document(seen)],
        names=lambda: [f"node/{facts.node}"],
        tables=[Table([Column("WHAT"), Column("STATE")], [[str(name), str(value)] for name, value in rows])],
    )


def document(seen: Status) -> dict[str, object]:
    """The same as plain data."""
    facts, mark = seen.facts, seen.facts.mark
    return {
        "node": facts.node,
        "upgradedBy": seen.holder or None,
        "atWork": list(seen.work),
        "target": mark.target if mark else None,
        "since": mark.since if mark else None,
        "ready": facts.ready,
        "cordoned": facts.cordoned,
        "kubelet": {"running": text(facts.kubelet), "installed": text(seen.disk.kubelet)},
        "controlPlane": {str(name): text(version) for name, version in facts.static_versions().items()},
        "steps": {
            name: {"target": record.target, "mode": record.mode, "exitCode": record.exit_code}
            for name, record in seen.disk.records.items()
        },
        "packages": dict(seen.disk.packages.installed),
        "held": sorted(seen.disk.packages.held),
        "kubeadmConfig": text(facts.versions.kubeadm),
    }


def ended(record: Record) -> str:
    """How a step was ended by its own job."""
    how = "at work, or killed" if record.exit_code is None else f"ended with {record.exit_code}"
    mode = "" if record.mode == "-" else f" ({record.mode})"
    return f"{record.target}{mode}: {how}"


def text(version: Version | None) -> str | None:
    """The version as it is written, or None."""
    return str(version) if version else None
