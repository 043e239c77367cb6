"""Whether nodes and etcd have what a minor of Kubernetes requires. Pure."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding, Gap, Severity
from kubectl_admin.versions import rules
from kubectl_admin.versions.facts import Facts, Node
from kubectl_admin.versions.upstream import Requirements, Upstream
from kubectl_admin.versions.version import Version

Value = TypeVar("Value", bound=Hashable)


def unmet(facts: Facts, upstream: Upstream, minor: int) -> Iterator[Finding]:
    """Requirements of a minor (37 for 1.37) that nodes miss, a finding each; a gap for an unknown one."""
    required = upstream.requirements.get(minor, Requirements())
    if upstream.requirements and minor > max(upstream.requirements):
        why = f"upstream's table of {upstream.taken} ends with 1.{max(upstream.requirements)}"
        yield Gap(f"requirements of 1.{minor} on etcd, container runtime, kernel and cgroup", why).finding()
    for check in (_containerd, _kernel, _cgroup, _runtime_support):
        yield from check(facts, required, minor)


def etcd_gate(facts: Facts, upstream: Upstream, minor: int) -> Iterator[Finding]:
    """Whether etcd may take the step that kubeadm takes with this minor, judged by every member of the facts.

    The gate is for the step into a new minor of etcd: a member that has taken it is past the gate, and one
    whose version is not known may be before it. An image tag that a person has set decides which etcd kubeadm
    brings. Source: etcd's upgrade guides to 3.6 and 3.7: all members, not the one that goes first.
    """
    brought = etcd_brought(facts, upstream, minor)
    gate = gate_to(brought, upstream) if brought else None
    if gate is None or brought is None:
        return
    members = list(facts.of(Component.ETCD))
    old = [
        each for each in members if each.version and each.version < gate and is_before(each.version, brought)
    ]
    unknown = [each for each in members if each.version is None]
    if old or unknown:
        seen = (
            f"kubeadm 1.{minor} brings etcd {brought.minor_text}; members that skip {gate} may not come back"
        )
        if unknown:
            seen += f"; the version is unknown on {', '.join(each.node or '?' for each in unknown)}"
        yield rules.ETCD_TOO_OLD_TO_UPGRADE.violation(
            says=f"every etcd member must be at {gate} or later before the step to {brought.minor_text}",
            subject=f"etcd for 1.{minor}",
            evidence=seen,
            fix=(_etcd_fix(facts, gate) if old else "kubectl admin etcd-status asks every member"),
            objects=tuple(f"node/{each.node}" for each in (*old, *unknown) if each.node),
        )


def _etcd_fix(facts: Facts, gate: Version) -> str:
    """How etcd alone is upgraded. Source: kubernetes/kubernetes cmd/kubeadm/app/cmd/upgrade/apply.go."""
    known = [part.version for part in facts.of(Component.APISERVER) if part.version]
    version = f" v{max(known, key=lambda each: each.precedence)}" if known else ""
    return (
        f"upgrade etcd alone first: set etcd.local.imageTag to a tag of etcd {gate} or later "
        "(kubectl -n kube-system edit configmap kubeadm-config), then run kubeadm upgrade apply"
        f"{version} on each control plane, and remove the tag again"
    )


def etcd_brought(facts: Facts, upstream: Upstream, minor: int) -> Version | None:
    """The etcd that kubeadm of this minor brings: its own, but for a tag in kubeadm-config; None if unknown.

    Source: kubernetes/kubernetes cmd/kubeadm/app/phases/upgrade/staticpods.go, performEtcdStaticPodUpgrade.
    """
    pinned = facts.kubeadm_config.etcd_tag if facts.kubeadm_config else None
    return pinned or upstream.requirements.get(minor, Requirements()).etcd


def gate_to(etcd: Version, upstream: Upstream) -> Version | None:
    """The version members must have before the step into this minor of etcd; None where any will do."""
    return next(
        (
            required.etcd_before
            for required in upstream.requirements.values()
            if required.etcd_before and required.etcd and required.etcd.minor_text == etcd.minor_text
        ),
        None,
    )


def etcd_minor(facts: Facts, upstream: Upstream) -> int | None:
    """The newest minor whose kubeadm brings the etcd that an image tag names; None where none is set."""
    pinned = facts.kubeadm_config.etcd_tag if facts.kubeadm_config else None
    if pinned is None:
        return None
    rows = upstream.requirements.items()
    return max((minor for minor, row in rows if row.etcd and not is_before(pinned, row.etcd)), default=None)


def is_before(version: Version, other: Version) -> bool:
    """Whether a version is of an earlier minor than the other."""
    return (version.major, version.minor) < (other.major, other.minor)


def containerd_is_tested(version: Version, tested: tuple[Version, ...]) -> bool:
    """Whether a containerd is among those tested with a minor: its line is named and the patch is not older.

    Lines newer than all that are named count as tested: tables are older than releases.
    Source: containerd's RELEASES.md, «Kubernetes support».
    """
    if not tested or (version.major, version.minor) > max((line.major, line.minor) for line in tested):
        return True
    return any(
        (line.major, line.minor) == (version.major, version.minor) and version >= line for line in tested
    )


def kernel_is_accepted(version: Version, lines: tuple[str, ...]) -> bool:
    """Whether kubeadm's system check accepts a kernel: its line is named, or its major is behind a «6+».

    Source: kubernetes/system-validators, validators/types_unix.go.
    """
    return not lines or any(
        version.major >= int(line.removesuffix("+")) if line.endswith("+") else version.minor_text == line
        for line in lines
    )


def _unfit(facts: Facts, value: Callable[[Node], Value], unfit: Callable[[Value], bool]) -> list[Node]:
    """The nodes whose value is unfit; each is judged once, since thousands of nodes share a few."""
    found = {each for each in set(map(value, facts.nodes)) if unfit(each)}
    return [node for node in facts.nodes if value(node) in found] if found else []


def _objects(nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(f"node/{node.name}" for node in nodes)


def _containerd(facts: Facts, required: Requirements, minor: int) -> Iterator[Finding]:
    def unfit(runtime: str) -> bool:
        name, _, written = runtime.partition("://")
        version = Version.find(written)
        return bool(
            name == "containerd" and version and not containerd_is_tested(version, required.containerd)
        )

    if nodes := _unfit(facts, lambda node: node.runtime, unfit):
        found = sorted({node.runtime for node in nodes})
        yield rules.CONTAINERD_UNTESTED.warning(
            subject=f"container runtime for 1.{minor}",
            evidence=f"{', '.join(found)}; tested: {', '.join(f'{line}+' for line in required.containerd)}",
            fix="upgrade containerd on these nodes first",
            objects=_objects(nodes),
        )


def _kernel(facts: Facts, required: Requirements, minor: int) -> Iterator[Finding]:
    def unfit(kernel: str) -> bool:
        version = Version.find(kernel)
        return bool(version and not kernel_is_accepted(version, required.kernels))

    if nodes := _unfit(facts, lambda node: node.kernel, unfit):
        yield rules.KERNEL_UNSUPPORTED.warning(
            says=f"kubeadm's system check wants one of {', '.join(required.kernels)}",
            subject=f"kernel for 1.{minor}",
            evidence=", ".join(sorted({node.kernel for node in nodes})),
            fix="upgrade the operating system of these nodes",
            objects=_objects(nodes),
        )


def _cgroup(facts: Facts, required: Requirements, minor: int) -> Iterator[Finding]:
    if required.cgroup != 2:
        return
    for allowed, severity in (
        (None, Severity.WARNING),
        (True, Severity.WARNING),
        (False, Severity.VIOLATION),
    ):
        nodes = [each for each in facts.nodes if each.cgroup == 1 and each.allows_cgroup_v1 is allowed]
        if not nodes:
            continue
        seen = ", ".join(sorted({node.cgroup_seen for node in nodes}))
        runs = f"node {nodes[0].name} runs" if len(nodes) == 1 else f"{len(nodes)} nodes run"
        its = "its kubelet" if len(nodes) == 1 else "each kubelet"
        allows = {
            None: f"whether {its} accepts it was not read",
            True: f"{its} accepts it (failCgroupV1: false); kubeadm may need "
            "--ignore-preflight-errors=SystemVerification",
            False: f"{its} refuses it, without failCgroupV1: false",
        }[allowed]
        yield rules.CGROUP_V1.finding(
            severity,
            subject=f"cgroup v1 for 1.{minor}",
            evidence=f"{runs} cgroup v1 ({seen}); {allows}",
            fix=(
                "boot these nodes with cgroup v2 (systemd.unified_cgroup_hierarchy=1)"
                + ("" if allowed else ", or set failCgroupV1: false in ConfigMap kube-system/kubelet-config")
            ),
            objects=_objects(nodes),
        )


def _runtime_support(facts: Facts, _required: Requirements, minor: int) -> Iterator[Finding]:
    def unfit(version: str) -> bool:
        ends = Version.find(version)
        return bool(ends and ends.minor <= minor)

    if nodes := _unfit(facts, lambda node: node.runtime_support_ends, unfit):
        yield rules.RUNTIME_SUPPORT_ENDS.violation(
            subject=f"container runtime for 1.{minor}",
            evidence="metric kubelet_cri_losing_support names this minor or an earlier one",
            fix="upgrade the container runtime on these nodes first",
            objects=_objects(nodes),
        )
