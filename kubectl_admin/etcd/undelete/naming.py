"""How an object is named for a person, and for programs. Pure."""

from dataclasses import dataclass
from typing import Self

from kubectl_admin.etcd.undelete.entries import Entry
from kubectl_admin.etcd.undelete.facts import Item, Resource
from kubectl_admin.report.text import printable


@dataclass(frozen=True, slots=True)
class Named:
    """An object by its names. namespace: "" for none."""

    resource: Resource
    namespace: str
    plain: str

    @classmethod
    def of(cls, item: Item) -> Self:
        """The names of an object that was asked for."""
        return cls(item.resource, item.key.namespace, item.key.name)

    @classmethod
    def of_entry(cls, entry: Entry) -> Self:
        """Those of the object of a change."""
        return cls(entry.resource, entry.namespace, entry.name)

    @property
    def name(self) -> str:
        """«deployment.apps/web», as `kubectl -o name` has it."""
        return f"{self.resource.word}/{self.plain}"

    @property
    def subject(self) -> str:
        """«deployment.apps shop/web», as findings begin."""
        return f"{self.resource.word} {self._place}"

    @property
    def path(self) -> str:
        """«deployment.apps/shop/web», as it is among the objects of a finding."""
        return f"{self.resource.word}/{self._place}"

    @property
    def said(self) -> tuple[str, tuple[str, ...]]:
        """The subject and the objects of a finding on it alone."""
        return printable(self.subject), (self.path,)

    @property
    def _place(self) -> str:
        return f"{self.namespace}/{self.plain}".lstrip("/")
