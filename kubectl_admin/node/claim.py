"""The content of a Lease of the API: who holds it, and how a run writes itself in. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kubectl_admin.cluster.decode import decode_moment, whole_number
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.node.operation import Owner

NAMESPACE = KUBE_SYSTEM
GROUP = "coordination.k8s.io"
LEASES = f"/apis/{GROUP}/v1/namespaces/{NAMESPACE}/leases"
ABOUT = "kubectl-admin/about"
DURATION = 120  # seconds without renewal after which a Lease is nobody's


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a Lease.

    person: user@machine. about: what they do («upgrades node w1»). since: when that began, by the clock of
    their machine. renewed: when the Lease was last written, by the API server's clock. duration: seconds for
    which that is good. owner: their process; None where another program has written the Lease.
    """

    person: str
    about: str
    since: datetime | None
    renewed: datetime | None
    duration: float
    owner: Owner | None

    @classmethod
    def of(cls, lease: Mapping[str, Any]) -> "Holder | None":
        """The holder that a Lease (of the API) names; None where nobody holds it."""
        metadata, spec = lease.get("metadata") or {}, lease.get("spec") or {}
        identity = str(spec.get("holderIdentity") or "").strip()
        if not identity:
            return None
        written = [str(entry.get("time") or "") for entry in metadata.get("managedFields") or ()]
        return cls(
            person=identity.split(maxsplit=1)[0],
            about=str((metadata.get("annotations") or {}).get(ABOUT) or "does not say what it does"),
            since=decode_moment(spec.get("acquireTime")),
            renewed=decode_moment(max(written, default="") or spec.get("renewTime")),
            duration=float(whole_number(spec.get("leaseDurationSeconds")) or DURATION),
            owner=Owner.parse(identity),
        )

    def has_ended(self) -> bool:
        """Whether their process is known to be gone."""
        return self.owner is not None and self.owner.has_ended()

    def has_expired(self, now: datetime) -> bool:
        """Whether they have not renewed it in time. now: by the API server's clock."""
        return self.renewed is None or now - self.renewed > timedelta(seconds=self.duration)

    def __str__(self) -> str:
        since, renewed = (
            f"{when:%Y-%m-%d %H:%M:%SZ}" if when else "?" for when in (self.since, self.renewed)
        )
        ended = "; that process has ended" if self.has_ended() else ""
        return f"{self.person} {self.about}, since {since}, last renewed at {renewed}{ended}"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants which Lease, for what."""

    name: str
    owner: Owner
    about: str

    @property
    def path(self) -> str:
        """Where the Lease is."""
        return f"{LEASES}/{self.name}"

    def new(self) -> dict[str, Any]:
        """The Lease as it is made."""
        return self.taken({"metadata": {"name": self.name, "namespace": NAMESPACE}})

    def taken(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        """A Lease as it is when it has become this claim's."""
        metadata, spec, now = lease["metadata"], lease.get("spec") or {}, micro_time()
        transitions = int(spec.get("leaseTransitions") or 0) + 1 if spec else 0
        return {
            "apiVersion": f"{GROUP}/v1",
            "kind": "Lease",
            "metadata": {
                **metadata,
                "annotations": {**(metadata.get("annotations") or {}), ABOUT: self.about},
            },
            "spec": {
                "holderIdentity": str(self.owner),
                "acquireTime": now,
                "renewTime": now,
                "leaseDurationSeconds": DURATION,
                "leaseTransitions": transitions,
            },
        }

    def renewed(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        """The same Lease, renewed now."""
        return {**lease, "spec": {**lease["spec"], "renewTime": micro_time()}}

    def is_mine(self, lease: Mapping[str, Any]) -> bool:
        """Whether a Lease is this process's already."""
        return bool((lease.get("spec") or {}).get("holderIdentity") == str(self.owner))


def micro_time() -> str:
    """Now, as a Lease has it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
