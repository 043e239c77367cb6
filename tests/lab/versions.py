"""What the lab builds and pins: one row a Kubernetes minor, and what goes with it."""

from dataclasses import dataclass

from tests.lab.errors import LabError

CONTAINERD = "2.2.9"
COREDNS = "1.14.6"
PAUSE = "3.10.2"
CLOUDNATIVE_PG = "1.28.0"
# Beside those in the table: a 3.6 that etcd 3.7 accepts as its predecessor, and the last 3.5.
MORE_ETCD = ("3.6.16", "3.5.35")
DEBIAN = "bookworm"


@dataclass(frozen=True)
class Release:
    """A Kubernetes minor as the lab makes it, with the image tags that its kubeadm asks for."""

    minor: str
    kubernetes: str
    etcd: str  # the version that is built
    etcd_tag: str
    coredns_tag: str
    pause_tag: str = PAUSE


# Source of the tags: `kubeadm config images list` of each release. Where etcd's Go modules lack the exact
# version (etcdctl and etcdutl begin at 3.7.1), the next one is built and carries the tag.
RELEASES = (
    #        minor   patch     etcd     etcd's tag  CoreDNS' tag
    Release("1.36", "1.36.3", "3.6.8", "3.6.8-0", "v1.14.2"),
    Release("1.37", "1.37.2", "3.7.3", "3.7.0-0", "v1.14.6"),
)


def release(asked: str) -> Release:
    """The row for a minor or a full version, with or without a leading «v».

    Raises LabError where the table has no such row.
    """
    wanted = asked.removeprefix("v")
    for row in RELEASES:
        if wanted in (row.minor, row.kubernetes):
            return row
    known = ", ".join(f"{row.minor} ({row.kubernetes})" for row in RELEASES)
    raise LabError(f"Kubernetes {asked} is not among the lab's versions: {known}")
