"""What a lab has on this machine, by every place that could keep it after the lab is gone."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.nodes.lab import LABEL, PODMAN, Lab


@dataclass(frozen=True)
class Footprint:
    """What to look for: the lab's own names, and the identifiers that its containers had while it was."""

    lab: Lab
    containers: Sequence[str]
    layers: Sequence[str]
    loops: Sequence[str]  # each with the file on it: another lab may get the same device meanwhile

    @classmethod
    def of(cls, lab: Lab) -> "Footprint":
        """The footprint of a lab that is there, or half there."""
        names = containers(lab)
        inspected = json.loads(run(*PODMAN, "container", "inspect", *names)) if names else []
        return cls(
            lab,
            [each["Id"] for each in inspected],
            [each["GraphDriver"]["Data"]["UpperDir"].removesuffix("/diff") for each in inspected],
            [device for each in inspected for device in loops(each["State"]["Pid"])],
        )

    def left(self) -> dict[str, list[str]]:
        """What is there of it, by its kind: all kinds, of some perhaps nothing."""
        folder, bridge = f"{self.lab.folder}/", self.lab.network.bridge
        subnet = str(self.lab.network.subnet).removesuffix("0/24")
        attached = attached_loops().values()
        return {
            "containers": containers(self.lab),
            "processes": list(processes([folder, *self.containers])),
            "mounts": lines("/proc/self/mountinfo", [folder, *self.containers, *self.layers]),
            "control groups": control_groups(self.containers),
            "links": [
                link["ifname"]
                for link in json.loads(run("ip", "-j", "link"))
                if re.fullmatch(rf"{bridge}(\D.*)?", link["ifname"])
            ],
            "routes": [
                line for line in run("ip", "route", "show", "table", "all").splitlines() if subnet in line
            ],
            "loop devices": [device for device in self.loops if device in attached],
            "firewall rules": [
                line for line in firewall() if subnet in line or re.search(rf"\b{bridge}\b", line)
            ],
            "files": [str(self.lab.folder)] if self.lab.folder.exists() else [],
        }


def containers(lab: Lab) -> list[str]:
    """The names of the lab's containers, also of those that podman only has on disk."""
    names = run(*PODMAN, "ps", "--all", "--external", "--format={{.Names}}").split()
    return [name for name in names if re.fullmatch(rf"{LABEL}-{lab.name}-(cp|worker)-\d+", name)]


def loops(process: int) -> list[str]:
    """The loop devices that are mounted in the container of this process; none where it does not run."""
    mounts = Path(f"/proc/{process}/mounts")
    text, attached = mounts.read_text(encoding="utf-8") if process else "", attached_loops()
    return [attached[device] for device in re.findall(r"^(/dev/loop\d+) ", text, re.MULTILINE)]


def attached_loops() -> dict[str, str]:
    """The loop devices of this machine by their names, each with what tells its file from all others."""
    told = run("losetup", "--list", "--noheadings", "--output=NAME,BACK-MAJ:MIN,BACK-INO").splitlines()
    return {line.split()[0]: " ".join(line.split()) for line in told}


def control_groups(words: Sequence[str]) -> list[str]:
    """The control groups with one of these words in their names; those of other labs come and go."""
    return [
        f"{folder}/{name}"
        for folder, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if any(word in name for word in words)
    ]


def processes(words: Sequence[str]) -> Iterator[str]:
    """Every process with one of these words in its command line or its control group."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            told = command + (entry / "cgroup").read_text(encoding="utf-8")
        except OSError:  # it has ended meanwhile
            continue
        if any(word in told for word in words):
            yield f"{entry.name}: {command}"


def lines(file: str, words: Sequence[str]) -> list[str]:
    """The lines of a file that have one of these words."""
    text = Path(file).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if any(word in line for word in words)]


def firewall() -> list[str]:
    """All rules of this machine's firewall, as far as there is a program that shows them."""
    shown = [["iptables-save"], ["ip6tables-save"], ["nft", "list", "ruleset"]]
    return [line for argv in shown if shutil.which(argv[0]) for line in run(*argv).splitlines()]


def images_and_volumes() -> set[str]:
    """Everything else that podman keeps."""
    return {
        *run(*PODMAN, "images", "--all", "--quiet").split(),
        *run(*PODMAN, "volume", "ls", "--quiet").split(),
    }


def run(*argv: str) -> str:
    """What a command prints."""
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
