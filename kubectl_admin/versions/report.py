"""How versions are shown: a matrix node × component, the next step, and the same as plain data. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import beside, some_of
from kubectl_admin.versions.breaches import Breach
from kubectl_admin.versions.facts import Evidence, Facts, Instance, Node
from kubectl_admin.versions.policy import kubelet_minors, minors_text
from kubectl_admin.versions.upgrade_path import UpgradeStage, holds_when
from kubectl_admin.versions.upstream import Upstream

STAGE_OBJECTS = 5  # that are named in a stage
MATRIX = (
    (Component.APISERVER, "APISERVER"),
    (Component.CONTROLLER_MANAGER, "MANAGER"),
    (Component.SCHEDULER, "SCHEDULER"),
    (Component.ETCD, "ETCD"),
    (Component.KUBELET, "KUBELET"),
    (Component.KUBE_PROXY, "PROXY"),
)


def report(
    facts: Facts,
    found: Sequence[Breach],
    findings: Sequence[Finding],
    upstream: Upstream,
    today: date,
    stages: Sequence[UpgradeStage] | None,
) -> Report:
    """The report of skew on one cluster, in which these breaches of the policy were found.

    stages: the upgrade path to a target; None where none was asked for.
    """
    path = stages or ()
    blocked = [
        replace(finding, evidence=f"{holds_when(path, number, finding)}: {finding.evidence}")
        for number, stage in enumerate(path, 1)
        for finding in stage.illegal
        if finding not in findings
    ]
    return Report(
        kind="SkewReport",
        items=lambda: node_documents(facts),
        names=lambda: (f"node/{node.name}" for node in visible_nodes(facts)),
        tables=[matrix(facts, found)] if visible_nodes(facts) else [],
        paragraphs=[
            summary(facts, found, upstream, today),
            *([upgrade_path_text(stages)] if stages is not None else []),
        ],
        findings=sorted(
            [*findings, *blocked],
            key=lambda finding: list(Severity).index(finding.severity),
        ),
        fields=cluster_document(facts, upstream, stages),
    )


def matrix(facts: Facts, found: Iterable[Breach]) -> Table:
    """A row a node, a column a component; «!» marks a forbidden version, «?» a doubtful one."""
    nodes = visible_nodes(facts)
    broken = {(breach.instance.node, breach.instance.component) for breach in found}

    def cells(component: Component) -> list[Cell | str]:
        at = {part.node: part for part in facts.of(component)}
        return [cell(at.get(node.name), (node.name, component) in broken) for node in nodes]

    parts = {name: cells(component) for component, name in MATRIX if any(facts.of(component))}
    columns = [
        (Column("NAME"), [node.name for node in nodes]),
        (Column("STATUS"), [node.status.partition(",")[0] for node in nodes]),
        *((Column(name), column) for name, column in parts.items()),
        (Column("ROLES", wide=True), [node.roles for node in nodes]),
        (Column("KERNEL", wide=True), [node.kernel for node in nodes]),
        (Column("RUNTIME", wide=True), [node.runtime for node in nodes]),
        (Column("OS-IMAGE", wide=True), [node.os_image for node in nodes]),
    ]
    return Table([column for column, _ in columns], list(zip(*(cells for _, cells in columns), strict=True)))


def visible_nodes(facts: Facts) -> Sequence[Node]:
    """The nodes; where they could not be listed, those on which a part is known to run."""
    if facts.nodes:
        return facts.nodes
    names = dict.fromkeys(part.node for part in facts.instances if part.node)
    unknown = "<unknown>"
    return [Node(name, unknown, unknown, unknown, unknown, unknown) for name in names]


def cell(part: Instance | None, broken: bool) -> Cell | str:
    """An instance's version with its mark; «-» where the node has no such part."""
    if part is None:
        return "-"
    version = part.version
    text = str(version) if version else "<unknown>"
    if broken:
        return Cell(text, Mark.BAD)
    return Cell(text, Mark.DOUBT) if part.problem or part.disagreement or not version else text


def summary(facts: Facts, found: Sequence[Breach], upstream: Upstream, today: date) -> str:
    """The parts without a node, how long the minor is supported, and the next step that the policy allows."""
    lines = [
        f"{part.component} {part.version or '<unknown>'}"
        for part in facts.instances
        if part.node is None and (part.version or part.problem)
    ]
    first = [f"context {facts.context}", *lines] if facts.context else lines
    step = next_step(facts, found, upstream)
    return "\n".join([", ".join(first), *support_lines(facts, upstream, today), *step])


def support_lines(facts: Facts, upstream: Upstream, today: date) -> Iterator[str]:
    """Until when each minor that runs gets patches, and how old that knowledge is."""
    for minor in facts.apiserver_minors:
        if window := upstream.support.get(minor):
            days = (window.end - today).days
            until = (
                f"supported until {window.end} ({days} days)"
                if days >= 0
                else f"unsupported since {window.end}"
            )
            yield f"Kubernetes 1.{minor}: {until}; newest patch {window.latest}"
    yield f"(upstream's table of {upstream.taken}, age {(today - upstream.taken).days} days)"


def next_step(facts: Facts, found: Sequence[Breach], upstream: Upstream) -> Iterator[str]:
    """The next step that the policy allows, in a line; a client bars none of the cluster's."""
    minors = facts.apiserver_minors
    if not minors:
        return
    if any(breach.instance.component is not Component.KUBECTL for breach in found):
        yield "next: fix the findings; no upgrade step is allowed until then"
    elif len(minors) > 1:
        yield f"next: upgrade the remaining API servers to 1.{minors[-1]}; they run {minors_text(minors)}"
    elif not facts.nodes:
        yield "next: not judged, since the nodes can't be seen"
    elif minors[0] >= upstream.newest:
        yield f"next: nothing; 1.{minors[0]} is the newest minor known"
    else:
        target = minors[0] + 1
        late = kubelet_minors((target,)).oldest
        old = [kubelet for kubelet in facts.of(Component.KUBELET) if _minor(kubelet) < late]
        if old:
            kubelets = "kubelet" if len(old) == 1 else "kubelets"
            yield f"next: {len(old)} {kubelets} to at least 1.{late}, then the API servers to 1.{target}"
        else:
            latest = upstream.support.get(target)
            version = f" (newest patch {latest.latest})" if latest else ""
            yield f"next: 1.{target}{version}: kubectl admin skew --target 1.{target}"


def upgrade_path_text(stages: Sequence[UpgradeStage]) -> str:
    """The upgrade path as a numbered list; below each stage what blocks it."""
    if not stages:
        return "upgrade path: nothing to do; every API server has that version already"
    lines = ["upgrade path:"]
    for number, stage in enumerate(stages, 1):
        wait = " (can be done later)" if stage.optional else ""
        objects = f": {some_of(stage.objects, STAGE_OBJECTS)}" if stage.objects else ""
        lines.append(f"{number}. 1.{stage.minor}: {stage.title}{wait}{objects}")
        for finding in stage.illegal:
            where = beside(finding.objects, STAGE_OBJECTS)
            word = "blocked by" if finding.severity is Severity.VIOLATION else "check"
            lines.append(f"  {word}: {finding.subject}{where}: {finding.evidence}")
    return "\n".join(lines)


def node_documents(facts: Facts) -> Iterator[dict[str, object]]:
    """Every node with its parts as plain data."""
    parts: dict[str | None, dict[str, object]] = defaultdict(dict)
    for part in facts.instances:
        parts[part.node][str(part.component)] = instance_document(part)
    for node in visible_nodes(facts):
        yield {
            "name": node.name,
            "status": node.status,
            "roles": node.roles,
            "osImage": node.os_image,
            "kernel": node.kernel,
            "containerRuntime": node.runtime,
            "components": parts[node.name],
        }


def cluster_document(
    facts: Facts, upstream: Upstream, stages: Sequence[UpgradeStage] | None
) -> dict[str, object]:
    """Fields of the cluster as a whole."""
    return {
        "context": facts.context,
        "server": facts.server,
        "kubeadmConfigVersion": str(facts.kubeadm) if facts.kubeadm else None,
        "components": {
            str(part.component): instance_document(part) for part in facts.instances if part.node is None
        },
        "upstreamTable": str(upstream.taken),
        "support": {
            f"1.{minor}": {"end": str(window.end), "latest": str(window.latest)}
            for minor in facts.apiserver_minors
            if (window := upstream.support.get(minor))
        },
        **({"way": [_stage_document(stage) for stage in stages]} if stages is not None else {}),
    }


def instance_document(part: Instance) -> dict[str, object]:
    """An instance with all evidence."""

    def shown(evidence: Evidence | None) -> dict[str, str] | None:
        return {"version": str(evidence.version), "source": evidence.source} if evidence else None

    return {
        "version": str(part.version) if part.version else None,
        "running": shown(part.running),
        "claimed": shown(part.claimed),
        **({"installed": shown(part.installed)} if part.installed else {}),
        **({"talksTo": str(part.reach)} if part.reach else {}),
        **({"emulates": part.emulates.minor_text} if part.emulates else {}),
        **({"problem": part.problem} if part.problem else {}),
    }


def _stage_document(stage: UpgradeStage) -> dict[str, object]:
    return {
        "minor": f"1.{stage.minor}",
        "title": stage.title,
        "objects": list(stage.objects),
        "optional": stage.optional,
        "illegal": [finding.document() for finding in stage.illegal],
    }


def _minor(part: Instance) -> int:
    return part.version.minor if part.version else 0
