"""What each minor no longer knows, made from upstream itself: `make data` writes data/removed.json again.

Two sources: the lists that Kubernetes keeps of all feature gates of a minor, and the programs that the lab
builds, which say themselves which flags they know. Of minors that the lab does not build, the table keeps the
flags that it has. Nothing is written that the newest programs contradict.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.progress import Progress
from tests.lab.recipes import binaries
from tests.lab.versions import RELEASES, Release

TABLE = Path(__file__).parents[1] / "kubectl_admin/data/removed.json"
LISTS = (  # a patch of each minor whose source has a list of all its gates
    "1.32.13",
    "1.33.13",
    "1.34.4",
    "1.35.4",
    "1.36.3",
    "1.37.2",
)
# Before 1.36 the list has a gate by its name in Go, which differs from its own in two cases.
MISNAMED = {
    "CPUCFSQuotaPeriod": "CustomCPUCFSQuotaPeriod",
    "RuntimeClassInImageCriAPI": "RuntimeClassInImageCriApi",
}
PROGRAMS = ("kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
# What makes a program read its gates and end: two of them do not look at gates when asked for their version.
ENDING = {"kubelet": ["--config=/none"], "kube-proxy": ["--write-config-to=/dev/null"]}

Gates = dict[str, list[dict[str, Any]]]


def main() -> None:
    """Writes the table again, with today's date if anything has changed in it."""
    table = json.loads(TABLE.read_text("utf-8"))
    before = json.dumps(table)
    lists = {minor(version): gates(version) for version in LISTS}
    for old, new in pairwise(lists):
        table["gates"][f"1.{new}"] = sorted(lists[old].keys() - lists[new].keys())
    table["locked"] = locks(lists)
    built = [(row.minor, programs(row)) for row in RELEASES]
    for (_, older), (name, newer) in pairwise(built):
        rows = table["flags"].get(name, {})
        gone = {part: flags_gone(older[part], newer[part], rows.get(part, ())) for part in newer}
        table["flags"][name] = {part: flags for part, flags in gone.items() if flags}
    if wrong := list(contradictions(table, built[-1][1])):
        raise LabError("the programs contradict the table: " + "; ".join(wrong))
    if json.dumps(table) != before:
        table["taken"] = datetime.now(UTC).date().isoformat()
        TABLE.write_text(json.dumps(table, indent=2) + "\n", "utf-8")


def minor(version: str) -> int:
    """37 of «1.37.2»."""
    return int(version.split(".")[1])


def programs(release: Release) -> dict[str, Path]:
    """The programs of a release by name, built if they are not there yet."""
    progress = Progress("lab data", cache.logs())
    folder = binaries.kubernetes(release.kubernetes, progress)
    etcd = binaries.etcd(release.etcd, progress) / "etcd"
    return {**{name: folder / name for name in PROGRAMS}, "etcd": etcd}


def flags_gone(older: Path, newer: Path, known: Sequence[str]) -> list[str]:
    """The flags that the older program lists, or `known` to have gone, that the newer does not take."""
    return [name for name in sorted(listed(older) | set(known)) if not knows(newer, name)]


def gates(version: str) -> Gates:
    """The gates of a version by name, each with what it was from which minor on."""
    source = binaries.go_module(f"k8s.io/kubernetes@v{version}") / "test"
    found: Gates = {}
    for file in source.rglob(
        "*versioned_feature_list.yaml"
    ):  # until 1.33 there is one of unversioned gates, too
        for gate in yaml.safe_load(file.read_text("utf-8")) or ():
            found[MISNAMED.get(gate["name"], gate["name"])] = gate["versionedSpecs"]
    if not found:
        raise LabError(f"the source of Kubernetes {version} has no list of feature gates where it used to be")
    return found


def locks(lists: dict[int, Gates]) -> dict[str, dict[str, bool]]:
    """The gates that were locked to their default, by the minor with which that began."""
    found: dict[str, dict[str, bool]] = {}
    for known in lists.values():
        for name, specs in known.items():
            ordered = sorted(specs, key=lambda spec: minor(spec.get("version") or "1.0"))
            locked = [spec["lockToDefault"] for spec in ordered]
            if locked != sorted(locked):
                raise LabError(f"feature gate {name} was unlocked again, which the table can't say")
            first = next((spec for spec in ordered if spec["lockToDefault"]), None)
            if first:
                found.setdefault(first.get("version") or "1.0", {})[name] = first["default"]
    return {
        since: dict(sorted(rows.items()))
        for since, rows in sorted(found.items(), key=lambda row: minor(row[0]))
    }


def listed(program: Path) -> set[str]:
    """The flags that a program lists."""
    return set(re.findall(r"^\s*(?:-\w, )?--([a-z0-9][\w-]*)", said([program, "--help"]), re.MULTILINE))


def knows(program: Path, name: str) -> bool:
    """Whether a program takes a flag, listed or hidden."""
    answer = said([program, f"--{name}=x", "--version"])
    return f"unknown flag: --{name}" not in answer and f"not defined: -{name}" not in answer


def contradictions(table: dict[str, Any], newest: dict[str, Path]) -> Iterator[str]:
    """What the newest programs say of gates that the table takes for gone or locked, where it is not so."""
    gone = [name for names in table["gates"].values() for name in names]
    for program in PROGRAMS:
        for name in gone:
            if f"unrecognized feature gate: {name}" not in set_gate(newest[program], name, value=True):
                yield f"{program} knows {name}"
    for rows in table["locked"].values():
        for name, value in rows.items():
            if name not in gone and "locked to" not in set_gate(newest["kubelet"], name, value=not value):
                yield f"kubelet lets {name} be {not value}"


def set_gate(program: Path, name: str, *, value: bool) -> str:
    """What a program says when it is started with this gate; it ends at once."""
    ending = ENDING.get(program.name, ["--version"])
    return said([program, f"--feature-gates={name}={str(value).lower()}", *ending])


def said(command: Sequence[str | Path]) -> str:
    """What a command prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


if __name__ == "__main__":
    main()
