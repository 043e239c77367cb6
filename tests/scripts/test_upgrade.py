"""scripts/upgrade-survey.sh, upgrade-kubeadm.sh, job-clear.sh and job-logs.sh."""

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.host import Shell

KUBEADM = """#!/bin/sh
# A stand-in: says what it was asked for.
case $1 in
  version) echo v1.37.2 ;;
  *) for word in "$@"; do echo "<$word>"; done; exit {code} ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Stand-ins that come before the host's own programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "kubeadm", KUBEADM.format(code=0))
    program(folder, "kubelet", "#!/bin/sh\necho Kubernetes v1.36.3\n")
    return folder


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def survey(shell: Shell, programs: Path, *arguments: str | Path) -> list[str]:
    done = shell.ended("upgrade-survey", *arguments, path=str(programs))
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def test_what_an_upgrade_wants_to_know(shell, programs, tmp_path):
    data = tmp_path / "etcd's data"
    data.mkdir()
    (data / "db").write_bytes(b"x" * 100_000)
    said = survey(shell, programs, tmp_path, data)
    assert said[:2] == ["kubeadm v1.37.2", "kubelet v1.36.3"]
    kilobytes = [line.split()[1] for line in said if line.startswith("etcd-kilobytes ")]
    assert 98 <= int(kilobytes[0]) <= 120
    rooms = {words[3]: words[1:3] for line in said if (words := line.split(" ", 3))[0] == "room"}
    assert set(rooms) == {
        str(tmp_path),
        "/usr",
        "/var/lib/kubectl-admin",
        "/var/lib/containerd",
        "/var/lib/containers/storage",
    }
    assert all(each.isdecimal() for room in rooms.values() for each in room)
    assert rooms[str(tmp_path)][1] == str(tmp_path.stat().st_dev)
    assert said[-1] == "# end"


def test_the_room_of_a_folder_that_is_not_there_yet(shell, programs, tmp_path):
    there = survey(shell, programs, tmp_path / "to" / "come", "-")
    [room] = [line for line in there if line.endswith(f" {tmp_path}/to/come")]
    assert room.split()[2] == str(tmp_path.stat().st_dev)


def test_a_host_that_starts_an_api_server(shell, programs, tmp_path):
    assert "apiserver yes" not in survey(shell, programs, tmp_path, "-")
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "kube-apiserver.yaml").write_text("kind: Pod\n")
    assert "apiserver yes" in survey(shell, programs, tmp_path, "-")


def test_the_version_of_cgroup_is_that_of_its_root(shell, programs, tmp_path):
    said = [line for line in survey(shell, programs, tmp_path, "-") if line.startswith("cgroup")]
    unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    assert said == (["cgroup 2"] if unified else ["cgroup 1"])


def test_a_host_without_any_of_it(shell, programs, tmp_path):
    program(programs, "kubeadm", "#!/bin/sh\nexit 1\n")
    program(programs, "kubelet", "#!/bin/sh\nexit 1\n")
    said = survey(shell, programs, tmp_path / "none", "-")
    assert not any(line.startswith(("kubeadm ", "kubelet ", "etcd-")) for line in said)


@dataclass
class Host:
    """Where kubeadm's step runs."""

    shell: Shell
    folder: Path
    programs: Path

    @property
    def config(self) -> Path:
        """The kubelet's configuration."""
        return self.folder / "config.yaml"

    def kubeadm(self, *, code: int = 0, act: str = "") -> None:
        """Its stand-in, which does this and ends with that code where it is asked for an upgrade."""
        program(
            self.programs, "kubeadm", KUBEADM.format(code=code).replace("for word", f"{act}\nfor word", 1)
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """How the script ends."""
        paths = self.folder / "records", self.config
        return self.shell.ended("upgrade-kubeadm", *paths, *arguments, path=str(self.programs))

    def record(self) -> str:
        """What is on the disk afterwards."""
        return (self.folder / "records/kubeadm").read_text().strip()


@pytest.fixture
def host(shell, tmp_path, programs) -> Host:
    found = Host(shell, tmp_path, programs)
    found.config.write_text("old")
    os.utime(found.config, (1, 1))
    found.kubeadm(act=f"touch {found.config}")
    return found


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (("node", "v1.37.2", "-", "-"), ["<upgrade>", "<node>"]),
        (("node", "v1.38.0-rc.1", "-", "-"), ["<upgrade>", "<node>"]),
        (
            ("apply", "v1.38.0-rc.1", "Swap", "-"),
            [
                *["<upgrade>", "<plan>", "<v1.38.0-rc.1>"],
                *["<--allow-experimental-upgrades>", "<--ignore-preflight-errors=Swap>"],
                *["<upgrade>", "<apply>", "<v1.38.0-rc.1>", "<--yes>"],
                *["<--allow-experimental-upgrades>", "<--ignore-preflight-errors=Swap>"],
            ],
        ),
        (
            ("node", "v1.37.2", "Swap,Mem", "/etc/my patches"),
            ["<upgrade>", "<node>", "<--ignore-preflight-errors=Swap,Mem>", "<--patches=/etc/my patches>"],
        ),
        (
            ("apply", "v1.37.2", "Swap", "/p"),
            [
                *["<upgrade>", "<plan>", "<v1.37.2>", "<--ignore-preflight-errors=Swap>"],
                *[
                    "<upgrade>",
                    "<apply>",
                    "<v1.37.2>",
                    "<--yes>",
                    "<--ignore-preflight-errors=Swap>",
                    "<--patches=/p>",
                ],
            ],
        ),
    ],
)
def test_what_kubeadm_is_asked_for(host, arguments, asked):
    done = host.run(*arguments)
    said = done.stdout.decode().splitlines()
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line for line in said if not line.startswith("== ")] == asked
    assert host.record() == f"{arguments[1]} {arguments[0]} 0"
    assert stat.S_IMODE((host.folder / "records").stat().st_mode) == 0o700


def test_a_plan_that_fails_is_the_end(host):
    host.kubeadm(code=7)
    done = host.run("apply", "v1.37.2", "-", "-")
    assert done.returncode == 7
    assert b"<apply>" not in done.stdout
    assert host.record() == "v1.37.2 apply 7"


def test_a_kubeadm_that_is_killed_on_its_way_has_no_end(host):
    host.kubeadm(act=f"touch {host.config}; kill -9 $PPID; exit 0")
    assert host.run("node", "v1.37.2", "-", "-").returncode == -9
    assert host.record() == "v1.37.2 node -"


@pytest.mark.parametrize("there", [True, False])
def test_a_kubeadm_that_has_not_come_to_the_kubelets_configuration_is_not_over(host, there):
    host.kubeadm()
    if not there:
        host.config.unlink()
    done = host.run("node", "v1.37.2", "-", "-")
    assert done.returncode == 1
    assert done.stdout.decode().splitlines()[-1].endswith(f"has not written {host.config}")
    assert host.record() == "v1.37.2 node 1"


@pytest.mark.parametrize("written", [True, False])
def test_a_configuration_behind_a_link_is_looked_at_where_it_is(host, written):
    real = host.folder / "real.yaml"
    host.config.rename(real)
    host.config.symlink_to(real)
    os.utime(host.config, (1, 1), follow_symlinks=False)
    host.kubeadm(act=f"touch {real}" if written else "")
    assert host.run("node", "v1.37.2", "-", "-").returncode == (0 if written else 1)


def test_what_kubeadm_deploys(shell, programs):
    """By the cluster's own configuration, which it is handed as a file."""
    program(programs, "kubeadm", '#!/bin/sh\necho "$1 $2 $3 $4"; cat "$5"\n')
    done = shell.ended("kubeadm-images", given=b"registry/coredns:v1\n", path=str(programs))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"config images list --config\nregistry/coredns:v1\n\n# end\n"
    program(programs, "kubeadm", "#!/bin/sh\necho no >&2; exit 3\n")
    failed = shell.ended("kubeadm-images", path=str(programs))
    assert (failed.returncode, failed.stdout, failed.stderr) == (3, b"", b"no\n")


def test_what_a_job_wrote_goes_into_the_journal(shell, tmp_path):
    journal = tmp_path / "journal"
    for result in ("0", None):
        folder = tmp_path / "kubeadm"
        folder.mkdir()
        (folder / "log").write_text("words\n")
        if result:
            (folder / "result").write_text(f"{result}\n")
        shell.run("job-clear", folder, journal, "kubectl-admin-upgrade")
        assert not folder.exists()
    assert (
        journal.read_text() == "=== kubeadm: ended with 0\nwords\n=== kubeadm: ended with no result\nwords\n"
    )
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    shell.run("job-clear", tmp_path / "kubeadm", journal, "kubectl-admin-upgrade")  # none is none


def test_all_that_jobs_have_written(shell, tmp_path):
    assert shell.run("job-logs", tmp_path / "none") == b""
    (tmp_path / "journal").write_text("=== packages: ended with 1\nbefore\n")
    for name in ("kubeadm", "packages"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log").write_text(f"of {name}\n")
    said = shell.run("job-logs", tmp_path).decode()
    assert said == "=== packages: ended with 1\nbefore\n=== kubeadm\nof kubeadm\n=== packages\nof packages\n"
