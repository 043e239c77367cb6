"""Command-line flags and feature gates that a minor no longer knows: given one, a component does not start.

A gate that is locked to its default ends a component in the same way when it is set to the other value.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from kubectl_admin.finding import Finding, Gap, Severity
from kubectl_admin.versions.facts import Component
from kubectl_admin.versions.version import Version

GATES = "feature-gates"
TRUE, FALSE = ("1", "t", "true"), ("0", "f", "false")  # as Go's strconv.ParseBool reads them, in any case
FLAGS_SOURCE = "https://kubernetes.io/docs/reference/command-line-tools-reference/"
GATES_SOURCE = "https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates-removed/"
ETCD_SOURCE = "https://github.com/etcd-io/etcd/tree/main/CHANGELOG"
# Where an administrator sets a component's flags and gates on a kubeadm cluster.
CONFIGURED = "{} in ConfigMap kube-system/kubeadm-config, and from the manifest in /etc/kubernetes/manifests"
FLAG_PLACES: Mapping[str, str] = {
    Component.KUBELET: (
        "/var/lib/kubelet/kubeadm-flags.env, /etc/default/kubelet or /etc/sysconfig/kubelet on the node"
    ),
    Component.APISERVER: CONFIGURED.format("apiServer.extraArgs"),
    Component.CONTROLLER_MANAGER: CONFIGURED.format("controllerManager.extraArgs"),
    Component.SCHEDULER: CONFIGURED.format("scheduler.extraArgs"),
    Component.ETCD: CONFIGURED.format("etcd.local.extraArgs"),
    Component.KUBE_PROXY: "the command in DaemonSet kube-system/kube-proxy",
}
GATE_PLACES: Mapping[str, str] = {
    **FLAG_PLACES,
    Component.KUBELET: (
        "featureGates in ConfigMap kube-system/kubelet-config and in /var/lib/kubelet/config.yaml on the node"
    ),
    Component.KUBE_PROXY: "featureGates in ConfigMap kube-system/kube-proxy",
}


@dataclass(frozen=True, slots=True)
class Removed:
    """The table. Minors are numbers, 37 for 1.37; etcd's rows are those of the minor whose kubeadm brings it.

    flags: of each minor and component, those that it was the first not to know. gates: of all components of
    Kubernetes alike. locked: of each minor, the gates locked from it on, with their value. rewritten: flags
    that kubeadm itself had set, and takes away or replaces on its way to a minor, with the value that it
    gives them; None for any.
    """

    taken: date
    flags: Mapping[int, Mapping[str, frozenset[str]]]
    gates: Mapping[int, frozenset[str]]
    locked: Mapping[int, Mapping[str, bool]]
    rewritten: Mapping[int, Mapping[str, Mapping[str, str | None]]]

    @property
    def newest(self) -> int:
        """The newest minor that the table knows."""
        return max(self.gates)

    def flag_went(self, component: str, name: str, target: int) -> int | None:
        """The minor up to `target` since which a component does not know a flag; None where it does."""
        gone = (minor for minor, rows in self.flags.items() if name in rows.get(component, ()))
        return next((minor for minor in gone if minor <= target), None)

    def gate_went(self, name: str, target: int) -> int | None:
        """The minor up to `target` since which there is no such gate; None where there is."""
        return next((minor for minor, names in self.gates.items() if name in names and minor <= target), None)

    def gate_locked(self, name: str, target: int) -> tuple[int, bool] | None:
        """Since which minor up to `target` a gate is locked, and to what; None where it is free."""
        locks = ((minor, rows[name]) for minor, rows in self.locked.items() if name in rows)
        return next((lock for lock in locks if lock[0] <= target), None)

    def is_rewritten(self, component: str, name: str, value: str, target: int) -> bool:
        """Whether a flag with this value may be kubeadm's own, which it takes away on the way to `target`."""
        own = self.rewritten.get(target, {}).get(component, {})
        return name in own and own[name] in (None, value)


def findings(target: int, flags: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """What the components of a node are given that those of the minor `target` refuse.

    target: 37 for 1.37. flags: by component (its name, or a Component) the flags that it is given, without
    dashes, and their values; its feature gates are the value of «feature-gates» («A=true,B=false»), with
    those of the kubelet's configuration. A component that stays as it is, as an etcd whose image was set by
    hand, is to be left out.

    A Finding is a violation (rules «removed-flag», «removed-feature-gate»), or a warning for a flag that
    kubeadm itself has set and takes away during this very upgrade, since it stands elsewhere, too, perhaps.
    """
    table = load()
    found: list[Finding] = []
    for component, given in flags.items():
        found += [
            *_flags(table, target, str(component), given),
            *_gates(table, target, str(component), given),
        ]
    if target > table.newest:
        why = f"the table that ships with this program ends with 1.{table.newest} ({table.taken})"
        found.append(Gap(f"flags and feature gates that 1.{target} has removed", why).finding())
    return found


@cache
def load() -> Removed:
    """The table that ships with the program; how it is made is told in docs/lab.md."""
    text = (resources.files("kubectl_admin") / "data/removed.json").read_text("utf-8")
    document = json.loads(text)
    return Removed(
        taken=date.fromisoformat(document["taken"]),
        flags={
            minor: {component: frozenset(names) for component, names in rows.items()}
            for minor, rows in _by_minor(document["flags"])
        },
        gates={minor: frozenset(names) for minor, names in _by_minor(document["gates"])},
        locked=dict(_by_minor(document["locked"])),
        rewritten=dict(_by_minor(document["rewritten"])),
    )


def _by_minor(rows: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    return ((Version.parse(minor).minor, row) for minor, row in rows.items())


def _flags(table: Removed, target: int, component: str, given: Mapping[str, str]) -> Iterator[Finding]:
    """Findings on flags."""
    for written, value in given.items():
        # Kubernetes' programs read an underscore as a dash (component-base cli/flag.WordSepNormalizeFunc).
        name = written if component == Component.ETCD else written.replace("_", "-")
        went = table.flag_went(component, name, target)
        if went is None:
            continue
        place = FLAG_PLACES.get(component, f"the flags of {component}")
        severity, fix = Severity.VIOLATION, f"take it from {place}, before the upgrade"
        if table.is_rewritten(component, name, value, target):
            severity = Severity.WARNING
            fix = f"kubeadm 1.{target} takes away what kubeadm itself had set; if you did: {fix}"
        yield Finding(
            severity,
            "removed-flag",
            f"--{written} of {component}",
            "a component does not start with a flag that it does not know",
            f"{component} is given --{written}={value}, which is gone since 1.{went}",
            fix,
            ETCD_SOURCE if component == Component.ETCD else f"{FLAGS_SOURCE}{component}/",
        )


def _gates(table: Removed, target: int, component: str, given: Mapping[str, str]) -> Iterator[Finding]:
    """Findings on feature gates; etcd has lost none so far."""
    if component == Component.ETCD:
        return
    for name, value in gates_of(given).items():
        went, lock = table.gate_went(name, target), table.gate_locked(name, target)
        if went is not None:
            says = "a component does not start with a feature gate that it does not know"
            why = f"is gone since 1.{went}"
        elif lock is not None and value.lower() in (FALSE if lock[1] else TRUE):
            says = "a component does not start with a feature gate that is locked to the other value"
            why = f"is locked to {str(lock[1]).lower()} since 1.{lock[0]}"
        else:
            continue
        yield Finding(
            Severity.VIOLATION,
            "removed-feature-gate",
            f"feature gate {name} of {component}",
            says,
            f"{component} is given {name}={value}, which {why}",
            f"take it from {GATE_PLACES.get(component, f'the flags of {component}')}, before the upgrade",
            GATES_SOURCE,
        )


def gates_of(given: Mapping[str, str]) -> dict[str, str]:
    """The feature gates among a component's flags, by name; what is no «NAME=VALUE» is left out."""
    pairs = (pair.partition("=") for pair in given.get(GATES, given.get("feature_gates", "")).split(","))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}
