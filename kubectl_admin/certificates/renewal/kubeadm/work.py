"""Changes the certificates of one control-plane node, and verifies that the new ones are used.

What is changed is a job there, which runs on whatever becomes of the connection.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from kubectl_admin.certificates.inventory.components import KUBERNETES
from kubectl_admin.certificates.renewable import ALL, RENEWABLE
from kubectl_admin.certificates.renewal.facts import BEFORE_ROLLBACK, JOB, NAMED
from kubectl_admin.certificates.renewal.kubeadm.backups import BACKUPS
from kubectl_admin.certificates.renewal.kubeadm.gather import on_disk
from kubectl_admin.certificates.renewal.kubeadm.in_use import AGAIN, Use
from kubectl_admin.certificates.renewal.plan import Step
from kubectl_admin.certificates.renewal.work import Changed, Check, Done, cleared, differs
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from kubectl_admin.node import jobs
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE, workspace

CHANGE = Script("certificates", "certs-change")
SAID = re.compile(r"^\S+ kubeadm certs renew (\S+)$", re.MULTILINE)
MADE = re.compile(r"^backup (\S+)$", re.MULTILINE)


def changed(cluster: Cluster, there: Host, step: Step, say: Say, check: Check) -> Done:
    """A renewal or a rollback on one node. Raises AdminError where it does not come to its end."""
    return Worker(cluster, there, step, say, check).work()


class Worker:
    """The work on one node."""

    def __init__(self, cluster: Cluster, there: Host, step: Step, say: Say, check: Check) -> None:
        self._cluster, self._host, self._step, self._check = cluster, there, step, check
        self._say: Say = lambda text: say(f"node {there.node}: {text}")

    def work(self) -> Done:
        """Changes the files, and sees to it that they are used.

        The job stays there until all of it is over: whoever else comes finds it, and is refused.
        """
        node, backup = self._step.node, self._step.backup
        self._say("renewing" if backup is None else f"bringing back {backup.name}")
        with workspace(self._host):
            folder, words = f"{STATE}/{JOB}", self._words()
            job = jobs.start(self._host, JOB, folder, CHANGE, words, check=self._check)
            # Interrupted in here, it goes on, and is the next run's to wait for.
            ended = job.wait()
            with cleared(self._host, self._say):
                if ended.exit_code:
                    said = ended.log.strip().rpartition("\n")[2]
                    raise AdminError(
                        f"node {node.node}: the certificates were not changed to the end: {said}", AGAIN
                    )
                return self._see_to_it(ended.log)

    def _words(self) -> list[str]:
        """The job's arguments."""
        node, backup = self._step.node, self._step.backup
        new = f"{datetime.now(UTC):{NAMED}}"
        if backup is None:
            return ["renew", STATE, KUBERNETES, node.pki, new, *self._step.words]
        files = [file for name in self._step.names for file in RENEWABLE[name].files]
        new += BEFORE_ROLLBACK
        end = str(int(self._step.end.timestamp())) if self._step.end else "-"
        return ["rollback", STATE, KUBERNETES, node.pki, new, backup.name, end, *files]

    def _see_to_it(self, log: str) -> Done:
        """Sees what the job has changed in use. log: what it has written."""
        node = self._step.node
        backup = MADE.findall(log)[-1]
        after = replace(node, seen=on_disk(self._host, dict(node.parts)))
        names = self._names(log)
        changed = {
            name: Changed(node.node, name, node.certificate(name), after.certificate(name)) for name in names
        }
        self._refuse_unchanged(changed.values())
        use = Use(self._cluster, self._host, self._say, self._check)
        # What an earlier run had changed was perhaps never seen, so all is looked at after one.
        looked_at = names if not self._step.resumes else after.renewable
        seen = {name: use.see_served(after, name) for name in looked_at if RENEWABLE[name].server}
        for component in dict.fromkeys(reader for name in looked_at if (reader := RENEWABLE[name].reader)):
            use.renew_reader(after, component)
        use.see_well(after)
        if self._step.backup is None:
            # Nothing that earlier runs have made is left unseen.
            remove = [
                "find",
                BACKUPS,
                "-maxdepth",
                "2",
                "-name",
                "open",
                "-exec",
                "rm",
                "-f",
                "--",
                "{}",
                "+",
            ]
            self._host.persistently(lambda: self._host.run(remove))
        told = [one for one in changed.values() if differs(one)]
        results = tuple(replace(one, served=seen.get(one.name)) for one in told)
        return Done(node.node, backup, results, tuple(use.restarted))

    def _names(self, log: str) -> tuple[str, ...]:
        """What was changed: for a renewal also what an earlier run had begun."""
        if self._step.backup is not None:
            return self._step.names
        told = set(SAID.findall(log))
        node = self._step.node
        return tuple(name for name in RENEWABLE if (ALL in told and name in node.renewable) or name in told)

    def _refuse_unchanged(self, changed: Iterable[Changed]) -> None:
        """kubeadm passes over what it can't renew, and says so with exit code 0."""
        if self._step.backup is not None:
            return
        left = [one.name for one in changed if one.after is None or not differs(one)]
        if left:
            raise AdminError(
                f"node {self._host.node}: kubeadm has not renewed {', '.join(left)}",
                "see what it says on the node: kubeadm certs renew " + left[0],
            )
