"""A folder on a host that goes whatever happens."""

from types import SimpleNamespace

from kubectl_admin.node import workspace
from tests.unit.interrupted import at_every_moment


class Host:
    """A host that knows only whether the folder is there."""

    def __init__(self):
        self.node, self.folders = "w1", set()
        self.operation = SimpleNamespace(id="0123456789", owner="me")

    def script(self, script, *arguments, **_):
        if script == workspace.MAKE:
            self.folders.add(arguments[0])
        else:
            self.folders.discard("/".join(arguments))

    def say(self, text):
        raise AssertionError(text)


def test_a_folder_is_there_inside_and_gone_afterwards():
    host = Host()
    with workspace.workspace(host) as path:
        assert host.folders == {path}
    assert not host.folders


def test_no_folder_stays_whenever_a_signal_comes(monkeypatch):
    def once():
        host = Host()
        try:
            with workspace.workspace(host):
                host.folders |= set()
        finally:
            assert not host.folders

    assert at_every_moment(monkeypatch, once) > 10
