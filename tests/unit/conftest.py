import io
import sys
from collections.abc import Iterator

import pytest

from kubectl_admin.frame.environment import Environment
from kubectl_admin.verbs import VERBS
from tests.fakes import program
from tests.unit.cluster.conftest import new_authority


@pytest.fixture
def environment(monkeypatch):
    """An environment of text in memory, in which `act` is a verb of the program."""
    monkeypatch.setitem(VERBS, "act", "Do what a test asks for.")
    monkeypatch.setitem(sys.modules, "kubectl_admin.verbs.act", program)
    return Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})


@pytest.fixture(scope="package", autouse=True)
def _one_system_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A machine that trusts one authority: to read the 140 of a real one takes longer than most tests.

    Every connection reads them whose kubeconfig names no authority, as that to a stand-in without TLS.
    """
    path = tmp_path_factory.mktemp("trusted") / "roots.pem"
    path.write_bytes(new_authority("root of the machine").pem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield
