"""The upgrade path to another minor: which parts move in which order, and breaches at each stage. Pure.

Source of the order: https://kubernetes.io/releases/version-skew-policy/, «Supported component upgrade order».
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from kubectl_admin.control_plane.component import CONTROLLERS, Component
from kubectl_admin.finding import Finding
from kubectl_admin.versions.breaches import Breach, breaches, keeps
from kubectl_admin.versions.facts import Evidence, Facts, Instance
from kubectl_admin.versions.judge import skew_findings
from kubectl_admin.versions.requirements import etcd_gate, unmet
from kubectl_admin.versions.upstream import Upstream
from kubectl_admin.versions.version import Version


@dataclass(frozen=True, slots=True)
class UpgradeStage:
    """One stage of it: a kind of component moved to a minor.

    objects: they move, in this order.
    illegal: breaches of the policy or of the minor's needs once this stage is taken, nothing else being
        moved before: they must be fixed first.
    optional: the stage may wait, as long as no later stage finds it illegal.
    component: that moves, where the stage may wait.
    """

    minor: int
    title: str
    objects: tuple[str, ...]
    illegal: tuple[Finding, ...] = ()
    optional: bool = False
    component: Component | None = None


def holds_when(stages: Sequence[UpgradeStage], number: int, finding: Finding) -> str:
    """From which stage a finding of its `illegal` holds: «at step 9, unless step 3 is done before».

    number: of the stage, from 1. A stage that may wait prevents it where it moves the same parts far enough.
    """
    minor = stages[number - 1].minor
    for earlier, stage in enumerate(stages[: number - 1], 1):
        if stage.component is None:
            continue
        far = keeps(finding.rule, stage.component, stage.minor, (minor - 1, minor))
        if far and set(finding.objects) <= set(stage.objects):
            return f"at step {number}, unless step {earlier} is done before"
    return f"at step {number}"


def upgrade_path(facts: Facts, upstream: Upstream, target: int) -> list[UpgradeStage]:
    """The stages from the oldest API server's minor to `target`, minor by minor; none when there already.

    Kubelets and kube-proxies are taken as they are today throughout, so that the stages show how long
    they may stay, and from where on they may not.
    """
    if not facts.apiserver_minors:
        return []
    first = min(facts.apiserver_minors)
    stages: list[UpgradeStage] = []
    for minor in range(first if len(facts.apiserver_minors) > 1 else first + 1, target + 1):
        stages += _stages_to(facts, upstream, minor)
        facts = _moved(facts, minor, lambda part: part.component in (Component.APISERVER, *CONTROLLERS))
    if _behind(facts, target, Component.KUBECTL):
        may_wait = not any(breach.instance.component is Component.KUBECTL for breach in breaches(facts))
        stages.append(UpgradeStage(target, "kubectl", (), optional=may_wait))
    return stages


def _stages_to(facts: Facts, upstream: Upstream, minor: int) -> Iterator[UpgradeStage]:
    known = {(breach.instance, breach.rule) for breach in breaches(facts)}
    servers = _behind(facts, minor, Component.APISERVER)
    if servers:
        begun = _moved(facts, minor, lambda part: part is servers[0])
        after = _moved(facts, minor, lambda part: part.component is Component.APISERVER)
        broken: dict[object, Breach] = {}
        for breach in (*breaches(begun), *breaches(after)):
            key = breach.instance, breach.rule
            # A client bars no step of the cluster: kubectl has a step of its own, the last one.
            if key not in known and breach.instance.component is not Component.KUBECTL:
                broken.setdefault(key, breach)
        yield UpgradeStage(
            minor,
            "kube-apiserver, one after another",
            _names(servers),
            (
                *etcd_gate(facts, upstream, minor),
                *unmet(facts, upstream, minor),
                *skew_findings(broken.values()),
            ),
        )
        facts = after
    if controllers := _behind(facts, minor, *CONTROLLERS):
        yield UpgradeStage(minor, "kube-controller-manager and kube-scheduler", _names(controllers))
    if kubelets := _behind(facts, minor, Component.KUBELET):
        yield UpgradeStage(
            minor,
            "kubelet, each node drained first",
            _names(kubelets),
            optional=True,
            component=Component.KUBELET,
        )
    if proxies := _behind(facts, minor, Component.KUBE_PROXY):
        yield UpgradeStage(
            minor, "kube-proxy", _names(proxies), optional=True, component=Component.KUBE_PROXY
        )


def _behind(facts: Facts, minor: int, *components: Component) -> list[Instance]:
    return [part for part in facts.of(*components) if part.effective and part.effective.minor < minor]


def _moved(facts: Facts, minor: int, moves: Callable[[Instance], bool]) -> Facts:
    planned = Evidence(Version(1, minor, 0), "the plan")
    instances = tuple(
        replace(part, running=planned, emulates=None)
        if moves(part) and part.effective and part.effective.minor < minor
        else part
        for part in facts.instances
    )
    return replace(facts, instances=instances)


def _names(parts: list[Instance]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"node/{part.node}" for part in parts if part.node))
