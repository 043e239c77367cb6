"""How an opened snapshot is used."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import use
from kubectl_admin.etcd.past.opened import Opened
from tests.unit.etcd.past.samples import PAST, PLACE


def test_the_end_of_the_opening_is_said_once_to_whoever_runs_a_command():
    said = []

    def check():
        raise AdminError("node cp-1: the systemd unit of the opened snapshot has ended")

    look = use.saying_once(check, said.append)
    look()
    look()
    assert said == [
        "the snapshot is not open any more: node cp-1: the systemd unit of the opened snapshot has ended"
    ]


def test_while_it_is_open_nothing_is_said():
    use.saying_once(lambda: None, pytest.fail)()


def test_without_a_command_the_lines_for_a_shell_are_written():
    """The cache of kubectl's discovery is one of its own, gone with the kubeconfig."""
    written = []

    def sleep(_seconds):
        raise KeyboardInterrupt

    cluster = SimpleNamespace(clock=SimpleNamespace(sleep=sleep))
    opened = Opened(PAST, PLACE, Path("/run/a b/kubeconfig"), cluster, (), lambda: None)
    code = use.use(opened, [], {}, shell=False, write=written.append, say=lambda _: None)
    assert code == 0
    assert written == [
        "export KUBECONFIG='/run/a b/kubeconfig'\n",
        "export KUBECACHEDIR='/run/a b/cache'\n",
    ]
