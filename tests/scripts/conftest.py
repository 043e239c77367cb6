"""The shells and programs that hosts have."""

from tests.unit.node.conftest import busybox, dash, me, shell

__all__ = ["busybox", "dash", "me", "shell"]
