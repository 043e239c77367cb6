"""Command-line flags and feature gates that a minor no longer knows: given one, a component does not start.

A gate that is locked to its default ends a component in the same way when it is set to the other value.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding, Gap, Severity
from kubectl_admin.upgrade.next_start import GATES, Fate, Settings
from kubectl_admin.upgrade.rules import REMOVED_FEATURE_GATE, REMOVED_FLAG
from kubectl_admin.versions.version import Version

TRUE, FALSE = ("1", "t", "true"), ("0", "f", "false")  # as Go's strconv.ParseBool reads them, in any case
SECRET = ("password", "secret", "token")  # in the name of a flag whose value nobody should see


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


def findings(target: int, settings: Iterable[Settings], *, etcd: int | None = None) -> list[Finding]:
    """Settings of a node's next start that the components of the minor `target` refuse.

    target: 37 for 1.37.
    settings: of two that contradict each other, the later one counts.
    etcd: the minor whose kubeadm brings the etcd that the node will have, if somebody has set another tag
    by hand.

    A Finding is a violation (rules «removed-flag», «removed-feature-gate»). It is a warning if kubeadm
    removes the setting in this very upgrade: it has set it itself, or writes the file or object again.
    """
    table = load()
    found: list[Finding] = []
    places: dict[Component, list[Settings]] = {}
    for each in settings:
        places.setdefault(each.component, []).append(each)
    for component, all_settings in places.items():
        minor = etcd if component is Component.ETCD and etcd is not None else target
        found += [
            *_flags(table, minor, component, all_settings),
            *_gates(table, minor, component, all_settings),
        ]
    if target > table.newest:
        why = f"the table that ships with this program ends with 1.{table.newest} ({table.taken})"
        found.append(Gap(f"flags and feature gates that 1.{target} has removed", why).finding())
    return found


@cache
def load() -> Removed:
    """The table that ships with the program; docs/lab.md says how it is made."""
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


def _flags(
    table: Removed, target: int, component: Component, all_settings: Sequence[Settings]
) -> Iterator[Finding]:
    """Findings on flags, one for each, with all places where it is."""
    for name in dict.fromkeys(name for settings in all_settings for name in settings.flags):
        went = table.flag_went(component, name, target)
        if went is None:
            continue
        holders = [settings for settings in all_settings if name in settings.flags]

        def is_own(settings: Settings, name: str = name) -> bool:
            return settings.fate is Fate.KUBEADM and table.is_rewritten(
                settings.component, name, settings.flags[name], target
            )

        staying = [each for each in holders if each.fate is not Fate.REPLACED and not is_own(each)]
        seen = " and ".join(
            f"--{name}={shown(name, each.flags[name])} by {each.place}" for each in staying or holders
        )
        yield REMOVED_FLAG.finding(
            Severity.VIOLATION if staying else Severity.WARNING,
            subject=f"--{name} of {component}",
            evidence=f"{component} is given {seen}; 1.{went} has removed it",
            fix=_fix(staying, target),
        )


def shown(name: str, value: str) -> str:
    """The value of a flag as it may be shown: a password (storage-driver-password was one) is not."""
    return "…" if any(word in name for word in SECRET) else value


def _fix(staying: Sequence[Settings], target: int) -> str:
    """The fix for settings that stay; others need none."""
    if staying:
        return f"before the upgrade, remove it from {' and from '.join(each.place for each in staying)}"
    return f"nothing to do: kubeadm 1.{target} removes it there"


def _gates(
    table: Removed, target: int, component: Component, all_settings: Sequence[Settings]
) -> Iterator[Finding]:
    """Findings on feature gates, one for each, with all places where it is; etcd has lost none so far."""
    if component == Component.ETCD:
        return
    found: dict[str, list[tuple[Settings, str]]] = {}
    for settings in all_settings:
        for name, value in gates_of(settings.flags).items():
            found.setdefault(name, []).append((settings, value))
    for name, holders in found.items():
        went, lock = table.gate_went(name, target), table.gate_locked(name, target)
        staying = [(settings, value) for settings, value in holders if settings.fate is not Fate.REPLACED]
        effective = (staying or holders)[-1][1].lower()
        if went is not None:
            why = f"1.{went} has removed it"
        elif lock is not None and effective in (FALSE if lock[1] else TRUE):
            staying = [(settings, value) for settings, value in staying if value.lower() == effective]
            why = f"1.{lock[0]} has locked it to {str(lock[1]).lower()}"
        else:
            continue
        seen = " and ".join(f"{name}={value} by {settings.place}" for settings, value in staying or holders)
        yield REMOVED_FEATURE_GATE.finding(
            Severity.VIOLATION if staying else Severity.WARNING,
            subject=f"feature gate {name} of {component}",
            evidence=f"{component} is given {seen}; {why}",
            fix=_fix([settings for settings, _ in staying], target),
        )


def gates_of(settings: Mapping[str, str]) -> dict[str, str]:
    """The feature gates among a component's flags, by name; words other than «NAME=VALUE» are left out.

    Those of the control plane may say whose they are: «kube:NAME=VALUE».
    Source: component-base compatibility/registry.go, AddFlags.
    """
    pairs = (pair.partition("=") for pair in settings.get(GATES, "").split(","))
    return {name.strip().removeprefix("kube:"): value.strip() for name, equals, value in pairs if equals}
