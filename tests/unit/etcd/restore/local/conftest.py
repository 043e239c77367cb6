"""The shells that hosts have."""

from tests.unit.node.conftest import busybox, dash, shell

__all__ = ["busybox", "dash", "shell"]
