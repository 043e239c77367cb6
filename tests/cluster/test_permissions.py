"""docs/permissions.md on real nodes: kubelets and processes are asked with nothing but the page's rights."""

import json

import pytest

from tests import permissions
from tests.cluster.health.trial import wait_until_calm
from tests.cluster.labs import admin, stage_of
from tests.permissions import Right, Tried

pytestmark = pytest.mark.lab

CONTROLLERS = {"kube-controller-manager", "kube-scheduler"}
# Which processes skew can't ask once a right is missing. All others: tests/apiserver/test_permissions.py.
UNASKED = {
    "get nodes/proxy": {"kubelet"},
    "get /metrics": CONTROLLERS,
    "get pods/portforward in namespace kube-system": {*CONTROLLERS, "etcd", "kube-proxy"},
    "create pods/portforward in namespace kube-system": {*CONTROLLERS, "etcd", "kube-proxy"},
}


@pytest.fixture(scope="module")
def skew(shared_lab) -> Tried:
    """skew --probe by the administrator, by who has all rights of the page, by who lacks one."""

    def of_processes(right: Right) -> bool:
        return str(right) in UNASKED

    return permissions.try_out(
        stage_of(shared_lab),
        "skew",
        lambda path: admin(shared_lab, "skew", "--probe", "-o", "json", KUBECONFIG=str(path)),
        of_processes,
        administrator=True,
    )


def asked(answer: str) -> set[tuple[str, str]]:
    """The processes, by node and component, that told their version themselves."""
    return {
        (node["name"], part)
        for node in json.loads(answer)["items"]
        for part, said in node["components"].items()
        if said["running"]
    }


def test_with_the_rights_of_the_page_skew_shows_what_the_administrator_sees(skew):
    assert skew.with_all.code == skew.as_administrator.code
    assert permissions.without_user(skew.with_all) == permissions.without_user(skew.as_administrator)


def test_each_right_that_is_missing_is_named_by_skew(skew):
    assert {str(right) for right in skew.without} == set(UNASKED)
    permissions.check(skew)


@pytest.mark.parametrize("right", UNASKED)
def test_without_a_right_skew_still_asks_the_other_processes(skew, right):
    lacking = next(ended for each, ended in skew.without.items() if str(each) == right)
    lost = asked(skew.with_all.out) - asked(lacking.out)
    assert {part for _node, part in lost} == UNASKED[right]


# Rights that health does not take on a cluster that is well, unless it is told to keep a record.
NOT_TAKEN = {
    "get /readyz/*",
    "get /livez/*",
    "get pods/proxy in namespace kube-system",
    "get namespaces in namespace kube-system",
}
# Without these it reaches no component.
BLINDING = {
    "list pods",
    "create pods/portforward in namespace kube-system",
    "get pods/portforward in namespace kube-system",
}


@pytest.fixture(scope="module")
def health(shared_lab) -> Tried:
    """health by the administrator, by who has all rights of the page, by who lacks one."""
    wait_until_calm(shared_lab)  # a process that another test has ended is «crashing» in its first minute
    return permissions.try_out(
        stage_of(shared_lab),
        "health",
        lambda path: admin(
            shared_lab, "health", "-o", "json", "--timeout", "60", "--fail-on", "never", KUBECONFIG=str(path)
        ),
        administrator=True,
    )


def states(answer: str) -> dict[tuple[str, str], str]:
    """The state of each component, by node and name."""
    return {
        (node["name"], part): said["state"]
        for node in json.loads(answer)["items"]
        for part, said in node["components"].items()
    }


def unseen(answer: str) -> set[str]:
    """What could not be looked at."""
    return {each["subject"] for each in json.loads(answer)["findings"] if each["rule"] == "not-seen"}


def test_with_the_rights_of_the_page_health_sees_what_the_administrator_sees(health):
    assert (health.with_all.code, health.as_administrator.code) == (0, 0)
    assert states(health.with_all.out) == states(health.as_administrator.out)
    assert unseen(health.with_all.out) == unseen(health.as_administrator.out) == set()


def test_each_right_that_is_missing_is_named_by_health_and_costs_only_its_own(health):
    complete = states(health.with_all.out)
    for right, ended in health.without.items():
        taken = str(right) not in NOT_TAKEN
        assert right.is_named_by(permissions.words(ended)) is taken, right
        assert bool(unseen(ended.out)) is taken, right
        blinded = str(right) in BLINDING
        assert ended.code == (1 if blinded else 0), right
        assert blinded or states(ended.out) == complete, right
    assert {*NOT_TAKEN, *BLINDING} <= {str(right) for right in health.without}
