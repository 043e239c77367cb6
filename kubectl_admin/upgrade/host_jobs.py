"""The jobs that an upgrade runs on the host of its node: started, followed, and waited for."""

from collections.abc import Callable, Sequence

from kubectl_admin.errors import AdminError
from kubectl_admin.node import jobs
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE
from kubectl_admin.upgrade import plan
from kubectl_admin.upgrade.progress import UpgradeProgress

PREPARE, KUBEADM, INSTALL = (
    Script("upgrade", name) for name in ("packages-prepare", "upgrade-kubeadm", "packages-install")
)
NAME = "upgrade"  # of the job, and of its directory
DIRECTORY = f"{STATE}/{NAME}"
RECORDS = f"{DIRECTORY}/records"
JOBS = (plan.PACKAGES, plan.KUBEADM, plan.KUBELET)
WORDS = 500  # characters of a job's last words


class JobFailedError(AdminError):
    """A job on the host has ended with another exit code than 0."""

    def __init__(self, what: str, hint: str, exit_code: int) -> None:
        super().__init__(what, hint)
        self.exit_code = exit_code


def run_job(
    host: Host,
    name: str,
    script: Script,
    arguments: Sequence[str],
    check: Callable[[], None],
    progress: UpgradeProgress,
) -> None:
    """Runs a job on the host to its end.

    check: as in `jobs.restart`. Raises JobFailedError with the job's last words where it has failed.
    """
    job = jobs.restart(host, NAME, f"{DIRECTORY}/{name}", script, arguments, check=check)
    ended = follow(job, progress)
    if ended.exit_code:
        said = last_words(ended.log) or f"exit code {ended.exit_code}"
        whole = f"see all its output with kubectl admin drain-upgrade {host.node} --logs"
        fix = "fix it, or proceed with --ignore-preflight-errors; " if "[ERROR " in said else ""
        raise JobFailedError(f"node {host.node}: {name} failed: {said}", fix + whole, ended.exit_code)


def wait_for_running_jobs(host: Host, progress: UpgradeProgress) -> None:
    """Returns when no job of an earlier run is running on the host any more.

    There is no time limit: kubeadm and a package manager must not be left in the middle of their work.
    """
    if host.persistently(lambda: host.run(["test", "-e", DIRECTORY], check=False)).exit_code:
        return
    for name in JOBS:
        if job := jobs.running(host, NAME, f"{DIRECTORY}/{name}"):
            host.operation.work[host.node] = job.unit  # a signal from here on leaves the Lease to it
            since = running_since(host, job.unit)
            progress.note(
                f"node {host.node}: waiting for {name} of an earlier run, which runs there as systemd unit "
                f"{job.unit}" + (f" since {since}" if since else "") + "; it is never abandoned"
            )
            follow(job, progress)


def running_since(host: Host, unit: str) -> str:
    """When a systemd unit was started, by the host's clock; "" where nobody says. Only a message has it."""
    ask = ["systemctl", "show", "--property=ExecMainStartTimestamp", "--value", unit]
    try:
        return host.run(ask, check=False).stdout.decode("utf-8", "replace").strip()
    except AdminError:
        return ""


def follow(job: jobs.Job, progress: UpgradeProgress) -> jobs.Ended:
    """How a job ends; if the wait is interrupted, progress is told that the job continues."""
    try:
        return job.wait(wrote=progress.wrote)
    except AdminError:
        raise
    except BaseException:
        node = job.host.node
        progress.note(
            f"node {node}: the work there continues; run the same command again to resume, or see "
            f"kubectl admin drain-upgrade {node} --status"
        )
        raise


def last_words(log: str) -> str:
    """The error in a log: errors of kubeadm's checks, else the last error, else the last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    checks = [line for line in lines if line.startswith("[ERROR ")]
    errors = [line for line in lines if line.lower().startswith(("error", "e: ", "fatal"))]
    return "; ".join(dict.fromkeys(checks or (errors or lines)[-1:]))[:WORDS]
