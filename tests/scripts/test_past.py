"""scripts/past-survey.sh, past-start.sh, past-begin.sh, past-go.sh, past-state.sh and past-relay.sh."""

import socket
import subprocess
import threading
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_admin.node.script import END
from tests.fakes.host import Shell

END_TIMEOUT = 60  # seconds; nothing here takes so long
UNIT = "kubectl-admin-0123456789"
# Stand-ins: the unit's state, the units that there are, and systemd's version stand in files.
SYSTEMCTL = """#!/bin/sh
cd FOLDER || exit 9
case $1 in
  is-active) cat unit; [ "$(cat unit)" = active ] ;;
  list-units) cat listing ;;
  --version) cat version ;;
  *) exit 9 ;;
esac
"""
SYSTEMD_RUN = """#!/bin/sh
printf '%s\\n' "$@" > FOLDER/ran
. FOLDER/running
"""
NSENTER = """#!/bin/sh
echo "$1" > FOLDER/entered
shift
exec "$@"
"""
RESTORES = "kubectl-admin-restore.service loaded active running kubectl-admin\n"
SAVES = "kubectl-admin-aaaaaaaaaa.service loaded active running kubectl-admin\n"


@dataclass
class Host:
    """A control-plane node in a folder: its /proc, its systemd, and the directory of an opening."""

    shell: Shell
    folder: Path

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True)
        for name, text in {"systemctl": SYSTEMCTL, "systemd-run": SYSTEMD_RUN, "nsenter": NSENTER}.items():
            self.program(f"bin/{name}", text)
        (self.folder / "bin/sleep").symlink_to("/bin/true")  # nobody waits here
        self.write("unit", "inactive\n")
        self.write("listing", "")
        self.write("version", "systemd 252 (252.39-1~deb12u1)\n+PAM\n")
        self.write("running", "echo active > FOLDER/unit\n")
        (self.folder / "systemd").mkdir()
        self.write("proc/uptime", "4711.50 9000.00\n")
        self.write("proc/meminfo", "MemTotal:  4096 kB\nMemFree:   1 kB\nMemAvailable:  2048 kB\n")
        self.process(1, "systemd", "init.scope", {})

    @property
    def directory(self) -> Path:
        return self.folder / "state/0123456789"

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("FOLDER", str(self.folder)), encoding="utf-8")

    def program(self, name: str, text: str) -> None:
        self.write(name, text)
        (self.folder / name).chmod(0o755)

    def process(self, pid: int, comm: str, container: str, programs: dict[str, str], net: str = "1") -> None:
        """A process in a container whose programs say this, with a network of that number."""
        there = f"proc/{pid}"
        self.write(f"{there}/comm", f"{comm}\n")
        self.write(f"{there}/cgroup", f"0::/kubepods.slice/{container}\n")
        (self.folder / there / "ns").mkdir()
        (self.folder / there / "ns/net").symlink_to(f"net:[{net}]")
        for name, said in programs.items():
            self.program(f"{there}/root/usr/local/bin/{name}", f"#!/bin/sh\necho '{said}'\n")

    def containers(self, *, etcdutl: bool = True) -> None:
        """Those of etcd and the API server; another etcd is there as well."""
        programs = {"etcd": "etcd Version: 3.6.8", "etcdutl": "etcdutl version: 3.6.8"}
        self.process(10, "etcd", "cri-other.scope", {"etcd": "etcd Version: 3.4.0"})
        self.process(11, "etcd", "cri-e7cd.scope", programs if etcdutl else {"etcd": programs["etcd"]})
        self.process(12, "kube-apiserver", "cri-a415.scope", {"kube-apiserver": "Kubernetes v1.36.3"})

    def started(self, net: str = "2") -> None:
        """The unit runs, with a network of that number."""
        self.write("unit", "active\n")
        self.write("state/0123456789/bound", "20\n")
        self.process(20, "sh", "system.slice", {}, net)

    def command(self, script: str, *arguments: str | Path) -> list[str]:
        words = [str(word) for word in self.shell.command(script, *arguments)]
        for path in ("/proc/", "/run/systemd/system", "/sys/fs/cgroup/"):
            there = {"/proc/": "proc/", "/run/systemd/system": "systemd"}.get(path, "cgroup/")
            words = [
                word if word.startswith("+") else word.replace(path, f"{self.folder}/{there}")
                for word in words
            ]
        return words

    def ended(
        self, script: str, *arguments: str | Path, given: bytes = b""
    ) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            self.command(script, *arguments),
            check=False,
            input=given,
            capture_output=True,
            env=self.shell.env(str(self.folder / "bin")),
            cwd="/",
            timeout=END_TIMEOUT,
        )

    def run(self, script: str, *arguments: str | Path, given: bytes = b"") -> str:
        """Its answer."""
        done = self.ended(script, *arguments, given=given)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.endswith(END)
        return done.stdout.removesuffix(END).decode()

    def start(self) -> str:
        return self.run("past-start", self.directory, UNIT, "SCRIPT", "600", "4096").strip()

    @property
    def ran(self) -> list[str]:
        """How the unit was started."""
        path = self.folder / "ran"
        return path.read_text().splitlines() if path.exists() else []

    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())


@pytest.fixture
def host(shell: Shell, tmp_path: Path) -> Host:
    return Host(shell, tmp_path)


def surveyed(host: Host) -> dict[str, str]:
    answer = host.run("past-survey", "e7cd", "a415", host.folder / "not/there")
    return dict(line.split(" ", 1) for line in answer.splitlines() if line)


def test_a_survey_tells_the_programs_of_the_containers_and_what_is_free(host: Host) -> None:
    host.containers()
    found = surveyed(host)
    assert int(found.pop("room")) > 0
    assert found == {
        "etcd": "etcd Version: 3.6.8",
        "etcdutl": "etcdutl version: 3.6.8",
        "kube-apiserver": "Kubernetes v1.36.3",
        "memory": str(2048 << 10),
        "total": str(4096 << 10),
        "systemd": "yes",
        "nsenter": "yes",
        "carrier": "yes",
    }


def test_what_is_not_to_be_had_has_no_line(host: Host) -> None:
    host.containers(etcdutl=False)
    host.write("proc/meminfo", "MemTotal:  4096 kB\n")
    (host.folder / "systemd").rmdir()
    assert not {"etcdutl", "memory", "systemd"} & surveyed(host).keys()


def test_the_programs_and_the_configuration_are_copied(host: Host) -> None:
    host.containers()
    host.write("keys.yaml", "kind: EncryptionConfiguration\n")
    for _ in range(2):
        host.run("past-begin", host.directory, "e7cd", "a415", host.folder / "keys.yaml")
    assert host.files() == ["encryption.conf", "etcd", "etcdutl", "kube-apiserver"]
    assert {path.stat().st_mode & 0o777 for path in host.directory.iterdir()} == {0o600, 0o700}
    said = subprocess.run([host.directory / "etcd"], check=True, capture_output=True, text=True)
    assert said.stdout == "etcd Version: 3.6.8\n"


def test_without_encryption_nothing_of_it_is_copied(host: Host) -> None:
    host.containers()
    host.run("past-begin", host.directory, "e7cd", "a415", "-")
    assert host.files() == ["etcd", "etcdutl", "kube-apiserver"]


def test_a_program_that_is_not_there_is_named(host: Host) -> None:
    host.containers(etcdutl=False)
    done = host.ended("past-begin", host.directory, "e7cd", "a415", "-")
    assert (done.returncode, done.stderr) == (
        1,
        b"etcdutl is not in its container, or that does not run any more\n",
    )


def test_the_unit_is_started_before_anything_is_there(host: Host) -> None:
    assert host.start() == "started"
    assert host.files() == ["alive", "run"]
    assert (host.directory / "run").read_text() == "SCRIPT"
    assert (host.directory / "alive").read_text() == "4711\n"
    assert {path.stat().st_mode & 0o777 for path in host.directory.iterdir()} == {0o600}
    assert host.ran[-4:] == ["/bin/sh", f"{host.directory}/run", str(host.directory), "600"]
    assert {f"--unit={UNIT}", "MemoryMax=4096", "PrivateNetwork=yes"} < set(host.ran)
    (removal,) = (word for word in host.ran if word.startswith("ExecStopPost=+"))
    assert f"rm -rf -- {host.directory} ||" in removal


@pytest.mark.parametrize(
    ("version", "knows"), [("systemd 239 (239-82.el8)", False), ("systemd 243", True), ("", False)]
)
def test_a_systemd_gets_no_property_that_it_does_not_know(host: Host, version: str, knows: bool) -> None:
    host.write("version", f"{version}\n")
    host.start()
    assert ("OOMPolicy=continue" in host.ran) is knows


def test_a_unit_that_runs_is_not_started_again(host: Host) -> None:
    """The answer to the first attempt was lost on its way."""
    host.started()
    assert (host.start(), host.ran) == ("started", [])


def test_one_that_could_not_be_started_is_started_by_the_next_attempt(host: Host) -> None:
    host.write("running", "echo no room >&2\nexit 1\n")
    done = host.ended("past-start", host.directory, UNIT, "SCRIPT", "600", "4096")
    assert (done.returncode, done.stderr) == (1, b"no room\n")
    host.write("running", "echo active > FOLDER/unit\n")
    assert host.start() == "started"
    assert host.ran


def test_nothing_is_opened_beside_work_that_changes_something(host: Host) -> None:
    host.write("listing", SAVES + RESTORES)
    assert (host.start(), host.ran, host.files()) == ("busy restore", [], [])


def test_it_is_opened_beside_work_that_only_reads(host: Host) -> None:
    host.write("listing", SAVES)
    assert host.start() == "started"


@pytest.mark.parametrize("gone", [True, False])
def test_one_that_has_ended_is_not_started_again(host: Host, gone: bool) -> None:
    if gone:
        host.directory.rmdir()
    else:
        host.write("state/0123456789/bound", "20\n")
    assert (host.start(), host.ran, host.directory.exists()) == ("ended", [], not gone)


FILES = b"".join(b"%s %s\n" % (name, b64encode(name * 2)) for name in (b"server.key", b"etcd.words"))


def go(host: Host, given: bytes = FILES + b"end\n") -> str:
    return host.run("past-go", host.directory, UNIT, given=given).strip()


def test_the_files_are_there_before_the_word_to_go(host: Host) -> None:
    host.started()
    for _ in range(2):
        assert go(host) == "going"
    assert host.files() == ["bound", "etcd.words", "go", "server.key"]
    assert (host.directory / "server.key").read_text() == "server.keyserver.key"
    assert (host.directory / "server.key").stat().st_mode & 0o777 == 0o600


def test_in_the_network_of_the_host_nothing_is_opened(host: Host) -> None:
    host.started(net="1")
    assert (go(host), (host.directory / "go").exists()) == ("shared", False)


def test_a_network_that_is_not_to_be_seen_is_none_of_its_own(host: Host) -> None:
    host.started()
    (host.folder / "proc/1/ns/net").unlink()
    done = host.ended("past-go", host.directory, UNIT, given=FILES + b"end\n")
    assert done.returncode == 1
    assert done.stderr.startswith(f"systemd does not tell whether {UNIT} has a network of its own".encode())
    assert not (host.directory / "go").exists()


@pytest.mark.parametrize("gone", [True, False])
def test_where_the_unit_has_ended_nothing_is_opened(host: Host, gone: bool) -> None:
    if gone:
        host.directory.rmdir()
    assert go(host) == "ended"
    assert host.directory.exists() is not gone


@pytest.mark.parametrize("given", [FILES, b"", FILES[:-5]])
def test_files_that_have_not_come_whole_open_nothing(host: Host, given: bytes) -> None:
    host.started()
    done = host.ended("past-go", host.directory, UNIT, given=given)
    assert done.returncode == 143
    assert not (host.directory / "go").exists()


@pytest.mark.parametrize("name", ["../x", ".x", "a/b"])
def test_a_file_is_in_the_directory(host: Host, name: str) -> None:
    host.started()
    assert host.ended("past-go", host.directory, UNIT, given=f"{name} eA==\nend\n".encode()).returncode == 1
    assert host.files() == ["bound"]


def state(host: Host) -> list[str]:
    return host.run("past-state", host.directory, UNIT).splitlines()


def test_the_word_of_interest_is_the_hosts_own_time(host: Host) -> None:
    host.started()
    assert state(host) == ["unit running", "network own"]
    assert (host.directory / "alive").read_text() == "4711\n"
    assert host.files() == ["alive", "bound"]


def test_before_the_unit_runs_nothing_is_said_of_its_network(host: Host) -> None:
    assert state(host) == ["unit ended"]
    host.started(net="1")
    assert state(host) == ["unit running", "network shared"]
    (host.folder / "proc/1/ns/net").unlink()
    assert state(host) == ["unit running"]


def test_the_last_words_of_a_program_are_told(host: Host) -> None:
    host.write("state/0123456789/etcd.ended", "2\n")
    host.write("state/0123456789/etcd.log", "".join(f"{line}\n" for line in range(30)) + "x" * 5000)
    told = state(host)
    assert told[:3] == ["unit ended", "ended etcd 2", "said etcd 11"]
    assert told[-1] == f"said etcd {'x' * 1000}"


def test_a_directory_that_is_gone_is_told_and_not_made_again(host: Host) -> None:
    host.directory.rmdir()
    assert state(host) == ["gone directory"]
    assert not host.directory.exists()


def test_a_connection_is_carried_into_the_network_of_the_api_server(host: Host) -> None:
    host.write("state/0123456789/kube-apiserver.pid", "21\n")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            near, _ = server.accept()
            with near:
                near.sendall(near.recv(100) * 2)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        pipe = subprocess.PIPE
        command = host.command("past-relay", host.directory, str(server.getsockname()[1]))
        env = host.shell.env(str(host.folder / "bin"))
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=env, cwd="/") as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(b"word")
            process.stdin.flush()
            assert process.stdout.read() == b"wordword"
        thread.join(END_TIMEOUT)
    assert (host.folder / "entered").read_text() == f"--net={host.folder}/proc/21/ns/net\n"


@pytest.mark.parametrize("process", ["", "x", "1; true"])
def test_without_an_api_server_nothing_is_entered(host: Host, process: str) -> None:
    host.write("state/0123456789/kube-apiserver.pid", f"{process}\n")
    assert host.ended("past-relay", host.directory, "6443").returncode == 1
    assert not (host.folder / "entered").exists()
