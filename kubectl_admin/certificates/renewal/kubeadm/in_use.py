"""Verifies that the certificates on a node's disk are used: served, or read by a process started since.

Servers reload their files by themselves, or are restarted; one at a time, and only where that is necessary.
"""

from kubectl_admin.certificates.inventory import components
from kubectl_admin.certificates.inventory.components import CONFIGS, Port
from kubectl_admin.certificates.renewable import RENEWABLE
from kubectl_admin.certificates.renewal.facts import Node
from kubectl_admin.certificates.renewal.kubeadm.gather import Live
from kubectl_admin.certificates.renewal.work import Site
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.control_plane.component import APISERVER, ETCD
from kubectl_admin.errors import AdminError
from kubectl_admin.node.script import Script

RESTART = Script("certificates", "certs-restart")
RELOAD_TIMEOUT = 15.0  # seconds in which a server must have reloaded its files by itself; 1.37's take three
RESTART_TIMEOUT = 360.0  # seconds until a restarted process must serve again: kubelets wait up to 300
READY_TIMEOUT = 60.0  # seconds in which an API server must be ready, whose kubelet looks every one
AGAIN = "to resume, run the command again; to restore the previous certificates: kubectl admin certs rollback"


class Verification:
    """Whether the certificates of one node are used. restarted: the processes that were restarted for it."""

    def __init__(self, site: Site, live: Live) -> None:
        self._site, self._live = site, live
        self.restarted: list[str] = []

    def verify_served(self, node: Node, name: str) -> bool | None:
        """Waits until the certificate on the disk is served, by its server as it is or restarted.

        None where nobody can look. Raises AdminError where it does not come to be.
        """
        component, found = RENEWABLE[name].server, node.certificate(name)
        ports = node.ports(name)
        if found is None or not ports:
            return None
        shown = [self._wait_until_served(node, port, found, RELOAD_TIMEOUT) for port in ports]
        if None in shown:
            return None
        if all(shown):
            return True
        self._refuse_changed(node, name)
        self._site.tell(f"{component} does not reload its new certificate by itself")
        self._restart(node, component, name)
        if not all(self._wait_until_served(node, port, found, RESTART_TIMEOUT) for port in ports):
            raise AdminError(
                f"node {node.name}: {component} does not serve the certificate {name} on its disk",
                AGAIN,
            )
        return True

    def verify_reader(self, node: Node, component: str) -> None:
        """Restarts a process that has read its kubeconfig before that was changed; waits until it serves."""
        if component not in node.parts:
            return
        self._restart(node, component, CONFIGS[component])
        for port in components.ports(node.parts[component]):
            if not port.host and not self._is_answered(node, port):
                raise AdminError(
                    f"node {node.name}: {component} does not answer on port {port.number}", AGAIN
                )

    def verify_healthy(self, node: Node) -> None:
        """Waits until the node's API server is ready and its member of etcd up; AdminError where one is not.

        A server shows an expired certificate as well as any other; whether it works, its clients tell.
        """
        if ETCD in node.parts:
            self._wait_for_member()
        if APISERVER not in node.parts:
            return
        for _ in self._site.poll(READY_TIMEOUT):
            try:
                if self._live.is_ready(node):
                    return
            except AdminError:
                continue  # one that restarts
        raise AdminError(
            f"node {node.name}: its API server is not ready, so no further node is changed", AGAIN
        )

    def _refuse_changed(self, node: Node, name: str) -> None:
        """Raises AdminError where somebody else has written the file since: nothing is restarted then."""
        if self._live.with_disk(node).certificate(name) != node.certificate(name):
            raise AdminError(
                f"node {node.name}: somebody else has changed the certificate {name} during this run",
                "find out who; nothing was restarted",
            )

    def _refuse_without_quorum(self, node: Node) -> None:
        """Raises AdminError unless etcd keeps its quorum without this node's member.

        Its members may be unknown for a moment, as while another one is elected or an API server restarts.
        """
        why = ""
        for _ in self._site.poll(READY_TIMEOUT):
            etcd = self._live.etcd()
            if etcd.can_restart(node.name):
                return
            why = etcd.problem
            if not why:
                break
        raise AdminError(
            f"node {node.name}: etcd has to be restarted, and "
            + (f"its members can't be asked: {why}" if why else "its other members are not a quorum now"),
            "bring its members back first: kubectl admin etcd-status",
        )

    def _restart(self, node: Node, component: str, name: str) -> None:
        """Has the kubelet restart a process, unless it is younger than the file of that name."""
        if component == ETCD:
            self._refuse_without_quorum(node)
        found = node.on_disk(name)
        since = int(found.changed.timestamp()) if found and found.changed else 0
        answer = self._site.host.script(
            RESTART,
            component,
            node.uids[component],
            str(since),
            str(int(RESTART_TIMEOUT)),
            timeout=RESTART_TIMEOUT + 30,
            before=self._site.check,
        )
        if answer.strip() == b"restarted":
            self._site.tell(f"{component} was restarted")
            self.restarted.append(component)
        if component == ETCD:
            self._wait_for_member()

    def _wait_for_member(self) -> None:
        """Waits until the node's member of etcd answers."""
        node = self._site.host.node
        for _ in self._site.poll(RESTART_TIMEOUT):
            try:
                if node in self._live.etcd().up:
                    return
            except AdminError:
                continue  # an API server whose etcd restarts
        raise AdminError(f"node {node}: its member of etcd is not back", "see kubectl admin etcd-status")

    def _wait_until_served(self, node: Node, port: Port, wanted: Certificate, seconds: float) -> bool | None:
        """Whether the port comes to serve this certificate; None where nothing can look at it."""
        for _ in self._site.poll(seconds):
            try:
                if self._live.served(node, port).fingerprint == wanted.fingerprint:
                    return True
            except AdminError as error:
                if "neither openssl nor curl" in error.what:
                    self._site.tell(f"can't see what port {port.number} serves: {error.what}")
                    return None
        return False

    def _is_answered(self, node: Node, port: Port) -> bool:
        """Whether the port comes to serve any certificate."""
        for _ in self._site.poll(RESTART_TIMEOUT):
            try:
                self._live.served(node, port)
            except AdminError:
                continue
            return True
        return False
