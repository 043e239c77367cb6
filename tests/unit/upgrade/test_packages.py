"""What the packages' scripts answer, as plain data."""

import pytest

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.node.script import Script
from kubectl_admin.upgrade import packages
from kubectl_admin.upgrade.packages import Manager, Offer, Packages

ANSWER = """manager apt
installed kubeadm 1.37.2-1.1
installed kubelet 1.36.3-1.1
held kubelet
source /etc/apt/sources.list.d/kubernetes.list 35
source /etc/apt/sources.list.d/kubernetes.list 36
source /etc/apt/sources.list.d/a b.list 34
"""


class Host:
    """Answers as it is told."""

    node = "cp-1"

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[Script | str, ...]] = []

    def script(self, *arguments: Script | str, timeout: float = 0) -> bytes:
        del timeout
        self.asked.append(arguments)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_what_a_host_says_of_its_packages():
    assert packages.survey(Host(ANSWER.encode())) == Packages(
        Manager.APT,
        {"kubeadm": "1.37.2-1.1", "kubelet": "1.36.3-1.1"},
        frozenset({"kubelet"}),
        {"/etc/apt/sources.list.d/kubernetes.list": 36, "/etc/apt/sources.list.d/a b.list": 34},
    )


def test_a_host_without_packages():
    assert packages.parse_survey("manager none\n", "w1") == Packages(Manager.NONE, {}, frozenset(), {})


@pytest.mark.parametrize(
    "line",
    [
        "manager pacman",
        "installed kubeadm",
        "source /etc/x new",
        "source /x " + "9" * 5000,
        "source 36",
        "x y",
        "\x1b[31m",
    ],
)
def test_an_answer_that_makes_no_sense(line):
    with pytest.raises(BrokenStream, match="unexpected answer about its packages"):
        packages.parse_survey(f"manager apt\n{line}\n", "w1")


def test_what_a_repository_offers():
    host = Host(b"offered kubeadm 1.37.2-1.1\noffered kubelet 1.37.2-150500.2.1\n")
    assert packages.ask_repository(host, 37) == (
        Offer("kubeadm", "1.37.2-1.1", "1.37.2"),
        Offer("kubelet", "1.37.2-150500.2.1", "1.37.2"),
    )
    assert host.asked == [(packages.OFFER, "37", "/tmp", "no")]


def test_the_repositorys_own_key_is_trusted_when_asked():
    host = Host(b"offered kubeadm 1.37.2-1.1")
    packages.ask_repository(host, 37, renew_key=True)
    assert host.asked == [(packages.OFFER, "37", "/tmp", "yes")]


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("1.37.2-1.1", "1.37.2"),
        ("1.37.2-150500.1.1", "1.37.2"),
        ("0:1.37.2-1.1", "1.37.2"),
        ("1.38.0~rc.1-1.1", "1.38.0-rc.1"),
        ("1.37.2", "1.37.2"),
    ],
)
def test_a_packages_version_is_kubernetes_own_and_its_packagers(version, release):
    assert packages.release(version) == release


@pytest.mark.parametrize(
    "why", ["this host's copy of its signing key has expired", "this host does not have its signing key"]
)
def test_a_key_that_is_not_trusted_can_be_renewed(why):
    with pytest.raises(AdminError) as raised:
        packages.ask_repository(Host(AdminError(f"node w1: http://x/: {why}")), 37)
    assert "--renew-key" in raised.value.hint


def test_other_troubles_are_told_as_they_are():
    with pytest.raises(AdminError) as raised:
        packages.ask_repository(Host(AdminError("node w1: http://x/: it can't be reached")), 37)
    assert raised.value.hint is None


def test_a_cut_stays_a_cut():
    with pytest.raises(BrokenStream):
        packages.ask_repository(Host(BrokenStream("the key was lost")), 37)
