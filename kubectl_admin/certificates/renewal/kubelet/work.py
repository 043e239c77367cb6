"""Has one node's kubelet get new certificates, and verifies that each is used before the next."""

from dataclasses import replace

from kubectl_admin.certificates.renewable import CLIENT, SERVING
from kubectl_admin.certificates.renewal.facts import JOB, ROTATION_TIMEOUT, Node
from kubectl_admin.certificates.renewal.kubelet.approval import Approver, Requests
from kubectl_admin.certificates.renewal.kubelet.gather import Live
from kubectl_admin.certificates.renewal.kubelet.plan import SIGNED
from kubectl_admin.certificates.renewal.plan import NodeStep
from kubectl_admin.certificates.renewal.work import Changed, Done, Site
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.node import jobs
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE, workspace

ROTATE = Script("certificates", "certs-kubelet")
ISSUE_TIMEOUT = 120.0  # seconds in which the new certificate must be there; it takes about five
HEARTBEAT_TIMEOUT = 60.0  # seconds in which a kubelet must have renewed its Lease; it does every ten
AGAIN = "the kubelet keeps the certificate that it had; run the command again"


def rotate(cluster: Cluster, site: Site, step: NodeStep) -> Done:
    """The work on one node. Raises AdminError where a new certificate does not come, or is not used."""
    return Worker(site, Live(cluster, site.host), Requests(cluster), step).work()


class Worker:
    """The work on one node. live: the node as it is right now. requests: of kubelets."""

    def __init__(self, site: Site, live: Live, requests: Requests, step: NodeStep) -> None:
        self._site, self._live, self._step = site, live, step
        self._requests = requests

    def work(self) -> Done:
        """One certificate after the other."""
        node, changed = self._step.before, []
        approves = SERVING in self._step.names and node.settings.get(SIGNED) == "true"
        if approves:
            self._requests.require_rights()
        with workspace(self._site.host):
            for name in self._step.names:
                self._site.tell(f"{name}: asking the kubelet for a new one")
                after = self._rotate(name, approves=approves and name == SERVING)
                changed.append(self._verify(name, after))
        return Done(node.name, "", tuple(changed), ("kubelet",))

    def _rotate(self, name: str, *, approves: bool) -> Node:
        """Has one come, as a job there; the node as it is then. approves: whether this run may have to."""
        host = self._site.host
        approver = Approver(self._requests, self._site) if approves else None
        words = [name.removeprefix("kubelet-"), str(int(ISSUE_TIMEOUT))]
        job = jobs.start(host, JOB, f"{STATE}/{JOB}", ROTATE, words, check=self._site.check)
        # Interrupted in here, it runs on, and is the next run's to wait for.
        problem = approver.approve(ISSUE_TIMEOUT) if approver else ""
        ended = job.wait(limit=ROTATION_TIMEOUT)
        with self._site.job_cleared():
            if approver and approver.mismatch:
                raise approver.mismatch
            if ended.exit_code:
                said = problem or ended.log.strip().rpartition("\n")[2]
                raise AdminError(f"node {host.node}: {name} was not rotated: {said}", AGAIN)
            return self._live.with_disk(self._step.before)

    def _verify(self, name: str, after: Node) -> Changed:
        """Verifies that the new certificate is served, or that its kubelet is heard of with it."""
        node = self._step.before
        changed = Changed(node.name, name, node.certificate(name), after.certificate(name))
        if not changed.is_new:
            raise AdminError(f"node {node.name}: {name} was not replaced", AGAIN)
        if name == CLIENT:
            self._wait_for_heartbeat()
            return changed
        self._wait_until_served(changed)
        return replace(changed, served=True)

    def _wait_until_served(self, changed: Changed) -> None:
        """Waits until the kubelet's own port serves the certificate."""
        for _ in self._site.poll(HEARTBEAT_TIMEOUT):
            try:
                shown = self._live.served()
            except AdminError:
                continue
            if changed.after and shown.fingerprint == changed.after.fingerprint:
                return
        raise AdminError(f"node {changed.node}: the kubelet does not serve its new certificate", AGAIN)

    def _wait_for_heartbeat(self) -> None:
        """Waits until the kubelet has renewed its Lease once more, for which it shows its new certificate.

        Source: docs «Leases», node heartbeats: kubelets renew theirs every ten seconds.
        """
        before = ""
        for _ in self._site.poll(HEARTBEAT_TIMEOUT):
            try:
                now = self._live.heartbeat()
            except AdminError as error:
                if not is_transient(error):
                    raise
                continue
            if before and now != before:
                return
            before = before or now
        raise AdminError(
            f"node {self._site.host.node}: its kubelet has sent no heartbeat since it has a new certificate",
            "see why, on the node: journalctl -u kubelet",
        )
