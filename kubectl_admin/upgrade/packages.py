"""Kubernetes' packages on a node's host: which there are, and the offers of a minor's repository.

Installing them is the work of jobs: scripts/packages-prepare.sh and scripts/packages-install.sh.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kubectl_admin.cluster.decode import whole_number
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script

SURVEY, OFFER = Script("upgrade", "packages-survey"), Script("upgrade", "packages-offer")
FETCH_TIMEOUT = 300.0  # seconds for a repository's answer: a package manager tries each of its addresses
TEMPORARY = "/tmp"  # noqa: S108 - on the host; the script makes a directory of a random name there


class Manager(StrEnum):
    """A host's package manager. NONE: none that is known here, as on an image-based system."""

    APT = "apt"
    DNF = "dnf"
    ZYPPER = "zypper"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Packages:
    """Kubernetes in a host's package manager.

    installed: of kubeadm, kubelet and kubectl, the version as the package manager has it («1.36.3-1.1»).
    held: which of them an ordinary upgrade leaves alone. sources: the files with an enabled repository of
    Kubernetes, and its minor (36); the newest where a file has several.
    """

    manager: Manager
    installed: Mapping[str, str]
    held: frozenset[str]
    sources: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Offer:
    """A package that a repository offers. version: the package's. release: Kubernetes' name for it."""

    name: str
    version: str
    release: str


def survey(host: Host) -> Packages:
    """Packages installed and held, and their sources; nothing is changed or fetched."""
    return parse_survey(host.script(SURVEY).decode("utf-8", "replace"), host.node)


def parse_survey(answer: str, node: str) -> Packages:
    """The script's answer, parsed; BrokenStream where it makes no sense."""
    manager = Manager.NONE
    installed: dict[str, str] = {}
    held = set[str]()
    sources: dict[str, int] = {}
    for line in answer.splitlines():
        word, _, rest = line.partition(" ")
        match word, rest.rpartition(" "):
            case "manager", (_, _, name) if name in set(Manager):
                manager = Manager(name)
            case "installed", (name, _, version) if name:
                installed[name] = version
            case "held", (_, _, name):
                held.add(name)
            case "source", (path, _, text) if path and (minor := whole_number(text)) is not None:
                sources[path] = max(minor, sources.get(path, 0))
            case _ if line:
                raise BrokenStream(f"node {node}: unexpected answer about its packages: {line[:80]!r}")
    return Packages(manager, installed, frozenset(held), sources)


def ask_repository(host: Host, minor: int, *, renew_key: bool = False) -> tuple[Offer, ...]:
    """The offers of a minor's repository (37), asked again, beside the host's own lists and files.

    renew_key: trust the key beside the repository, not the host's own. Raises AdminError where
    the repository is not there, can't be reached, or is signed by a key that the host does not trust.
    """
    arguments = (str(minor), TEMPORARY, "yes" if renew_key else "no")
    try:
        answer = host.script(OFFER, *arguments, timeout=FETCH_TIMEOUT)
    except BrokenStream:
        raise
    except AdminError as error:
        if error.hint is None and "signing key" in error.what:
            hint = "if you trust the key beside the repository, fetch it with --renew-key"
            raise AdminError(error.what, hint) from error
        raise
    return tuple(parse_offers(answer.decode("utf-8", "replace")))


def parse_offers(answer: str) -> list[Offer]:
    """The script's answer, parsed, in its order."""
    words = [line.split() for line in answer.splitlines()]
    return [
        Offer(each[1], each[2], release(each[2])) for each in words if each[:1] == ["offered"] and each[2:]
    ]


def release(version: str) -> str:
    """«1.37.2» of «1.37.2-1.1» or «1.37.2-150500.1.1», «1.38.0-rc.1» of «1.38.0~rc.1-1.1»."""
    return version.rpartition(":")[2].rpartition("-")[0].replace("~", "-") or version
