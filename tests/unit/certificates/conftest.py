"""The shells of hosts, as the tests of the node room have them."""

from tests.unit.node.conftest import busybox, dash, shell

__all__ = ["busybox", "dash", "shell"]
