"""A snapshot file, read for what a restore of it depends on: one pass over its keys."""

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.decode import decode_moment, decode_yaml, mapping
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.look.authorities import fingerprints
from kubectl_admin.etcd.restore.look.facts import Authorities, Sealed, SnapshotFacts, Told, Value
from kubectl_admin.etcd.snapshot.bolt.source import Progress
from kubectl_admin.etcd.snapshot.key_value import KeyValue
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.snapshot.verify import Database, indexed, opened_database, quiet
from kubectl_admin.etcd.stored import values
from kubectl_admin.etcd.stored.decode import Unreadable, decoded
from kubectl_admin.etcd.stored.kinds import PREFIX, Kinds, root_of
from kubectl_admin.etcd.stored.objects import Unseal, cluster, content, definitions

START = 400  # bytes in which a value shows how it is encrypted
SHORT = 64 << 10  # bytes of a value that is tried; a longer one only where there is no other
MANY = 64  # ways of encryption that are told apart; a cluster has one or two
SEEN = 10_000  # directories of keys that are remembered
LEASES = "leases/"


def of_file(
    path: Path, *, prefix: str = PREFIX, unseal: Unseal | None = None, progress: Progress = quiet
) -> SnapshotFacts:
    """The facts of a snapshot file.

    prefix: below which the API server stores objects. unseal: decrypts what is encrypted at rest, where
    somebody can. progress: called from time to time with the bytes done and those to be done in all.
    Raises as `verify.verify` does.

    Cost: the file is read three times. Memory: that of `verify`, and some 25 bytes a key.
    """
    with opened_database(path, progress=lambda done, every: progress(done, 3 * every)) as database:
        if not database.verdict.sound:
            return SnapshotFacts(database.verdict)
        read = indexed(database, lambda done, every: progress(every + done, 3 * every))
        if not isinstance(read, Latest):
            return SnapshotFacts(read)
        return of_database(database, read, prefix=prefix, unseal=unseal)


def of_database(
    database: Database, latest: Latest, *, prefix: str = PREFIX, unseal: Unseal | None = None
) -> SnapshotFacts:
    """The same of a file that is open and whose keys are known: one more pass over them."""
    reader = _Reader(latest, prefix, unseal)
    census = _Census(prefix, Kinds(prefix, definitions(prefix, latest)))
    for entry in latest.living():
        census.take(entry)
    return SnapshotFacts(
        verdict=database.verdict,
        cluster=reader.cluster(),
        kubernetes=reader.kubernetes(),
        authorities=reader.authorities(),
        newest=census.newest,
        sealed=census.sealed(),
        objects=latest.count,
    )


class _Reader:
    """Reads single objects."""

    def __init__(self, latest: Latest, prefix: str, unseal: Unseal | None) -> None:
        self._latest, self._root, self._unseal = latest, root_of(prefix), unseal

    def cluster(self) -> Told:
        """The UID of namespace kube-system."""
        uid, why = cluster(self._latest, self._root, self._unseal)
        return Told(uid or "", why)

    def kubernetes(self) -> Told:
        """The version that kubeadm has noted."""
        try:
            return kubeadm_version(self._data("kube-system/kubeadm-config"))
        except Unreadable as error:
            return Told(why=f"ConfigMap kube-system/kubeadm-config: {error}")

    def authorities(self) -> Authorities:
        """Those that joining nodes are given, and those that pods are."""
        given: dict[str, frozenset[str]] = {}
        problems = []
        for name, text_of in (
            ("kube-public/cluster-info", authorities_of_kubeconfig),
            (f"{KUBE_SYSTEM}/kube-root-ca.crt", lambda data: str(data.get("ca.crt") or "")),
        ):
            try:
                given[name] = fingerprints(text_of(self._data(name)))
            except (Unreadable, AdminError) as error:
                problems.append(f"ConfigMap {name}: {error}")
            else:
                if not given[name]:
                    del given[name]
                    problems.append(f"ConfigMap {name} names no authority")
        return Authorities(frozenset().union(*given.values()), "; ".join(problems), given)

    def _data(self, name: str) -> Mapping[str, Any]:
        return mapping(self._object("configmaps", name).get("data"))

    def _object(self, place: str, name: str) -> dict[str, Any]:
        """An object of the core group; raises Unreadable."""
        key = f"{self._root}{place}/{name}".encode()
        entry = self._latest.find(key)
        if entry is None:
            raise Unreadable(f"there is no key {key.decode()} (see --etcd-prefix)")
        value = content(entry)
        if values.is_encrypted(value) and self._unseal:
            value = self._unseal("", place, key, value) or value
        return decoded(value)


class _Census:
    """Takes every entry: which values are encrypted, and how; and when the newest Lease was renewed."""

    def __init__(self, prefix: str, kinds: Kinds) -> None:
        self.newest: datetime | None = None
        self._root, self._kinds = root_of(prefix).encode(), kinds
        self._leases = self._root + LEASES.encode()
        self._clear: set[bytes] = set()  # directories with a value that is not encrypted
        self._found: dict[tuple[str, str, str], list[Value]] = {}
        self._counts = Counter[tuple[str, str, str]]()

    def take(self, entry: KeyValue) -> None:
        """Takes one more, in the order of revisions."""
        if not entry.key.startswith(self._root):
            return
        if encrypted := values.encryption(entry.value[:START]):
            self._note(entry, encrypted)
            return
        directory = entry.key.rpartition(b"/")[0]
        if directory not in self._clear and len(self._clear) < SEEN:
            self._clear.add(directory)
            self._note(entry, "")
        if entry.key.startswith(self._leases):
            self._renewed(content(entry))

    def sealed(self) -> tuple[Sealed, ...]:
        """The values by resource and encryption, in their order."""
        return tuple(
            Sealed(*way, self._counts[way] if way[2] else 0, tuple(found))
            for way, found in sorted(self._found.items())
        )

    def _note(self, entry: KeyValue, encrypted: str) -> None:
        kind = self._kinds.object(entry.key).kind
        if kind is None:
            return
        way = kind.group, kind.resource, encrypted
        self._counts[way] += 1
        known = self._found.get(way)
        if known is None:
            if len(self._found) < MANY + len(self._clear):
                self._found[way] = [_value(entry, encrypted)]
        elif encrypted and len(entry.value) <= SHORT:
            known[1:] = [_value(entry, encrypted)]

    def _renewed(self, value: bytes) -> None:
        try:
            moment = decode_moment(mapping(decoded(value).get("spec")).get("renewTime"))
        except Unreadable:
            return
        if moment and (self.newest is None or moment > self.newest):
            self.newest = moment


def kubeadm_version(data: Mapping[str, Any]) -> Told:
    """The version in the data of ConfigMap kubeadm-config.

    Source: kubernetes/kubernetes cmd/kubeadm/app/apis/kubeadm/v1beta4 types.go, ClusterConfiguration.
    """
    try:
        documents = decode_yaml(str(data.get("ClusterConfiguration") or ""), "its ClusterConfiguration")
    except AdminError as error:
        return Told(why=f"ConfigMap {KUBE_SYSTEM}/kubeadm-config: {error.what}")
    for document in documents:
        if version := mapping(document).get("kubernetesVersion"):
            return Told(str(version))
    return Told(why=f"ConfigMap {KUBE_SYSTEM}/kubeadm-config names no kubernetesVersion")


def authorities_of_kubeconfig(data: Mapping[str, Any]) -> str:
    """The authorities in the kubeconfig of ConfigMap cluster-info, as PEM. Raises AdminError."""
    texts = []
    for document in decode_yaml(str(data.get("kubeconfig") or ""), "its kubeconfig"):
        clusters = mapping(document).get("clusters")
        for one in clusters if isinstance(clusters, list) else ():
            encoded = mapping(mapping(one).get("cluster")).get("certificate-authority-data")
            try:
                texts.append(b64decode(str(encoded or "")).decode("ascii", "replace"))
            except ValueError:
                continue
    return "\n".join(texts)


def _value(entry: KeyValue, encrypted: str) -> Value:
    """As much of it as is needed to try it."""
    return Value(entry.key, content(entry) if encrypted else entry.value[:16])
