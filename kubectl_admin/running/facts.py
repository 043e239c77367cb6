"""A component by its own word, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Gap

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Running:
    """A component on a node, by its own word.

    configuration: by /configz, defaults included; None where it has none, or does not tell.
    flags: by /flagz, defaults included; a file of configuration wins over them, and does not show here.
    status: by /statusz: start, versions of program and Go. unseen: all that could not be looked at.
    """

    component: Component
    node: str
    configuration: Tree | None = None
    flags: Mapping[str, str] | None = None
    status: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[Gap, ...] = ()

    @property
    def version(self) -> str:
        """The program's version, «1.36.3»; "" where it does not tell."""
        return self.status.get("binaryVersion", "")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not the same in two places; None where it is missing.

    field: its path, «evictionHard["memory.available"]», «--bind-address» for a flag.
    """

    component: Component
    field: str
    one: str | None
    other: str | None
