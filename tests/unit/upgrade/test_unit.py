"""The command line that systemd would give the kubelet."""

import pytest

from kubectl_admin.upgrade import unit
from tests.unit.upgrade.cases import DROP_IN, FRAGMENT, PACKAGED

DEFAULT = "/etc/default/kubelet"
OWN = "/etc/systemd/system/kubelet.service.d"


def words(more=None):
    command = unit.command({**PACKAGED, **(more or {})})
    return [word.text for word in command.words if not word.text.startswith(("--kubeconfig", "--config="))]


def test_each_word_is_told_with_the_file_that_it_is_from():
    command = unit.command({**PACKAGED, DEFAULT: "KUBELET_EXTRA_ARGS=--v 2\n"})
    assert (command.program, command.is_kubelet, command.missing) == ("/usr/bin/kubelet", True, ())
    assert [(word.text, word.place) for word in command.words] == [
        ("--kubeconfig=/etc/kubernetes/kubelet.conf", DROP_IN),
        ("--config=/var/lib/kubelet/config.yaml", DROP_IN),
        ("--node-ip=10.0.0.1", "/var/lib/kubelet/kubeadm-flags.env"),
        ("--v", DEFAULT),
        ("2", DEFAULT),
    ]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("KUBELET_EXTRA_ARGS=--a=1 --b 2", ["--a=1", "--b", "2"]),
        ('KUBELET_EXTRA_ARGS="--a=1 --b 2"', ["--a=1", "--b", "2"]),
        ("KUBELET_EXTRA_ARGS='--a=1'", ["--a=1"]),
        ("# KUBELET_EXTRA_ARGS=--a\n; KUBELET_EXTRA_ARGS=--a\n", []),
        ("KUBELET_EXTRA_ARGS=--a\nKUBELET_EXTRA_ARGS=--b", ["--b"]),
        ("KUBELET_EXTRA_ARGS=--a \\\n  --b", ["--a", "--b"]),
        ("KUBELET_EXTRA_ARGS=", []),
        ("KUBELET_EXTRA_ARGS=--a='x y'", ["--a=x y"]),
        # What systemd 252 makes of these was seen on a host.
        ("KUBELET_EXTRA_ARGS=--it's", ["--its"]),
        ('KUBELET_EXTRA_ARGS=a\\ b "c d"e', ["a", "b", "c de"]),
        ('KUBELET_EXTRA_ARGS="--a=1" "--b=2"', ["--a=1--b=2"]),
        ('KUBELET_EXTRA_ARGS=--a="1" --b="2"', ["--a=1", "--b=2"]),
        ('KUBELET_EXTRA_ARGS="--a=\\"x y\\" --z"', ["--a=x y", "--z"]),
        ("  KUBELET_EXTRA_ARGS = --a ", ["--a"]),
        ("export KUBELET_EXTRA_ARGS=--a", []),
        ("nothing", []),
    ],
)
def test_variables_as_administrators_write_them(written, found):
    assert words({DEFAULT: written}) == ["--node-ip=10.0.0.1", *found]


VARIABLE = "[Service]\nEnvironment=KUBELET_EXTRA_ARGS=--own"
COMMAND = "[Service]\nExecStart=\nExecStart={}"


@pytest.mark.parametrize(
    ("why", "more", "found"),
    [
        ("a drop-in's variable", {f"{OWN}/20.conf": VARIABLE}, ["--node-ip=10.0.0.1", "--own"]),
        (
            "a file counts more than a variable",
            {f"{OWN}/20.conf": VARIABLE, DEFAULT: "KUBELET_EXTRA_ARGS=--file"},
            ["--node-ip=10.0.0.1", "--file"],
        ),
        (
            "a command of its own",
            {f"{OWN}/20.conf": COMMAND.format("-/usr/bin/kubelet --all ${KUBELET_KUBEADM_ARGS} --$$")},
            ["--all", "--node-ip=10.0.0.1", "--$"],
        ),
        (
            "a name that is none, and one in the midst of a word",
            {f"{OWN}/20.conf": COMMAND.format("/usr/bin/kubelet $KUBELET_KUBEADM_ARGS,x '$A b' $B c$B")},
            ["c$B"],
        ),
        ("another section", {f"{OWN}/20.conf": "[Install]\nExecStart=/bin/x --no"}, ["--node-ip=10.0.0.1"]),
        ("no drop-in", {f"{OWN}/20.txt": COMMAND.format("/bin/x --no")}, ["--node-ip=10.0.0.1"]),
        (
            "one for all services",
            {"/etc/systemd/system/service.d/x.conf": VARIABLE},
            ["--node-ip=10.0.0.1", "--own"],
        ),
        (
            "of one name the one in /etc",
            {f"{OWN}/10-kubeadm.conf": COMMAND.format("/usr/bin/kubelet --mine")},
            ["--mine"],
        ),
        (
            "a unit in /etc, with the drop-ins of the other",
            {"/etc/systemd/system/kubelet.service": "[Service]\nExecStart=/opt/kubelet --no"},
            ["--node-ip=10.0.0.1"],
        ),
    ],
)
def test_files_of_a_unit_in_their_order(why, more, found):
    assert words(more) == found, why


def test_a_masked_drop_in_counts_as_nothing():
    command = unit.command({**PACKAGED, f"{OWN}/10-kubeadm.conf": ""})
    assert (command.program, command.words) == ("/usr/bin/kubelet", ())


def test_a_script_in_between():
    more = {f"{OWN}/x.conf": COMMAND.format("/usr/local/bin/start-kubelet.sh")}
    assert not unit.command({**PACKAGED, **more}).is_kubelet


def test_no_unit():
    assert unit.command({}) == unit.Command()
    assert unit.command({FRAGMENT: "[Service]\nExecStart=\n"}) == unit.Command()
    assert unit.command({FRAGMENT: "\x00\n[Service\n="}) == unit.Command()


def test_files_that_were_not_read_yet_are_named():
    more = {f"{OWN}/x.conf": "[Service]\nEnvironmentFile=/etc/own/*.env\nEnvironmentFile=-/etc/kubelet.env"}
    command = unit.command({**PACKAGED, DEFAULT: "", **more})
    assert command.missing == ("/etc/own/*.env", "/etc/kubelet.env")
    assert [unit.readable(path) for path in command.missing] == ["/etc/own", "/etc/kubelet.env"]
    assert words({**more, "/etc/own/a.env": "KUBELET_EXTRA_ARGS=--from-pattern"})[-1] == "--from-pattern"
