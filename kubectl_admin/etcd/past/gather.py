"""Reads of a snapshot file what its opening takes: that it is sound, and what its cluster was like."""

import ipaddress
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.decode import decode_moment, decode_yaml, mapping
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import encrypted
from kubectl_admin.etcd.past.facts import Past
from kubectl_admin.etcd.restore.look.snapshot import kubeadm_version
from kubectl_admin.etcd.snapshot.bolt.source import Progress
from kubectl_admin.etcd.snapshot.facts import Verdict
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.snapshot.verify import indexed, opened_database, quiet
from kubectl_admin.etcd.stored import objects
from kubectl_admin.etcd.stored.kinds import PREFIX, root_of
from kubectl_admin.finding import Severity
from kubectl_admin.report.text import printable

# Where a snapshot names no range: kubeadm's own. Some events of «Services out of range» would be written.
SERVICES = ("10.96.0.0/12",)
# Leases that are renewed every few seconds, whose last renewal is about the moment of the snapshot.
LEASES = ("kube-controller-manager", "kube-scheduler")
NAMESPACES = (b"/namespaces/kube-system", b"/namespaces/default")  # which every cluster has
MOST, LONGEST = 10, 100  # prefixes that are named, and characters of one
LARGEST = 20  # bits of a range that an API server takes
SMALLEST = 3


def of_file(path: Path, *, prefix: str = PREFIX, progress: Progress = quiet) -> Past:
    """The facts of a snapshot file. progress: as in `verify`.

    Raises AdminError for one that is not sound, and as `verify.verify` does.
    Cost: the file is read three times, and once more where objects are encrypted. Memory: that of `verify`,
    and some 25 bytes a key.
    """
    with opened_database(path, progress=lambda done, every: progress(done, 2 * every)) as database:
        refuse_unsound(database.verdict)
        latest = indexed(database, lambda done, every: progress(every + done, 2 * every))
        if not isinstance(latest, Latest):
            refuse_unsound(latest)
            raise AssertionError
        snapshot = database.verdict.snapshot
        if snapshot is None:
            raise AssertionError
        refuse_prefix(latest, prefix, path)
        contents = snapshot.contents
        kubeadm = _data(latest, prefix, "configmaps", "kubeadm-config")
        return Past(
            path=path,
            size=snapshot.size,
            sha256=snapshot.sha256,
            has_hash=snapshot.hash_right is not None,
            etcd=contents.storage_version or contents.cluster_version or "",
            kubernetes=kubeadm_version(kubeadm).text,
            cluster=objects.cluster(latest, prefix)[0] or "",
            moment=max(_renewals(latest, prefix), default=None),
            services=services(latest, prefix, kubeadm),
            prefix=prefix,
            encrypted=encrypted.samples(latest, prefix, path),
        )


def refuse_unsound(verdict: Verdict) -> None:
    """Raises AdminError for a file that is no snapshot, or damaged."""
    if verdict.sound and verdict.snapshot:
        return
    found = next((one for one in verdict.findings if one.severity is Severity.VIOLATION), None)
    said = f": {found.subject}: {found.evidence}" if found else ""
    raise AdminError(
        f"{verdict.path} can't be opened, since it is damaged or no snapshot{said}",
        f"see all that is wrong with it: kubectl admin etcd-verify {verdict.path}",
    )


def refuse_prefix(latest: Latest, prefix: str, path: Path) -> None:
    """Raises AdminError where no namespace is stored below the prefix: an empty cluster would be opened.

    Every API server makes some. Cost: a pass over all keys, unless kube-system is there.
    """
    root = root_of(prefix).encode()
    if latest.find(b"%snamespaces/%s" % (root, KUBE_SYSTEM.encode())):
        return
    others: dict[str, bool] = {}  # the first of the prefixes that are there, and whether namespaces are below
    for entry in latest.living():
        if entry.key.startswith(b"%snamespaces/" % root):
            return
        found = prefix_of(entry.key)
        if found and (found in others or len(others) < MOST):
            others[found] = others.get(found, False) or entry.key.endswith(NAMESPACES)
    able = [one for one, has_namespaces in others.items() if has_namespaces] or list(others)
    there = (
        f"keys are below {', '.join(printable(one) for one in sorted(able))}" if able else "it has no keys"
    )
    raise AdminError(
        f"{path} can't be opened, since no namespace is stored below {prefix}",
        f"name the --etcd-prefix of the cluster's API servers: {there}",
    )


def prefix_of(key: bytes) -> str:
    """The prefix that a key has, as far as it tells: its first part, or all before a namespace. Pure."""
    for end in NAMESPACES:
        if key.endswith(end):
            return key.removesuffix(end).decode(errors="backslashreplace")[:LONGEST]
    first, _, rest = key.removeprefix(b"/").partition(b"/")
    return f"/{first.decode(errors='backslashreplace')}"[:LONGEST] if rest else ""


def services(latest: Latest, prefix: str, kubeadm: dict[str, Any]) -> tuple[str, ...]:
    """The ranges of the Services' addresses: by the object that API servers write, else by kubeadm's note."""
    written = objects.found(latest, prefix, "servicecidrs", "kubernetes")
    spec = mapping(mapping(written.content if written else None).get("spec"))
    named = spec.get("cidrs")
    if found := ranges(named if isinstance(named, list) else []):
        return found
    try:
        documents = decode_yaml(str(kubeadm.get("ClusterConfiguration") or ""), "its ClusterConfiguration")
    except AdminError:
        documents = []
    for document in documents:
        subnet = mapping(mapping(document).get("networking")).get("serviceSubnet")
        if found := ranges(str(subnet or "").split(",")):
            return found
    return SERVICES


def ranges(named: list[Any]) -> tuple[str, ...]:
    """These as ranges that an API server takes, one of each family at most; none where one is none. Pure."""
    found: dict[int, str] = {}
    for one in named[:3]:
        try:
            network = ipaddress.ip_network(str(one).strip())
        except ValueError:
            return ()
        bits = network.max_prefixlen - network.prefixlen
        most = LARGEST if network.version == 4 else 64
        if network.version in found or not SMALLEST <= bits <= most:
            return ()
        found[network.version] = str(network)
    return tuple(found.values())


def _data(latest: Latest, prefix: str, place: str, name: str) -> dict[str, Any]:
    """The data of an object of kube-system; none of one that can't be read."""
    found = objects.found(latest, prefix, place, name, KUBE_SYSTEM)
    return dict(mapping(mapping(found.content if found else None).get("data")))


def _renewals(latest: Latest, prefix: str) -> Iterator[datetime]:
    for name in LEASES:
        found = objects.found(latest, prefix, "leases", name, KUBE_SYSTEM)
        spec = mapping(mapping(found.content if found else None).get("spec"))
        if moment := decode_moment(spec.get("renewTime")):
            yield moment
