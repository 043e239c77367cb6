"""The plan for a node, and what forbids it: looked at, and nothing touched."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from kubectl_admin.clock import Clock
from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.drain import drain
from kubectl_admin.drain.preview import Preview
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.node import debug_pod, manifest
from kubectl_admin.node.host import Host
from kubectl_admin.plan import Step
from kubectl_admin.upgrade import addons, gather, packages, plan, preflight, snapshot, target
from kubectl_admin.upgrade.facts import ClusterFacts, Disk, Role, Target
from kubectl_admin.versions import upstream
from kubectl_admin.versions.version import AnyPatch, Version

# The rights to look at a node's upgrade, beside those for a debug pod.
LOOKING = (Right("get", "nodes"), Right("list", "nodes"), Right("list", "pods"))
# The rights to carry it out, beside those.
DOING = (
    Right("patch", "nodes"),
    Right("watch", "nodes"),
    Right("watch", "pods"),
    Right("create", "pods/eviction"),
    Right("list", "daemonsets", KUBE_SYSTEM, "apps"),
    Right("list", "deployments", KUBE_SYSTEM, "apps"),
    *one_at_a_time.RIGHTS,
)


@dataclass(frozen=True, slots=True)
class Options:
    """A person's choices.

    to: a version or a minor; None for the one that the cluster has.
    allow: rules whose violations forbid nothing.
    ignored, patches: kubeadm's --ignore-preflight-errors and --patches, or «-».
    renew_key: whether to fetch the repository's key again.
    snapshot: the file or directory for the snapshot of etcd, or None.
    first: this node may be the first control plane.
    draining: how the node is drained; None not to drain it.
    ready_timeout: seconds for the node to be well again.
    pods: how debug pods are made.
    skipped: control-plane nodes that are down; their hosts are not asked for running work.
    """

    to: str | None = None
    allow: tuple[str, ...] = ()
    ignored: str = "-"
    patches: str = "-"
    renew_key: bool = False
    snapshot: str | None = "."
    first: bool = False
    draining: drain.Options | None = field(default_factory=drain.Options)
    ready_timeout: float = 600.0
    pods: debug_pod.Options = field(default_factory=debug_pod.Options)
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """The plan for a node, and what forbids it. preview: of its drain; None where there is none."""

    facts: ClusterFacts
    disk: Disk
    role: Role
    target: Target
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    preview: Preview | None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to do."""
        return all(step.done for step in self.steps)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a node is seen. Each call raises AdminError where it can't be asked.

    cluster_name: as the kubeconfig has it. facts: the node among the others. disk: facts of its host.
    offers: the packages of a minor in its repository. behind: as `addons.left_behind`, for a target.
    preview: of its drain. clock: by which an API server that is away is waited for.
    """

    cluster_name: str
    facts: Callable[[], ClusterFacts]
    disk: Callable[[ClusterFacts], Disk]
    offers: Callable[[int], Iterable[packages.Offer]]
    behind: Callable[[Target], list[str]]
    preview: Callable[[], Preview]
    clock: Clock = time

    @classmethod
    def of(cls, cluster: Cluster, host: Host, options: Options) -> "Source":
        """The cluster and the node's host themselves."""
        node = host.node
        return cls(
            cluster.target.cluster_name,
            facts=lambda: gather.cluster_facts(cluster, node),
            disk=lambda facts: gather.disk(host, facts, options.patches),
            offers=lambda minor: packages.ask_repository(host, minor, renew_key=options.renew_key),
            behind=lambda goal: addons.left_behind(cluster, host, goal),
            preview=lambda: drain.look(cluster, node, previewed_with(host, options)),
            clock=cluster.clock,
        )


def inspect(source: Source, options: Options) -> Inspection:
    """The plan for the node; nothing is touched. Raises AdminError where that can't be known."""
    facts = source.facts()
    disk, node = source.disk(facts), facts.node
    refuse_unmanaged(node, disk)
    minor, asked = target.wanted(options.to) if options.to else (target.default_minor(facts), None)
    version = asked or target.followed(facts, minor)
    goal = (
        goal_there(disk, version)
        or goal_refused(facts, disk, version or AnyPatch(minor), options)
        or target.choose(facts, asked, minor, source.offers(minor))
    )
    role = target.role(facts, goal.version, disk.kubeadm_record)
    steps = plan.steps(
        facts,
        disk,
        role,
        goal,
        snapshot=options.snapshot is not None,
        drain=options.draining is not None,
    )
    findings = preflight.findings(
        facts,
        disk,
        role,
        goal,
        upstream.load(),
        first=options.first,
        drained=options.draining is not None,
        kubeadm=any(step.name == plan.KUBEADM and not step.done for step in steps),
    )
    if options.snapshot is not None and any(step.name == plan.SNAPSHOT and not step.done for step in steps):
        resumed = bool(disk.records)
        findings += snapshot.findings(node, options.snapshot, source.cluster_name, resumed=resumed)
    # An old add-on forbids nothing that is still to do.
    if all(step.done for step in steps) and has_comparable_addons(role, options):
        findings += addons.behind_findings(node, source.behind(goal))
    drains = any(step.name == plan.DRAIN and not step.done for step in steps)
    preview = source.preview() if drains else None
    return Inspection(
        facts, disk, role, goal, steps, tuple(preflight.allow(findings, options.allow)), preview
    )


def has_comparable_addons(role: Role, options: Options) -> bool:
    """Whether the add-ons are to be kubeadm's once the node is done: a control plane's, and not with patches.

    With patches their images may be any.
    """
    return role.control_plane and options.patches == plan.NONE


def goal_there(disk: Disk, version: Version | None) -> Target | None:
    """The target, where all of its packages are on the node already: no repository is asked then."""
    installed = disk.packages.installed
    same = set(installed.values())  # not every node has kubectl
    if (
        version is None
        or len(same) != 1
        or not (version.is_same(disk.kubelet) and version.is_same(disk.kubeadm))
    ):
        return None
    return Target(version, str(same.pop()))


def goal_refused(facts: ClusterFacts, disk: Disk, version: Version, options: Options) -> Target | None:
    """The target, where that version is forbidden whatever its packages are: no repository is asked then."""
    role = target.role(facts, version, disk.kubeadm_record)
    found = [*preflight.direction(facts, disk, version), *preflight.skew(facts, role, version)]
    refused = any(each.severity is Severity.VIOLATION for each in preflight.allow(found, options.allow))
    return Target(version, "") if refused else None


def refuse_unmanaged(node: str, disk: Disk) -> None:
    """Raises AdminError where the node does not run packages of Kubernetes."""
    if disk.packages.manager is packages.Manager.NONE:
        raise AdminError(f"node {node}: it has no apt, dnf or zypper", "upgrade it the way it was installed")
    missing = [name for name in ("kubeadm", "kubelet") if name not in disk.packages.installed]
    if missing:
        raise AdminError(
            f"node {node}: not installed with {disk.packages.manager}: {', '.join(missing)}",
            "upgrade it the way it was installed",
        )


def is_possible(seen: Inspection, options: Options) -> bool:
    """Whether the upgrade may begin: nothing forbids it, and the node can be drained."""
    if any(finding.severity is Severity.VIOLATION for finding in seen.findings):
        return False
    return seen.preview is None or drain.is_possible(seen.preview, drained_with(options))


def drained_with(options: Options) -> drain.Options:
    """How the node is drained: pods of this program stay, since the work goes through one."""
    chosen = options.draining or drain.Options()
    return replace(chosen, flags=replace(chosen.flags, own=manifest.LABELS))


def previewed_with(host: Host, options: Options) -> drain.Options:
    """As `drained_with`, and the preview tells this run's debug pod from those of other runs."""
    chosen = drained_with(options)
    return replace(chosen, flags=replace(chosen.flags, this_run={manifest.OPERATION: host.operation.id}))


def rights(options: debug_pod.Options, *, doing: bool) -> list[Right]:
    """The rights to look at a node's upgrade, and to carry it out."""
    return [*LOOKING, *debug_pod.rights(options.namespace), *(DOING if doing else ())]
