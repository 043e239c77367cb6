"""scripts/certs-kubelet.sh, with a stand-in for systemd and the kubelet that it starts."""

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.host import Shell
from tests.program import Child

PAIR = (
    "-----BEGIN CERTIFICATE-----\n{0}\n-----END CERTIFICATE-----\n"
    "-----BEGIN EC PRIVATE KEY-----\nkey of {0}\n-----END EC PRIVATE KEY-----\n"
)
CONF = "users:\n- name: default-auth\n  user:\n    client-certificate{0}\n    client-key{1}\n"
# What a kubelet does when it is started: it stores what its kubeconfig holds, and gets the next one, unless
# it is told to get none, or not to start.
SYSTEMCTL = """#!/bin/sh
folder={folder} pki={folder}/pki
[ "$1" != show ] || {{ echo "MainPID=$(cat "$folder/pid")"; exit; }}
if [ "$1" = is-active ]; then
  if grep -qs dead "$folder/fate"; then echo failed; else echo active; fi
  exit
fi
[ "$1 $2" = "restart kubelet" ] || exit 9
echo restart >> "$folder/calls"
fate=$(cat "$folder/fate" 2> /dev/null)
[ "$fate" != dead ] || exit 1
number=$(wc -l < "$folder/calls")
pair() {{ printf -- '-----BEGIN CERTIFICATE-----\\n%s\\n-----END CERTIFICATE-----\\n' "$1"
  printf -- '-----BEGIN EC PRIVATE KEY-----\\nkey of %s\\n-----END EC PRIVATE KEY-----\\n' "$1"; }}
client=$pki/kubelet-client-current.pem
if [ ! -e "$client" ]; then
  for field in client-certificate client-key; do
    sed -n "s/^ *$field-data: *//p" "$folder/kubelet.conf" | base64 -d || exit 1
  done > "$pki/kubelet-client-$number-a.pem"
  ln -s "$pki/kubelet-client-$number-a.pem" "$client"
  if [ "$fate" != unsigned ]; then
    pair "new $number" > "$pki/kubelet-client-$number-b.pem"
    ln -sf "$pki/kubelet-client-$number-b.pem" "$client"
  fi
fi
if grep -qs 'serverTLSBootstrap: true' "$folder/config.yaml" "$folder"/drop-ins/*.conf ||
  grep -q 'rotate-server-certificates' "/proc/$(cat "$folder/pid")/cmdline"; then
  server=$pki/kubelet-server-current.pem
  if [ ! -e "$server" ] && [ "$fate" != unsigned ]; then
    pair "new $number" > "$pki/kubelet-server-$number.pem"
    ln -s "$pki/kubelet-server-$number.pem" "$server"
  fi
elif [ ! -e "$pki/kubelet.crt" ] && [ "$fate" != unsigned ]; then
  echo "new $number" > "$pki/kubelet.key"
  echo "new $number" > "$pki/kubelet.crt"
fi
"""


class Kubelet:
    """A kubelet's files in a temporary folder."""

    def __init__(self, folder: Path, shell: Shell) -> None:
        self.folder, self.shell = folder, shell
        self.pki, self.conf = folder / "pki", folder / "kubelet.conf"
        self.client = self.pki / "kubelet-client-current.pem"
        self.server = self.pki / "kubelet-server-current.pem"
        self.pki.mkdir()
        (folder / "bin").mkdir()
        systemctl = folder / "bin/systemctl"
        systemctl.write_text(SYSTEMCTL.format(folder=folder))
        systemctl.chmod(0o755)
        (folder / "config.yaml").write_text("rotateCertificates: true\n")
        for link in (self.client, self.server):
            first = self.pki / link.name.replace("current", "0")
            first.write_text(PAIR.format("old"))
            link.symlink_to(first)
        for name in ("kubelet.crt", "kubelet.key"):
            (self.pki / name).write_text("old\n")
        self.names_its_file()
        self.conf.chmod(0o600)

    @property
    def named(self) -> str:
        """kubelet.conf as kubeadm leaves it: it names the file that the kubelet rotates."""
        return CONF.format(f": {self.client}", f": {self.client}")

    def names_its_file(self) -> None:
        self.conf.write_text(self.named)

    def embeds(self, what: str) -> None:
        """kubelet.conf as it was before 1.17, and while this script works."""
        certificate, key = PAIR.format(what).split("-----BEGIN EC", 1)
        data = [base64.b64encode(text.encode()).decode() for text in (certificate, "-----BEGIN EC" + key)]
        self.conf.write_text(CONF.format(*(f"-data: {one}" for one in data)))

    def fate(self, fate: str) -> None:
        (self.folder / "fate").write_text(fate)

    def signed(self) -> None:
        """The cluster signs what it serves."""
        (self.folder / "config.yaml").write_text("serverTLSBootstrap: true\n")

    def rotate(self, what: str, seconds: int = 1) -> "subprocess.CompletedProcess[bytes]":
        return self.shell.ended("certs-kubelet", what, str(seconds), path=str(self.folder / "bin"))

    @property
    def restarts(self) -> int:
        path = self.folder / "calls"
        return len(path.read_text().split()) if path.exists() else 0

    def leftovers(self) -> list[str]:
        """What nobody but this script makes."""
        made = [*self.folder.glob(".kubectl-admin*"), *self.pki.glob("*.before")]
        return [path.name for path in made]


@pytest.fixture
def kubelet(tmp_path: Path, shell: Shell, request: pytest.FixtureRequest) -> Iterator[Kubelet]:
    """A kubelet that runs, with the flags that a test wants."""
    with running_kubelet(tmp_path, shell, *getattr(request, "param", ())) as kubelet:
        yield kubelet


@contextmanager
def running_kubelet(tmp_path: Path, shell: Shell, *wanted: str) -> Iterator[Kubelet]:
    """A kubelet that runs, with flags that say where its files are, and those that are wanted."""
    flags = [
        *wanted,
        f"--config={tmp_path}/config.yaml",
        f"--cert-dir={tmp_path}/pki",
        f"--kubeconfig={tmp_path}/kubelet.conf",
        f"--config-dir={tmp_path}/drop-ins",
    ]
    with Child(["sh", "-c", "read end", "kubelet", *flags], stdin=subprocess.PIPE) as process:
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        yield Kubelet(tmp_path, shell)


def test_a_client_certificate_is_asked_for_with_the_present_one(kubelet):
    done = kubelet.rotate("client")
    assert (done.returncode, done.stderr) == (0, b"")
    assert kubelet.client.read_text() == PAIR.format("new 1")
    # It was never without one: what it had was handed to it.
    assert (kubelet.pki / "kubelet-client-1-a.pem").read_text() == PAIR.format("old")
    assert kubelet.conf.read_text() == kubelet.named
    assert kubelet.conf.stat().st_mode & 0o777 == 0o600
    assert (kubelet.restarts, kubelet.leftovers()) == (1, [])


def test_a_kubeconfig_that_embeds_one_names_the_file_afterwards(kubelet):
    """What lies in the file is newer than what was embedded long ago, and is what it asks with."""
    kubelet.embeds("very old")
    assert kubelet.rotate("client").returncode == 0
    assert (kubelet.pki / "kubelet-client-1-a.pem").read_text() == PAIR.format("old")
    assert kubelet.conf.read_text() == kubelet.named


def test_a_run_that_was_cut_off_is_gone_on_with(kubelet):
    """At its most awkward moment: the file is gone, and the kubelet was not started yet."""
    kubelet.embeds("old")
    kubelet.client.unlink()
    assert kubelet.rotate("client").returncode == 0
    assert kubelet.client.read_text() == PAIR.format("new 1")
    assert kubelet.conf.read_text() == kubelet.named


def test_a_kubeconfig_that_is_a_link_stays_one(kubelet):
    real = kubelet.folder / "real.conf"
    kubelet.embeds("very old")
    kubelet.conf.rename(real)
    kubelet.conf.symlink_to(real)
    assert kubelet.rotate("client").returncode == 0
    assert kubelet.conf.is_symlink()
    assert real.read_text() == kubelet.named
    assert kubelet.leftovers() == []


def test_what_is_not_signed_leaves_the_old_one_in_use(kubelet):
    kubelet.fate("unsigned")
    done = kubelet.rotate("client")
    assert (done.returncode, b"keeps the one that it had" in done.stderr) == (1, True)
    assert kubelet.client.read_text() == PAIR.format("old")
    assert kubelet.conf.read_text() == kubelet.named


def test_a_kubelet_that_does_not_start_finds_its_files_as_they_were(kubelet):
    kubelet.fate("dead")
    done = kubelet.rotate("client")
    assert (done.returncode, b"the kubelet does not start" in done.stderr) == (1, True)
    assert kubelet.client.read_text() == PAIR.format("old")
    assert kubelet.conf.read_text() == kubelet.named


@pytest.mark.parametrize(
    "text",
    [
        "users: [{name: default-auth, user: {client-certificate: /a, client-key: /a}}]\n",
        CONF.format(": /a", ": /a") * 2,
        "",
    ],
)
def test_a_kubeconfig_of_another_shape_is_not_touched(kubelet, text):
    kubelet.conf.write_text(text)
    done = kubelet.rotate("client")
    assert (done.returncode, b"on a line of its own" in done.stderr) == (1, True)
    assert (kubelet.conf.read_text(), kubelet.restarts) == (text, 0)
    assert kubelet.client.is_symlink()


def test_a_pair_without_its_key_is_not_touched(kubelet):
    kubelet.client.resolve().write_text(PAIR.format("old").partition("-----BEGIN EC")[0])
    done = kubelet.rotate("client")
    assert (done.returncode, b"does not hold a certificate and its key" in done.stderr) == (1, True)
    assert (kubelet.conf.read_text(), kubelet.restarts) == (kubelet.named, 0)


def test_a_server_makes_itself_another_one(kubelet):
    assert kubelet.rotate("serving").returncode == 0
    assert (kubelet.pki / "kubelet.crt").read_text() == "new 1\n"
    assert (kubelet.restarts, kubelet.leftovers()) == (1, [])


def test_a_server_asks_the_cluster_where_it_was_told_to(kubelet):
    kubelet.signed()
    assert kubelet.rotate("serving").returncode == 0
    assert kubelet.server.read_text() == PAIR.format("new 1")
    assert (kubelet.pki / "kubelet.crt").read_text() == "old\n"
    assert (kubelet.restarts, kubelet.leftovers()) == (1, [])


@pytest.mark.parametrize("kubelet", [["--rotate-server-certificates"]], indirect=True)
def test_a_flag_that_has_it_ask_the_cluster_is_known(kubelet):
    assert kubelet.rotate("serving").returncode == 0
    assert kubelet.server.read_text() == PAIR.format("new 1")


def test_a_file_of_its_folder_of_settings_that_has_it_ask_the_cluster_is_known(kubelet):
    (kubelet.folder / "drop-ins").mkdir()
    (kubelet.folder / "drop-ins/10-signed.conf").write_text("serverTLSBootstrap: true\n")
    assert kubelet.rotate("serving").returncode == 0
    assert kubelet.server.read_text() == PAIR.format("new 1")


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(("fate", "starts"), [("unsigned", 2), ("dead", 3)])
def test_a_server_that_gets_none_serves_the_old_one_again(kubelet, signed, fate, starts):
    if signed:
        kubelet.signed()
    kubelet.fate(fate)
    done = kubelet.rotate("serving")
    assert done.returncode == 1
    assert kubelet.server.read_text() == PAIR.format("old")
    assert [(kubelet.pki / name).read_text() for name in ("kubelet.crt", "kubelet.key")] == ["old\n"] * 2
    assert (kubelet.restarts, kubelet.leftovers()) == (starts, [])


def test_what_it_was_told_to_serve_is_not_touched(kubelet):
    (kubelet.folder / "config.yaml").write_text("tlsCertFile: /etc/ours.crt\n")
    done = kubelet.rotate("serving")
    assert (done.returncode, b"/etc/ours.crt" in done.stderr, kubelet.restarts) == (1, True, 0)
