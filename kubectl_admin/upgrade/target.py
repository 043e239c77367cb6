"""The version that a node is upgraded to, where none or only a minor was named. Pure."""

import re
from collections.abc import Iterable, Sequence

from kubectl_admin.cluster.decode import whole_number
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.upgrade.facts import ClusterFacts, Record, Role, Target
from kubectl_admin.upgrade.packages import Offer
from kubectl_admin.versions.version import Version, not_a_kubernetes_version

NAMES = ("kubeadm", "kubelet", "kubectl")
# semver.org's grammar; the part behind the patch goes into commands, too.
WRITTEN = re.compile(r"v?1\.[0-9]{1,6}(?P<whole>\.[0-9]{1,6}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)?")


def wanted(text: str) -> tuple[int, Version | None]:
    """The minor and, if it was named whole, the version of «1.37», «v1.37.2» or «1.38.0-rc.1»; UsageError for
    other text."""
    match = WRITTEN.fullmatch(text.strip())
    if match is None:
        raise UsageError(not_a_kubernetes_version(text))
    version = Version.parse(text)
    return version.minor, version if match["whole"] else None


def role(facts: ClusterFacts, target: Version, record: Record | None = None) -> Role:
    """The node's role on the way to this version. record: of kubeadm's step there.

    `kubeadm upgrade apply` writes the version into ConfigMap kubeadm-config, so the first control-plane node
    finds an older version there; the others follow with `upgrade node`. It does so in its third phase of
    eight: a node where it has begun stays the first one, since the others' command lacks some of the rest.
    Source: kubernetes/kubernetes cmd/kubeadm/app/cmd/upgrade/{apply,node}.go.
    """
    if facts.own_apiserver is None:
        return Role.WORKER
    if record and record.is_apply(target):
        return Role.FIRST
    return Role.FURTHER if facts.is_written(target) else Role.FIRST


def default_minor(facts: ClusterFacts) -> int:
    """The minor that the node goes to unless another one is named.

    A worker follows the oldest API server, a further control-plane node kubeadm's ConfigMap, and the first
    one stays in its minor. Raises AdminError where no version of an API server is known.
    """
    if not facts.apiservers:
        raise AdminError(f"node {facts.node}: no API server reported its version", "see kubectl admin skew")
    own = facts.own_apiserver
    if own is None or own.version is None:
        return facts.apiservers[0].minor
    written = facts.versions.kubeadm
    return max(own.version.minor, written.minor) if written else own.version.minor


def choose(facts: ClusterFacts, asked: Version | None, minor: int, offers: Iterable[Offer]) -> Target:
    """The target in that minor: the version asked for, else the cluster's, else the newest that is offered.

    A pre-release is chosen only where it is named, or the cluster's. Raises AdminError where the packages
    don't offer it.
    """
    offered = complete(offers)
    version = asked or followed(facts, minor)
    found = [one for one in offered if is_meant(one.version, version, minor)]
    found = [one for one in found if one.version.is_same(version)] or found
    if found:
        return found[-1]
    if version is None:
        early = [one for one in offered if one.version.minor == minor]
        what = f"offers of 1.{minor} only pre-releases" if early else f"offers no 1.{minor}"
        raise AdminError(
            f"node {facts.node}: its package repository {what}",
            f"name one with --to {early[-1].version}" if early else "is the mirror behind?",
        )
    others = [one for one in offered if one.version.minor == version.minor]
    has = f"the newest there is {others[-1].version}" if others else f"it has no {version.minor_text}"
    raise AdminError(
        f"node {facts.node}: its package repository does not offer {version} of {', '.join(NAMES)}",
        f"{has}; name a version with --to",
    )


def is_meant(offered: Version, version: Version | None, minor: int) -> bool:
    """Whether an offered version is the one that is wanted, or one of the releases of a minor.

    A vendor's addition counts only where it was named.
    """
    if version is None:
        return offered.minor == minor and not offered.prerelease
    return version.is_met_by(offered)


def followed(facts: ClusterFacts, minor: int) -> Version | None:
    """The version of this minor that the cluster has already; None where it has none yet."""
    if facts.own_apiserver is None:
        return facts.apiservers[0] if facts.apiservers[0].minor == minor else None
    written, own = facts.versions.kubeadm, facts.own_apiserver.version
    return (
        written
        if written and own and written.minor == minor and written.precedence > own.precedence
        else None
    )


def complete(offers: Iterable[Offer]) -> Sequence[Target]:
    """The versions of which all three packages are offered, the newest last, with the newest package of each.

    Of versions that semver.org does not order, as of packages, the text decides: never chance.
    """
    found: dict[str, dict[str, set[str]]] = {}
    for offer in offers:
        found.setdefault(offer.release, {}).setdefault(offer.name, set()).add(offer.version)
    whole = []
    for release, packages in found.items():
        version = Version.find(release)
        common = set.intersection(*(packages.get(name, set()) for name in NAMES))
        if version and common:
            whole.append(Target(version, max(common, key=lambda each: (revision(each), each))))
    return sorted(whole, key=lambda each: (each.version.precedence, each.version.suffix))


def revision(package: str) -> tuple[int, ...]:
    """Orders packages of one version: the numbers behind it, «1.1» of «1.37.2-1.1»."""
    parts = map(whole_number, package.rpartition("-")[2].split("."))
    return tuple(part for part in parts if part is not None)
