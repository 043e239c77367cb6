"""Control-plane nodes as they are found, of certificates that need not exist."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kubectl_admin.certificates.facts import Seen, Source, Use
from kubectl_admin.certificates.renewable import RENEWABLE
from kubectl_admin.certificates.renewal.facts import Backup, Etcd, Facts, Node, Survey
from kubectl_admin.certificates.x509 import Certificate

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ENDS = datetime(2027, 11, 25, 12, tzinfo=UTC)
AUTHORITIES = ("ca", "etcd-ca", "front-proxy-ca")


def certificate(serial: int, subject: str = "CN=x") -> Certificate:
    """A certificate of this number."""
    return Certificate(
        subject=subject,
        issuer="CN=kubernetes",
        common_name="x",
        organizations=(),
        serial=serial,
        not_before=NOW,
        not_after=ENDS,
        names=(),
        authority=False,
        key="RSA 2048",
        usages=(),
        subject_key="",
        authority_key="",
        fingerprint=f"{serial:x}",
    )


def on_disk(name: str, node: str, *, serial: int = 1, **more: Any) -> Seen:
    """A certificate on a node's disk."""
    source = Source.KUBECONFIG if name.endswith(".conf") else Source.FILE
    use = Use.AUTHORITY if name in AUTHORITIES else Use.CLIENT
    key = True if name in AUTHORITIES else None
    content, where = certificate(serial, f"CN={name}"), Node(node, (), Survey()).path(name)
    return replace(Seen(name, node, where, source, use, content, key=key, changed=NOW), **more)


def node(name: str, *left_out: str, survey: Survey | None = None) -> Node:
    """A node with everything but what is left out; super-admin.conf is on cp-1 alone."""
    names = [each for each in (*RENEWABLE, *AUTHORITIES) if each not in left_out]
    if name != "cp-1" and "super-admin.conf" in names:
        names.remove("super-admin.conf")
    seen = tuple(on_disk(each, name, serial=number) for number, each in enumerate(names, 1))
    return Node(name, seen, survey or Survey(kubeadm="v1.37.2"))


def with_backups(name: str, *backups: Backup) -> Node:
    return node(name, survey=Survey(kubeadm="v1.37.2", backups=backups))


THREE = ("cp-1", "cp-2", "cp-3")
HEALTHY = Etcd(3, frozenset(THREE))


def facts(*nodes: Node, etcd: Etcd = HEALTHY) -> Facts:
    return Facts("prod", nodes or tuple(map(node, THREE)), etcd)
