"""The first look of an upgrade that goes on, while the only API server is restarted; no time passes."""

import pytest

from kubectl_admin import cli
from tests.fakes.api_server import Says, status
from tests.fakes.clock import Clock
from tests.fakes.served_api import serving

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.mark.parametrize("option", ["--yes", "--dry-run", "--status", "--logs"])
def test_it_waits_where_handshakes_are_cut_off(environment, tmp_path, option):
    environment.clock = Clock()
    with serving({"/api/v1/namespaces/kube-system/pods": {"items": []}}, tls=True) as server:
        server.stand_in.on("POST", REVIEWS, Says(201, {"status": {"allowed": True}}))
        server.stand_in.on("GET", "/api/v1/nodes/cp-1", status(404, "NotFound", 'nodes "cp-1" not found'))
        server.stand_in.cuts = 60
        flags = ["--kubeconfig", server.kubeconfig(tmp_path)]
        assert cli.run(["drain-upgrade", "cp-1", option, *flags], environment) == 1
    told = environment.stderr.getvalue().splitlines()
    waited, said = told[:-2], told[-2:]
    assert [line for line in told if "unexpected eof while reading; trying again" in line] == waited != []
    assert said == ["error: there is no node cp-1", "       kubectl get nodes lists them"]
    assert server.stand_in.cut == 60


def test_what_changes_nothing_is_told_of_a_server_that_is_not_there_within_a_second(environment, tmp_path):
    environment.clock = Clock()
    with serving({}) as server:
        flags = ["--kubeconfig", server.kubeconfig(tmp_path)]
    assert cli.run(["version", *flags], environment) == 1
    assert "was refused" in environment.stderr.getvalue()
    assert sum(environment.clock.slept) <= 1.0
