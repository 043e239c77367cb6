import io
import sys

import pytest

from kubectl_admin.frame.environment import Environment
from kubectl_admin.verbs import VERBS
from tests.fakes import program


@pytest.fixture
def environment(monkeypatch):
    """An environment of text in memory, in which `act` is a verb of the program."""
    monkeypatch.setitem(VERBS, "act", "Do what a test asks for.")
    monkeypatch.setitem(sys.modules, "kubectl_admin.verbs.act", program)
    return Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
