"""Hosts that a test opens itself, without a pod."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Operation


@dataclass(frozen=True, slots=True)
class Opened(Hosts):
    """The hosts of many nodes. opener: opens the one of a node, for an operation."""

    opener: Callable[[str, Operation], AbstractContextManager[Any]]

    def open(self, node: str) -> AbstractContextManager[Any]:
        return self.opener(node, self.operation)
