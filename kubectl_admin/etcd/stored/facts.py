"""Objects that are stored in etcd, as plain data."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    name, group, resource: «Deployment», «apps», «deployments».
    custom: whether a definition of the cluster makes it, and not Kubernetes itself.
    noisy: whether its objects come, go and change all the time, whatever anybody does.
    """

    name: str
    group: str
    resource: str
    namespaced: bool
    custom: bool = False
    noisy: bool = False

    @property
    def title(self) -> str:
        """Its name for a person: that of a custom kind with its group, since it may be anything."""
        return f"{self.name}.{self.group}" if self.custom else self.name

    @property
    def word(self) -> str:
        """As `kubectl -o name` has it: «deployment.apps»."""
        return f"{self.name}.{self.group}".lower().rstrip(".")


@dataclass(frozen=True, slots=True)
class Object:
    """An object by its key.

    kind: None where the key does not tell which object it is; then namespace and name are "".
    key: as text, with escapes for bytes that are none.
    """

    kind: Kind | None
    namespace: str
    name: str
    key: str


def words_for(kind: Kind) -> tuple[str, ...]:
    """The words that name a kind, as kubectl takes them."""
    names = (kind.name.lower(), kind.resource)
    return (*names, *(f"{name}.{kind.group}" for name in names if kind.group))


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as etcd has it.

    place: below the prefix, where all of its kind are: «minions», «cert-manager.io/certificates».
    namespace: "" where its kind has none.
    content: shaped as the API's JSON; None where it is encrypted at rest or can't be read.
    encrypted: how it is encrypted, «k8s:enc:aescbc:v1:key1:»; "" where it is not.
    problem: why it can't be read, in words; "" where it can, or is encrypted.
    """

    key: str
    place: str
    namespace: str
    name: str
    content: dict[str, Any] | None
    encrypted: str = ""
    problem: str = ""
