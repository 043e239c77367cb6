"""The lab's nodes are what an administrator has who follows kubeadm's installation page."""

import subprocess

import pytest

from tests.cluster.labs import lab_command
from tests.lab.nodes import node
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

PACKAGES = ("kubeadm", "kubectl", "kubelet")
SOURCE = "/etc/apt/sources.list.d/kubernetes.list"
# apt, with sources and lists of its own, so that what the node has stays.
APT_APART = (
    *("-o", "Dir::Etc::sourcelist=/tmp/apart.list", "-o", "Dir::Etc::sourceparts=-"),
    *("-o", "Dir::State::lists=/tmp/apart.lists", "-o", "APT::Get::List-Cleanup=0"),
)


def on_every_node(lab: Lab, *argv: str) -> set[str]:
    """What a command says on the nodes: one text where all say the same."""
    return {lab.exec(each.name, argv).stdout.strip() for each in lab.nodes}


def test_packages_are_held(lab):
    assert on_every_node(lab, "apt-mark", "showhold") == {"\n".join(PACKAGES)}


def test_packages_are_of_the_labs_version(lab):
    shown = on_every_node(lab, "dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *PACKAGES)
    assert shown == {"\n".join(f"{name} {lab.release.kubernetes}-1.1" for name in PACKAGES)}


def test_programs_say_the_labs_version(lab):
    version = f"v{lab.release.kubernetes}"
    assert on_every_node(lab, "kubeadm", "version", "--output=short") == {version}
    assert on_every_node(lab, "kubelet", "--version") == {f"Kubernetes {version}"}
    kubelets = "--output=jsonpath={.items[*].status.nodeInfo.kubeletVersion}"
    assert set(lab.kubectl("get", "nodes", kubelets).split()) == {version}


def test_packages_come_from_the_repository_of_the_minor(lab):
    url = f"http://packages.lab:8080/core:/stable:/v{lab.release.minor}/deb"
    lab.exec("worker-1", ["apt-get", "update"])
    shown = lab.exec("worker-1", ["apt-cache", "policy", "kubelet"]).stdout
    assert f"{url}  Packages" in shown
    lab.exec("worker-1", ["sh", "-ec", "cd /tmp && apt-get download kubelet && dpkg --info kubelet_*.deb"])
    lab.exec("worker-1", ["sh", "-ec", "rm /tmp/kubelet_*.deb"])


def test_the_repository_is_believed_for_its_signature_only(lab):
    key = "/etc/apt/keyrings/kubernetes-apt-keyring.gpg"
    line = lab.exec("worker-1", ["cat", SOURCE]).stdout
    assert f"[signed-by={key}]" in line
    assert update_apart(lab, line).returncode == 0
    refused = update_apart(lab, line.replace(key, "/tmp/apart.gpg"))
    assert refused.returncode != 0
    assert "not signed" in refused.stderr


def update_apart(lab: Lab, line: str) -> "subprocess.CompletedProcess[str]":
    """`apt-get update` on the worker from this source alone; /tmp/apart.gpg is a key that signed nothing."""
    node.write(lab.node("worker-1"), "/tmp/apart.list", line)
    script = """
        rm -rf /tmp/apart.lists && mkdir -p /tmp/apart.lists/partial
        [ -e /tmp/apart.gpg ] || GNUPGHOME=$(mktemp -d) sh -ec '
            gpg --batch --quiet --passphrase "" --quick-generate-key stranger default sign never
            gpg --export stranger > /tmp/apart.gpg'
        apt-get update "$@"
    """
    return lab.exec("worker-1", ["sh", "-ec", script, "update", *APT_APART], check=False)


def test_exec_passes_input_arguments_and_the_exit_code_on(lab):
    script = 'cat; printf "<%s>" "$@"; echo wrong >&2; exit 7'
    ended = lab_command(
        "exec", lab.name, "worker-1", "--", "sh", "-c", script, "sh", "--undo", "-h", "a b", given="in\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "in\n<--undo><-h><a b>", "wrong\n")


def test_list_shows_the_lab_and_how_it_is(lab):
    rows = [line.split() for line in lab_command("list").stdout.splitlines()]
    assert [lab.name, *str(lab.shape).split(), "up", str(lab.kubeconfig)] in rows


def test_kubeconfig_prints_the_path(lab):
    assert lab_command("kubeconfig", lab.name).stdout == f"{lab.kubeconfig}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["exec", "{lab}", "worker-9", "--", "true"], "error: lab {lab} has no node worker-9; it has cp-1, "),
        (["exec", "nowhere", "cp-1", "--", "true"], "error: there is no lab nowhere"),
        (["kubeconfig", "nowhere"], "error: there is no lab nowhere"),
        (["down", "nowhere"], "error: there is no lab nowhere"),
        (["up", "{lab}", "--workers", "2"], "error: lab {lab} is up as {shape}"),
        (["fault", "{lab}", "static-pod", "worker-1", "etcd"], "error: worker-1 is no control plane"),
        (
            ["fault", "{lab}", "static-pod", "cp-1", "nonsense"],
            "error: sh on node cp-1 ended with 1: there is no",
        ),
    ],
)
def test_what_cant_be_is_said_in_a_sentence(lab, arguments, says):
    ended = lab_command(*(word.format(lab=lab.name) for word in arguments))
    assert ended.returncode == 1
    assert ended.stderr.startswith(says.format(lab=lab.name, shape=lab.shape))
