"""Which nodes have no host: those are left out at once, and said."""

from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.node.left_out import LeftOutError, refuse_foreign, without_foreign


class Nodes:
    """An API server's nodes by what runs them; other selectors than these are not asked for."""

    def __init__(self, windows: list[str], virtual: list[str]) -> None:
        self.answers = {
            "kubernetes.io/os,kubernetes.io/os!=linux": windows,
            "type=virtual-kubelet": virtual,
        }

    def table(self, path: str, query: Any) -> SimpleNamespace:
        assert path == "/api/v1/nodes"
        ((key, selector),) = query
        assert key == "labelSelector"
        return SimpleNamespace(named=lambda _: ((name,) for name in self.answers[selector]))


def test_nodes_without_a_linux_host_are_left_out_and_said():
    said: list[str] = []
    there = without_foreign(Nodes(["win-1"], ["aci"]), ["cp-1", "win-1", "aci", "w1"], said.append)
    assert there == ["cp-1", "w1"]
    assert said == [f"node {name} is left out: it has no Linux host" for name in ("aci", "win-1")]


def test_where_all_have_one_nothing_is_said():
    said: list[str] = []
    assert without_foreign(Nodes([], []), ["cp-1"], said.append) == ["cp-1"]
    assert said == []


def test_a_cluster_of_none_but_such_nodes_is_no_success():
    with pytest.raises(AdminError, match="no node of the cluster has a Linux host"):
        without_foreign(Nodes(["win-1"], []), ["win-1"], lambda _: None)


@pytest.mark.parametrize("about", [{}, {"status": None}, {"status": {"nodeInfo": {}}}])
def test_a_node_that_does_not_say_what_it_runs_is_taken_for_linux(about):
    refuse_foreign({"metadata": {"name": "n", "labels": None}, **about})
    with pytest.raises(LeftOutError):
        refuse_foreign({"metadata": {"name": "n", "labels": {"kubernetes.io/os": "windows"}}, **about})
