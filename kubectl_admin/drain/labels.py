"""Label selectors, and the terms of node affinity, which add numbers to them. Pure.

Source: apimachinery pkg/labels/selector.go, component-helpers scheduling/corev1/nodeaffinity.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A demand on one label. operator: In, NotIn, Exists, DoesNotExist, Gt, Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, expression: Mapping[str, Any]) -> "Requirement":
        """The requirement in an entry of matchExpressions."""
        return cls(expression["key"], expression["operator"], tuple(expression.get("values") or ()))

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet it; a missing label meets NotIn and DoesNotExist."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case "Gt" | "Lt":
                return self._compares(value)
        return False

    def _compares(self, value: str | None) -> bool:
        # As Go reads numbers: neither spaces nor underscores, and no other digits.
        if not (self.values and NUMBER.fullmatch(value or "") and NUMBER.fullmatch(self.values[0])):
            return False
        here, limit = int(value or ""), int(self.values[0])
        return here > limit if self.operator == "Gt" else here < limit

    def __str__(self) -> str:
        values = ",".join(self.values)
        match self.operator:
            case "In":
                return f"{self.key}={values}" if len(self.values) == 1 else f"{self.key} in ({values})"
            case "NotIn":
                return f"{self.key}!={values}" if len(self.values) == 1 else f"{self.key} notin ({values})"
            case "Exists":
                return self.key
            case "DoesNotExist":
                return f"!{self.key}"
        return f"{self.key} {self.operator} {values}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A label selector: all requirements must hold, and none selects everything."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def of(cls, selector: Mapping[str, Any] | None) -> "Selector | None":
        """The selector in an object; None, which selects nothing, where there is none."""
        if selector is None:
            return None
        return cls(
            (
                *equalities(selector.get("matchLabels")),
                *(Requirement.of(each) for each in selector.get("matchExpressions") or ()),
            )
        )

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(requirement.holds(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


def equalities(wanted: Mapping[str, str] | None) -> tuple[Requirement, ...]:
    """Demands of a map of labels (matchLabels, nodeSelector)."""
    return tuple(Requirement(key, "In", (value,)) for key, value in (wanted or {}).items())
