"""The Lease of an upgrade on a real API server: two holders, processes that end in all ways, rights."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster import access
from kubectl_admin.cluster import kubeconfig as kubeconfigs
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.errors import AdminError
from kubectl_admin.node import lease
from kubectl_admin.node.operation import Owner
from tests.apiserver.conftest import NAME as LAB
from tests.lab.api import api_only
from tests.program import ROOT, environ

pytestmark = pytest.mark.lab

NAME = "kubectl-admin-upgrade-w1"
PATH = f"{lease.LEASES}/{NAME}"
PATIENCE = 60  # seconds
ME = Owner.of_process()
JANE = replace(ME, person="jane@laptop", place="boot-of-laptop/pid:[1]")
HOLDER = """
import sys
from kubectl_admin.cluster import kubeconfig
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.node.operation import Owner
from kubectl_admin.node import lease

cluster = Cluster.connect(kubeconfig.resolve(kubeconfig.Overrides(kubeconfig=sys.argv[1]), {}))
with lease.held(cluster, sys.argv[2], Owner.of_process(), "upgrades node w1", take_over=False, say=print):
    print("held", flush=True)
    sys.stdin.read()
"""


def connected(kubeconfig: Path) -> Cluster:
    """The API server for the user of a kubeconfig."""
    return Cluster.connect(kubeconfigs.resolve(kubeconfigs.Overrides(kubeconfig=str(kubeconfig)), {}))


@pytest.fixture
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    """The API server, without a Lease of that name before and afterwards."""
    here = connected(kubeconfig)
    assert lease.who(here, NAME) is None
    yield here
    try:
        here.delete(PATH)
    except NotFound:
        return


@pytest.fixture
def said() -> list[str]:
    """What a holder was told."""
    return []


@pytest.fixture
def held(cluster: Cluster, said: list[str]) -> Callable[..., AbstractContextManager[lease.Held]]:
    """Takes the Lease for an owner."""

    def take(owner: Owner, *, take_over: bool = False) -> AbstractContextManager[lease.Held]:
        about = "upgrades node w1"
        return lease.held(cluster, NAME, owner, about, take_over=take_over, say=said.append)

    return take


def test_taken_renewed_and_released(cluster: Cluster, held: Any, said: list[str]) -> None:
    with held(ME) as mine:
        before = cluster.get(PATH)
        mine.check()
        after = cluster.get(PATH)
        assert after["spec"]["renewTime"] > before["spec"]["renewTime"]
        assert after["spec"]["acquireTime"] == before["spec"]["acquireTime"]
        holder = lease.who(cluster, NAME)
        assert holder
        assert (holder.person, holder.about, holder.owner) == (ME.person, "upgrades node w1", ME)
    assert lease.who(cluster, NAME) is None
    assert said == []


def test_two_operators(cluster: Cluster, held: Any, said: list[str]) -> None:
    with held(JANE) as hers:
        with pytest.raises(AdminError, match="jane@laptop upgrades node w1, since 20"), held(ME):
            pass
        with held(ME, take_over=True) as mine:
            with pytest.raises(AdminError, match=f"somebody else has taken over: {ME.person} "):
                hers.check()
            mine.check()
            assert cluster.get(PATH)["spec"]["leaseTransitions"] == 1
            # Hers ends here, too: what is not hers any more stays.
            hers.release()
            mine.check()
        assert lease.who(cluster, NAME) is None
    assert lease.who(cluster, NAME) is None
    assert len(said) == 1


def test_what_was_not_renewed_is_free_by_the_servers_clock_alone(
    cluster: Cluster, held: Any, said: list[str]
) -> None:
    claim = lease.Claim(NAME, JANE, "upgrades node w1")
    body = claim.new()
    body["spec"]["renewTime"] = "2001-01-01T00:00:00.000000Z"
    cluster.post(lease.LEASES, body)
    # Her clock is wrong by years, but the API server has seen her write just now.
    with pytest.raises(AdminError, match="jane@laptop"), held(ME):
        pass
    # Without what the API server notes of its writers, there is only her word.
    cluster.patch(PATH, {"metadata": {"managedFields": [{}]}}, MERGE_PATCH)
    with held(ME):
        holder = lease.who(cluster, NAME)
        assert holder
        assert holder.owner == ME
    assert "last renewed at 2001-01-01 00:00:00Z, and it is 20" in said[0]


def test_deleted_by_hand_it_is_made_again(cluster: Cluster, held: Any) -> None:
    with held(ME) as mine:
        cluster.delete(PATH)
        mine.check()
        holder = lease.who(cluster, NAME)
        assert holder
        assert holder.owner == ME
    assert lease.who(cluster, NAME) is None


def holding(kubeconfig: Path) -> subprocess.Popen[str]:
    """Another process that holds the Lease until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(kubeconfig), NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environ(),
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, None])
def test_it_is_given_up_however_a_process_ends(
    kubeconfig: Path, cluster: Cluster, number: int | None
) -> None:
    with holding(kubeconfig) as process:
        holder = lease.who(cluster, NAME)
        assert holder
        assert not holder.has_ended()
        if number:
            process.send_signal(number)
        process.communicate(timeout=60)
    assert lease.who(cluster, NAME) is None


def test_a_process_that_was_killed_is_not_waited_for(kubeconfig: Path, held: Any, said: list[str]) -> None:
    with holding(kubeconfig) as process:
        with pytest.raises(AdminError, match=f"lease kube-system/{NAME}: {ME.person} upgrades"), held(ME):
            pass
        process.kill()
        process.wait(60)
    with held(ME):
        pass
    assert said[0].endswith("; that process has ended")


def test_what_goes_on_is_said_to_whoever_comes_next(cluster: Cluster, held: Any) -> None:
    """It is not given up with the process that held it."""
    with held(JANE) as mine:
        mine.leave("kubectl-admin-upgrade is running on node cp-2")
    with (
        pytest.raises(AdminError, match="w1; kubectl-admin-upgrade is running on node cp-2"),
        held(ME),
    ):
        pass
    assert lease.who(cluster, NAME)


def test_the_rights_that_are_named_are_enough(cluster: Cluster) -> None:
    user = connected(api_only.user(LAB, "lease-user"))
    assert access.missing(user, lease.RIGHTS) == list(lease.RIGHTS)
    role = {
        "metadata": {"name": "lease-user"},
        "rules": [
            {
                "apiGroups": [lease.GROUP],
                "resources": ["leases"],
                "verbs": [right.verb for right in lease.RIGHTS],
            }
        ],
    }
    binding = {
        "metadata": {"name": "lease-user"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lease-user"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "lease-user"}],
    }
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{lease.NAMESPACE}"
    cluster.post(f"{rbac}/roles", role)
    cluster.post(f"{rbac}/rolebindings", binding)
    try:
        end = time.monotonic() + PATIENCE
        while access.missing(user, lease.RIGHTS):  # the API server hears of roles a moment later
            assert time.monotonic() < end
            time.sleep(0.1)
        for owner, take_over in ((JANE, False), (ME, True)):
            with lease.held(user, NAME, owner, "tries", take_over=take_over, say=str) as mine:
                mine.check()
                cluster.post(lease.LEASES, lease.Claim(f"{NAME}-2", JANE, "waits").new())
                with (
                    pytest.raises(AdminError, match="jane@laptop waits"),
                    lease.held(user, f"{NAME}-2", ME, "tries", take_over=False, say=str),
                ):
                    pass
                cluster.delete(f"{PATH}-2")
    finally:
        cluster.delete(f"{rbac}/rolebindings/lease-user")
        cluster.delete(f"{rbac}/roles/lease-user")
