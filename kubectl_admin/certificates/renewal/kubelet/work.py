"""Has the kubelets of one node after the other get new certificates, and sees each in use before the next."""

from dataclasses import replace

from kubectl_admin.certificates.inventory import served
from kubectl_admin.certificates.renewable import CLIENT, SERVING
from kubectl_admin.certificates.renewal.facts import JOB, ROTATING, Node
from kubectl_admin.certificates.renewal.kubelet.gather import HEARTBEATS, on_disk
from kubectl_admin.certificates.renewal.kubelet.plan import SIGNED
from kubectl_admin.certificates.renewal.plan import Step
from kubectl_admin.certificates.renewal.work import POLL_INTERVAL, Changed, Check, Done, cleared, differs
from kubectl_admin.certificates.requests import gather
from kubectl_admin.certificates.requests.approve import TURN, WATCH, Outcome, approve, await_issued, changes
from kubectl_admin.certificates.requests.facts import SERVING as SIGNER
from kubectl_admin.certificates.requests.facts import Request, outline_of
from kubectl_admin.certificates.requests.issued import mismatch
from kubectl_admin.certificates.requests.policy import Verdict, judge
from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.cluster.wait import looks
from kubectl_admin.control_plane.component import KUBELET_PORT
from kubectl_admin.errors import AdminError
from kubectl_admin.node import jobs
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE, workspace

CHANGE = Script("certificates", "certs-kubelet")
COMING = 120.0  # seconds in which the new certificate must be there; it takes about five
HEARD = 60.0  # seconds in which a kubelet must be heard of again; it tells every ten that it lives
APPROVING = (
    *gather.RIGHTS,
    Right("get", "nodes"),
    Right("get", "certificatesigningrequests", group=gather.GROUP),
    WATCH,
    Right("update", "certificatesigningrequests/approval", group=gather.GROUP),
)
AGAIN = "it can be run again; the kubelet works with the certificate that it had"


def rotated(cluster: Cluster, there: Host, step: Step, say: Say, check: Check) -> Done:
    """The work on one node. Raises AdminError where a new certificate does not come, or is not used."""
    return Worker(cluster, there, step, say, check).work()


class Worker:
    """The work on one node."""

    def __init__(self, cluster: Cluster, there: Host, step: Step, say: Say, check: Check) -> None:
        self._cluster, self._host, self._step, self._check = cluster, there, step, check
        self._say: Say = lambda text: say(f"node {there.node}: {text}")
        self._mismatch: AdminError | None = None

    def work(self) -> Done:
        """One certificate after the other."""
        node, changed = self._step.node, []
        approved = SERVING in self._step.names and node.settings.get(SIGNED) == "true"
        if approved:
            require(self._cluster, APPROVING)
        with workspace(self._host):
            for name in self._step.names:
                self._say(f"{name}: the kubelet is asked for a new one")
                after = self._rotate(name, approved=approved and name == SERVING)
                changed.append(self._seen_in_use(name, after))
        return Done(node.node, "", tuple(changed), ("kubelet",))

    def _rotate(self, name: str, *, approved: bool) -> Node:
        """Has one come, as a job there; the node as it is afterwards. approved: whether by us, if need be."""
        known = {request.uid for request in self._requests()} if approved else set()
        words = [name.removeprefix("kubelet-"), str(int(COMING))]
        job = jobs.start(self._host, JOB, f"{STATE}/{JOB}", CHANGE, words, check=self._check)
        # Interrupted in here, it goes on, and is the next run's to wait for.
        problem = self._approve(known) if approved else ""
        ended = job.wait(limit=ROTATING)
        with cleared(self._host, self._say):
            if self._mismatch:
                raise self._mismatch
            if ended.exit_code:
                said = problem or ended.log.strip().rpartition("\n")[2]
                raise AdminError(f"node {self._host.node}: {name} was not rotated: {said}", AGAIN)
            return on_disk(self._host, self._step.node)

    def _approve(self, known: set[str]) -> str:
        """Approves the node's request that was not known before, unless somebody else does.

        Returns why it was not approved; "" where it was. A certificate that is not what was judged is kept
        for when the node has been tidied up.
        """
        census = gather.Census(self._cluster)
        for _ in looks(COMING, POLL_INTERVAL):
            try:
                mine = self._next_request(known)
                if not mine:
                    continue
                if not mine.pending:
                    return ""
                judged = judge(gather.request(self._cluster, mine.name), census.nodes())
                if judged.request.pending and judged.verdict is not Verdict.VALID:
                    return f"its request {judged.request.name} is {judged.verdict}: " + "; ".join(
                        breach.evidence for breach in judged.breaches
                    )
                outcome = approve(self._cluster, judged, census)
            except AdminError as error:
                if not is_transient(error):
                    return error.what
                continue
            if outcome.approved:
                self._say(f"{SERVING}: its request {judged.request.name} was right, and is approved")
                return self._await_issued(outcome)
            self._say(f"{SERVING}: its request {judged.request.name} was not approved: {outcome.problem}")
        return "it has made no request"

    def _await_issued(self, outcome: Outcome) -> str:
        """Holds the certificate against what was judged; why it is not there, "" where it is."""
        (outcome,) = await_issued(self._cluster, [outcome])
        if outcome.issued and outcome.differs:
            self._mismatch = mismatch(outcome.judged, outcome.issued)
        return outcome.problem

    def _requests(self) -> list[Request]:
        """What this node has asked for, the oldest first; nothing of it is taken apart."""
        return [each for each in gather.outlines(self._cluster, SIGNER) if self._is_mine(each)]

    def _next_request(self, known: set[str]) -> Request | None:
        """What this node asks for next, as soon as it does; None where it has not for a while."""
        for deleted, document in changes(self._cluster, TURN, f"spec.signerName={SIGNER}"):
            request = outline_of(document)
            if not deleted and request.uid not in known and self._is_mine(request):
                return request
        return None

    def _is_mine(self, request: Request) -> bool:
        return request.username == f"system:node:{self._host.node}"

    def _seen_in_use(self, name: str, after: Node) -> Changed:
        """Sees the new certificate served, or its kubelet heard of with it."""
        node = self._step.node
        changed = Changed(node.node, name, node.certificate(name), after.certificate(name))
        if not differs(changed):
            raise AdminError(f"node {node.node}: {name} is the one from before", AGAIN)
        if name == CLIENT:
            self._until_heard()
            return changed
        return replace(changed, served=self._until_served(changed))

    def _until_served(self, changed: Changed) -> bool:
        """Sees the certificate shown by the kubelet's own port."""
        namespace, pod = self._host.pod
        for _ in looks(HEARD, POLL_INTERVAL):
            try:
                shown = served.certificate(self._cluster, pod, KUBELET_PORT, namespace=namespace)
            except AdminError:
                continue
            if changed.after and shown.fingerprint == changed.after.fingerprint:
                return True
        raise AdminError(f"node {changed.node}: the kubelet does not serve its new certificate", AGAIN)

    def _until_heard(self) -> None:
        """Waits until the API server has heard of the kubelet once more, which it now lets in by the new one.

        Source: docs «Leases», node heartbeats: kubelets renew theirs every ten seconds.
        """
        path = f"/apis/coordination.k8s.io/v1/namespaces/{HEARTBEATS}/leases/{self._host.node}"
        before = ""
        for _ in looks(HEARD, POLL_INTERVAL):
            try:
                now = str(self._cluster.get(path)["spec"].get("renewTime") or "")
            except AdminError as error:
                if not is_transient(error):
                    raise
                continue
            if before and now != before:
                return
            before = before or now
        raise AdminError(
            f"node {self._host.node}: its kubelet has a new certificate, and is not heard of any more",
            "see why, on the node: journalctl -u kubelet",
        )
