"""The jobs on a node's host, as a later run finds them."""

from types import SimpleNamespace

from kubectl_admin.upgrade.host_jobs import wait_for_running_jobs
from kubectl_admin.upgrade.progress import UpgradeLines

STARTED = "Mon 2026-11-30 00:10:11 UTC"


class Host:
    """A host where these jobs run. started: what systemctl says of when."""

    node = "cp-1"

    def __init__(self, *running: str, started: str = STARTED) -> None:
        self.operation = SimpleNamespace(work={})
        self.running, self.started = running, started

    def persistently(self, action):
        return action()

    def run(self, command, *, check):
        assert not check
        if command[0] == "systemctl":
            assert command[-1] == "kubectl-admin-upgrade"
            return SimpleNamespace(exit_code=0, stdout=f"{self.started}\n".encode())
        there = [f"/upgrade/{name}/log" for name in self.running] + ["/upgrade"]
        return SimpleNamespace(exit_code=int(not command[-1].endswith(tuple(there))), stdout=b"")

    def script(self, _script, _directory, _unit, _length, turn):
        return b"running\n" if turn == "0" else b"ended 0\n"


def waited(host: Host) -> list[str]:
    """What is shown of the wait."""
    lines: list[str] = []
    wait_for_running_jobs(host, UpgradeLines(lines.append, lambda _: None))
    return lines


def test_a_job_of_an_earlier_run_is_named_with_its_unit_and_since_when_it_runs():
    (line,) = waited(Host("kubeadm"))
    assert line == (
        "node cp-1: waiting for kubeadm of an earlier run, which runs there as systemd unit "
        f"kubectl-admin-upgrade since {STARTED}; it is never abandoned"
    )
    assert "since" not in waited(Host("kubeadm", started=""))[0]


def test_nothing_is_said_where_nothing_runs():
    assert waited(Host()) == []
