"""Which version a node goes to, where nothing or only a minor was said. Pure."""

from collections.abc import Iterable

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.node.packages import Offer
from kubectl_admin.upgrade.facts import Around, Role, Target
from kubectl_admin.versions.version import Version

NAMES = ("kubeadm", "kubelet", "kubectl")


def wanted(text: str) -> tuple[int, Version | None]:
    """The minor and, if it was named whole, the version of «1.37» or «v1.37.2»; UsageError for other text."""
    bare = text.strip().removeprefix("v")
    version = Version.find(bare)
    if version is None or version.major != 1 or version.suffix:
        raise UsageError(f"{text!r} is no version of Kubernetes", "1.37 and 1.37.2 would be some")
    return version.minor, version if bare.count(".") == 2 else None


def role(around: Around, target: Version) -> Role:
    """What the node is on the way to this version.

    kubeadm writes the version into ConfigMap kubeadm-config at the end of `kubeadm upgrade apply`, so the
    first control-plane node finds an older version there; the others follow with `upgrade node`.
    Source: kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade.
    """
    if around.own_apiserver is None:
        return Role.WORKER
    written = around.versions.kubeadm
    return Role.FIRST if written is None or target > written else Role.FURTHER


def default_minor(around: Around) -> int:
    """The minor that the node goes to unless another one is named.

    A worker follows the oldest API server, a further control-plane node kubeadm's ConfigMap, and the first
    one stays in its minor. Raises AdminError where no version of an API server is known.
    """
    if not around.apiservers:
        raise AdminError(f"node {around.node}: no API server has told its version", "kubectl admin skew")
    own = around.own_apiserver
    if own is None or own.version is None:
        return around.apiservers[0].minor
    written = around.versions.kubeadm
    return max(own.version.minor, written.minor) if written else own.version.minor


def choose(around: Around, asked: Version | None, minor: int, offers: Iterable[Offer]) -> Target:
    """The target in that minor: the version asked for, else the cluster's, else the newest that is offered.

    Raises AdminError where the packages don't offer it.
    """
    offered = complete(offers)
    version = (
        asked or followed(around, minor) or max((one for one in offered if one.minor == minor), default=None)
    )
    if version is None:
        raise AdminError(
            f"node {around.node}: its package repository offers no 1.{minor}", "is the mirror behind?"
        )
    if version not in offered:
        newest = max((one for one in offered if one.minor == version.minor), default=None)
        has = f"the newest there is {newest}" if newest else f"it has nothing of 1.{version.minor}"
        raise AdminError(
            f"node {around.node}: its package repository does not offer {version} of {', '.join(NAMES)}",
            f"{has}; name a version with --to",
        )
    return Target(version, offered[version])


def followed(around: Around, minor: int) -> Version | None:
    """The version of this minor that the cluster has already; None where it has none yet."""
    if around.own_apiserver is None:
        return around.apiservers[0] if around.apiservers[0].minor == minor else None
    written, own = around.versions.kubeadm, around.own_apiserver.version
    return written if written and own and written.minor == minor and written > own else None


def complete(offers: Iterable[Offer]) -> dict[Version, str]:
    """The versions of which all three packages are offered, with the newest package of each."""
    found: dict[Version, dict[str, set[str]]] = {}
    for offer in offers:
        version = Version.find(offer.release)
        if version:
            found.setdefault(version, {}).setdefault(offer.name, set()).add(offer.version)
    whole = {}
    for version, packages in found.items():
        common = set.intersection(*(packages.get(name, set()) for name in NAMES))
        if common:
            whole[version] = max(common, key=revision)
    return whole


def revision(package: str) -> tuple[int, ...]:
    """What orders packages of one version: the numbers behind it, «1.1» of «1.37.2-1.1»."""
    return tuple(int(part) for part in package.rpartition("-")[2].split(".") if part.isdecimal())
