"""Changes the certificates of one control-plane node, and verifies that the new ones are used.

The change is a job there, which runs on whatever becomes of the connection.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from kubectl_admin.certificates.inventory.components import KUBERNETES
from kubectl_admin.certificates.renewable import ALL, RENEWABLE
from kubectl_admin.certificates.renewal.facts import BEFORE_ROLLBACK, JOB, NAMED
from kubectl_admin.certificates.renewal.kubeadm.backups import close_all
from kubectl_admin.certificates.renewal.kubeadm.gather import Live
from kubectl_admin.certificates.renewal.kubeadm.in_use import AGAIN, Verification
from kubectl_admin.certificates.renewal.plan import NodeStep
from kubectl_admin.certificates.renewal.work import Changed, Done, Site
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from kubectl_admin.node import jobs
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE, workspace

CHANGE = Script("certificates", "certs-change")
# Lines of the job's log.
RENEWED = re.compile(r"^\S+ kubeadm certs renew (\S+)$", re.MULTILINE)
BACKUP = re.compile(r"^backup (\S+)$", re.MULTILINE)


def apply(cluster: Cluster, site: Site, step: NodeStep) -> Done:
    """Renews or rolls back on one node. Raises AdminError where that does not come to its end."""
    return Worker(site, Live(cluster, site.host), step).work()


class Worker:
    """The work on one node. live: the node as it is right now."""

    def __init__(self, site: Site, live: Live, step: NodeStep) -> None:
        self._site, self._live, self._step = site, live, step

    def work(self) -> Done:
        """Changes the files, and verifies that they are used.

        The job stays there until all of it is over: another run finds it, and is refused.
        """
        site, backup = self._site, self._step.backup
        site.tell("renewing" if backup is None else f"restoring {backup.name}")
        with workspace(site.host):
            directory, words = f"{STATE}/{JOB}", self._words()
            job = jobs.start(site.host, JOB, directory, CHANGE, words, check=site.check)
            # Interrupted in here, it runs on, and is the next run's to wait for.
            ended = job.wait()
            with site.job_cleared():
                if ended.exit_code:
                    said = ended.log.strip().rpartition("\n")[2]
                    raise AdminError(
                        f"node {site.host.node}: not all certificates were changed: {said}", AGAIN
                    )
                return self._verify(ended.log)

    def _words(self) -> list[str]:
        """The job's arguments."""
        node, backup = self._step.before, self._step.backup
        new = f"{datetime.now(UTC):{NAMED}}"
        if backup is None:
            return ["renew", STATE, KUBERNETES, node.pki, new, *self._step.words]
        files = [file for name in self._step.names for file in RENEWABLE[name].files]
        new += BEFORE_ROLLBACK
        end = str(int(self._step.end.timestamp())) if self._step.end else "-"
        return ["rollback", STATE, KUBERNETES, node.pki, new, backup.name, end, *files]

    def _verify(self, log: str) -> Done:
        """Verifies that the changed certificates are used. log: the job's."""
        node = self._step.before
        backup = BACKUP.findall(log)[-1]
        after = self._live.with_disk(node)
        names = self._names(log)
        changed = {
            name: Changed(node.name, name, node.certificate(name), after.certificate(name)) for name in names
        }
        self._refuse_unchanged(changed.values())
        verification = Verification(self._site, self._live)
        # Changes of an earlier run were perhaps never seen, so all is looked at after one.
        looked_at = names if not self._step.resumes else after.renewable
        served = {
            name: verification.verify_served(after, name) for name in looked_at if RENEWABLE[name].server
        }
        for component in dict.fromkeys(reader for name in looked_at if (reader := RENEWABLE[name].reader)):
            verification.verify_reader(after, component)
        verification.verify_healthy(after)
        if self._step.backup is None:
            close_all(self._site.host)
        results = tuple(replace(one, served=served.get(one.name)) for one in changed.values() if one.is_new)
        return Done(node.name, backup, results, tuple(verification.restarted))

    def _names(self, log: str) -> tuple[str, ...]:
        """The changed ones: of a renewal also those of an earlier run."""
        if self._step.backup is not None:
            return self._step.names
        renewed = set(RENEWED.findall(log))
        node = self._step.before
        return tuple(
            name for name in RENEWABLE if (ALL in renewed and name in node.renewable) or name in renewed
        )

    def _refuse_unchanged(self, changed: Iterable[Changed]) -> None:
        """kubeadm passes over what it can't renew, and ends with exit code 0 all the same."""
        if self._step.backup is not None:
            return
        left = [one.name for one in changed if not one.is_new]
        if left:
            raise AdminError(
                f"node {self._site.host.node}: kubeadm has not renewed {', '.join(left)}",
                f"see what it says on the node: kubeadm certs renew {left[0]}",
            )
