"""One side of a restore: the snapshot's objects, or the live ones, reduced to what is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from kubectl_admin.cluster.objects import ObjectName

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Node:
    """A Node object. ranges: of its pods' addresses."""

    name: str
    uid: str
    ranges: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Volume:
    """A PersistentVolume.

    storage: the one thing that it stands for, «csi DRIVER HANDLE», «local /mnt/a on w1».
    path: of a local or hostPath volume, else "". nodes: that it can be on; None for any.
    claim: None where it is bound to none. kept: whether its storage outlives its claim.
    """

    name: str
    storage: str
    path: str = ""
    nodes: frozenset[str] | None = None
    claim: ObjectName | None = None
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A VolumeSnapshotContent. storage: «DRIVER HANDLE»; "" where it has no handle yet."""

    name: str
    storage: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A VolumeAttachment. volume: the PersistentVolume; "" for one in a pod's own words."""

    name: str
    attacher: str
    node: str
    volume: str

    @property
    def tie(self) -> tuple[str, str, str]:
        """What is attached to what, whatever the object's name."""
        return self.attacher, self.node, self.volume or self.name


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook that refuses with its failure, calls a Service and covers some of pods, nodes and leases.

    holder: «validatingwebhookconfiguration/policy», uid: its UID.
    """

    holder: str
    name: str
    service: ObjectName
    covers: tuple[str, ...]
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Database:
    """A CloudNativePG Cluster. primary: the pod that its status calls the current primary, or ""."""

    name: ObjectName
    primary: str


@dataclass(frozen=True, slots=True)
class Side:
    """One side, the snapshot's or the live one.

    endpoints: of Services, the nodes of their endpoints that are sent requests; "" for one on no node.
    elsewhere: Services that lead to a name outside (ExternalName).
    templates: by image, the workloads whose pods need it, the first few.
    images: all that nodes say they hold. cut: nodes that have more than they say.
    address_kinds: kinds of objects by which a network keeps the addresses of pods, that are there.
    unread: by kind, how many objects could not be read: encrypted, or broken.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    contents: tuple[Content, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    hooks: tuple[Hook, ...] = ()
    endpoints: Mapping[ObjectName, frozenset[str]] = field(default_factory=dict)
    elsewhere: frozenset[ObjectName] = frozenset()
    databases: Mapping[ObjectName, Database] = field(default_factory=dict)
    templates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    images: frozenset[str] = frozenset()
    cut: tuple[str, ...] = ()
    address_kinds: tuple[str, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)
